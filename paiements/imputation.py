"""Porter l'argent vérifié sur les dettes, et l'en reprendre quand la banque l'a repris."""

from collections.abc import Iterable, Mapping
from decimal import Decimal

from django.db import transaction
from django.db.models import Q

from comptes.models import Utilisateur
from demarches.models import Demarche
from dettes.models import Dette, Mouvement
from dettes.repartition import repartir
from paiements import anomalies
from paiements.models import Anomalie, Imputation, Paiement
from paiements.services import avancer, verrouiller
from paiements.statuts import Geste
from socle.euros import ecrire_euros

TAILLE_DU_LOT = 100


def imputer_un_lot() -> int:
    """
    Impute les paiements vérifiés, par lot, et rend combien l'ont été.

    Un autre ouvrier peut faire de même au même instant : chacun saute ce que l'autre tient.
    """
    with transaction.atomic():
        lot = list(
            Paiement.objects.a_imputer()
            .select_for_update(of=("self",), skip_locked=True, no_key=True)
            .select_related("demarche", "caf")
            .prefetch_related("reprises")[:TAILLE_DU_LOT]
        )
        _verrouiller_les_dettes(lot)
        for paiement in lot:
            _imputer(paiement)
    return len(lot)


def _verrouiller_les_dettes(paiements: Iterable[Paiement]) -> None:
    """Toutes les dettes que le lot peut toucher, dans l'ordre de leur clé : aucun interblocage."""
    allocataires = {paiement.demarche.allocataire_id for paiement in paiements}
    dettes = Dette.objects.filter(allocataire__in=allocataires).order_by("pk")
    list(dettes.select_for_update(of=("self",), no_key=True).values_list("pk"))


def _imputer(paiement: Paiement) -> None:
    """
    Porte un paiement vérifié sur ses dettes, jamais au-delà du solde ; ce qui ne tient plus devient un reliquat.

    Les dettes choisies font loi (C. civ. 1342-10) ; un montant global éteint la plus ancienne d'abord (CSS D553-4), et
    de même un montant que la banque a baissé.
    """
    net = paiement.net
    parts = _parts_affectees(paiement, net) if _is_affecte(paiement) else _parts_globales(paiement, net)
    _porter(paiement, parts)
    reliquat = net - sum((part for _, part in parts), Decimal(0))
    if reliquat:
        anomalies.ouvrir(
            Anomalie.Genre.RELIQUAT,
            cle=paiement.reference,
            constat={"payé": net, "imputé": net - reliquat},
            montant=reliquat,
            paiement=paiement,
        )
    avancer(Geste.IMPUTER, paiement, motif=f"porté sur {len(parts)} dette(s)", auteur="service")


def _porter(paiement: Paiement, parts: Iterable[tuple[Dette, Decimal]]) -> None:
    for dette, part in parts:
        mouvement = Mouvement.objects.create(
            dette=dette, genre=Mouvement.Genre.IMPUTATION, montant=-part, origine=paiement.reference
        )
        Imputation.objects.create(paiement=paiement, dette=dette, montant=part, mouvement=mouvement)


def _is_affecte(paiement: Paiement) -> bool:
    return paiement.demarche.mode == Demarche.Mode.AFFECTE


def _parts_affectees(paiement: Paiement, net: Decimal) -> list[tuple[Dette, Decimal]]:
    lignes = paiement.demarche.lignes.select_related("dette")
    parts = []
    for ligne in lignes.order_by("dette__notifiee_le", "dette__solde", "dette_id"):
        part = min(ligne.montant, _accueil(ligne.dette), net)
        if part > 0:
            parts.append((ligne.dette, part))
            net -= part
    return parts


def _parts_globales(paiement: Paiement, net: Decimal) -> list[tuple[Dette, Decimal]]:
    dettes = Dette.objects.for_allocataire(paiement.demarche.allocataire).payables().with_disponible()
    propres = dict(paiement.demarche.lignes.values_list("dette_id", "montant"))
    rangees = list(dettes.plus_anciennes_d_abord())
    for dette in rangees:
        # Ses propres lignes ne se font pas obstacle : elles ne réservaient la place que pour ce paiement.
        dette.disponible += propres.get(dette.pk, Decimal(0))
    return repartir(net, rangees)


def _accueil(dette: Dette) -> Decimal:
    """Ce que la dette peut encore recevoir ; rien si elle n'est plus payable ici (transmise, soldée, annulée)."""
    return dette.solde if dette.is_payable else Decimal(0)


