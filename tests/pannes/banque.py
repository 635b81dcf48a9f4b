"""
Une banque idéale, en mémoire : ce qu'elle dit est la vérité, qu'on l'entende, qu'on l'entende deux fois, ou jamais.

Elle lit notre formulaire signé, poste de vraies notifications signées, et répond en HTTP à `Order/Get` et
`Transaction/CancelOrRefund` selon PROTOCOLE §5 et §6. Montants en centimes, comme sur le fil.
"""

import json
import re
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from urllib.parse import urlencode

import requests
import responses
from django.conf import settings
from django.utils import timezone

from paiements.payzen import sign

VIVANTS = ("AUTHORISED", "CAPTURED")


@dataclass
class Transaction:
    """Une transaction de la plateforme ; `rendu` compte les crédits faits sur un débit, `repris` son impayé."""

    uuid: str
    reference: str
    trans_id: str
    trans_date: str
    montant: int
    statut: str
    operation: str = "DEBIT"
    rendu: int = 0
    repris: int = 0
    parent: "Transaction | None" = None

    @property
    def is_argent(self) -> bool:
        return self.statut in VIVANTS

    @property
    def reste(self) -> int:
        """Ce qu'elle en tient encore : un impayé reprend l'argent sans changer son état (PROTOCOLE §5)."""
        return max(self.montant - self.rendu - self.repris, 0)

    @property
    def is_debit_vivant(self) -> bool:
        return self.operation == "DEBIT" and self.is_argent


@dataclass
class Session:
    """La page de paiement ouverte par notre formulaire, jusqu'à sa fin."""

    champs: Mapping[str, str]
    ouverte: bool = True

    @property
    def reference(self) -> str:
        return self.champs["vads_order_id"]


