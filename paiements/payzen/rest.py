"""Le service REST de la plateforme (PROTOCOLE §6) : relire, rembourser, essayer les identifiants."""

import threading
import time
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from http.cookiejar import DefaultCookiePolicy
from typing import Any

import requests

from paiements.payzen.boutique import Boutique
from paiements.payzen.fait import EURO, FORMAT_DATE, Fait, FaitIllisible, to_fait
from paiements.payzen.montants import to_centimes

LECTURES = frozenset({"Order/Get"})
ESSAIS = 2
ATTENTE_S = 0.5
TRANSACTION_INTROUVABLE = "PSP_010"
IDENTIFIANTS_FAUX = "INT_905"
# Annuler ou rembourser attend la remise du soir ; trop d'appels à la fois : il suffit de redemander.
ATTENDRE = frozenset({"PSP_075", "PSP_076", "PSP_099", "PSP_106"})
# Un réglage de la boutique est en cause : REST hors de l'offre, ou des identifiants d'un autre mode.
REST_HORS_OFFRE, AUTRE_MODE, AUTRE_BOUTIQUE = "PSP_100", "autre_mode", "autre_boutique"
# Redemander n'y changerait rien (§6.6) : le débit ne se rend pas, ou plus. Tout autre code se retente.
REFUS_DEFINITIFS = frozenset(
    f"PSP_{code}" for code in ("010", "011", "020", "043", "083", "101", "104", "105", "503", "510", "511", "610")
)

_DETAILS = "transactionDetails"
_CARTE = (_DETAILS, "cardDetails")
# Où REST range ce que le formulaire appelle ``vads_…`` (PROTOCOLE §6.3).
CHEMINS: dict[str, tuple[str, ...]] = {
    "vads_site_id": ("shopId",),
    "vads_ctx_mode": ("orderDetails", "mode"),
    "vads_order_id": ("orderDetails", "orderId"),
    "vads_trans_uuid": ("uuid",),
    "vads_trans_status": ("detailedStatus",),
    "vads_operation_type": ("operationType",),
    "vads_amount": ("amount",),
    "vads_currency": ("currency",),
    "vads_effective_amount": (_DETAILS, "effectiveAmount"),
    "vads_effective_currency": (_DETAILS, "effectiveCurrency"),
    "vads_effective_creation_date": ("creationDate",),
    "vads_trans_id": (*_CARTE, "legacyTransId"),
    "vads_trans_date": (*_CARTE, "legacyTransDate"),
    "vads_card_brand": (*_CARTE, "effectiveBrand"),
    "vads_card_number": (*_CARTE, "pan"),
    "vads_auth_number": (*_CARTE, "authorizationResponse", "authorizationNumber"),
}

_du_fil = threading.local()


class EchecRest(Exception):
    """L'appel n'a pas abouti : on ne sait rien de plus, on ne décide de rien."""


class PlateformeInjoignable(EchecRest):
    """Réseau, délai, 5xx, page HTML, JSON faux. Après un remboursement, relire avant de recommencer (§6.5)."""


class IdentifiantsRefuses(EchecRest):
    """INT_905 : numéro de boutique ou mot de passe faux. Ne dit rien du paiement."""


class ErreurPlateforme(EchecRest):
    """La plateforme a répondu autre chose qu'un succès ; ``code`` est le sien, ou un mot à nous en minuscules."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code} : {message}")
        self.code = code
        self.message = message

    @property
    def is_definitive(self) -> bool:
        """L'ordre n'a pas été exécuté, et ne le sera jamais tel quel."""
        return self.code in REFUS_DEFINITIFS

    @property
    def is_passagere(self) -> bool:
        """La même demande passera plus tard."""
        return self.code in ATTENDRE

    @property
    def is_de_la_boutique(self) -> bool:
        """Les réglages ou l'offre de la boutique sont en cause, et non un paiement."""
        return self.code in (REST_HORS_OFFRE, AUTRE_MODE, AUTRE_BOUTIQUE)


