"""Imputer aux dettes l'argent vérifié : par lot, chaque paiement isolé des autres."""

import logging
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import cast

from django.db import DatabaseError, transaction
from django.db.models import prefetch_related_objects
from django.utils import timezone

from demarches.models import Demarche
from dettes.models import Dette, Mouvement
from dettes.repartition import repartir
from paiements.causes import Cause, par_service
from paiements.file.livres import lire
from paiements.file.tenue import clore, rapprocher, signaler
from paiements.models import Anomalie, Imputation, Paiement, TransactionPayzen
from paiements.passages import avancer
from paiements.statuts import Geste
from socle.euros import ecrire_euros

logger = logging.getLogger(__name__)

TAILLE_DU_LOT = 100
# Une dette qu'un autre tient se libère vite ; un échec se retente de plus en plus tard.
DETTE_TENUE = timedelta(seconds=2)
RELANCE_AU_PLUS = timedelta(days=1)
DOUBLEMENTS_AU_PLUS = 11  # plus de 24 heures
# Ce que la banque ne dit pas clairement attend qu'elle le dise, ou qu'un agent tranche.
A_TRANCHER = timedelta(minutes=10)


def imputer_un_lot() -> int:
    """
    Impute les paiements vérifiés, par lot, et rend combien ont avancé.

    Un autre worker peut faire de même au même instant : chacun saute ce que l'autre tient. Une dette tenue, un échec
    ne retardent que leur paiement.
    """
    with transaction.atomic():
        lot = list(
            Paiement.objects.a_imputer()
            # garde: verrou_du_lot, sauter_ce_qu_un_autre_tient
            .select_for_update(of=("self",), skip_locked=True, no_key=True)
            .select_related("demarche", "caf")[:TAILLE_DU_LOT]
        )
        # Après le verrou : ce qui s'est dit pendant qu'on l'attendait compte.
        prefetch_related_objects(lot, "debit", "solde")
        tenues = _verrouiller_les_dettes(lot)  # garde: verrou_des_dettes_du_lot
        return sum(_imputer_a_part(paiement, tenues) for paiement in lot)


def _verrouiller_les_dettes(paiements: Iterable[Paiement]) -> set[int]:
    """Prend toutes les dettes que le lot peut toucher, sans attendre ; rend les allocataires dont une est tenue."""
    allocataires = {paiement.demarche.allocataire_id for paiement in paiements}
    dettes = Dette.objects.filter(allocataire__in=allocataires).order_by("pk")
    # garde: sauter_une_dette_tenue
    prises = set(dettes.select_for_update(of=("self",), skip_locked=True, no_key=True).values_list("pk", flat=True))
    return {allocataire for cle, allocataire in dettes.values_list("pk", "allocataire") if cle not in prises}


def _imputer_a_part(paiement: Paiement, tenues: set[int]) -> bool:
    if paiement.demarche.allocataire_id in tenues:
        Paiement.objects.filter(pk=paiement.pk).update(imputer_le=timezone.now() + DETTE_TENUE)
        return False
    if _is_a_trancher(paiement):
        Paiement.objects.filter(pk=paiement.pk).update(imputer_le=timezone.now() + A_TRANCHER)
        return False
    try:
        with transaction.atomic():  # garde: point_de_reprise
            imputer(paiement)
    except Exception as echec:  # garde: un_paiement_malade  (quoi qu'il lève, les autres passent)
        if isinstance(echec, DatabaseError) and not transaction.get_connection().is_usable():
            raise
        _reporter(paiement, echec)
        return False
    return True


def _is_a_trancher(paiement: Paiement) -> bool:
    """La banque dit deux choses de ce débit, ou un crédit est parti dont on ne sait pas ce qu'il ôte."""
    is_douteux = paiement.debit is not None and paiement.debit.is_douteuse  # garde: douteux_ne_s_impute_pas
    return is_douteux or paiement.solde.is_en_l_air  # garde: credit_en_l_air_ne_s_impute_pas


def _reporter(paiement: Paiement, echec: Exception) -> None:
    """Le paiement garde sa place ; un agent le voit, et on réessaie de plus en plus tard."""
    logger.error("imputation impossible", exc_info=echec, extra={"paiement": paiement.reference})
    doublements = min(paiement.echecs, DOUBLEMENTS_AU_PLUS)  # garde: delai_qui_ne_deborde_pas
    delai = min(timedelta(minutes=2**doublements), RELANCE_AU_PLUS)
    Paiement.objects.filter(pk=paiement.pk).update(imputer_le=timezone.now() + delai, echecs=paiement.echecs + 1)
    signaler(
        Anomalie.Genre.IMPUTATION_IMPOSSIBLE,
        paiement.reference,
        detail=f"l'imputation échoue ({type(echec).__name__}) ; prévenir l'exploitant",
        paiement=paiement,
        cause=par_service("l'imputation échoue"),
    )


