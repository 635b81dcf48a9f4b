"""
Le trop-payé : la Caf a déjà repris, ou effacé, ce qu'un paiement en ligne a remboursé aussi (DOMAINE §4).

L'argent en trop quitte la dette et reste avec son paiement : un reste à placer, que deux personnes font restituer en
partie, ou placent ailleurs (docs/adr/0055). Ce qu'aucun paiement n'explique reste une anomalie de la dette.
"""

from collections.abc import Callable
from decimal import Decimal
from functools import partial

from django.db import transaction

from dettes.histoire import DEJA_REPRISE
from dettes.models import Dette, Mouvement
from paiements.causes import par_service
from paiements.file.tenue import clore, signaler
from paiements.imputation.reprendre import reprendre_des_dettes
from paiements.models import Anomalie, Paiement
from paiements.passages import verrouiller
from paiements.reception.suivre import suivre
from paiements.statuts import Statut
from socle.euros import ecrire_euros

Genre = Anomalie.Genre
ZERO = Decimal(0)
REMONTEE = ""
CAUSE = par_service("trop-payé : la Caf avait déjà repris cette part de la dette")


def retenir_apres_l_import(sender: object, *, dette: Dette, montant: Decimal, origine: str, **kwargs: object) -> None:
    """
    Retient le trop une fois l'import fini : il tient les dettes, et nous prenons les paiements d'abord.

    Une panne entre les deux n'oublie rien : la livraison suivante mène la même dette sous zéro, et le redit.

    :param montant: ce qui manque à la dette, en euros, positif
    """
    transaction.on_commit(partial(_retenir_ou_signaler, dette, montant, origine), robust=True)


def _retenir_ou_signaler(dette: Dette, montant: Decimal, origine: str) -> None:
    reste = retenir(dette, montant)
    if reste:
        signaler_solde_negatif(dette, reste, origine)


def signaler_solde_negatif(dette: Dette, manque: Decimal, origine: str) -> None:
    """
    Aucun paiement n'explique ce que le fichier de la Caf mène sous zéro : un agent regarde, une fois par manque.

    :param manque: en euros, positif
    """
    signaler(
        Genre.SOLDE_NEGATIF,
        str(dette.pk),
        situation=f"manque {manque:.2f} €",
        detail=f"il manque {ecrire_euros(manque)} à la dette",
        manque=manque,
        dette=dette,
        cause=par_service(f"aucun paiement en ligne ne l'explique : {origine}"),
    )


def fermer_apres_l_import(
    sender: object, *, caf: str, garder_positives: Callable[[list[int]], list[int]], **kwargs: object
) -> None:
    """Ce que la Caf ne mène plus sous zéro n'attend plus personne ; l'y ramènerait-elle, ce serait un fait nouveau."""
    negatives = Anomalie.objects.filter(genre=Genre.SOLDE_NEGATIF, dette__caf=caf).exclude(situation=REMONTEE)
    positives = garder_positives(list(negatives.values_list("dette", flat=True)))
    transaction.on_commit(partial(_fermer, positives), robust=True)


@transaction.atomic
def _fermer(dettes: list[int]) -> None:
    siennes = Anomalie.objects.filter(genre=Genre.SOLDE_NEGATIF, dette__in=dettes).order_by("pk")
    for anomalie in siennes.select_for_update(of=("self",), no_key=True):
        if anomalie.is_a_trancher:
            clore(anomalie, par_service("la Caf ne mène plus cette dette sous zéro"))
    siennes.update(situation=REMONTEE)


def retenir(dette: Dette, montant: Decimal) -> Decimal:
    """
    Reprend de la dette ce que ses paiements ont payé en trop, le plus récent d'abord ; rend ce qu'aucun n'explique.

    La dette n'en remonte pas : la Caf ne le réclame plus.
    """
    payeurs = Paiement.objects.filter(statut=Statut.IMPUTE, imputations__dette=dette).distinct().order_by("-pk")
    for cle in list(payeurs.values_list("pk", flat=True)):
        if montant <= 0:
            break
        montant -= _retenir_d_un(cle, dette, montant)
    return montant


@transaction.atomic
def _retenir_d_un(cle: int, dette: Dette, montant: Decimal) -> Decimal:
    paiement = verrouiller(cle)
    part = min(montant, paiement.imputations.par_dette().get(dette.pk, ZERO))
    if paiement.statut != Statut.IMPUTE or part <= 0:
        return ZERO
    situation = Dette.objects.values_list("situation", flat=True).get(pk=dette.pk)
    reprendre_des_dettes(paiement, {dette.pk: part}, CAUSE)
    Mouvement.objects.create(
        dette=dette,
        genre=Mouvement.Genre.AJUSTEMENT,
        montant=-part,
        origine=paiement.reference,
        motif=DEJA_REPRISE,
    )
    Dette.objects.filter(pk=dette.pk).update(situation=situation)
    suivre(paiement, CAUSE)
    return part