@dataclass
class Banque:
    """`courrier` : les notifications postées et pas encore livrées. `panne` : ce que fera le prochain appel REST."""

    site: str
    transactions: list[Transaction] = field(default_factory=list)
    sessions: list[Session] = field(default_factory=list)
    courrier: list[dict[str, str]] = field(default_factory=list)
    ordres: Counter[str] = field(default_factory=Counter)
    panne: str = ""

    def ouvrir(self, champs: Mapping[str, str]) -> None:
        self.sessions.append(Session(champs))

    def debiter(self, session: Session, statut: str, montant: int | None = None) -> Transaction:
        """Une tentative de carte : accordée, refusée (une autre reste possible), ou mise en attente."""
        champs = session.champs
        session.ouverte = statut == "REFUSED"
        prix = int(champs["vads_amount"]) if montant is None else montant
        debit = self._creer(session.reference, champs["vads_trans_id"], champs["vads_trans_date"], prix, statut)
        self.poster(debit)
        return debit

    def abandonner(self, session: Session) -> None:
        """Bouton d'annulation ou session échue : aucune transaction, donc ni uuid ni opération (PROTOCOLE §3.3)."""
        session.ouverte = False
        gardes = ("vads_site_id", "vads_ctx_mode", "vads_order_id", "vads_trans_id", "vads_trans_date", "vads_amount")
        message = {nom: session.champs[nom] for nom in gardes} | {"vads_currency": "978"}
        self.courrier.append(message | {"vads_trans_status": "ABANDONED", "vads_url_check_src": "PAY"})

    def changer(
        self, transaction: Transaction, statut: str, montant: int | None = None, source: str = "MERCH_BO"
    ) -> None:
        """Annulation, échec de remise, baisse de montant, fin d'attente : même uuid, un autre état (PROTOCOLE §5)."""
        transaction.statut = statut
        transaction.montant = transaction.montant if montant is None else montant
        self.poster(transaction, source)

    def remettre(self, transaction: Transaction) -> None:
        """La remise en banque du soir n'envoie aucune notification (PROTOCOLE §5)."""
        transaction.statut = "CAPTURED"

    def dupliquer(self, debit: Transaction) -> Transaction:
        copie = self._creer(debit.reference, self._numero(), self._maintenant(), debit.montant, "AUTHORISED")
        self.poster(copie, "MERCH_BO")
        return copie

    def rembourser(
        self, debit: Transaction, montant: int, statut: str = "AUTHORISED", *, en_le_disant: bool = True
    ) -> Transaction:
        debit.rendu += montant
        credit = self._creer(debit.reference, self._numero(), self._maintenant(), montant, statut, "CREDIT")
        credit.parent = debit
        if en_le_disant:
            self.poster(credit, "MERCH_BO")
        return credit

    def defaire(self, credit: Transaction, *, en_le_disant: bool = True) -> None:
        """Le remboursement ne part pas, ou revient : la banque garde l'argent du débit."""
        credit.parent.rendu -= credit.montant
        credit.statut = "CANCELLED"
        if en_le_disant:
            self.poster(credit, "MERCH_BO")

    def encaisser_sans_nous(self, reference: str, montant: int) -> Transaction:
        """Un débit d'une référence que nous n'avons jamais donnée."""
        debit = self._creer(reference, self._numero(), self._maintenant(), montant, "AUTHORISED")
        self.poster(debit)
        return debit

    def poster(self, transaction: Transaction, source: str = "PAY") -> None:
        """Met au courrier l'état de la transaction à cet instant ; il pourra avoir changé à la livraison."""
        self.courrier.append(
            {
                "vads_site_id": self.site,
                "vads_ctx_mode": "TEST",
                "vads_order_id": transaction.reference,
                "vads_trans_id": transaction.trans_id,
                "vads_trans_date": transaction.trans_date,
                "vads_trans_status": transaction.statut,
                "vads_trans_uuid": transaction.uuid,
                "vads_operation_type": transaction.operation,
                "vads_amount": str(transaction.montant),
                "vads_currency": "978",
                "vads_card_brand": "CB",
                "vads_card_number": "497010XXXXXX0055",
                "vads_url_check_src": source,
            }
        )

    def signer(self, message: Mapping[str, str]) -> bytes:
        """Le corps à poster : chaque envoi a son `vads_hash`, donc sa signature."""
        envoi = {**message, "vads_hash": f"{sum(self.ordres.values()):064x}"}
        self.ordres["envois"] += 1
        cle = settings.PAYZEN_BOUTIQUES[self.site].cle
        return urlencode(envoi | {"signature": sign(envoi, cle)}).encode()

    def get_net(self, reference: str) -> Decimal:
        """Ce que la banque a pris et pas rendu pour une référence, en euros."""
        siennes = [t for t in self.transactions if t.reference == reference and t.is_argent]
        centimes = sum(t.montant - t.repris if t.operation == "DEBIT" else -t.montant for t in siennes)
        return Decimal(centimes).scaleb(-2)

    def get_tenu(self, uuid: str) -> Decimal:
        """Ce qu'elle tient encore d'un débit, une fois ôté ce qu'elle en a rendu, en euros."""
        siens = [t for t in self.transactions if t.uuid == uuid and t.is_debit_vivant]
        return Decimal(sum(t.reste for t in siens)).scaleb(-2)

    def _creer(
        self, reference: str, trans_id: str, trans_date: str, montant: int, statut: str, operation: str = "DEBIT"
    ) -> Transaction:
        uuid = f"{len(self.transactions) + 1:032x}"
        self.transactions.append(Transaction(uuid, reference, trans_id, trans_date, montant, statut, operation))
        return self.transactions[-1]

    def _numero(self) -> str:
        return f"9{len(self.transactions):05d}"

    def _maintenant(self) -> str:
        return timezone.now().strftime("%Y%m%d%H%M%S")

    @contextmanager
    def servir(self) -> Iterator[None]:
        """Répond en HTTP, à la frontière : tout notre code est le vrai."""
        with responses.RequestsMock(assert_all_requests_are_fired=False) as serveur:
            for service, repondre in (("Order/Get", self._lire), ("Transaction/CancelOrRefund", self._rendre)):
                serveur.add_callback("POST", f"{settings.PAYZEN_URL_API}{service}", self._servir(repondre))
            yield

    def _servir(self, repondre):
        def recevoir(requete: requests.PreparedRequest) -> tuple[int, dict[str, str], str]:
            if self.panne == "500":
                return 500, {}, "<html>"
            if self.panne == "delai":
                raise requests.ReadTimeout
            corps = repondre(json.loads(requete.body))
            if self.panne == "lente":
                time.sleep(0.3)
            if self.panne == "perdue" and repondre == self._rendre:
                raise requests.ReadTimeout
            return 200, {}, json.dumps(corps | {"mode": "TEST"})

        return recevoir

    def _lire(self, demande: dict[str, str]) -> dict[str, object]:
        siennes = [t for t in self.transactions if t.reference == demande["orderId"]]
        if not siennes:
            return self._refuser("PSP_010")
        return self._accorder({"transactions": [self._ecrire(t) for t in siennes]})

    def _rendre(self, demande: dict) -> dict[str, object]:
        debit = next((t for t in self.transactions if t.uuid == demande["uuid"]), None)
        montant = demande["amount"]
        if debit is None or not debit.is_debit_vivant or debit.repris:
            return self._refuser("PSP_010" if debit is None else "PSP_083" if debit.repris else "PSP_011")
        if montant > debit.montant - debit.rendu:
            return self._refuser("PSP_020")
        if debit.statut == "AUTHORISED" and (demande["resolutionMode"] == "REFUND_ONLY" or montant < debit.montant):
            return self._refuser("PSP_076")
        self.ordres[demande["comment"]] += 1
        if debit.statut == "AUTHORISED":
            debit.statut = "CANCELLED"
            return self._accorder(self._ecrire(debit))
        statut = "UNDER_VERIFICATION" if self.panne == "attente" else "AUTHORISED"
        return self._accorder(self._ecrire(self.rembourser(debit, montant, statut, en_le_disant=False)))

    def _ecrire(self, transaction: Transaction) -> dict[str, object]:
        date = re.sub(r"(....)(..)(..)(..)(..)(..)", r"\1-\2-\3T\4:\5:\6+00:00", transaction.trans_date)
        return {
            "shopId": self.site,
            "uuid": transaction.uuid,
            "detailedStatus": transaction.statut,
            "operationType": transaction.operation,
            "amount": transaction.montant,
            "currency": "EUR",
            "metadata": {"orderInfo": self._get_contexte(transaction.reference)},
            "orderDetails": {"orderId": transaction.reference, "mode": "TEST"},
            "transactionDetails": {
                "parentTransactionUuid": transaction.parent and transaction.parent.uuid,
                "sequenceNumber": 1,
                "cardDetails": {"legacyTransId": transaction.trans_id, "legacyTransDate": date},
            },
        }

    def _get_contexte(self, reference: str) -> str | None:
        return next((s.champs.get("vads_order_info") for s in self.sessions if s.reference == reference), None)

    def _accorder(self, reponse: dict[str, object]) -> dict[str, object]:
        return {"status": "SUCCESS", "answer": {"shopId": self.site, **reponse}}

    def _refuser(self, code: str) -> dict[str, object]:
        return {"status": "ERROR", "answer": {"errorCode": code, "shopId": self.site}}
