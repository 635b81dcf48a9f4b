#!/bin/sh
# Une base entière, chaque nuit, par le compte postgres ; entre deux, les WAL (archive_command) la mènent à la minute.
# pg_basebackup et non pgBackRest : une seule base, une seule machine, rien d'autre à apprendre à trois heures du matin.
set -eu
ou=${1:-/var/backups/rembourser}
port=${PGPORT:-5432}
jour=$(date +%Y%m%d-%H%M%S)
mkdir -p "$ou/base" "$ou/wal"
# Manquée ou tronquée (disque plein), elle s'arrête ici : rien d'ancien n'est effacé, et elle n'est pas parmi les bonnes.
trap 'rm -rf "$ou/en-cours"' EXIT
rm -rf "$ou/en-cours"
pg_basebackup --port "$port" --pgdata "$ou/en-cours" --format tar --gzip --wal-method stream --checkpoint fast
gzip --test "$ou/en-cours"/*.gz
mv "$ou/en-cours" "$ou/base/$jour"
# Quatorze bases ; les WAL d'avant la plus vieille ne servent plus.
ls -1d "$ou"/base/* | sort | head -n -14 | xargs -r rm -rf --
vieille=$(ls -1d "$ou"/base/* | sort | head -n 1)
find "$ou/wal" -type f ! -newer "$vieille" -delete
echo "$ou/base/$jour"
