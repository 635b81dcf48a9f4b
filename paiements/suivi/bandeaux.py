"""Ce qu'il faut avoir lu avant de payer de nouveau, en mots : ce qui est en route, examiné, ou payé depuis peu."""

from collections.abc import Collection
from typing import NamedTuple, TypedDict

from django.utils.translation import gettext, gettext_noop

from comptes.models import Allocataire, Utilisateur
from demarches.etats import Etat
from demarches.models import Demarche
from paiements.models import Anomalie, Paiement
from paiements.suivi.dates import dire_l_instant, dire_le_jour_de
from paiements.suivi.progres import dire_tient, is_examine
from socle import adresses
from socle.euros import ecrire_euros
from socle.sql import Lecture, Parmi, executer
from socle.templatetags.euros import jour

# D'ordinaire il n'y en a pas : on le sait avant de composer, en Python, la lecture de ce que l'on en dirait.
CONCERNES = """
    SELECT p.id FROM paiements_paiement p JOIN demarches_demarche d ON d.id = p.demarche_id
    WHERE d.allocataire_id = %s AND (d.engagee OR EXISTS (
        SELECT FROM paiements_anomalie a
        WHERE a.paiement_id = p.id AND a.etat = %s AND a.transaction_id IS NOT NULL))
"""
PAIEMENTS = Lecture(
    lambda cles: (
        Paiement.objects.filter(Parmi("pk", cles))
        .select_related("demarche", "debit", "solde")
        .order_by("-demarche__cree_le", "-pk")
    )
)
ANNONCE = gettext_noop(
    "La banque annonce un débit de {montant} pour votre demande du {du}, qu’un agent de votre Caf examine. Avant de"
    " payer de nouveau, regardez cette demande."
)
ENCORE = gettext_noop(
    "La banque {tient} encore {montant} pour votre demande du {du}, qu’un agent de votre Caf examine. Avant de"
    " payer de nouveau, regardez cette demande."
)
ANNONCE_EXAMINEE = gettext_noop(
    "La banque annonce un débit de {montant} pour votre demande du {du}, qu’un agent de votre Caf a examiné. Avant de"
    " payer de nouveau, regardez cette demande."
)
ENCORE_EXAMINEE = gettext_noop(
    "La banque {tient} encore {montant} pour votre demande du {du}, qu’un agent de votre Caf a examinée. Avant de"
    " payer de nouveau, regardez cette demande."
)

EFFECTUE = gettext_noop(
    "Vous avez effectué un paiement de {montant} le {le}. Vos dettes seront mises à jour lorsque la Caf aura pris en"
    " compte votre demande."
)
EFFECTUE_ANNONCE = gettext_noop(
    "Vous avez effectué un paiement de {montant} le {le}. Vos dettes seront mises à jour lorsque la Caf aura pris en"
    " compte votre demande, d’ordinaire au plus tard le {annonce_le}."
)


class Bandeau(TypedDict):
    """
    Ce que lit `composants/paiement_en_route.html`.

    :ivar is_attention: un agent examine un débit ; sinon, l'argent est en route
    :ivar reference, adresse: de la demande, et où la suivre
    :ivar repondre: où dire si l'on a terminé le paiement ; vide, cela ne se demande pas
    """

    is_attention: bool
    phrase: str
    reference: str
    adresse: str
    repondre: str


class Dit(NamedTuple):
    """
    Ce qu'il y a à dire d'un paiement.

    :param is_a_repondre: l'auteur peut dire s'il a terminé le paiement
    """

    phrase: str
    is_attention: bool = False
    is_a_repondre: bool = False


class Deja(NamedTuple):
    """
    Une autre demande sur les mêmes dettes.

    :param is_payee: la banque a dit oui ; sinon, elle n'a pas encore répondu
    """

    phrase: str
    demarche: Demarche
    is_payee: bool


