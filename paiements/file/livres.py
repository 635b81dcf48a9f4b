"""Les livres d'un paiement, lus d'un coup sous son verrou : ce que la banque tient, ce que nous avons imputé."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from paiements.models import (
    DebitTenu,
    DemandeRestitution,
    Paiement,
    TransactionPayzen,
)
from paiements.payzen import CONTRADICTOIRE, DOUTEUSES, EURO
from paiements.statuts import Geste
from socle.sql import Colonnes, batir, executer

ZERO = Decimal(0)
LUES = (Colonnes(TransactionPayzen, "t"), Colonnes(DebitTenu, "c"))
LIRE = f"""
SELECT {", ".join(map(str, LUES))},
       (SELECT s.impute FROM paiements_solde s WHERE s.paiement_id = t.paiement_id),
       EXISTS (SELECT FROM paiements_anomalie a WHERE a.paiement_id = t.paiement_id)
       OR EXISTS (SELECT FROM paiements_demanderestitution r WHERE r.paiement_id = t.paiement_id),
       EXISTS (SELECT FROM paiements_etapepaiement WHERE paiement_id = t.paiement_id AND geste = '{Geste.ATTENDRE}')
FROM paiements_transactionpayzen t LEFT JOIN paiements_debit_tenu c ON c.uuid = t.uuid
WHERE t.paiement_id = %s ORDER BY t.apprise_le, t.uuid
"""  # noqa: S608 (composé de nos seules colonnes)


@dataclass(frozen=True)
class Livres:
    """
    Ce dont un paiement, ou une référence inconnue, a besoin pour se décider. Montants en euros.

    :param paiement: None pour une transaction d'une référence que nous ne connaissons pas
    :param impute: la somme signée de ses imputations
    :param has_file: faux s'il n'a ni anomalie, ni restitution : il n'y a alors rien à y chercher
    :param is_rouvert: on l'a dit fini sans débit, et la banque en a reparlé depuis
    """

    paiement: Paiement | None
    transactions: list[TransactionPayzen]
    restitutions: list[DemandeRestitution]
    impute: Decimal
    has_file: bool
    is_rouvert: bool = False

    @property
    def debits(self) -> list[TransactionPayzen]:
        return [transaction for transaction in self.transactions if transaction.is_debit]

    @property
    def credits(self) -> list[TransactionPayzen]:
        return [transaction for transaction in self.transactions if transaction.is_credit]

    @property
    def sien(self) -> TransactionPayzen | None:
        """Le débit du paiement."""
        cle = self.paiement.debit_id if self.paiement else None
        return next((debit for debit in self.debits if debit.uuid == cle), None)

    @property
    def is_en_l_air(self) -> bool:
        """D'un crédit, on ne sait pas ce qu'il ôte : rien ne se vérifie ni ne s'impute avant de savoir."""
        return any(credit.is_en_l_air for credit in self.credits)

    def is_comparable(self, transaction: TransactionPayzen) -> bool:
        """La plateforme ne montre pas un impayé (PROTOCOLE §5), et un agent tranche ce dont elle dit deux choses."""
        impaye = transaction.is_debit and transaction.compte.is_impaye  # garde: impaye_que_la_banque_ne_montre_pas
        # garde: verdict_que_la_banque_dement
        is_tranchee = transaction.statut == CONTRADICTOIRE and transaction.verdict != ""
        is_claire = is_tranchee or transaction.famille not in DOUTEUSES
        return transaction.is_en_euros and not impaye and is_claire

    @property
    def solde(self) -> Decimal:
        """Ce que la banque tient de tout ce qui se compare à une lecture, en euros."""
        comparables = {debit.uuid: get_tenu(debit) for debit in self.debits if self.is_comparable(debit)}
        vifs = [credit for credit in self.credits if credit.is_vivante]
        orphelins = (c.montant for c in vifs if c.parent_id is None and self.is_comparable(c))
        # Un crédit qu'un agent a tranché pèse sur son débit, et la lecture ne le compte pas.
        pesants = (c for c in vifs if c.parent_id in comparables and c.devise == EURO)
        tranches = (c.montant for c in pesants if not self.is_comparable(c))
        return sum(comparables.values(), ZERO) - sum(orphelins, ZERO) + sum(tranches, ZERO)


def get_tenu(debit: TransactionPayzen) -> Decimal:
    """Ce que la banque tient d'un débit, en euros : la vue `paiements_debit_tenu`."""
    compte: DebitTenu = debit.compte
    return compte.tenu


def is_debit_a_regler(paiement: Paiement, livres: Livres) -> bool:
    """La banque annonce un débit de ce paiement, et une anomalie en attend la décision d'un agent. Une requête."""
    return paiement.anomalies.ouvertes().filter(transaction__in=[d for d in livres.debits if d.is_vivante]).exists()


def lire(paiement: Paiement) -> Livres:
    """Les livres d'un paiement tenu sous verrou, débit à jour ; une requête quand rien d'inhabituel n'y est ouvert."""
    lignes = [batir(ligne, *LUES) for ligne in executer(LIRE, [paiement.pk])]
    if not lignes:
        return Livres(paiement, [], [], ZERO, has_file=True)
    for transaction, compte, *_ in lignes:
        _joindre(transaction, compte)
    impute, has_file, is_rouvert = lignes[0][len(LUES) :]  # ce qui vaut pour tout le paiement
    restitutions = list(paiement.restitutions.all()) if has_file else []
    livres = Livres(paiement, [ligne[0] for ligne in lignes], restitutions, impute or ZERO, has_file, is_rouvert)
    if sien := livres.sien:
        paiement.debit = sien
    return livres


def _joindre(transaction: TransactionPayzen, compte: DebitTenu | None) -> None:
    """Comme `select_related` : ce qui est lu ne se relit pas, ni ce dont on sait qu'il n'y a rien (un crédit)."""
    TransactionPayzen.compte.related.set_cached_value(transaction, compte)
    if compte:
        DebitTenu.transaction.field.set_cached_value(compte, transaction)


def lire_sans_paiement(uuids: Iterable[str]) -> Livres:
    """Les transactions d'une référence que nous ne connaissons pas, avec celles qu'elles remboursent."""
    transactions = TransactionPayzen.objects.filter(uuid__in=uuids, paiement=None).select_related("compte")
    return Livres(None, list(transactions.order_by("uuid")), [], ZERO, has_file=True)
