#!/bin/sh
# Rétablit une sauvegarde dans un dossier de données VIDE, puis rejoue les WAL. Par le compte postgres, base arrêtée.
#   restaurer.sh SAUVEGARDE DOSSIER_DE_DONNEES [DOSSIER_DES_WAL]
# Rien d'autre ne tourne (docs/exploitation.md, « Sauvegarder, restaurer »). Ensuite : démarrer PostgreSQL, lui seul, puis
# « Après un désastre », d'un bout à l'autre : ce qui lirait PayZen avant son étape 2 ne se rattraperait pas.
set -eu
sauvegarde=$1
donnees=$2
wal=${3:-/var/backups/rembourser/wal}
[ -z "$(ls -A "$donnees")" ] || { echo "$donnees n'est pas vide : rien n'est fait." >&2; exit 1; }
tar -xzf "$sauvegarde/base.tar.gz" -C "$donnees"
mkdir -p "$donnees/pg_wal"
tar -xzf "$sauvegarde/pg_wal.tar.gz" -C "$donnees/pg_wal"
chmod 700 "$donnees"
cat >> "$donnees/postgresql.auto.conf" <<FIN
restore_command = 'cp $wal/%f %p'
recovery_target_timeline = 'latest'
FIN
touch "$donnees/recovery.signal"
