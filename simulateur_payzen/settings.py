"""
Réglages du simulateur. Tout vient de l'environnement ; rien n'est partagé avec le reste du projet.

Obligatoires : `SIMULATEUR_SECRET_KEY`, `SIMULATEUR_BASE` (fichier SQLite), `SIMULATEUR_BOUTIQUES` (JSON).
Facultatifs : `DEBUG`, `SIMULATEUR_FORMATION`, `SIMULATEUR_HOTES`, `SIMULATEUR_PANNE_IPN` et `SIMULATEUR_PANNE_REST`
(la panne avec laquelle naissent les boutiques), `SIMULATEUR_JOURNAUX` (le dossier
où se déposent chaque nuit les journaux de la veille), `SIMULATEUR_AUTORITES` (le fichier des autorités qui
certifient la boutique, si le système ne les connaît pas), et un `SIMULATEUR_…` par champ de `reglages.Reglages`.
"""

import json
import os
from pathlib import Path
from typing import Any

from django.core.exceptions import ImproperlyConfigured

from . import reglages

DOSSIER = Path(__file__).resolve().parent
CLES_DE_BOUTIQUE = ("nom", "cle_test", "cle_production", "mot_de_passe_test", "mot_de_passe_production")


def exiger(nom: str) -> str:
    """Rend une variable obligatoire."""
    valeur = os.environ.get(nom, "")
    if not valeur:
        raise ImproperlyConfigured(f"Le simulateur PayZen demande la variable d'environnement {nom}.")
    return valeur


def lire_boutiques(texte: str) -> dict[str, dict[str, str]]:
    """Lit les boutiques : `{"12345678": {"nom", "cle_test", "cle_production", "mot_de_passe_test", …}}`."""
    try:
        boutiques: dict[str, dict[str, Any]] = json.loads(texte)
        for site_id, boutique in boutiques.items():
            manquantes = [cle for cle in CLES_DE_BOUTIQUE if not boutique.get(cle)]
            if manquantes or len(site_id) != 8 or not site_id.isdigit():
                raise ImproperlyConfigured(
                    f"SIMULATEUR_BOUTIQUES : boutique {site_id} (8 chiffres), il manque : {', '.join(manquantes)}."
                )
    except (ValueError, AttributeError) as erreur:
        raise ImproperlyConfigured("SIMULATEUR_BOUTIQUES n'est pas le JSON attendu.") from erreur
    return boutiques


DEBUG = reglages.lire_booleen(os.environ.get("DEBUG", "non"))
if not DEBUG and not reglages.lire_booleen(os.environ.get("SIMULATEUR_FORMATION", "non")):
    raise ImproperlyConfigured(
        "Le simulateur PayZen refuse de démarrer : DEBUG est éteint, ce serait donc une production, "
        "et il accepterait de faux paiements. Pour une démonstration : DEBUG=oui. "
        "Pour un environnement de formation : SIMULATEUR_FORMATION=oui."
    )

SECRET_KEY = exiger("SIMULATEUR_SECRET_KEY")
BOUTIQUES = lire_boutiques(exiger("SIMULATEUR_BOUTIQUES"))
REGLAGES = reglages.from_environnement(os.environ)
JOURNAUX = os.environ.get("SIMULATEUR_JOURNAUX", "")
AUTORITES = os.environ.get("SIMULATEUR_AUTORITES", "")
PANNES = reglages.lire_pannes(os.environ)
ALLOWED_HOSTS = list(reglages.lire_liste(os.environ.get("SIMULATEUR_HOTES", "127.0.0.1,localhost,[::1]")))

INSTALLED_APPS = ["django.contrib.staticfiles", "simulateur_payzen"]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "simulateur_payzen.enveloppe.entetes",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
]
ROOT_URLCONF = "simulateur_payzen.urls"
WSGI_APPLICATION = "simulateur_payzen.wsgi.application"
APPEND_SLASH = False  # une redirection perdrait les données d'un POST

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {"context_processors": ["django.template.context_processors.request"]},
    }
]

DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": exiger("SIMULATEUR_BASE"),
        "OPTIONS": {
            # Plusieurs fils écrivent : chacun attend son tour au lieu d'échouer au milieu d'une transaction.
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
        },
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

LANGUAGE_CODE = "fr"
TIME_ZONE = "Europe/Paris"
USE_TZ = True
STATIC_URL = "/static/"
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = False

CSRF_COOKIE_NAME = "simulateur_csrf"
CSRF_COOKIE_HTTPONLY = True
SECURE_REFERRER_POLICY = "strict-origin-when-cross-origin"  # le jeton de session ne sort pas d'ici
X_FRAME_OPTIONS = "DENY"

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"texte": {"()": "simulateur_payzen.enveloppe.FormatAvecExtra"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "texte"}},
    "root": {"handlers": ["console"], "level": "WARNING"},
    "loggers": {"simulateur_payzen": {"level": "INFO"}, "django": {"handlers": []}},
}
