"""Ce qui doit être vrai entre la banque et nous : chaque euro qu'elle tient a sa case chez nous, et une seule."""

from collections import Counter
from collections.abc import Iterator
from decimal import Decimal

from django.db import connection
from django.db.models import Sum
from django.utils import timezone

from demarches.models import Demarche, LigneDemarche
from dettes.models import Dette
from paiements.file.attendues import get_attendues
from paiements.file.livres import Livres, lire, lire_sans_paiement
from paiements.models import Anomalie, DebitTenu, EtapePaiement, Imputation, Paiement, TransactionPayzen
from paiements.statuts import RESTITUABLES, Geste, Statut
from paiements.surveillance import invariants
from paiements.verification.interroger import RELANCE_APRES_PANNE
from tests.pannes.banque import Banque

EN_ROUTE = (Statut.INITIE, Statut.EN_ATTENTE, Statut.ACCEPTE, Statut.VERIFIE)
ZERO = Decimal(0)
# « rien_en_retard » dépend de l'horloge, que l'histoire avance sans balayer : il se vérifie à la fin.
A_TOUT_INSTANT = " UNION ALL ".join(
    f"SELECT concat_ws(' : ', '{invariant.nom}', v.objet, v.detail) FROM ({invariant.sql}) v (objet, detail)"  # noqa: S608 (nos propres requêtes)
    for invariant in invariants.INVARIANTS
    if invariant.nom != "rien_en_retard"
)


def preparer_les_invariants() -> None:
    """Une fonction qui part avec l'histoire, et dont PostgreSQL garde les plans : chaque pas coûte dix fois moins."""
    with connection.cursor() as curseur:
        curseur.execute(
            "CREATE FUNCTION a_tout_instant() RETURNS SETOF text LANGUAGE plpgsql"
            f" AS $plan$ BEGIN RETURN QUERY {A_TOUT_INSTANT}; END $plan$"
        )


def get_violations() -> Iterator[str]:
    """Les invariants de la production, les mêmes requêtes, en un aller à la base."""
    with connection.cursor() as curseur:
        curseur.execute("SELECT a_tout_instant()")
        yield from (violation for (violation,) in curseur.fetchall())


def get_euros_sans_case(banque: Banque) -> Iterator[str]:
    """Une phrase par débit dont la banque et nous ne disons pas la même somme, quand tout est arrivé."""
    tenus = {compte.transaction_id: compte.tenu for compte in DebitTenu.objects.all()}
    # D'une référence inconnue, que nous n'interrogeons pas, rien ne dit quel débit un crédit rembourse.
    inconnues = set(TransactionPayzen.objects.credits().filter(paiement=None).values_list("reference", flat=True))
    for debit in (t for t in banque.transactions if t.operation == "DEBIT" and t.reference not in inconnues):
        tenu = tenus.get(debit.uuid, ZERO)
        if banque.get_tenu(debit.uuid) != max(tenu, ZERO):
            yield f"{debit.reference} {debit.uuid[-4:]} : la banque tient {banque.get_tenu(debit.uuid)} €, nous {tenu}"
    for reference in sorted({transaction.reference for transaction in banque.transactions}):
        nous = sum((tenus[t.uuid] for t in TransactionPayzen.objects.debits().filter(reference=reference)), ZERO)
        orphelins = TransactionPayzen.objects.credits().vivantes().filter(reference=reference, parent=None)
        nous -= sum((credit.montant for credit in orphelins), ZERO)
        if banque.get_net(reference) != nous:
            yield f"{reference} : la banque tient {banque.get_net(reference)} €, nous disons {nous}"


def get_livres() -> Iterator[Livres]:
    yield from (lire(paiement) for paiement in Paiement.objects.select_related("debit", "demarche"))
    inconnues = TransactionPayzen.objects.filter(paiement=None).values_list("uuid", flat=True)
    if inconnues:
        yield lire_sans_paiement(inconnues)


