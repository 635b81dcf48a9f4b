"""
Les journaux de la plateforme, chaque matin : chaque ligne portée comme un fait (PROTOCOLE §8).

C'est le sens inverse de l'interrogation : ici la plateforme parle la première. Un débit dont rien ne nous avait parlé,
un remboursement fait ailleurs, une remise, un impayé et sa fin se voient sans main. Une ligne dont nous n'avons pas la
transaction reste en suspens : chaque lecture la reprend, et `interroger_payzen --journaux` va la chercher.
"""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, time

from django.conf import settings
from django.db import transaction
from django.db.models import Case, CharField, Func, Q, QuerySet, Value, When
from django.db.models.functions import Coalesce

from paiements.causes import par_payzen
from paiements.file.tenue import signaler
from paiements.models import Anomalie, Impaye, JournalPayzen, LigneJournal, Paiement, TransactionPayzen
from paiements.passages import faire_interroger, verrouiller
from paiements.payzen import Fait, Journal, Mode
from paiements.reception.porter import Recu, porter, resumer
from paiements.retours.impaye import ImpayeImpossible, MontantImpossible, porter_du_journal
from socle.references import is_reference

LOT = 500
# Les transactions d'abord : les autres journaux en parlent.
ORDRE = ("JT", "JO", "JRB", "JRI")
REMIS, RAPPROCHE = "CAPTURED", "MATCH_OK"


def _ecrire_le_jour(champ: str) -> Func:
    return Func(champ, Value("YYMMDD"), function="to_char", output_field=CharField())


# Le jour d'un impayé, si son journal le dit ; sinon celui du journal, si son nom le dit (PROTOCOLE §8). Une semaine ou
# un mois ne se compare à aucun jour : celui où nous l'avons lu.
QUAND = Coalesce(
    _ecrire_le_jour("impaye_le"),
    Case(When(journal__jour__regex=r"^\d{6}$", then="journal__jour"), default=_ecrire_le_jour("journal__lu_le")),
)


class EnSuspens(Exception):
    """Cette ligne attend ; le message dit quoi."""


@transaction.atomic
def consigner(journal: Journal) -> int | None:
    """Garde un journal et ses lignes ; rend le nombre de celles qu'aucun autre n'avait dites, ou rien s'il est lu."""
    fiche, is_neuf = JournalPayzen.objects.get_or_create(
        empreinte=journal.empreinte,
        defaults={
            "nom": journal.nom,
            "genre": journal.genre,
            "boutique": journal.boutique,
            "mode": journal.mode,
            "jour": journal.jour,
            "modele": journal.modele[:40],
            "lignes": len(journal.lignes),
            "inconnues": list(journal.inconnues),
        },
    )
    if not is_neuf:
        return None
    communs = {"journal": fiche, "genre": journal.genre, "boutique": journal.boutique, "mode": journal.mode}
    avant = LigneJournal.objects.filter(cle__in={ligne.cle for ligne in journal.lignes}).count()
    distinctes = {ligne.cle: ligne for ligne in journal.lignes}
    LigneJournal.objects.bulk_create(
        (LigneJournal(**communs, **vars(ligne)) for ligne in distinctes.values()), LOT, ignore_conflicts=True
    )
    return len(distinctes) - avant


def reprendre() -> dict[str, int]:
    """Porte tout ce qui est en suspens, dans l'ordre des journaux ; rend ce qui est porté, par genre."""
    return {genre: _reprendre_un_genre(genre) for genre in ORDRE}


def _reprendre_un_genre(genre: str) -> int:
    porter_un_lot = _porter_des_faits if genre in ("JT", "JRB") else _porter_une_a_une
    portees = 0
    suspens = LigneJournal.objects.filter(genre=genre, etat=LigneJournal.Etat.EN_SUSPENS, mode=settings.PAYZEN_MODE)
    cles = list(_dans_l_ordre(suspens).values_list("pk", flat=True))
    for debut in range(0, len(cles), LOT):
        portees += porter_un_lot(genre, cles[debut : debut + LOT])
    return portees


def _dans_l_ordre(lignes: QuerySet[LigneJournal]) -> QuerySet[LigneJournal]:
    """Du plus ancien au plus récent ; le même jour, un impayé se prend avant de se rendre."""
    return lignes.annotate(quand=QUAND).order_by("quand", "-operation", "pk")


@transaction.atomic
def _porter_des_faits(genre: str, cles: list[int]) -> int:
    """Les lignes d'un JT ou d'un JRB sont des faits : `porter` les unit à ce que nous savions."""
    lignes = LigneJournal.objects.filter(pk__in=cles).order_by("pk").select_for_update()
    a_porter: list[tuple[LigneJournal, Fait]] = []
    for ligne in lignes:
        try:
            a_porter.append((ligne, to_fait(ligne)))
        except EnSuspens as attente:
            _attendre(ligne, attente)
    porter([Recu(fait, resumer(fait)) for _, fait in a_porter], par_payzen(f"journal {genre}"))
    for ligne, fait in a_porter:
        _finir(ligne, fait.uuid)
    return len(a_porter)


