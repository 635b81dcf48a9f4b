"""Partir payer : ouvrir une tentative, et donner le formulaire à porter à PayZen."""

from datetime import timedelta
from typing import NamedTuple

from django.conf import settings
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language

from demarches.etats import Etat
from demarches.models import Demarche
from demarches.recapitulatif import Ecart, lire_le_recapitulatif
from demarches.services import get_dettes, get_etape
from dettes.models import Dette
from paiements.boutiques import get_boutique
from paiements.causes import par_allocataire
from paiements.models import Paiement
from paiements.passages import avancer, get_libre_le
from paiements.payzen import Boutique, Demande, build_form, to_centimes, write_contexte
from paiements.statuts import Geste, Statut
from socle.attente import verrous_courts

TIRAGES_DE_TRANS_ID = 5
# Plus long que tout geste d'une autre personne, plus court que la patience : un import tient ces dettes des secondes.
ATTENTE_DES_VERROUS = timedelta(milliseconds=1500)


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


@verrous_courts(ATTENTE_DES_VERROUS)
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
    :raises Occupe: si un import tient ces dettes : rien n'est demandé, il suffit de réessayer
    """
    demarche = (
        Demarche.objects.select_for_update(of=("self",), no_key=True)  # garde: verrou_de_la_demarche_payee
        .select_related("allocataire__caf")
        .get(pk=demarche.pk)
    )
    _exiger_payable(demarche, empreinte_vue)
    boutique = get_boutique(demarche.allocataire.caf.boutique)
    demarche.etat = Etat.A_LA_BANQUE
    # Celle de la page de paiement, puis du ticket.
    demarche.langue = get_language()
    demarche.save(update_fields=["etat", "langue"])
    paiement = _ouvrir_la_tentative(demarche, boutique)
    paiement = avancer(Geste.SOUMETTRE, paiement, par_allocataire("clic sur Payer"))
    return Depart(paiement, boutique.url_formulaire, _preparer_formulaire(paiement, boutique))


def _exiger_payable(demarche: Demarche, empreinte_vue: str) -> None:
    """Elle peut partir à la banque, telle que montrée ; ses dettes sont prises jusqu'à la fin de la transaction."""
    caf = demarche.allocataire.caf
    if demarche.etat != Etat.BROUILLON:
        raise DejaDemandee(demarche.reference)
    if not caf.ouverte:  # garde: caf_suspendue
        raise ServiceSuspendu(caf.code)
    # garde: verrou_des_dettes_payees
    list(Dette.objects.filter(lignes__demarche=demarche).order_by("pk").select_for_update(of=("self",), no_key=True))
    if get_etape(demarche) != Demarche.Etape.RECAPITULATIF:  # garde: etape_du_recapitulatif
        raise RecapitulatifPerime([])
    relu = lire_le_recapitulatif(demarche, get_dettes(demarche))
    if relu.ecarts:  # garde: disponible_recalcule
        raise RecapitulatifPerime(relu.ecarts)
    if relu.empreinte != empreinte_vue:  # garde: empreinte_du_recapitulatif
        raise RecapitulatifPerime([])


def reprendre_le_depart(paiement: Paiement) -> Depart | None:
    """
    Le formulaire d'une tentative, pour la page qui le montre une fois ; None passé la durée d'une session.

    Même `trans_id`, même date : envoyé deux fois, PayZen le refuserait, sans chemin de retour (PROTOCOLE §1.3, §1.5).
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
            reference=demarche.reference,
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


def _ecrire_le_contexte(demarche: Demarche) -> tuple[str, ...]:
    """Les dettes de la démarche et leurs centimes : de quoi la refaire après un désastre (docs/adr/0055)."""
    lignes = demarche.lignes.order_by("pk").values_list("dette__reference", "montant")
    return write_contexte(
        demarche.mode == Demarche.Mode.GLOBAL, [(reference, to_centimes(montant)) for reference, montant in lignes]
    )


def _preparer_formulaire(paiement: Paiement, boutique: Boutique) -> dict[str, str]:
    retour = settings.ADRESSE_PUBLIQUE + reverse("paiements:retour", args=[paiement.reference])
    demande = Demande(
        reference=paiement.reference,
        trans_id=paiement.trans_id,
        date=paiement.cree_le,
        montant=paiement.montant,
        url_retour=retour,
        contexte=_ecrire_le_contexte(paiement.demarche),
        langue=paiement.demarche.langue,
    )
    return build_form(demande, boutique, cartes=settings.PAYZEN_CARTES)
