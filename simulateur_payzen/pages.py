"""Les pages du payeur : marque, carte, code de la banque, reçu ou refus, retour."""

import logging
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from . import banque, moteur, notification, retour
from .cartes import PAR_MASQUE, get_proposables
from .controles import FormulaireRefuse, controler, decoder
from .enveloppe import politique
from .models import OUVERTES, Boutique, Courriel, Etape, EtatAppel, SessionPaiement, Transaction, get_boutique
from .saisie import lire_carte

logger = logging.getLogger(__name__)

ANNEES_PROPOSEES = 12
CARTES_EN_VUE = 8


def afficher(
    requete: HttpRequest, gabarit: str, contexte: Mapping[str, Any], session: SessionPaiement, statut: int = 200
) -> HttpResponse:
    """Rend une page de la session, dont les formulaires peuvent mener à la boutique."""
    contexte = {"session": session, "boutique": session.boutique, "champs": session.champs, **contexte}
    reponse = render(requete, f"simulateur/{gabarit}.html", contexte, status=statut)
    urls = [
        valeur for nom, valeur in session.champs.items() if nom.startswith("vads_url_") and nom != "vads_url_check"
    ]
    reponse.headers["Content-Security-Policy"] = politique([*urls, session.boutique.reglages.url_retour])
    return reponse


@csrf_exempt  # le formulaire vient d'une autre origine, c'est sa signature qui l'authentifie
@require_POST
def recevoir(requete: HttpRequest) -> HttpResponse:
    """Reçoit le formulaire de la boutique : ouvre une session, ou montre l'erreur."""
    champs: dict[str, str] = {}
    boutique: Boutique | None = None
    try:
        champs = decoder(requete.body)
        boutique = get_boutique(champs.get("vads_site_id", ""))
        if boutique is None:
            raise FormulaireRefuse("02", "vads_site_id")
        controler(champs, boutique.get_cadre())
        session = banque.ouvrir_session(boutique, champs)
    except banque.DejaAnnulee as annulee:
        return afficher(requete, "deja_annulee", {"retour": retour.preparer(annulee.session)}, annulee.session, 400)
    except FormulaireRefuse as refus:
        return refuser_formulaire(requete, refus, boutique, champs)
    return redirect("session", session.jeton)


def refuser_formulaire(
    requete: HttpRequest, refus: FormulaireRefuse, boutique: Boutique | None, champs: dict[str, str]
) -> HttpResponse:
    """Page d'erreur ; le marchand reçoit la cause et tous les champs. Ni transaction, ni IPN, ni retour."""
    logger.warning("formulaire refusé", extra={"code": refus.code, "champ": refus.champ})
    if boutique:
        Courriel.objects.create(
            boutique=boutique,
            objet=f"Formulaire de paiement invalide : {refus.code} – {refus.champ}",
            details=champs,
            envoye_le=boutique.maintenant(),
        )
    en_test = champs.get("vads_ctx_mode") != "PRODUCTION"
    contexte = {"refus": refus, "en_test": en_test, "boutique": boutique}
    return render(requete, "simulateur/erreur_formulaire.html", contexte, status=400)


@csrf_exempt  # pas de cookie : qui connaît l'adresse tient la session
@require_http_methods(["GET", "HEAD", "POST"])
def suivre(requete: HttpRequest, jeton: str) -> HttpResponse:
    """La page de l'étape où en est la session ; un POST y répond."""
    session = get_object_or_404(SessionPaiement.objects.select_related("boutique"), jeton=jeton)
    if session.is_ouverte and session.expire_le <= session.boutique.maintenant():
        expirer(session)
    if not session.is_ouverte:
        return conclure(requete, session)
    repondre = {Etape.MARQUE: choisir_marque, Etape.CARTE: saisir_carte, Etape.AUTHENTIFICATION: authentifier}
    try:
        return repondre[Etape(session.etape)](requete, session)
    except banque.SessionFermee:
        return redirect("session", session.jeton)


def expirer(session: SessionPaiement) -> None:
    """Expire la session sans attendre le moteur."""
    try:
        moteur.expirer(session)
    except banque.SessionFermee:
        session.refresh_from_db()


def choisir_marque(requete: HttpRequest, session: SessionPaiement) -> HttpResponse:
    """Choix de la marque ; sauté quand une seule est proposée."""
    marque = requete.POST.get("marque", "")
    if requete.method == "POST" and marque in session.marques:
        banque.avancer(session, Etape.MARQUE, Etape.CARTE, marque=marque)
        return redirect("session", session.jeton)
    return afficher(requete, "marque", {"erreur": requete.method == "POST"}, session)