def to_fait(ligne: LigneJournal) -> Fait:
    """
    Ce que dit une ligne d'un JT ou d'un JRB, dans la forme des autres faits.

    :raises EnSuspens: si sa transaction n'est pas connue, ou si elle ne dit pas ce que nous croyons lire
    """
    _exiger_lisible(ligne)
    connue = trouver(ligne)
    if connue is None:
        _exiger_revenu(ligne.boutique, ligne.reference)
    is_remise = ligne.genre == "JRB"
    if connue is None and (is_remise or not ligne.uuid or not ligne.reference):
        raise EnSuspens("aucune transaction connue n'a ce numéro, ce jour-là")
    reference, uuid = (connue.reference, connue.uuid) if connue else (ligne.reference, ligne.uuid)
    return Fait(
        reference=reference,
        statut=REMIS if is_remise else ligne.statut,
        montant=ligne.montant,
        devise=ligne.devise,
        site=ligne.boutique,
        mode=Mode(ligne.mode),
        operation=ligne.operation,
        uuid=uuid,
        trans_id=ligne.trans_id,
        source=ligne.genre,
        creee_le=None if is_remise else ligne.instant,
        remise_le=ligne.remise_le,
    )


def _exiger_lisible(ligne: LigneJournal) -> None:
    if ligne.genre == "JRB" and ligne.statut != RAPPROCHE:  # garde: remise_rapprochee
        raise EnSuspens(f"la banque n'a pas rapproché cette opération : {ligne.statut or 'sans état'}")
    if ligne.operation not in (TransactionPayzen.DEBIT, TransactionPayzen.CREDIT):  # garde: operation_connue
        raise EnSuspens(f"opération « {ligne.operation} » inconnue")


def _exiger_revenu(boutique: str, reference: str) -> None:
    """
    Après une restauration, le passé se rejoue dans son ordre : un paiement revient, s'impute, puis se défait.

    :raises EnSuspens: si c'est une référence de nous, dont le paiement n'est pas encore revenu
    """
    connus = Paiement.objects.filter(reference=reference, boutique=boutique)
    if is_reference(reference) and not connus.exists():  # garde: le_paiement_revient_d_abord
        raise EnSuspens("son paiement n'est pas encore revenu")


def trouver(ligne: LigneJournal, operation: str | None = None) -> TransactionPayzen | None:
    """La transaction d'une ligne : son uuid si le journal le dit, sinon son numéro et son jour UTC (PROTOCOLE §8)."""
    candidates = TransactionPayzen.objects.filter(boutique=ligne.boutique, mode=ligne.mode)
    if operation or ligne.operation in ("DEBIT", "CREDIT"):
        candidates = candidates.filter(operation=operation or ligne.operation)
    if ligne.uuid:
        return candidates.filter(uuid=ligne.uuid).first()
    candidates = candidates.filter(trans_id__iexact=ligne.trans_id)
    if ligne.reference:
        candidates = candidates.filter(reference=ligne.reference)
    elif ligne.jour:
        candidates = candidates.filter(_du_jour(ligne, ("trans_date", "creee_le", "paiement__cree_le")))
    trouvees = list(candidates[:2])
    return trouvees[0] if len(trouvees) == 1 else None


def _du_jour(ligne: LigneJournal, champs: tuple[str, ...]) -> Q:
    assert ligne.jour is not None  # noqa: S101 (l'appelant l'a vu)
    bornes = [datetime.combine(ligne.jour, heure, UTC) for heure in (time.min, time.max)]
    jours = Q()
    for champ in champs:
        jours |= Q(**{f"{champ}__range": bornes})
    return jours


def _porter_une_a_une(genre: str, cles: list[int]) -> int:
    traiter: Callable[[LigneJournal], TransactionPayzen] = _confirmer if genre == "JO" else _porter_un_impaye
    portees = 0
    for cle in cles:
        with transaction.atomic():
            ligne = LigneJournal.objects.select_for_update().get(pk=cle)
            try:
                _finir(ligne, traiter(ligne).uuid)
                portees += 1
            except EnSuspens as attente:
                _attendre(ligne, attente)
    return portees


def _confirmer(ligne: LigneJournal) -> TransactionPayzen:
    """Un JO ne dit pas d'état : connue au même montant, l'opération n'apprend rien ; sinon, on redemande."""
    connue = trouver(ligne)
    # garde: operation_du_meme_montant
    if connue is not None and connue.montant <= ligne.montant <= connue.montant_haut:
        return connue
    raise EnSuspens("aucune transaction connue n'a ce numéro, ce jour-là, à ce montant")


