"""
Réglages du service.

Trois familles : ce qui est secret ou propre au lieu (sans défaut), ce qui a un défaut prudent, et les règles du
service, les mêmes partout. `.env.exemple` explique chaque variable ; rien d'autre ne lit l'environnement.
"""

import json
import logging
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from urllib.parse import urlsplit

import environ
from csp.constants import NONE, SELF
from django.conf.locale import LANG_INFO
from django.core.exceptions import ImproperlyConfigured

from caf_remboursement.journaux import build_reglages
from paiements.boutiques import read_boutiques
from paiements.payzen import Mode

BASE_DIR = Path(__file__).resolve().parent.parent

env = environ.Env()
env.read_env(BASE_DIR / ".env")  # absent en production : les variables y viennent du système

# --- Sans valeur par défaut : le service refuse de démarrer plutôt que de tourner avec une clé connue de tous ---
SECRET_KEY = env("SECRET_KEY")
DATABASES = {"default": env.db("DATABASE_URL")}
REDIS_URL = env("REDIS_URL")
PAYZEN_MODE = Mode(env("PAYZEN_MODE"))

# --- Valeur par défaut sans danger : qui oublie la variable obtient le réglage prudent ---
DEBUG = env.bool("DEBUG", default=False)
SECRET_KEY_FALLBACKS = env.list("SECRET_KEY_FALLBACKS", default=[])
ADRESSE_PUBLIQUE = env("ADRESSE_PUBLIQUE", default="http://127.0.0.1:8000").rstrip("/")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=[urlsplit(ADRESSE_PUBLIQUE).hostname])
HTTPS = env.bool("HTTPS", default=True)
# « __Host- » : le navigateur ne l'accepte que d'une page https de cet hôte même, jamais d'un sous-domaine.
PREFIXE_DE_COOKIE = "__Host-" if HTTPS else ""
LOGO = env("LOGO", default="")
ALERTES_A = env.list("ALERTES_A", default=[])
CONTACT_SECURITE = env("CONTACT_SECURITE", default="")
PAYZEN_URL_FORMULAIRE = env("PAYZEN_URL_FORMULAIRE", default="https://secure.payzen.eu/vads-payment/")
PAYZEN_URL_API = env("PAYZEN_URL_API", default="https://api.payzen.eu/api-payment/V4/")
PAYZEN_CARTES = env("PAYZEN_CARTES", default="CB;VISA;MASTERCARD")
vars().update(env.email_url("EMAIL_URL", default="consolemail://"))
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = env("DEFAULT_FROM_EMAIL", default="ne-pas-repondre@caf.invalid")

# FranceConnect, éteint sans émetteur. La clé est celle que se partagent les Caf et le service (FICHIERS §5).
FRANCECONNECT_EMETTEUR = env("FRANCECONNECT_EMETTEUR", default="").rstrip("/")
FRANCECONNECT_CLE = env("FRANCECONNECT_CLE", default="")
FRANCECONNECT_NIVEAUX = ["eidas1", "eidas2", "eidas3"]
OIDC_RP_CLIENT_ID = env("FRANCECONNECT_CLIENT", default="")
OIDC_RP_CLIENT_SECRET = env("FRANCECONNECT_SECRET", default="")
OIDC_RP_SIGN_ALGO = env("FRANCECONNECT_SIGNATURE", default="ES256")
# L'identité pivot, et rien d'autre : ni courriel, ni adresse, ni téléphone.
OIDC_RP_SCOPES = "openid family_name given_name birthdate birthplace birthcountry"
OIDC_USE_NONCE = OIDC_USE_PKCE = True
OIDC_AUTHENTICATION_CALLBACK_URL = "comptes:franceconnect_retour"
OIDC_TIMEOUT = 10

# Les clés des boutiques, en JSON : dans la variable même, ou dans un fichier de secrets qu'elle n'a pas à montrer.
PAYZEN_BOUTIQUES_FICHIER = env("PAYZEN_BOUTIQUES_FICHIER", default="")
try:
    PAYZEN_BOUTIQUES = read_boutiques(
        json.loads(Path(PAYZEN_BOUTIQUES_FICHIER).read_text())
        if PAYZEN_BOUTIQUES_FICHIER
        else env.json("PAYZEN_BOUTIQUES", default={}),
        mode=PAYZEN_MODE,
        url_formulaire=PAYZEN_URL_FORMULAIRE,
        url_api=PAYZEN_URL_API,
    )
except (ValueError, OSError) as erreur:
    raise ImproperlyConfigured(f"PAYZEN_BOUTIQUES : {erreur}") from erreur

