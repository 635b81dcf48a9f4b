"""Les gestes sur un paiement : chacun verrouille, relit, décide, écrit et journalise, dans une transaction."""

import logging
from datetime import datetime
from typing import NamedTuple

from django.conf import settings
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone

from demarches.etats import Etat
from demarches.models import Demarche
from demarches.services import Ecart, empreinte, get_ecarts
from dettes.models import Dette
from paiements import anomalies
from paiements.boutiques import get_boutique
from paiements.models import Anomalie, EtapePaiement, Paiement
from paiements.payzen import Boutique, Demande, build_form
from paiements.statuts import ETAT_DE_LA_DEMARCHE, TRANSITIONS, Geste, Statut

logger = logging.getLogger(__name__)

TIRAGES_DE_TRANS_ID = 5


class TransitionImpossible(Exception):
    """La table des passages ne permet pas ce geste depuis le statut actuel."""


class DejaDemandee(Exception):
    """La démarche est déjà partie à la banque, ou n'est plus un brouillon."""


class ServiceSuspendu(Exception):
    """La Caf a suspendu les remboursements en ligne."""


class RecapitulatifPerime(Exception):
    """Ce qui a été montré n'est plus vrai : un solde, un montant disponible ou la saisie a changé."""

    def __init__(self, ecarts: list[Ecart]) -> None:
        super().__init__("le récapitulatif n'est plus vrai")
        self.ecarts = ecarts


class Depart(NamedTuple):
    """Une tentative prête à partir : le paiement et les champs signés du formulaire."""

    paiement: Paiement
    adresse: str
    champs: dict[str, str]


@transaction.atomic
def payer(demarche: Demarche, *, empreinte_vue: str) -> Depart:
    """
    Ouvre une tentative de paiement pour une démarche, et rend le formulaire à porter à PayZen.

    Sous verrou de la démarche puis de ses dettes, dans l'ordre de leur clé : deux clics, deux onglets ou deux
    conjoints passent l'un après l'autre, et jamais plus que le disponible ne part à la banque.

    :param empreinte_vue: empreinte du récapitulatif que l'allocataire avait sous les yeux
    :raises DejaDemandee: si la démarche n'est plus un brouillon
    :raises ServiceSuspendu: si la Caf n'encaisse plus en ligne
    :raises RecapitulatifPerime: si le récapitulatif montré n'est plus vrai
    :raises BoutiqueAbsente: si la Caf n'a pas de boutique PayZen réglée
    """
    demarche = (
        Demarche.objects.select_for_update(of=("self",), no_key=True)
        .select_related("allocataire__caf")
        .get(pk=demarche.pk)
    )
    caf = demarche.allocataire.caf
    if demarche.etat != Etat.BROUILLON:
        raise DejaDemandee(demarche.reference)
    if not caf.ouverte:
        raise ServiceSuspendu(caf.code)
    list(Dette.objects.filter(lignes__demarche=demarche).order_by("pk").select_for_update(of=("self",), no_key=True))
    ecarts = get_ecarts(demarche)
    if ecarts or empreinte(demarche) != empreinte_vue:
        raise RecapitulatifPerime(ecarts)

    boutique = get_boutique(caf.boutique)
    demarche.etat = Etat.A_LA_BANQUE
    demarche.save(update_fields=["etat"])
    paiement = _ouvrir_la_tentative(demarche, boutique)
    paiement = appliquer(Geste.SOUMETTRE, paiement, motif="clic sur Payer", auteur="allocataire")
    return Depart(paiement, boutique.url_formulaire, _preparer_formulaire(paiement, boutique))


def reprendre_le_depart(paiement: Paiement) -> Depart | None:
    """
    Le même formulaire, pour qui n'a jamais vu s'ouvrir la page de PayZen ; None passé la durée d'une session.

    Un double clic ou un réseau coupé ont pu faire perdre la première page de départ. Même `trans_id`, même date : s'il
    a déjà servi, PayZen le refuse, et rien ne se paie deux fois (PROTOCOLE §1.3).
    """
    if paiement.statut != Statut.EN_ATTENTE or timezone.now() > paiement.cree_le + settings.PAYZEN_SESSION:
        return None
    boutique = get_boutique(paiement.boutique, paiement.mode)
    return Depart(paiement, boutique.url_formulaire, _preparer_formulaire(paiement, boutique))


