"""
Le trop-payé : la Caf a déjà repris, ou effacé, ce qu'un paiement en ligne a remboursé aussi (DOMAINE §4).

L'argent en trop quitte la dette et reste avec son paiement : un reste à placer, que deux personnes font restituer en
partie, ou placent ailleurs (docs/adr/0055). Ce qu'aucun paiement n'explique reste une anomalie de la dette.
"""

import logging
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

logger = logging.getLogger(__name__)

Genre = Anomalie.Genre
ZERO = Decimal(0)
REMONTEE = ""
CAUSE = par_service("trop-payé : la Caf avait déjà repris cette part de la dette")


def reprendre_apres_l_import(sender: object, *, dette: Dette, origine: str, **kwargs: object) -> None:
    """
    Reprend le trop une fois l'import fini : il tient les dettes, et nous prenons les paiements d'abord.

    La dette garde ce qui est à reprendre : une panne entre les deux n'oublie rien, une tâche y revient.
    """
    transaction.on_commit(partial(reprendre, dette.pk, origine), robust=True)


def reprendre(dette: int, origine: str) -> None:
    """
    Reprend de la dette ce que ses paiements ont payé en trop, le plus récent d'abord ; le reste va à un agent.

    La dette n'en remonte pas : la Caf ne le réclame plus. Chaque part s'écrit avec ce qu'il reste à reprendre :
    interrompue, ou menée à deux, la reprise ne retient rien deux fois.

    :param origine: d'où le trop se sait, à lire
    """
    payeurs = Paiement.objects.filter(statut=Statut.IMPUTE, imputations__dette=dette).distinct().order_by("-pk")
    for paiement in list(payeurs.values_list("pk", flat=True)):
        _reprendre_d_un(paiement, dette)
    _signaler_le_reste(dette, origine)


def reprendre_ce_qui_attend(au_plus: int) -> None:
    """Revient à ce qu'une panne a laissé ; une dette qui échoue n'arrête pas les autres, et se redit."""
    en_attente = Dette.objects.filter(a_reprendre__isnull=False).order_by("pk")
    for cle in list(en_attente.values_list("pk", flat=True)[:au_plus]):
        try:
            reprendre(cle, "la dernière livraison")
        except Exception:
            logger.exception("trop-payé pas repris", extra={"dette": cle})


def _lire_a_reprendre(dette: int) -> Dette | None:
    """La dette sous son verrou, s'il lui reste quelque chose à reprendre."""
    # Un import peut dire entre-temps autre chose à reprendre.
    attendues = Dette.objects.filter(pk=dette, a_reprendre__isnull=False)
    return attendues.select_for_update(of=("self",), no_key=True).first()


@transaction.atomic
def _reprendre_d_un(cle: int, dette_id: int) -> None:
    paiement = verrouiller(cle)
    dette = _lire_a_reprendre(dette_id)
    if dette is None or dette.a_reprendre is None or paiement.statut != Statut.IMPUTE:
        return
    part = min(dette.a_reprendre, paiement.imputations.par_dette().get(dette.pk, ZERO))
    if part <= 0:
        return
    reprendre_des_dettes(paiement, {dette.pk: part}, CAUSE)
    Mouvement.objects.create(
        dette=dette,
        genre=Mouvement.Genre.AJUSTEMENT,
        montant=-part,
        origine=paiement.reference,
        motif=DEJA_REPRISE,
    )
    reste = (dette.a_reprendre - part) or None  # garde: reprise_une_fois
    Dette.objects.filter(pk=dette.pk).update(situation=dette.situation, a_reprendre=reste)
    suivre(paiement, CAUSE)


@transaction.atomic
def _signaler_le_reste(dette_id: int, origine: str) -> None:
    dette = _lire_a_reprendre(dette_id)
    if dette is not None and dette.a_reprendre is not None:
        Dette.objects.filter(pk=dette.pk).update(a_reprendre=None)
        signaler_solde_negatif(dette, dette.a_reprendre, origine)


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
