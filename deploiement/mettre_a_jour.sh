#!/bin/sh
# Met à jour, ou revient en arrière, sans arrêter les paiements : deux gunicorn par rôle, relancés l'un après l'autre.
# En root, la version d'abord copiée, et son .venv fait :
#   DATABASE_URL_PROPRIETAIRE=postgresql://rembourser:…@127.0.0.1/rembourser mettre_a_jour.sh /srv/rembourser/versions/NOUVELLE
# Revenir : la même commande, vers la version d'avant. Une migration ne retire rien que la version d'avant emploie ;
# CHANGELOG.md dit les exceptions, qui demandent `suspendre_service --toutes` et une sauvegarde.
set -eu
version=$1
racine=/srv/rembourser
relancer=${RELANCER:-"systemctl restart"}
[ -x "$version/.venv/bin/python" ] || { echo "$version n'a pas son environnement (.venv)." >&2; exit 1; }
set -a
. /etc/rembourser/service.env
set +a
cd "$version"
.venv/bin/python manage.py check --deploy --fail-level ERROR
.venv/bin/python manage.py collectstatic --no-input --verbosity 0
# Revenir en arrière ne défait aucune migration : l'ancienne version lit la base nouvelle.
if [ -n "${DATABASE_URL_PROPRIETAIRE:-}" ]; then
    DATABASE_URL=$DATABASE_URL_PROPRIETAIRE .venv/bin/python manage.py migrate --no-input --verbosity 1
    psql "$DATABASE_URL_PROPRIETAIRE" --quiet -f deploiement/postgresql/droits.sql
fi
# Jusqu'à sa relance, chaque gunicorn d'avant donne des pages de sa version, et le frontal ne sert que `courant`.
if [ -d "$racine/courant/staticfiles" ] && ! [ "$racine/courant" -ef "$version" ]; then
    cp --archive --no-clobber "$racine/courant/staticfiles/." "$version/staticfiles/"
fi
ln -sfn "$version" "$racine/suivant" && mv -T "$racine/suivant" "$racine/courant"
for unite in notification@1 notification@2 site@1 site@2 ouvrier@argent ouvrier@payzen ouvrier@tickets planificateur metriques; do
    $relancer "rembourser-$unite"
done
