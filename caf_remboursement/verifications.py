"""Ce que `manage.py check` dit avant que le service ne le dise à un allocataire."""

import ctypes.util
import re
from collections.abc import Sequence
from importlib.util import find_spec
from urllib.parse import urlsplit

from django.apps import AppConfig
from django.conf import settings
from django.core import checks

from paiements.documents.envois import get_message_id
from paiements.payzen import Mode

MESSAGE_ID = re.compile(r"<[A-Za-z0-9-]+@(?:[A-Za-z0-9-]+\.)+[A-Za-z0-9-]+>")
CLE_D_IDENTITE = 32  # signes (FICHIERS §5)
PANGO = "apt-get install libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0"


@checks.register()
def verifier_pango(app_configs: Sequence[AppConfig] | None, **kwargs: object) -> list[checks.CheckMessage]:
    """Sans Pango, on paie et on rembourse ; seuls les tickets en PDF attendent."""
    if ctypes.util.find_library("pango-1.0"):
        return []
    return [checks.Warning("Pango est absent : aucun ticket ne se rendra en PDF.", hint=PANGO, id="service.W001")]


@checks.register(checks.Tags.security, deploy=True)
def verifier_la_plateforme(app_configs: Sequence[AppConfig] | None, **kwargs: object) -> list[checks.CheckMessage]:
    """En production : une vraie plateforme, des boutiques, et pas de simulateur sur le disque."""
    if settings.PAYZEN_MODE != Mode.PRODUCTION:
        return []
    fautes: list[checks.CheckMessage] = []
    if find_spec("simulateur_payzen") is not None:
        fautes.append(checks.Error("Le simulateur PayZen ne s'installe jamais en production.", id="service.E001"))
    for nom in ("PAYZEN_URL_FORMULAIRE", "PAYZEN_URL_API", "ADRESSE_PUBLIQUE"):
        adresse = urlsplit(getattr(settings, nom))
        if adresse.scheme != "https" or adresse.hostname in ("127.0.0.1", "localhost"):
            fautes.append(checks.Error(f"{nom} n'est pas une adresse https publique.", id="service.E002"))
    if not settings.CONTACT_SECURITE:
        fautes.append(
            checks.Warning("CONTACT_SECURITE est vide : nul ne saura où signaler une faille.", id="service.W002")
        )
    if settings.FRANCECONNECT_EMETTEUR and len(settings.FRANCECONNECT_CLE) < CLE_D_IDENTITE:
        fautes.append(checks.Error("FRANCECONNECT_CLE a moins de 32 signes : elle se devinerait.", id="service.E006"))
    courtier = urlsplit(settings.REDIS_URL)
    if courtier.hostname and not courtier.password:
        # Django relit le cache avec pickle : qui peut y écrire y ferait exécuter ce qu'il veut.
        fautes.append(checks.Error("REDIS_URL n'a pas de mot de passe.", id="service.E007"))
    if not settings.PAYZEN_BOUTIQUES:
        fautes.append(checks.Error("Aucune boutique PayZen : personne ne pourra payer.", id="service.E003"))
    return fautes


@checks.register(checks.Tags.security, deploy=True)
def verifier_l_expediteur(app_configs: Sequence[AppConfig] | None, **kwargs: object) -> list[checks.CheckMessage]:
    """Un courriel dont l'expéditeur se lit, d'un domaine qui existe : sans quoi aucun ticket n'arrive."""
    if settings.PAYZEN_MODE != Mode.PRODUCTION:
        return []
    fautes: list[checks.CheckMessage] = []
    identifiant = get_message_id("P-1", settings.DEFAULT_FROM_EMAIL)
    if not MESSAGE_ID.fullmatch(identifiant) or identifiant.endswith(".invalid>"):
        indication = "« ne-pas-repondre@caf.example », ou « Rembourser ma Caf <ne-pas-repondre@caf.example> »"
        fautes.append(checks.Error("DEFAULT_FROM_EMAIL n'est pas une adresse.", hint=indication, id="service.E004"))
    if not settings.EMAIL_BACKEND.endswith("smtp.EmailBackend"):
        fautes.append(checks.Error("EMAIL_URL n'est pas un serveur : aucun ticket ne partira.", id="service.E005"))
    return fautes