# --- Règles du service, les mêmes partout ---
# Sans activité, la session se ferme : plus vite chez l'allocataire, dont le poste est parfois partagé.
INACTIVITE_ALLOCATAIRE = timedelta(minutes=15)
INACTIVITE_AGENT = timedelta(minutes=20)
# Plus vieille, la connexion se confirme avant de payer : le temps d'un parcours lent, pas celui d'un poste oublié.
CONFIRMER_AVANT_DE_PAYER = timedelta(minutes=30)
MENTIONS_VERSION = "2026-12-1"
MONTANT_MINIMUM = Decimal("1.00")
# Le temps que PayZen laisse pour payer (PROTOCOLE §3.9).
PAYZEN_SESSION = timedelta(minutes=10)
# Dernière nouvelle possible d'un paiement : 10 min de session, 10 min de 3-D Secure, une marge (PROTOCOLE §6.7).
PAIEMENT_CONTROLES = [timedelta(minutes=25), timedelta(minutes=75), timedelta(hours=24), timedelta(hours=72)]
# De l'acceptation à sa vérification. La démonstration sait en faire une minute, pour que l'on voie « enregistrée ».
VERIFIER_APRES = timedelta(0)
VERIFICATION_RELANCES = [
    timedelta(seconds=5),
    timedelta(seconds=30),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
]
# La dernière se répète : seule une adresse refusée est définitive.
TICKET_RELANCES = [timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=20), timedelta(hours=1)]
# Les colonnes des journaux qui ne portent pas ici leur nom d'ordinaire : {"JT": {"uuid": "UUID"}} (PROTOCOLE §8).
PAYZEN_JOURNAUX = env.json("PAYZEN_JOURNAUX", default={})
IMPORT_SEUIL_REJETS = Decimal("0.01")
# Le compte du service y écrit ; il n'écrit pas là où est le code.
IMPORT_REJETS = env("IMPORT_REJETS", default="/var/lib/rembourser/rejets")

INSTALLED_APPS = [
    "caf_remboursement",
    "socle",
    "comptes",
    "dettes",
    "demarches",
    "paiements",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.forms",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "csp",
    "django_structlog",
    "pgtrigger",
]
MIDDLEWARE = [
    "caf_remboursement.journaux.RequeteMiddleware",
    "caf_remboursement.middleware.EntetesMiddleware",
    "caf_remboursement.middleware.LangueMiddleware",
    "csp.middleware.CSPMiddleware",
    "caf_remboursement.middleware.AdressePubliqueMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "caf_remboursement.middleware.RequeteLisibleMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "caf_remboursement.middleware.SansPersonneMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    # Fermé d'origine : une vue s'ouvre à tous par `login_not_required`, et par rien d'autre.
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "comptes.middleware.InactiviteMiddleware",
    "comptes.middleware.TwoFactorMiddleware",
    "caf_remboursement.middleware.VerrouTenuMiddleware",
]
ROOT_URLCONF = "caf_remboursement.urls"
WSGI_APPLICATION = "caf_remboursement.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "builtins": ["django.templatetags.i18n"],
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "caf_remboursement.contexte.reglages",
            ],
        },
    }
]
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"

DERRIERE_PGBOUNCER = env.bool("DERRIERE_PGBOUNCER", default=False)
# Une connexion neuve par requête rend la page 5 à 9 fois plus lente ; aucune transaction n'attend sans borne. Un
# verrou s'attend moins que les dix secondes que PayZen laisse à sa notification (PROTOCOLE §3.6).
DATABASES["default"] |= {
    "CONN_MAX_AGE": 60,
    "CONN_HEALTH_CHECKS": True,
    # Un curseur de serveur vit hors d'une transaction : PgBouncer le perdrait.
    "DISABLE_SERVER_SIDE_CURSORS": DERRIERE_PGBOUNCER,
}
# Ce que `socle/sql.py` a écrit se prépare au premier appel, et nul plan n'en dépend des valeurs : chaque ordre cherche
# par une clé. Un plan aussi vit hors d'une transaction.
DATABASES["default"].setdefault("OPTIONS", {})["prepare_threshold"] = None if DERRIERE_PGBOUNCER else 0
# Une machine perdue ne dit pas adieu : sans cela, ce qui l'attend attendrait des heures, et un ouvrier en fils n'a pas
# d'autre limite.
DATABASES["default"]["OPTIONS"] |= {
    "connect_timeout": 5,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 20_000,
}
DATABASES["default"]["OPTIONS"]["options"] = (
    "-c statement_timeout=30s -c lock_timeout=4s -c idle_in_transaction_session_timeout=30s"
    " -c plan_cache_mode=force_generic_plan"
)
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Un cache partagé, sans quoi chaque processus compterait ses essais de connexion seul ; Redis éteint, on entre encore.
CACHES = {
    "default": {
        "BACKEND": "comptes.cache.CacheTolerant",
        "LOCATION": REDIS_URL,
        "OPTIONS": {"socket_connect_timeout": 1, "socket_timeout": 1},
    }
}

