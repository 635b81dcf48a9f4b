"""
Les IPN : appeler la boutique, réessayer aux quarts d'heure (PROTOCOLE §3).

Aucune transaction de base n'est ouverte pendant un appel : la boutique peut mettre dix secondes à répondre.
"""

import logging
import time
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import requests
import urllib3
from django.conf import settings
from django.utils import timezone

from .message import composer, deformer
from .models import AppelIpn, Courriel, EtatAppel, SessionPaiement, Transaction

logger = logging.getLogger(__name__)

REUSSITES = {*range(200, 207), 301, 302, 303, 307, 308}
RETENUE_DU_DESORDRE_S = 30
ENTETES = {"Content-Type": "application/x-www-form-urlencoded; charset=UTF-8", "User-Agent": "SimulateurPayZen/1.0"}


def notifier(
    session: SessionPaiement, transaction: Transaction | None, regle: str, source: str = "PAY"
) -> list[AppelIpn]:
    """Prépare et envoie, d'un trait, les appels d'un événement ; les rend."""
    return envoyer(preparer(session, transaction, regle, source))


def preparer(
    session: SessionPaiement, transaction: Transaction | None, regle: str, source: str = "PAY"
) -> list[AppelIpn]:
    """
    Écrit les appels d'un événement, si sa règle est active ; rien ne part encore.

    À faire dans la transaction qui fait l'événement : sinon un autre onglet verrait le reçu avant l'IPN.
    `regle` vide : envoi à la main depuis le Back Office, toujours permis.
    """
    boutique = session.boutique
    boutique.refresh_from_db()
    if regle and regle not in boutique.reglages.regles:
        return []
    de_la_regle, du_formulaire = boutique.url_notification(session.mode), session.champs.get("vads_url_check", "")
    url = (du_formulaire or de_la_regle) if source == "PAY" else (de_la_regle or du_formulaire)
    if not url:
        logger.warning("aucune URL de notification pour cette boutique", extra={"boutique": boutique.pk})
        return []
    panne = boutique.consommer_panne("ipn") or {"genre": "", "secondes": 0}
    return creer_appels(session, transaction, source, url, panne)


def envoyer(appels: list[AppelIpn]) -> list[AppelIpn]:
    """Appelle la boutique, puis fait partir ce qui n'attendait que cet appel-là (panne « désordre »)."""
    for appel in appels:
        if appel.etat == EtatAppel.EN_COURS:
            appeler(appel)
    retenus = AppelIpn.objects.filter(boutique__in={appel.boutique_id for appel in appels}, etat=EtatAppel.RETENU)
    for appel in retenus.exclude(pk__in=[appel.pk for appel in appels]).order_by("pk"):
        if prendre(appel):
            appeler(appel)
    return appels


def creer_appels(
    session: SessionPaiement, transaction: Transaction | None, source: str, url: str, panne: dict[str, Any]
) -> list[AppelIpn]:
    """
    Crée les lignes d'appel d'un événement, selon la panne.

    Ce qui part tout de suite naît EN_COURS : sinon le moteur pourrait le prendre, et le reçu passer avant l'IPN.
    """
    maintenant, genre = timezone.now(), panne["genre"]
    champs = composer(session, transaction, source)
    ligne = AppelIpn(
        boutique=session.boutique,
        session=session,
        transaction=transaction,
        source=source,
        url=url,
        champs=deformer(session, champs, genre),
        panne=genre,
        etat=EtatAppel.EN_COURS,
        prevu_le=maintenant,
        envoye_le=maintenant,
    )
    differer(ligne, genre, panne["secondes"])
    ligne.save()
    if genre == "perdue":
        conclure(ligne, None, 0, "panne demandée : jamais parti", "")
    if genre != "double":
        return [ligne]
    copie = AppelIpn.objects.get(pk=ligne.pk)
    copie.pk = None
    copie.save(force_insert=True)
    return [ligne, copie]


def differer(ligne: AppelIpn, genre: str, secondes: float) -> None:
    """Remet un appel à plus tard si la panne le demande : retard, retour du payeur, ou appel suivant."""
    if genre == "retardee":
        ligne.etat, attente = EtatAppel.PREVU, secondes
    elif genre == "apres_retour":
        ligne.etat, ligne.apres_retour = EtatAppel.PREVU, True
        attente = ligne.boutique.reglages.session_s
    elif genre == "desordre" and not ligne.boutique.appels.filter(etat=EtatAppel.RETENU).exists():
        ligne.etat, attente = EtatAppel.RETENU, RETENUE_DU_DESORDRE_S
    else:
        return
    ligne.prevu_le += timedelta(seconds=attente)
    ligne.envoye_le = None


