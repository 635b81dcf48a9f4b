#!/bin/sh
# Chaque nuit : le fichier de chaque Caf, puis ce que PayZen sait de la veille et d'il y a trente jours.
#   CAFS="661 751" ENCAISSEMENTS=/var/lib/rembourser/encaissements nuit.sh
# Une étape manquée n'arrête pas les autres ; le code de sortie le dit.
set -u
manque=0
gerer() { .venv/bin/python manage.py "$@" || manque=1; }
TZ=Europe/Paris
export TZ
for caf in $CAFS; do
    mkdir -p "$ENCAISSEMENTS/$caf"
    gerer emettre_encaissements "$caf" --dossier "$ENCAISSEMENTS/$caf" --appliquer
done
gerer interroger_payzen --jour "$(date --date=yesterday +%F)" --appliquer
gerer interroger_payzen --jour "$(date --date='30 days ago' +%F)" --appliquer
exit $manque