AUTH_USER_MODEL = "comptes.Utilisateur"
AUTHENTICATION_BACKENDS = ["comptes.acces.Entree"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "comptes.mots_de_passe.AssezLong", "OPTIONS": {"min_length": 10}},
    {"NAME": "comptes.mots_de_passe.DonneesPersonnelles"},
    {"NAME": "comptes.mots_de_passe.Courant"},
    {"NAME": "comptes.mots_de_passe.PasQueDesChiffres"},
    {"NAME": "comptes.journal.TemoinDesMotsDePasse"},
]
LOGIN_URL = "account_login"
ACCOUNT_ADAPTER = "comptes.allauth.Adaptateur"
ACCOUNT_FORMS = {
    "login": "comptes.forms.ConnexionForm",
    "change_password": "comptes.forms.MotDePasseForm",
    "reauthenticate": "comptes.forms.ConfirmationForm",
}
ACCOUNT_USER_MODEL_USERNAME_FIELD = "identifiant"
ACCOUNT_USER_MODEL_EMAIL_FIELD = None
# Les identifiants sont enregistrés en minuscules : la recherche suit l'index au lieu de lire toute la table.
ACCOUNT_PRESERVE_USERNAME_CASING = False
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_LOGOUT_REDIRECT_URL = "/"
# Par compte vu d'une adresse (comptes/essais.py), l'attente s'allonge : deviner est vain, et le titulaire entre.
ESSAIS = "5/5m/key,10/h/key,20/d/key"
# Par adresse ensuite ; larges, car un opérateur de téléphonie en partage une entre des milliers de personnes.
ACCOUNT_RATE_LIMITS = {
    "login_failed": ESSAIS,
    "code_activation": ESSAIS,
    "login": "100/m/ip,1000/h/ip",
    "premiere_connexion": "50/5m/ip,500/d/ip",
    # Ce que garde de côté qui n'est pas, ou plus, connecté : chaque fois, une session.
    "frappe": "50/5m/ip,5000/d/ip",
    # Un PDF prend une demi-seconde de processeur, une recherche peut en prendre dix à la base.
    "pdf": "20/m/user,200/m/ip",
    "liste": "60/m/user",
    # Chaque réponse interroge PayZen, et tient un processus tant qu'il se tait.
    "repondre": "10/m/user",
}
# Sans ce compte, l'adresse vue serait celle du serveur frontal : un seul visiteur trop pressé fermerait à tous.
ALLAUTH_TRUSTED_PROXY_COUNT = env.int("SERVEURS_FRONTAUX", default=1)
ACCOUNT_SESSION_REMEMBER = False
# Le temps d'installer une application d'authentification, entre la preuve donnée et le facteur ajouté.
ACCOUNT_REAUTHENTICATION_TIMEOUT = 15 * 60
MFA_ADAPTER = "comptes.allauth.AdaptateurDeFacteurs"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_RECOVERY_CODES_SHOW_ONCE = True
MFA_FORMS = {
    "authenticate": "comptes.forms.CodeForm",
    "reauthenticate": "comptes.forms.ConfirmationParCodeForm",
    "activate_totp": "comptes.forms.ActivationForm",
    "add_webauthn": "comptes.forms.CleForm",
    "authenticate_webauthn": "comptes.forms.PreuveParCleForm",
    "reauthenticate_webauthn": "comptes.forms.ConfirmationParCleForm",
}
MFA_TOTP_ISSUER = "Rembourser ma Caf"
# Une clé de sécurité exige https ; sans lui (démonstration), le navigateur ne l'accepte que de « localhost ».
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not HTTPS
MFA_TOTP_TOLERANCE = 1  # une horloge de téléphone en avance ou en retard d'une demi-minute entre encore

# Le français est la source ; une langue de plus est un dossier de `locale/` (CONTRIBUTING, « … une langue »).
LANGUAGE_CODE = "fr"
LOCALE_PATHS = [BASE_DIR / "locale"]
LANGUAGES = [
    (langue, LANG_INFO[langue]["name_local"])
    for langue in (LANGUAGE_CODE, *sorted(po.parts[-3] for po in LOCALE_PATHS[0].glob("*/LC_MESSAGES/django.po")))
]
LANGUAGE_COOKIE_NAME = f"{PREFIXE_DE_COOKIE}langue"
LANGUAGE_COOKIE_AGE = int(timedelta(days=365).total_seconds())
LANGUAGE_COOKIE_SECURE = HTTPS
LANGUAGE_COOKIE_HTTPONLY = True
LANGUAGE_COOKIE_SAMESITE = "Lax"
FORMAT_MODULE_PATH = "caf_remboursement.formats"
TIME_ZONE = "Europe/Paris"

STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STATICFILES_DIRS = [BASE_DIR / "static"]
WHITENOISE_MIMETYPES = {".webmanifest": "application/manifest+json"}
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}

# --- Sécurité des pages ---
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "manifest-src": [SELF],
        # Payer, et se déconnecter de FranceConnect, partent d'un formulaire à nous.
        "form-action": [
            SELF,
            *("/".join(url.split("/", 3)[:3]) for url in (PAYZEN_URL_FORMULAIRE, FRANCECONNECT_EMETTEUR) if url),
        ],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
    }
}
X_FRAME_OPTIONS = "DENY"
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_SSL_REDIRECT = HTTPS
SECURE_REDIRECT_EXEMPT = [r"^paiements/payzen/notification/?$", r"^sante/(vie/|pret/)?$"]
SECURE_HSTS_SECONDS = 31536000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = HTTPS
SECURE_HSTS_PRELOAD = HTTPS
SECURE_REFERRER_POLICY = "same-origin"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SESSION_COOKIE_AGE = 2 * 60 * 60
SESSION_ENGINE = "comptes.sessions"
SESSION_COOKIE_NAME = f"{PREFIXE_DE_COOKIE}session"
CSRF_COOKIE_NAME = f"{PREFIXE_DE_COOKIE}csrftoken"
CSRF_TRUSTED_ORIGINS = [ADRESSE_PUBLIQUE]

# --- Tâches : un réveil, jamais la vérité (docs/adr/0002) ---
CELERY_BROKER_URL = REDIS_URL
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 300,
    "unacked_restore_interval": 10,
    "unacked_restore_throttle": 1,
    "socket_timeout": 30,
    "socket_connect_timeout": 2,
    "socket_keepalive": True,
    "health_check_interval": 10,
}
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_PUBLISH_RETRY = False
CELERY_TASK_TIME_LIMIT = 120
CELERY_TASK_SOFT_TIME_LIMIT = 90
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
# Autant de tâches qu'une connexion en sert : sa durée est bornée par CONN_MAX_AGE (caf_remboursement/celery.py).
CELERY_DB_REUSE_MAX = 1000
CELERY_TIMEZONE = "UTC"
# Une file par voisin : ce que PayZen ou le courriel fait attendre n'attend qu'eux. Un ouvrier sans -Q les sert toutes.
FILES = {
    "argent": ["balayer", "reprendre_les_trop_payes"],
    "payzen": ["interroger", "restituer"],
    "tickets": ["envoyer_ticket"],
}
CELERY_TASK_DEFAULT_QUEUE = "argent"
CELERY_TASK_QUEUES = {file: {"routing_key": file} for file in FILES}
CELERY_TASK_ROUTES = {
    f"paiements.tasks.{tache}": {"queue": file, "routing_key": file}
    for file, taches in FILES.items()
    for tache in taches
}
CELERY_BEAT_SCHEDULER = "caf_remboursement.planificateur:Planificateur"
CELERY_BEAT_SCHEDULE = {
    # Le message périmé est jeté : au retour d'un worker, un seul balayage suffit.
    "balayer": {"task": "paiements.tasks.balayer", "schedule": 1.0, "options": {"expires": 5}},
    "reprendre-les-trop-payes": {
        "task": "paiements.tasks.reprendre_les_trop_payes",
        "schedule": 60.0,
        "options": {"expires": 30},
    },
    # Par sa file même : qui ne la sert plus ne bat plus.
    **{
        f"battre-{file}": {
            "task": "paiements.tasks.battre",
            "schedule": 20.0,
            "kwargs": {"file": file},
            "options": {"expires": 15, "queue": file, "routing_key": file},
        }
        for file in FILES
    },
}

# Une ligne par page refusée ou en panne, par tâche manquée ; ni adresse de la personne, ni compte.
DJANGO_STRUCTLOG_TRUST_UPSTREAM_REQUEST_ID = ALLAUTH_TRUSTED_PROXY_COUNT > 0
DJANGO_STRUCTLOG_IP_LOGGING_ENABLED = False
DJANGO_STRUCTLOG_USER_ID_FIELD = ""
DJANGO_STRUCTLOG_STATUS_DEFAULT_LOG_LEVEL = logging.DEBUG
DJANGO_STRUCTLOG_CELERY_DEFAULT_LOG_LEVEL = logging.DEBUG
LOGGING = build_reglages(niveau=env("NIVEAU_JOURNAL", default="INFO"))
