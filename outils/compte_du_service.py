"""Le compte PostgreSQL du service dans la démonstration : comme en production, il sert sans posséder les tables."""

from urllib.parse import urlsplit

from django.db import connection
from psycopg import sql

from outils.systeme import RACINE

COMPTE = "rembourser_service"
DROITS = RACINE / "docs" / "droits.sql"


def get_url(proprietaire: str, mot_de_passe: str) -> str:
    """La même base, vue du compte du service."""
    return urlsplit(proprietaire)._replace(netloc=f"{COMPTE}:{mot_de_passe}@").geturl()


def poser_les_droits(url: str) -> None:
    """Par qui possède les tables : passe `droits.sql`, et donne à ce compte le mot de passe de cette adresse."""
    mot_de_passe = sql.SQL("ALTER ROLE {} PASSWORD {}").format(sql.Identifier(COMPTE), urlsplit(url).password)
    with connection.cursor() as curseur:
        curseur.execute(DROITS.read_text())
        curseur.execute(mot_de_passe)
