"""Imputer aux dettes l'argent vérifié : par lot, chaque paiement isolé des autres."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from types import MappingProxyType
from typing import cast

from django.db import transaction
from django.db.models import F, Prefetch, prefetch_related_objects
from django.utils import timezone

from demarches.models import Demarche, LigneDemarche
from dettes.models import Dette, Mouvement
from dettes.repartition import repartir
from paiements.causes import Cause, par_service
from paiements.file.attendues import is_certain
from paiements.file.livres import lire
from paiements.file.tenue import rapprocher
from paiements.imputation.ecrire import Ecriture, ecrire
from paiements.malades import Travail, exiger_la_base, guerir, reporter
from paiements.models import Paiement
from paiements.passages import avancer_ensemble, verrouiller
from paiements.statuts import Geste
from socle.euros import ecrire_euros

TAILLE_DU_LOT = 100
AUCUN: Mapping[int, Decimal] = MappingProxyType({})
# Une dette qu'un autre tient se libère vite.
DETTE_TENUE = timedelta(seconds=2)
# Ce que la banque ne dit pas clairement attend qu'elle le dise, ou qu'un agent tranche.
A_TRANCHER = timedelta(minutes=10)
# Les dettes de chacun, la plus ancienne d'abord.
LIGNES = Prefetch(
    "demarche__lignes",
    LigneDemarche.objects.select_related("dette").order_by("dette__notifiee_le", "dette__solde", "dette_id"),
)


def imputer_un_lot(publies: Mapping[int, Decimal] = AUCUN) -> int:
    """
    Impute les paiements vérifiés, par lot, et rend combien ont avancé.

    Un autre worker peut faire de même au même instant : chacun saute ce que l'autre tient. Une dette tenue, un échec
    ne retardent que leur paiement.

    :param publies: ceux-là seuls, par leur clé, et pas au-delà des euros qu'un fichier rendu à la Caf en dit imputés ;
        la suite est un reste à placer
    """
    with transaction.atomic():
        a_imputer = Paiement.objects.a_imputer()
        lot = list(
            (a_imputer.filter(pk__in=publies) if publies else a_imputer)
            # garde: verrou_du_lot, sauter_ce_qu_un_autre_tient
            .select_for_update(of=("self",), skip_locked=True, no_key=True)
            .select_related("demarche", "caf")[:TAILLE_DU_LOT]
        )
        # Après le verrou : ce qui s'est dit pendant qu'on l'attendait compte.
        prefetch_related_objects(lot, "debit", "solde")
        tenues = _verrouiller_les_dettes(lot)  # garde: verrou_des_dettes_du_lot
        prets = [paiement for paiement in lot if not _attendre(paiement, tenues)]
        return sum(_imputer_a_part(vague, publies) for vague in _ranger_par_vagues(prets))


def _ranger_par_vagues(paiements: Iterable[Paiement]) -> Iterable[list[Paiement]]:
    """Le premier de chaque dossier, puis le deuxième… : chacun lit les dettes telles que le précédent les laisse."""
    vagues: dict[int, list[Paiement]] = defaultdict(list)
    rangs: Counter[int] = Counter()
    for paiement in paiements:
        dossier = paiement.demarche.allocataire_id
        vagues[rangs[dossier]].append(paiement)
        rangs[dossier] += 1  # garde: un_dossier_une_fois_par_vague
    return vagues.values()


def _verrouiller_les_dettes(paiements: Iterable[Paiement]) -> set[int]:
    """Prend toutes les dettes que le lot peut toucher, sans attendre ; rend les allocataires dont une est tenue."""
    allocataires = {paiement.demarche.allocataire_id for paiement in paiements}
    dettes = Dette.objects.filter(allocataire__in=allocataires).order_by("pk")
    # garde: sauter_une_dette_tenue
    prises = set(dettes.select_for_update(of=("self",), skip_locked=True, no_key=True).values_list("pk", flat=True))
    return {allocataire for cle, allocataire in dettes.values_list("pk", "allocataire") if cle not in prises}


def _attendre(paiement: Paiement, tenues: set[int]) -> bool:
    """Remet à plus tard un paiement dont une dette est tenue, ou dont la banque dit deux choses ; rend s'il attend."""
    if paiement.demarche.allocataire_id in tenues:
        delai = DETTE_TENUE
    elif is_a_trancher(paiement):
        delai = A_TRANCHER
    else:
        return False
    Paiement.objects.filter(pk=paiement.pk).update(imputer_le=timezone.now() + delai)
    return True


