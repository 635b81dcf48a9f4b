"""
Les IPN : composer le message, appeler la boutique, réessayer aux quarts d'heure (PROTOCOLE §3).

Aucune transaction de base n'est ouverte pendant un appel : la boutique peut mettre dix secondes à répondre.
"""

import hashlib
import json
import logging
import secrets
import time
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import requests
import urllib3
from django.utils import timezone

from .banque import CONTRAT, to_date_vads
from .models import AppelIpn, Courriel, EtatAppel, SessionPaiement, Transaction
from .signature import signer

logger = logging.getLogger(__name__)

REUSSITES = {*range(200, 207), 301, 302, 303, 307, 308}
NON_REPETES = ("vads_url_", "vads_redirect_", "vads_return_", "vads_payment_cards", "vads_theme_config")
PROPRES_AU_FORMULAIRE = ("vads_page_action", "vads_payment_config", "vads_action_mode")
PROPRES_A_L_IPN = ("vads_hash", "vads_url_check_src")
RETENUE_DU_DESORDRE_S = 30
ENTETES = {"Content-Type": "application/x-www-form-urlencoded; charset=UTF-8", "User-Agent": "SimulateurPayZen/1.0"}
VIDES_D_UN_ABANDON = [
    "auth_number",
    "auth_result",
    "card_brand",
    "card_country",
    "card_number",
    "contract_used",
    "effective_amount",
    "extra_result",
    "payment_certificate",
    "threeds_cavv",
    "threeds_cavvAlgorithm",
    "threeds_eci",
    "threeds_enrolled",
    "threeds_error_code",
    "threeds_exit_status",
    "threeds_sign_valid",
    "threeds_status",
    "threeds_xid",
    "warranty_result",
]


def composer(session: SessionPaiement, transaction: Transaction | None, source: str) -> dict[str, str]:
    """
    Compose les champs d'un message, sans sa signature.

    Sans transaction, c'est un abandon : ni uuid, ni numéro de séquence, ni type d'opération.
    """
    champs = {nom: valeur for nom, valeur in session.champs.items() if not nom.startswith(NON_REPETES)}
    champs.setdefault("vads_payment_src", "EC")
    champs |= {"vads_pays_ip": "FR", "vads_hash": secrets.token_hex(32), "vads_url_check_src": source}
    if source != "PAY":
        champs = {nom: valeur for nom, valeur in champs.items() if nom not in PROPRES_AU_FORMULAIRE}
    return champs | (decrire_abandon(session) if transaction is None else decrire_transaction(transaction))


def decrire_abandon(session: SessionPaiement) -> dict[str, str]:
    """Champs propres à un abandon."""
    expiree = session.etape == "EXPIREE"
    return {f"vads_{nom}": "" for nom in VIDES_D_UN_ABANDON} | {
        "vads_auth_mode": "MARK",
        "vads_presentation_date": to_date_vads(session.boutique.maintenant()),
        "vads_result": "17",
        "vads_trans_status": "ABANDONED",
        **({"vads_payment_error": "149"} if expiree else {}),
    }


def decrire_transaction(transaction: Transaction) -> dict[str, str]:
    """Champs propres à une transaction, dans son état du moment."""
    accepte = transaction.code == "00"
    champs = {
        "amount": str(transaction.montant),
        "auth_mode": "FULL",
        "auth_number": transaction.autorisation,
        "auth_result": transaction.code,
        "contract_used": CONTRAT,
        "currency": "978",
        "effective_amount": str(transaction.montant),
        "effective_creation_date": to_date_vads(transaction.creee_le),
        "effective_currency": "978",
        "extra_result": "07" if transaction.carte["ecarte_bleue"] else "",
        "operation_type": transaction.operation,
        "payment_certificate": hashlib.sha256(transaction.uuid.encode()).hexdigest()[:40] if accepte else "",
        "presentation_date": to_date_vads(transaction.remise_prevue_le),
        "result": "00" if accepte else "05",
        "risk_control": "CARD_FRAUD=OK;SUSPECT_COUNTRY=OK",
        "sequence_number": str(transaction.rang),
        "tid": "001",
        "trans_date": transaction.trans_date,
        "trans_id": transaction.trans_id,
        "trans_status": transaction.statut,
        "trans_uuid": transaction.uuid,
        "warranty_result": transaction.garantie,
        **decrire_carte(transaction.carte),
        **decrire_threeds(transaction.threeds),
    }
    if transaction.erreur:
        champs["payment_error"] = transaction.erreur
    return {f"vads_{nom}": valeur for nom, valeur in champs.items()}


def decrire_carte(carte: dict[str, Any]) -> dict[str, str]:
    """Champs de la carte et de sa banque."""
    marques = {"userChoice": carte["choisie"], "brandList": "|".join(carte["reseaux"]), "brand": carte["marque"]}
    return {
        "bank_code": carte["code"],
        "bank_label": carte["libelle"],
        "bank_product": carte["produit"],
        "brand_management": json.dumps(marques, separators=(",", ":")),
        "card_brand": carte["marque"],
        "card_country": carte["pays"],
        "card_number": carte["masque"],
        "expiry_month": str(carte["mois"]),
        "expiry_year": str(carte["annee"]),
    }


def decrire_threeds(threeds: dict[str, str]) -> dict[str, str]:
    """Champs du 3-D Secure, tous présents, parfois vides."""
    reussie = threeds["status"] == "Y"
    return {
        "threeds_auth_type": threeds["auth_type"],
        "threeds_cavv": "Q2F2dkNhdnZDYXZ2Q2F2dkNhdnY=" if reussie else "",
        "threeds_cavvAlgorithm": "2" if reussie else "",
        "threeds_eci": threeds["eci"],
        "threeds_enrolled": threeds["enrolled"],
        "threeds_error_code": "",
        "threeds_exit_status": threeds["exit_status"],
        "threeds_sign_valid": "1" if reussie else "",
        "threeds_status": threeds["status"],
        "threeds_xid": "cVpQTXd1SUJBdnduSFFiaGUzOWI=" if reussie else "",
    }


def composer_retour(session: SessionPaiement, transaction: Transaction | None) -> dict[str, str]:
    """Les données du retour navigateur : celles de l'IPN moins deux, signées à neuf (PROTOCOLE §4)."""
    champs = composer(session, transaction, "PAY")
    sans = {nom: valeur for nom, valeur in champs.items() if nom not in PROPRES_A_L_IPN}
    return signer(sans, session.boutique.cle_par_mode[session.mode], session.boutique.reglages.algorithme)


def deformer(session: SessionPaiement, champs: dict[str, str], genre: str) -> dict[str, str]:
    """Signe les champs, en y mettant la panne demandée."""
    cles = session.boutique.cle_par_mode
    if genre == "montant_autre":
        autre = str(int(champs["vads_amount"]) + 100)
        champs = champs | {"vads_amount": autre, "vads_effective_amount": autre}
    if genre == "mode_autre":
        champs = champs | {"vads_ctx_mode": "PRODUCTION" if session.mode == "TEST" else "TEST"}
    cle = "cle-qui-n-est-pas-la-bonne" if genre == "signature_fausse" else cles[champs["vads_ctx_mode"]]
    return signer(champs, cle, session.boutique.reglages.algorithme)


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