def prendre(appel: AppelIpn) -> bool:
    """Prend un appel prévu ou retenu ; faux si un autre fil l'a pris, ou s'il a été annulé."""
    libres = AppelIpn.objects.filter(pk=appel.pk, etat__in=[EtatAppel.PREVU, EtatAppel.RETENU])
    pris = libres.update(etat=EtatAppel.EN_COURS, envoye_le=timezone.now()) == 1
    appel.refresh_from_db()
    return pris


def appeler(appel: AppelIpn) -> None:
    """Appelle la boutique une fois, sans suivre de redirection, et écrit ce qui s'est passé."""
    debut, code, erreur, reponse = time.monotonic(), None, "", ""
    try:
        with requests.Session() as web:
            web.trust_env = False  # ni mandataire ni .netrc : l'appel part d'ici, tel quel
            retour = web.post(
                appel.url,
                data=urlencode(appel.champs),
                headers=ENTETES,
                timeout=appel.boutique.reglages.ipn_delai_s,
                allow_redirects=False,
                stream=True,
                verify=settings.AUTORITES or True,
            )
            code = retour.status_code
            reponse = retour.raw.read(2000, decode_content=True).decode("utf-8", "replace")
    except (requests.RequestException, urllib3.exceptions.HTTPError) as exception:
        erreur = type(exception).__name__
    conclure(appel, code, round((time.monotonic() - debut) * 1000), erreur, reponse)


def conclure(appel: AppelIpn, code: int | None, duree_ms: int, erreur: str, reponse: str) -> None:
    """Écrit l'issue d'un appel, prévient le marchand d'un échec et prévoit le rejeu."""
    appel.etat = EtatAppel.REUSSI if code in REUSSITES else EtatAppel.ECHOUE
    appel.code, appel.duree_ms, appel.erreur, appel.reponse = code, duree_ms, erreur, reponse
    appel.save()
    logger.info(
        "IPN envoyé",
        extra={"appel": appel.pk, "source": appel.source, "code": code, "duree_ms": duree_ms, "erreur": erreur},
    )
    if appel.etat == EtatAppel.ECHOUE:
        prevenir_et_rejouer(appel)
    elif appel.source == "BO":
        # Un envoi à la main réussi arrête la série automatique.
        AppelIpn.objects.filter(transaction=appel.transaction, source="RETRY", etat=EtatAppel.PREVU).update(
            etat=EtatAppel.ANNULE
        )


def prevenir_et_rejouer(appel: AppelIpn) -> None:
    """Un courriel par échec ; un rejeu au prochain quart d'heure, quatre appels en tout."""
    reglages = appel.boutique.reglages
    dernier = appel.essai >= reglages.essais_ipn
    prefixe = "[MODE TEST] " if appel.session.mode == "TEST" else ""
    Courriel.objects.create(
        boutique=appel.boutique,
        objet=f"{prefixe}Échec de l'URL de notification #{'last' if dernier else appel.essai}",
        details={"appel": appel.pk, "url": appel.url, "code": appel.code, "erreur": appel.erreur},
        envoye_le=timezone.now(),
    )
    if dernier or appel.source == "BO" or not reglages.rejeu_auto:
        return
    AppelIpn.objects.create(
        boutique=appel.boutique,
        session=appel.session,
        transaction=appel.transaction,
        source="RETRY",
        url=appel.url,
        champs={},
        essai=appel.essai + 1,
        prevu_le=get_prochain_quart(timezone.now(), reglages.quart_d_heure_s),
    )


def get_prochain_quart(moment: datetime, periode_s: float) -> datetime:
    """Le prochain multiple de la période, compté depuis minuit UTC : hh:00, hh:15, hh:30, hh:45."""
    rang = moment.timestamp() // periode_s + 1
    return datetime.fromtimestamp(rang * periode_s, moment.tzinfo)


def rejouer(appel: AppelIpn) -> None:
    """Envoie un rejeu : le message est recomposé, le statut peut avoir changé depuis."""
    panne = appel.boutique.consommer_panne("ipn") or {"genre": ""}
    appel.panne = panne["genre"]
    appel.champs = deformer(
        appel.session, composer(appel.session, appel.transaction, appel.source), str(panne["genre"])
    )
    appel.save(update_fields=["champs", "panne"])
    if appel.panne == "perdue":
        conclure(appel, None, 0, "panne demandée : jamais parti", "")
    else:
        appeler(appel)