def get_oublis() -> Iterator[str]:
    """
    Ce que les comptes demandent et que la file ne montre pas, ou montre encore quand plus rien ne le demande.

    Une remise absente naît de l'heure seule : c'est l'interrogation due qui l'ouvre. Due, ou retardée de deux minutes
    par une plateforme qui n'a pas répondu, elle n'est pas oubliée.
    """
    bientot = timezone.now() + RELANCE_APRES_PANNE
    dues = set(Paiement.objects.filter(prochain_controle_le__lte=bientot).values_list("reference", flat=True))
    attendues, connues = {}, {(a.genre, a.cle): a for a in Anomalie.objects.d_argent()}
    for livres in get_livres():
        attendues |= {(a.genre, a.cle): a for a in get_attendues(livres, timezone.now())}
    for cle, attendue in attendues.items():
        if attendue.genre == Anomalie.Genre.REMISE_ABSENTE and attendue.cle in dues:
            continue
        if cle not in connues or connues[cle].situation != attendue.situation or connues[cle].etat == "SANS_OBJET":
            yield f"manque à la file : {attendue} (on y lit {cle in connues and vars(connues[cle])})"
    for cle, anomalie in connues.items():
        if cle not in attendues and anomalie.is_a_trancher:
            yield f"de trop dans la file : {anomalie.genre} {anomalie.cle} {anomalie.situation}"


def get_engage(dette: Dette) -> Decimal:
    """Ce qui est en route vers une dette, compté depuis les paiements et non depuis l'état des démarches."""
    lignes = LigneDemarche.objects.filter(dette=dette, demarche__paiement__statut__in=EN_ROUTE)
    return lignes.aggregate(somme=Sum("montant"))["somme"] or ZERO


def get_depassements(demarche: Demarche) -> Iterator[str]:
    """Les dettes d'une démarche qui vient de partir, si plus que leur solde est en route."""
    for dette in Dette.objects.filter(lignes__demarche=demarche):
        if get_engage(dette) > dette.solde:
            yield f"{dette} : {get_engage(dette)} € en route pour un solde de {dette.solde} €"


def get_doubles(banque: Banque) -> Iterator[str]:
    """Ce qui aurait agi deux fois : une imputation sans accord neuf, un ordre de remboursement."""
    gestes = Counter(EtapePaiement.objects.values_list("paiement__reference", "geste"))
    for (qui, geste), fois in gestes.items():
        if geste in (Geste.IMPUTER, Geste.VERIFIER) and fois > gestes[qui, Geste.ACCEPTER]:
            yield f"{qui} : {geste} {fois} fois, pour {gestes[qui, Geste.ACCEPTER]} accords"
    yield from (f"{ordre} : {fois} fois" for ordre, fois in banque.ordres.items() if ordre != "envois" and fois > 1)


def get_accords_faux(banque: Banque) -> Iterator[str]:
    """Un paiement accepté l'a été par un débit de la banque, de sa référence, de son numéro."""
    debits = {transaction.uuid: transaction for transaction in banque.transactions}
    for paiement in Paiement.objects.encaisses():
        debit = debits.get(paiement.debit_id or "")
        if debit is None or (debit.reference, debit.trans_id) != (paiement.reference, paiement.trans_id):
            yield f"{paiement} : accepté sur {debit}"


def get_imputations_sans_argent() -> Iterator[str]:
    """Aucune dette n'a reçu d'un paiement plus qu'il n'apportait."""
    for imputation in Imputation.objects.values("paiement__reference", "paiement__montant").annotate(s=Sum("montant")):
        if imputation["s"] > imputation["paiement__montant"]:
            yield f"{imputation['paiement__reference']} : {imputation['s']} € imputés"


def get_reparties_a_tort(banque: Banque) -> Iterator[str]:
    """Un paiement reparti, ou dont la banque ne tient plus rien, n'est plus sur aucune dette."""
    for paiement in Paiement.objects.encaisses().select_related("solde"):
        if paiement.statut not in RESTITUABLES and paiement.solde.impute:
            yield f"{paiement} : {paiement.statut}, et {paiement.solde.impute} € encore imputés"
        if paiement.statut in RESTITUABLES and not banque.get_tenu(paiement.debit_id):
            yield f"{paiement} : {paiement.statut}, mais la banque ne tient plus rien de son débit"