def contrepasser(paiement: Paiement, *, motif: str) -> None:
    """
    Reprend ce qu'un paiement avait porté sur les dettes, par des écritures de plus ; les dettes remontent d'autant.

    Son reliquat est reparti avec le reste. À appeler sous le verrou du paiement ; sans imputation, ne reprend rien.
    """
    imputations = paiement.imputations.prefetch_related("reprises")
    rouvrir({imputation: imputation.reste for imputation in imputations if imputation.reste}, motif=motif)
    reliquats = Anomalie.objects.filter(paiement=paiement, genre=Anomalie.Genre.RELIQUAT)
    anomalies.clore_par_la_banque(reliquats, motif=motif)


def rouvrir(parts: Mapping[Imputation, Decimal], *, motif: str) -> dict[Imputation, Mouvement]:
    """
    Fait remonter des dettes de ce qu'on reprend à leurs imputations, en euros. À appeler sous le verrou du paiement.

    :returns: l'écriture de chaque imputation
    """
    imputations = sorted(parts, key=lambda imputation: imputation.dette_id)
    dettes = Dette.objects.filter(imputations__in=imputations).order_by("pk")
    list(dettes.select_for_update(of=("self",), no_key=True).values_list("pk"))
    mouvements = {
        imputation: Mouvement.objects.create(
            dette_id=imputation.dette_id,
            genre=Mouvement.Genre.REJET,
            montant=parts[imputation],
            origine=imputation.paiement.reference,
            motif=motif,
        )
        for imputation in imputations
    }
    # La Caf les croyait soldées par ce paiement : elles se paient de nouveau.
    dettes.filter(situation=Dette.Situation.SOLDEE).update(situation=Dette.Situation.EN_COURS)
    return mouvements


class ResteImpossible(Exception):
    """Ces parts ne placent pas ce reste : pas le bon total, ou une dette qui ne peut le recevoir."""


@transaction.atomic
def imputer_le_reste(
    anomalie: Anomalie, parts: Mapping[Dette, Decimal], *, accord: str, agent: Utilisateur
) -> Anomalie:
    """
    Porte un reliquat sur d'autres dettes, avec l'accord de l'allocataire, consigné. Montants en euros.

    :param accord: comment l'allocataire a dit oui, et quand
    :raises ResteImpossible: si les parts ne font pas le reliquat, ou si une dette ne peut recevoir la sienne
    :raises DejaResolue: si un autre agent est passé avant, ou si ce reste est en train d'être rendu
    """
    if anomalie.genre != Anomalie.Genre.RELIQUAT or anomalie.paiement_id is None:
        raise ResteImpossible("cette anomalie ne retient pas de reste")
    paiement = verrouiller(anomalie.paiement_id)
    anomalie.refresh_from_db()
    if sum(parts.values()) != anomalie.montant:
        raise ResteImpossible(f"les parts doivent faire {ecrire_euros(anomalie.montant)}")
    rendues = paiement.anomalies.ouvertes().filter(genre=Anomalie.Genre.ANNULATION_BANQUE, montant=0)
    siens = Q(constat__vu__parent="") | Q(constat__vu__parent=paiement.uuid)
    if rendues.filter(siens, constat__vu__operation="CREDIT").exists():
        raise ResteImpossible("la banque a rendu une part de ce paiement : reprenez-la d'abord")
    _porter(paiement, _recevoir(paiement, parts))
    return anomalies.resoudre(anomalie, motif=accord, agent=agent, issue=Anomalie.Issue.IMPUTEE)


def _recevoir(paiement: Paiement, parts: Mapping[Dette, Decimal]) -> list[tuple[Dette, Decimal]]:
    """Les mêmes parts, sur des dettes relues sous verrou qui peuvent les recevoir."""
    siennes = Dette.objects.for_allocataire(paiement.demarche.allocataire).filter(pk__in=[d.pk for d in parts])
    list(siennes.order_by("pk").select_for_update(of=("self",), no_key=True).values_list("pk"))
    recevables = {
        dette.pk: dette for dette in siennes.exclude(imputations__paiement=paiement).payables().with_disponible()
    }
    for dette, part in parts.items():
        if part <= 0 or dette.pk not in recevables or recevables[dette.pk].disponible < part:
            raise ResteImpossible(f"la dette {dette.reference} ne peut recevoir {ecrire_euros(part)}")
    return [(recevables[dette.pk], part) for dette, part in parts.items()]