def _porter_un_impaye(ligne: LigneJournal) -> TransactionPayzen:
    debit = trouver(ligne, TransactionPayzen.DEBIT)
    if debit is None:
        raise EnSuspens("aucun débit connu n'a ce numéro, ce jour-là")
    _exiger_revenu(debit.boutique, debit.reference)
    return _porter_l_impaye_de(debit, ligne)


def _porter_l_impaye_de(debit: TransactionPayzen, ligne: LigneJournal) -> TransactionPayzen:
    if _is_depassee(ligne, debit):  # garde: la_derniere_ligne_vaut
        return debit
    sens = Impaye.Sens.PRIS if ligne.operation == "DEBIT" else Impaye.Sens.RENDU
    jour = f" du {ligne.impaye_le:%d/%m/%Y}" if ligne.impaye_le else ""
    motif = f", motif {ligne.motif}" if ligne.motif else ""
    try:
        # garde: impayes_du_journal
        porter_du_journal(debit, sens, ligne.montant, par_payzen(f"journal des impayés{jour}{motif}"))
    except MontantImpossible as refus:
        _signaler_la_part(ligne, debit)
        raise EnSuspens(f"{refus} : un agent décide") from refus
    except ImpayeImpossible as refus:
        raise EnSuspens(str(refus)) from refus
    return debit


def _is_depassee(ligne: LigneJournal, debit: TransactionPayzen) -> bool:
    """Une ligne plus récente a déjà dit si ce débit est pris ou rendu : celle-ci, en retard, n'en change rien."""
    deja = Q(genre="JRI", transaction=debit, etat=LigneJournal.Etat.PORTEE)
    derniere = _dans_l_ordre(LigneJournal.objects.filter(Q(pk=ligne.pk) | deja)).last()
    return derniere != ligne


def porter_sans_paiement(boutique: str, reference: str) -> None:
    """Ce paiement ne reviendra jamais : les impayés qui l'attendaient vont à ses débits, comme à ceux d'un autre."""
    suspens = LigneJournal.objects.filter(
        genre="JRI", boutique=boutique, etat=LigneJournal.Etat.EN_SUSPENS, mode=settings.PAYZEN_MODE
    )
    for ligne in _dans_l_ordre(suspens).select_for_update(of=("self",)):
        debit = trouver(ligne, TransactionPayzen.DEBIT)
        if debit is None or debit.reference != reference:
            continue
        try:
            _finir(ligne, _porter_l_impaye_de(debit, ligne).uuid)
        except EnSuspens as attente:
            _attendre(ligne, attente)


def _signaler_la_part(ligne: LigneJournal, debit: TransactionPayzen) -> None:
    motif = f"impayé de {ligne.montant} € sur un débit de {debit.montant} €"
    signaler(
        Anomalie.Genre.REPONSE_INATTENDUE,
        f"impaye:{ligne.cle}",
        detail=motif,
        paiement=debit.paiement,
        transaction_payzen=debit,
        cause=par_payzen(motif),
    )


def _finir(ligne: LigneJournal, uuid: str) -> None:
    ligne.etat, ligne.transaction_id, ligne.pourquoi = LigneJournal.Etat.PORTEE, uuid, ""
    ligne.save(update_fields=["etat", "transaction", "pourquoi"])


def _attendre(ligne: LigneJournal, attente: EnSuspens) -> None:
    """Elle reste en suspens ; si c'est un de nos paiements, la plateforme est interrogée aussitôt."""
    if ligne.pourquoi != str(attente):
        ligne.pourquoi = str(attente)[:200]
        ligne.save(update_fields=["pourquoi"])
    for cle in get_paiements(ligne).values_list("pk", flat=True)[:1]:
        faire_interroger(verrouiller(cle))


def get_paiements(ligne: LigneJournal) -> QuerySet[Paiement]:
    """Le paiement dont parle une ligne, par sa référence, sinon par le numéro et le jour de son formulaire."""
    siens = Paiement.objects.filter(boutique=ligne.boutique, mode=ligne.mode)
    if ligne.reference:
        return siens.filter(reference=ligne.reference)
    if not ligne.jour:
        return siens.none()
    return siens.filter(_du_jour(ligne, ("cree_le",)), trans_id=ligne.trans_id)


def lister_les_inconnues() -> Iterable[tuple[str, str]]:
    """Les (boutique, référence) dont un journal parle, et dont nous n'avons pas le paiement ou la transaction."""
    suspens = LigneJournal.objects.filter(etat=LigneJournal.Etat.EN_SUSPENS, mode=settings.PAYZEN_MODE)
    sans_paiement = TransactionPayzen.objects.filter(paiement=None, mode=settings.PAYZEN_MODE)
    couples = {*suspens.exclude(reference="").values_list("boutique", "reference")}
    return sorted(couples | {*sans_paiement.values_list("boutique", "reference")})