def _ouvrir_la_tentative(demarche: Demarche, boutique: Boutique) -> Paiement:
    """Crée la ligne du paiement ; retire un autre `trans_id` si celui du jour est déjà pris (PROTOCOLE §1.3)."""
    for essai in range(1, TIRAGES_DE_TRANS_ID + 1):
        paiement = Paiement(
            demarche=demarche,
            caf=demarche.allocataire.caf,
            montant=demarche.montant,
            boutique=boutique.site,
            mode=boutique.mode,
        )
        paiement.prochain_controle_le = get_libre_le(paiement)
        try:
            with transaction.atomic():
                paiement.save(force_insert=True)
        except IntegrityError:
            if essai == TIRAGES_DE_TRANS_ID:
                raise
        else:
            break
    return paiement


def _preparer_formulaire(paiement: Paiement, boutique: Boutique) -> dict[str, str]:
    retour = settings.ADRESSE_PUBLIQUE + reverse("paiements:retour", args=[paiement.reference])
    demande = Demande(
        reference=paiement.reference,
        trans_id=paiement.trans_id,
        date=paiement.cree_le,
        montant=paiement.montant,
        url_retour=retour,
    )
    return build_form(demande, boutique, cartes=settings.PAYZEN_CARTES)


def verrouiller(paiement_id: int) -> Paiement:
    """Relit un paiement et sa démarche sous verrou. À appeler dans une transaction."""
    return (
        Paiement.objects.select_for_update(of=("self",), no_key=True)
        .select_related("demarche", "caf")
        .get(pk=paiement_id)
    )


@transaction.atomic
def appliquer(geste: Geste, paiement: Paiement, *, motif: str, auteur: str) -> Paiement:
    """
    Fait avancer un paiement d'un geste de la table, l'écrit au journal et met sa démarche à jour.

    Rejouer un geste déjà fait ne change rien : la banque répète ses notifications.

    :param auteur: « allocataire », « PayZen », « service », ou l'identifiant d'un agent
    :returns: le paiement relu sous verrou, dans son nouvel état
    :raises TransitionImpossible: si la table ne permet pas ce geste depuis l'état actuel
    """
    return avancer(geste, verrouiller(paiement.pk), motif=motif, auteur=auteur)


def avancer(geste: Geste, paiement: Paiement, *, motif: str, auteur: str) -> Paiement:
    """
    Comme `appliquer`, sur un paiement que l'appelant tient déjà sous verrou ; enregistre aussi ses autres champs.

    :raises TransitionImpossible: si la table ne permet pas ce geste depuis l'état actuel
    """
    depuis, vers = TRANSITIONS[geste]
    if paiement.statut == vers:
        return paiement
    if paiement.statut not in depuis:
        raise TransitionImpossible(f"{geste} : {paiement} est {paiement.get_statut_display()}")

    EtapePaiement.objects.create(
        paiement=paiement, geste=geste, de=paiement.statut, vers=vers, motif=motif, auteur=auteur
    )
    if paiement.statut == Statut.ACCEPTE:
        # Vérifié, repris ou rendu : il n'y a plus de désaccord à trancher.
        desaccords = paiement.anomalies.filter(genre=Anomalie.Genre.DESACCORD)
        anomalies.clore_par_la_banque(desaccords, motif=motif, issue=Anomalie.Issue.CADUQUE)
    paiement.statut = vers
    paiement.save()
    _mettre_a_jour_la_demarche(paiement)
    logger.info("paiement : %s", geste, extra={"paiement": paiement.reference, "vers": vers})
    return paiement


def _mettre_a_jour_la_demarche(paiement: Paiement) -> None:
    etat = ETAT_DE_LA_DEMARCHE[Statut(paiement.statut)]
    if paiement.demarche.etat != etat:
        paiement.demarche.etat = etat
        paiement.demarche.save(update_fields=["etat"])


def get_libre_le(paiement: Paiement) -> datetime:
    """L'heure à laquelle, sans nouvelle de la banque, nous l'interrogeons et libérons les montants engagés."""
    return paiement.cree_le + settings.PAIEMENT_CONTROLES[0]