def dire_en_route(allocataire: Allocataire, personne: Utilisateur, sauf: Collection[Demarche] = ()) -> list[Bandeau]:
    """
    Les demandes dont l'argent est en route, ou dont un agent examine un débit ; la plus récente d'abord.

    :param allocataire: sa Caf chargée
    :param personne: qui lit ; l'auteur d'une demande peut dire s'il a terminé le paiement
    """
    cles = [cle for (cle,) in executer(CONCERNES, [allocataire.pk, Anomalie.Etat.OUVERTE])]
    if not cles:
        return []
    adresser, repondre = adresses.chercher("suivi:detail"), adresses.chercher("suivi:repondre")
    bandeaux: list[Bandeau] = []
    for paiement in PAIEMENTS.lire(cles):
        demarche = paiement.demarche
        if demarche in sauf:
            continue
        if paiement.caf_id == allocataire.caf_id:
            paiement.caf = allocataire.caf
        bandeaux += [
            {
                "is_attention": dit.is_attention,
                "phrase": dit.phrase,
                "reference": demarche.reference,
                "adresse": adresser(demarche.reference),
                "repondre": repondre(demarche.reference)
                if dit.is_a_repondre and demarche.auteur_id == personne.pk
                else "",
            }
            for dit in _dire(paiement)
        ]
    return bandeaux


def dire_deja(autre: Demarche, demarche: Demarche) -> Deja:
    """Ce qui est déjà demandé, ou payé depuis peu, par une autre démarche sur les dettes de celle-ci."""
    paiement, commun = autre.paiement, autre.commun
    if paiement.debit is None or (paye_le := paiement.paye_le) is None:
        phrase = gettext(
            "{commun} sur ces dettes sont réservés pour la demande commencée le {cree_le}, qui attend la"
            " réponse de votre banque."
        ).format(commun=ecrire_euros(commun), cree_le=dire_l_instant(paiement.cree_le))
        return Deja(phrase, autre, is_payee=False)
    somme, quand = ecrire_euros(min(commun, paiement.debit.pris)), dire_l_instant(paye_le, "j F")
    if autre.auteur_id == demarche.auteur_id:
        phrase = gettext("Vous avez déjà payé {somme} sur ces dettes le {quand}.").format(somme=somme, quand=quand)
    else:
        phrase = gettext(
            "{somme} ont déjà été payés sur ces dettes le {quand}, depuis l’autre compte de votre dossier."
        ).format(somme=somme, quand=quand)
    return Deja(phrase, autre, is_payee=True)


def _dire(paiement: Paiement) -> list[Dit]:
    demarche, retenu = paiement.demarche, paiement.retenu
    dits = []
    if retenu > 0:
        examen, regle = (ENCORE, ENCORE_EXAMINEE) if demarche.etat == Etat.RESTITUEE else (ANNONCE, ANNONCE_EXAMINEE)
        annonce = regle if is_examine(paiement) else examen
        phrase = gettext(annonce).format(
            tient=dire_tient(paiement), montant=ecrire_euros(retenu), du=dire_le_jour_de(paiement.cree_le)
        )
        dits.append(Dit(phrase, is_attention=True))
    if not demarche.engagee:
        return dits
    if paiement.debit is not None and (le := paiement.paye_le):
        le_jour = paiement.annonce_a_venir
        phrase = gettext(EFFECTUE_ANNONCE if le_jour else EFFECTUE).format(
            montant=ecrire_euros(paiement.debit.pris),
            le=dire_le_jour_de(le, "j F"),
            annonce_le=jour(le_jour, "j F") if le_jour else "",
        )
        dits.append(Dit(phrase))
    elif not retenu:
        phrase = gettext(
            "{montant} sont réservés pour la demande commencée le {cree_le}, qui attend la réponse de votre banque."
        ).format(montant=ecrire_euros(paiement.montant), cree_le=dire_l_instant(paiement.cree_le))
        dits.append(Dit(phrase, is_a_repondre=True))
    return dits