class Client:
    """
    Les appels d'une boutique. Le mode est celui du mot de passe, et se vérifie dans chaque réponse.

    :param delai: attente au plus, en secondes, pour se connecter puis entre deux octets
    """

    def __init__(self, boutique: Boutique, delai: float = 8.0) -> None:
        self.boutique = boutique
        self.delai = delai

    def get_order(self, reference: str) -> list[Fait]:
        """
        Toutes les transactions d'une référence, débits et crédits, dans un ordre quelconque.

        Une liste vide veut dire que la plateforme n'a rien à ce jour : c'est un constat, pas une décision.

        :raises EchecRest: si l'appel n'aboutit pas
        """
        try:
            reponse = self._read("Order/Get", {"orderId": reference})
        except ErreurPlateforme as erreur:
            if erreur.code == TRANSACTION_INTROUVABLE:
                return []
            raise
        transactions = reponse.get("transactions")
        if not isinstance(transactions, list):
            raise _inattendue("sans liste de transactions")
        faits = [self._to_fait(transaction) for transaction in transactions]
        if any(fait.reference != reference for fait in faits):
            raise _inattendue("d'une autre référence")
        return _attribuer(faits)

    def cancel_or_refund(
        self, uuid: str, montant: Decimal, commentaire: str, *, rembourser_seulement: bool = False
    ) -> Fait:
        """
        Annule le débit s'il n'est pas remis en banque, le rembourse sinon. Montant en euros, au plus celui du débit.

        `rembourser_seulement` garde d'annuler un débit dont on ne rend qu'une partie : avant la remise en banque, la
        plateforme répond alors PSP_076, et l'on recommence plus tard.

        Jamais relancé : la plateforme n'a pas de clé d'idempotence, deux appels feraient deux remboursements (§6.5).

        :returns: le débit CANCELLED, ou le nouveau crédit
        :raises EchecRest: si l'appel n'aboutit pas ; après PlateformeInjoignable, l'argent est peut-être parti
        """
        corps = {
            "uuid": uuid,
            "amount": to_centimes(montant),
            "currency": EURO,
            "resolutionMode": "REFUND_ONLY" if rembourser_seulement else "AUTO",
            "comment": commentaire,
        }
        return self._to_fait(self._call("Transaction/CancelOrRefund", corps))

    def _read(self, service: str, corps: dict[str, Any]) -> dict[str, Any]:
        """Une lecture se relance sans danger : c'est le seul endroit où l'on relance."""
        for _ in range(ESSAIS - 1):
            try:
                return self._call(service, corps)
            except PlateformeInjoignable:
                time.sleep(ATTENTE_S)
        return self._call(service, corps)

    def _call(self, service: str, corps: dict[str, Any]) -> dict[str, Any]:
        """Un appel, un seul. Rend ``answer`` ; HTTP 200 ne suffit pas, c'est ``status`` qui compte (§6.2)."""
        enveloppe = self._post(service, corps)
        reponse, statut = enveloppe.get("answer"), enveloppe.get("status")
        if not isinstance(reponse, dict):
            raise PlateformeInjoignable("réponse REST sans contenu")
        if statut == "ERROR" and reponse.get("errorCode") == IDENTIFIANTS_FAUX:
            raise IdentifiantsRefuses(f"identifiants REST refusés pour la boutique {self.boutique.site}")
        # Avant toute lecture : « introuvable » dans l'autre mode ne dirait rien du nôtre.
        if enveloppe.get("mode") != self.boutique.mode:
            raise ErreurPlateforme(AUTRE_MODE, "réponse d'un autre mode")
        # Toutes les réponses ne nomment pas la boutique ; celles qui la nomment disent la nôtre.
        if reponse.get("shopId") not in (None, self.boutique.site):
            raise ErreurPlateforme(AUTRE_BOUTIQUE, "réponse d'une autre boutique")
        if statut != "SUCCESS":
            raise ErreurPlateforme(str(reponse.get("errorCode")), str(reponse.get("errorMessage"))[:200])
        return reponse

    def _post(self, service: str, corps: dict[str, Any]) -> dict[str, Any]:
        # Une connexion gardée peut être morte : une lecture se relance, un ordre jamais.
        envoyer = _get_session().post if service in LECTURES else requests.post
        try:
            reponse = envoyer(
                f"{self.boutique.url_api.rstrip('/')}/{service}",
                json=corps,
                auth=(self.boutique.site, self.boutique.mot_de_passe),
                timeout=self.delai,
                allow_redirects=False,
                verify=True,
            )
            enveloppe = reponse.json()
        except requests.RequestException as erreur:
            raise PlateformeInjoignable(f"appel REST sans réponse lisible : {type(erreur).__name__}") from erreur
        if reponse.status_code not in (200, 401) or not isinstance(enveloppe, dict):
            raise PlateformeInjoignable(f"réponse REST inattendue, HTTP {reponse.status_code}")
        return enveloppe

    def _to_fait(self, transaction: Any) -> Fait:
        champs = {nom: _to_texte(nom, _get(transaction, chemin)) for nom, chemin in CHEMINS.items()}
        # L'enveloppe a déjà dit le mode, et il est vérifié : la commande n'a pas à le redire.
        champs["vads_ctx_mode"] = champs["vads_ctx_mode"] or self.boutique.mode
        try:
            fait = to_fait(champs)
        except FaitIllisible as erreur:
            raise _inattendue(str(erreur)) from None
        if not fait.uuid or (fait.site, fait.mode) != (self.boutique.site, self.boutique.mode):
            raise _inattendue("sans transaction, ou d'une autre boutique ou d'un autre mode")
        remise_le = _to_date(_get(transaction, (*_CARTE, "captureResponse", "captureDate")))
        parent = str(_get(transaction, (_DETAILS, "parentTransactionUuid")) or "").lower()
        # La suite d'un contexte long n'est pas publiée (PROTOCOLE §12) : lue si elle vient.
        suites = (_get(transaction, ("metadata", f"orderInfo{rang}")) for rang in ("", "2", "3"))
        contexte = "".join(str(suite) for suite in suites if suite)
        return replace(fait, source="REST", remise_le=remise_le, parent=parent, contexte=contexte)