def _imputer_a_part(paiements: Sequence[Paiement], publies: Mapping[int, Decimal]) -> int:
    """Impute ces paiements ensemble ; si l'un fait échouer les autres, un par un. Rend combien ont avancé."""
    try:
        with transaction.atomic():  # garde: point_de_reprise
            imputer(paiements, publies)
    except Exception as echec:  # garde: un_paiement_malade  (quoi qu'il lève, les autres passent)
        exiger_la_base(echec)
        if len(paiements) > 1:
            # garde: relire_apres_un_echec  (l'essai manqué les a fait avancer en mémoire)
            return sum(_imputer_a_part([verrouiller(paiement.pk)], publies) for paiement in paiements)
        Paiement.objects.filter(pk=paiements[0].pk).update(echecs=F("echecs") + 1)
        reporter(paiements[0], Travail.IMPUTATION, echec)
        return 0
    return len(paiements)


def is_a_trancher(paiement: Paiement) -> bool:
    """
    La banque en dit une autre devise ; ou un crédit est parti, on ne sait d'où ; ou elle n'en tient pas ce qui était
    demandé, et aucun agent ne l'a admis (docs/adr/0048). De ce dont elle dit deux choses, elle ne tient rien.
    """
    # garde: devise_apprise_avant_d_imputer
    is_incertain = paiement.debit is not None and not is_certain(paiement, paiement.debit)
    # garde: rien_ne_s_impute_sans_etre_admis
    is_inattendu = paiement.solde.tenu not in paiement.montants_attendus
    # garde: credit_en_l_air_ne_s_impute_pas
    return is_incertain or is_inattendu or paiement.solde.is_en_l_air


def imputer(paiements: Sequence[Paiement], publies: Mapping[int, Decimal] = AUCUN) -> None:
    """
    Impute des paiements vérifiés à leurs dettes, jamais au-delà du solde ; ce qui ne tient plus reste à placer.

    Les dettes choisies font loi (C. civ. 1342-10) ; un montant global éteint la plus ancienne d'abord (CSS D553-4), et
    de même un montant que la banque a baissé.
    """
    prefetch_related_objects(paiements, LIGNES)
    parts = {paiement: _get_parts(paiement, publies) for paiement in paiements}
    causes = {p: par_service(f"imputé à {len(parts[p])} dette{'s' if len(parts[p]) > 1 else ''}") for p in paiements}
    ecrire(_ecrire_une_part(p, dette, part, causes[p]) for p in paiements for dette, part in parts[p])
    for paiement in paiements:
        paiement.imputer_le = None
    avancer_ensemble(Geste.IMPUTER, causes)
    for paiement, cause in causes.items():
        _tenir_la_file(paiement, sum((part for _, part in parts[paiement]), Decimal(0)), cause)


def _get_parts(paiement: Paiement, publies: Mapping[int, Decimal]) -> list[tuple[Dette, Decimal]]:
    tenu = paiement.solde.tenu - paiement.solde.impute
    tenu = min(tenu, publies.get(paiement.pk, tenu))  # garde: pas_plus_que_le_publie
    return _parts_affectees(paiement, tenu) if _is_affecte(paiement) else _parts_globales(paiement, tenu)


def _tenir_la_file(paiement: Paiement, impute: Decimal, cause: Cause) -> None:
    if paiement.echecs:
        guerir(paiement, Travail.IMPUTATION, cause)
    # Une part rendue, ou admise plus petite, avait son anomalie ; un reste en demande une.
    if impute != paiement.montant or paiement.echecs:
        rapprocher(lire(paiement), cause)


def _ecrire_une_part(paiement: Paiement, dette: Dette, part: Decimal, cause: Cause) -> Ecriture:
    # Vérifié, il a son débit : la base le garantit.
    debit, paye_le = cast("str", paiement.debit_id), cast("datetime", paiement.paye_le)
    return Ecriture(paiement, debit, paye_le, dette.pk, Mouvement.Genre.IMPUTATION, part, cause)


def _is_affecte(paiement: Paiement) -> bool:
    return paiement.demarche.mode == Demarche.Mode.AFFECTE


def _parts_affectees(paiement: Paiement, tenu: Decimal) -> list[tuple[Dette, Decimal]]:
    parts = []
    for ligne in paiement.demarche.lignes.all():
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
    if paiement.is_d_un_autre_mode:  # garde: essai_ne_se_place_pas
        raise ResteImpossible(f"ce paiement est en {paiement.mode} : ce n'est pas de l'argent")
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
    ecrire(_ecrire_une_part(paiement, dette, part, cause) for dette, part in parts.items())
    rapprocher(lire(paiement), cause)