def imputer(paiement: Paiement) -> None:
    """
    Impute un paiement vérifié à ses dettes, jamais au-delà du solde ; ce qui ne tient plus reste à placer.

    Les dettes choisies font loi (C. civ. 1342-10) ; un montant global éteint la plus ancienne d'abord (CSS D553-4), et
    de même un montant que la banque a baissé.
    """
    tenu = paiement.solde.tenu - paiement.solde.impute
    parts = _parts_affectees(paiement, tenu) if _is_affecte(paiement) else _parts_globales(paiement, tenu)
    cause = par_service(f"imputé à {len(parts)} dette{'s' if len(parts) > 1 else ''}")
    ecrire(paiement, parts, cause)
    paiement.imputer_le = None
    avancer(Geste.IMPUTER, paiement, cause)
    if paiement.echecs:
        for anomalie in paiement.anomalies.ouvertes().filter(genre=Anomalie.Genre.IMPUTATION_IMPOSSIBLE):
            clore(anomalie, cause)
    # Une part rendue, ou admise plus petite, avait son anomalie ; un reste en demande une.
    if sum((part for _, part in parts), Decimal(0)) != paiement.montant or paiement.echecs:
        rapprocher(lire(paiement), cause)


def ecrire(paiement: Paiement, parts: Iterable[tuple[Dette, Decimal]], cause: Cause) -> None:
    """Écrit des imputations, et les mouvements qui font baisser les dettes."""
    # Vérifié, il a son débit : la base le garantit.
    debit, paye_le = cast("TransactionPayzen", paiement.debit), cast("datetime", paiement.paye_le)
    for dette, part in parts:
        mouvement = Mouvement.objects.create(
            dette=dette, genre=Mouvement.Genre.IMPUTATION, montant=-part, origine=paiement.reference
        )
        Imputation.objects.create(
            paiement=paiement,
            debit=debit,
            dette=dette,
            montant=part,
            mouvement=mouvement,
            paye_le=paye_le,
            motif=cause.motif[:200],
            auteur=cause.auteur,
        )


def _is_affecte(paiement: Paiement) -> bool:
    return paiement.demarche.mode == Demarche.Mode.AFFECTE


def _parts_affectees(paiement: Paiement, tenu: Decimal) -> list[tuple[Dette, Decimal]]:
    lignes = paiement.demarche.lignes.select_related("dette")
    parts = []
    for ligne in lignes.order_by("dette__notifiee_le", "dette__solde", "dette_id"):
        # garde: jamais_au_dela_du_solde, jamais_au_dela_du_tenu
        part = min(ligne.montant, _accueil(ligne.dette), tenu)
        if part > 0:
            parts.append((ligne.dette, part))
            tenu -= part
    return parts


def _parts_globales(paiement: Paiement, tenu: Decimal) -> list[tuple[Dette, Decimal]]:
    dettes = Dette.objects.for_allocataire(paiement.demarche.allocataire).payables().with_disponible()
    propres = dict(paiement.demarche.lignes.values_list("dette_id", "montant"))
    rangees = list(dettes.plus_anciennes_d_abord())
    for dette in rangees:
        # Ses propres lignes ne se font pas obstacle : elles ne réservaient la place que pour ce paiement.
        dette.disponible += propres.get(dette.pk, Decimal(0))
    return repartir(tenu, rangees)


def _accueil(dette: Dette) -> Decimal:
    """Ce que la dette peut encore recevoir ; rien si elle n'est plus payable ici (transmise, soldée, annulée)."""
    return dette.solde if dette.is_payable else Decimal(0)  # garde: dette_qui_ne_se_paie_plus_ici


class ResteImpossible(Exception):
    """Ces parts ne placent pas ce reste : pas le bon total, ou une dette qui ne peut le recevoir."""


def placer(paiement: Paiement, parts: Mapping[Dette, Decimal], cause: Cause) -> None:
    """
    Impute ce qui reste d'un paiement tenu sous verrou à d'autres dettes, avec l'accord de l'allocataire. En euros.

    :param cause: qui l'a fait, et comment l'allocataire a dit oui
    :raises ResteImpossible: si les parts ne font pas le reste, ou si une dette ne peut recevoir la sienne
    """
    if not parts or sum(parts.values()) != paiement.a_placer:  # garde: placer_le_reste_exact
        raise ResteImpossible(f"les parts doivent faire {ecrire_euros(paiement.a_placer)}")
    siennes = Dette.objects.for_allocataire(paiement.demarche.allocataire).filter(pk__in=[d.pk for d in parts])
    # garde: verrou_des_dettes_du_reste
    list(siennes.order_by("pk").select_for_update(of=("self",), no_key=True).values_list("pk"))
    recevables = {dette.pk: dette for dette in siennes.payables().with_disponible()}
    for dette, part in parts.items():
        # garde: dette_qui_peut_recevoir_le_reste
        if part <= 0 or dette.pk not in recevables or recevables[dette.pk].disponible < part:
            raise ResteImpossible(f"la dette {dette.reference} ne peut recevoir {ecrire_euros(part)}")
    ecrire(paiement, [(recevables[dette.pk], part) for dette, part in parts.items()], cause)
    rapprocher(lire(paiement), cause)