def saisir_carte(requete: HttpRequest, session: SessionPaiement) -> HttpResponse:
    """Formulaire de carte ; une carte d'essai choisie le remplit, sans JavaScript."""
    maintenant = session.boutique.maintenant()
    cartes = get_proposables([session.marque])
    saisie = requete.POST.dict()
    erreurs: dict[str, str] = {}
    choisie = requete.GET.get("essai", "")
    if requete.POST.get("geste") == "autre_marque" and len(session.marques) > 1:
        banque.avancer(session, Etape.CARTE, Etape.MARQUE, marque="")
        return redirect("session", session.jeton)
    if requete.method == "POST":
        lue, erreurs = lire_carte(session, saisie, maintenant)
        if lue:
            return payer(session, partial(banque.presenter_carte, session, lue.carte, lue.mois, lue.annee))
    elif choisie.isdecimal() and int(choisie) < len(cartes):
        numero = cartes[int(choisie)].groupee
        cryptogramme = "1234" if "AMEX" in cartes[int(choisie)].reseaux else "123"
        saisie = {"numero": numero, "mois": "12", "annee": str(maintenant.year + 2), "cryptogramme": cryptogramme}
    contexte = {
        "saisie": saisie,
        "erreurs": erreurs,
        "cartes": cartes[:CARTES_EN_VUE],
        "autres_cartes": cartes[CARTES_EN_VUE:],
        "rang_des_autres": CARTES_EN_VUE,
        "mois": [f"{mois:02d}" for mois in range(1, 13)],
        "annees": [str(maintenant.year + n) for n in range(ANNEES_PROPOSEES)],
        "refusee": session.tentatives > 0 and requete.method != "POST",
    }
    return afficher(requete, "carte", contexte, session)


def authentifier(requete: HttpRequest, session: SessionPaiement) -> HttpResponse:
    """La page de la banque : un code reçu par SMS, ou l'échec, ou le renoncement."""
    carte, saisie = PAR_MASQUE[session.saisie["masque"]], session.saisie
    contexte = {"masque": carte.masque, "sms": saisie["sms"], "erreur": ""}
    if requete.method != "POST":
        return afficher(requete, "authentification", contexte, session)
    if requete.POST.get("geste") == "autre_marque":  # un onglet resté à l'étape d'avant : rien n'est tenté
        return afficher(requete, "authentification", contexte, session)
    reussie = requete.POST.get("code", "").replace(" ", "") == saisie["sms"]
    if requete.POST.get("geste", "valider") == "valider" and not reussie:
        restants = banque.compter_essai_faux(session)
        if restants > 0:
            contexte["erreur"] = (
                f"Ce code n'est pas le bon. Il vous reste {restants} essai{'s' if restants > 1 else ''}."
            )
            return afficher(requete, "authentification", contexte, session)
    reussie = reussie and requete.POST.get("geste", "valider") == "valider"
    trancher = partial(banque.trancher, session, Etape.AUTHENTIFICATION, carte, saisie, authentifie=reussie)
    return payer(session, trancher)


def payer(session: SessionPaiement, tenter: Callable[[], Transaction | None]) -> HttpResponse:
    """
    Notifie la boutique de l'issue, PUIS laisse voir le reçu ; sans transaction, la banque attend un code.

    L'issue et les appels à faire s'écrivent ensemble : personne ne voit l'une sans les autres.
    """
    appels = []
    with transaction.atomic():
        if tranchee := tenter():
            session.refresh_from_db()
            appels = notification.preparer(session, tranchee, "fin" if not session.is_ouverte else "refus_tentative")
    notification.envoyer(appels)
    if tranchee and retour.get_attente(session) == 0:
        return redirect("retour", session.jeton)
    return redirect("session", session.jeton)


def conclure(requete: HttpRequest, session: SessionPaiement) -> HttpResponse:
    """Reçu, refus, annulation ou expiration, avec le retour à la boutique."""
    tranchee = session.etape in {Etape.PAYEE, Etape.REFUSEE}
    if tranchee and session.appels.filter(etat=EtatAppel.EN_COURS, source="PAY").exists():
        attente = afficher(requete, "traitement", {}, session)
        attente.headers["Refresh"] = "1"
        return attente
    depart = retour.preparer(session)
    contexte = {
        "retour": depart,
        "transaction": retour.get_transaction(session),
        "attente": retour.get_attente(session),
    }
    gabarit = {Etape.PAYEE: "recu", Etape.REFUSEE: "refus", Etape.ANNULEE: "annulation", Etape.EXPIREE: "expiration"}
    if depart.methode == "POST":
        retour.constater_retour(session)  # le formulaire part droit vers la boutique : on ne verra pas le clic
    reponse = afficher(requete, gabarit[Etape(session.etape)], contexte, session)
    if contexte["attente"] is not None and depart.url:
        reponse.headers["Refresh"] = f"{contexte['attente']};url={reverse('retour', args=[session.jeton])}"
    return reponse


@csrf_exempt  # idem : pas de cookie
@require_POST
def annuler(_requete: HttpRequest, jeton: str) -> HttpResponse:
    """« Annuler et retourner à la boutique » : ABANDONED si la règle est active, puis retour."""
    session = get_object_or_404(SessionPaiement.objects.select_related("boutique"), jeton=jeton)
    try:
        banque.avancer(session, OUVERTES, Etape.ANNULEE, saisie={})
    except banque.SessionFermee:
        return redirect("session", jeton)
    notification.notifier(session, None, "annulation")
    return redirect("retour", jeton)


@require_safe
def repartir(requete: HttpRequest, jeton: str) -> HttpResponse:
    """Renvoie le payeur à la boutique, par redirection ou par un formulaire à bouton."""
    session = get_object_or_404(SessionPaiement.objects.select_related("boutique"), jeton=jeton)
    if session.is_ouverte:
        return redirect("session", jeton)
    retour.constater_retour(session)
    depart = retour.preparer(session)
    if depart.methode == "POST" or not depart.url:
        return afficher(requete, "retour", {"retour": depart}, session)
    return HttpResponseRedirect(depart.url)