class _Session(requests.Session):
    """Garde ce que l'environnement dit du mandataire et des certificats : le relire coûtait la moitié d'un appel."""

    def __init__(self) -> None:
        super().__init__()
        self._lus: dict[Any, Any] = {}

    def merge_environment_settings(self, url: Any, proxies: Any, stream: Any, verify: Any, cert: Any) -> Any:
        if url not in self._lus:
            self._lus[url] = super().merge_environment_settings(url, proxies, stream, verify, cert)
        return self._lus[url]


def _get_session() -> requests.Session:
    """Une par fil : la connexion, et sa poignée de main, servent d'un appel à l'autre. Aucun cookie ne s'y garde."""
    if not hasattr(_du_fil, "session"):
        _du_fil.session = _Session()
        _du_fil.session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    session: requests.Session = _du_fil.session
    return session


def _attribuer(faits: list[Fait]) -> list[Fait]:
    """Un crédit dont la plateforme tait l'origine est du seul débit qu'elle tient, s'il n'y en a qu'un (§12)."""
    debits = {fait.uuid for fait in faits if fait.is_success}
    if len(debits) != 1:
        return faits
    (seul,) = debits
    return [replace(fait, parent=fait.parent or seul) if fait.is_credit else fait for fait in faits]


def _inattendue(detail: str) -> ErreurPlateforme:
    return ErreurPlateforme("reponse_inattendue", f"réponse {detail}")


def _get(objet: Any, chemin: tuple[str, ...]) -> Any:
    for nom in chemin:
        objet = objet.get(nom) if isinstance(objet, dict) else None
    return objet


def _to_texte(nom: str, valeur: Any) -> str:
    """Une valeur REST, écrite comme le formulaire l'écrirait."""
    if nom.endswith("_date"):
        date = _to_date(valeur)
        return date.strftime(FORMAT_DATE) if date else ""
    return "" if valeur is None else str(valeur)


def _to_date(valeur: Any) -> datetime | None:
    try:
        date = datetime.fromisoformat(valeur)
        return date.astimezone(UTC) if date.tzinfo else None
    except (TypeError, ValueError, OverflowError):
        return None
