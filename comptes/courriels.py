"""Prévenir un agent que son accès a changé : s'il n'y est pour rien, il est le seul à le savoir."""

import logging

from django.conf import settings
from django.core.mail import send_mail
from django.template.loader import render_to_string
from django.utils import translation

from comptes.models import Utilisateur

logger = logging.getLogger(__name__)

SUJET = "Votre accès à Rembourser ma Caf a changé"
ACCES_RENDU = "acces_rendu"
MOT_DE_PASSE_PAR_CODE = "mot_de_passe_par_code"
# Les clés d'allauth sont les noms de ses propres courriels.
FAITS = {
    "mfa/email/totp_activated": "une application d’authentification a été ajoutée",
    "mfa/email/totp_deactivated": "l’application d’authentification a été retirée",
    "mfa/email/webauthn_added": "une clé de sécurité a été ajoutée",
    "mfa/email/webauthn_removed": "une clé de sécurité a été retirée",
    "mfa/email/recovery_codes_generated": "de nouveaux codes de secours ont été créés",
    "account/email/password_changed": "le mot de passe a été changé",
    MOT_DE_PASSE_PAR_CODE: "un mot de passe a été choisi avec un code de l’exploitant",
    ACCES_RENDU: "l’exploitant a donné un code, ôté toute double authentification et fermé toutes les sessions",
}


def prevenir(utilisateur: Utilisateur, fait: str, adresse: str = "") -> None:
    """
    Écrit à qui a un courriel, c'est-à-dire aux agents et aux opérateurs. Un courrier en panne n'arrête rien.

    :param fait: une clé de FAITS
    :param adresse: l'adresse du réseau d'où vient le geste ; vide pour une commande
    """
    if not utilisateur.courriel:
        return
    contexte = {"identifiant": utilisateur.identifiant, "fait": FAITS[fait], "adresse": adresse}
    try:
        # Au bureau tout est en français, quelle que soit la langue de la page où le geste s'est fait.
        with translation.override(settings.LANGUAGE_CODE):
            texte = render_to_string("comptes/acces_change.txt", contexte)
        send_mail(SUJET, texte, None, [utilisateur.courriel])
    except OSError:  # toutes les pannes de smtplib en sont
        logger.exception("changement d'accès non annoncé", extra={"utilisateur": utilisateur.pk, "fait": fait})
