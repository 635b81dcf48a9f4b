#!/bin/sh
# Une commande de gestion, par le compte et dans l'environnement du service. En root :
#   gerer.sh etat_service
set -eu
set -a
. /etc/rembourser/service.env
set +a
cd /srv/rembourser/courant
exec setpriv --reuid=rembourser --regid=rembourser --init-groups .venv/bin/python manage.py "$@"
