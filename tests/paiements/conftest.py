"""De vraies notifications signées, une plateforme REST qui répond, un agent à son bureau."""

from collections.abc import Callable, Iterator
from urllib.parse import urlencode

import pytest
import responses
from django.conf import settings
from django.db import OperationalError
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from comptes.models import Utilisateur
from paiements.models import Paiement
from paiements.payzen import sign, to_centimes
from tests.connexion import entrer_en_agent
from tests.factories import AgentFactory, FaitFactory

Notifier = Callable[..., HttpResponse]


@pytest.fixture
def notifier(client: Client) -> Notifier:
    """
    Poste une notification signée : `notifier(paiement, "AUTHORISED")`, champs en plus ou changés à volonté.

    Une liste répète un champ ; `signature` en impose une autre.
    """

    def poster(paiement: Paiement, statut: str, **champs: str | list[str] | None) -> HttpResponse:
        fait = FaitFactory(paiement=paiement, statut=statut)
        message = {
            "vads_site_id": fait.site,
            "vads_ctx_mode": fait.mode,
            "vads_order_id": fait.reference,
            "vads_trans_id": fait.trans_id,
            "vads_trans_date": paiement.cree_le.strftime("%Y%m%d%H%M%S"),
            "vads_trans_status": statut,
            "vads_trans_uuid": fait.uuid,
            "vads_operation_type": "DEBIT",
            "vads_amount": str(to_centimes(fait.montant)),
            "vads_currency": "978",
            "vads_card_brand": "CB",
            "vads_card_number": "497010XXXXXX0055",
            "vads_expiry_month": "6",
            "vads_expiry_year": "2027",
            "vads_auth_number": "3fe85c",
            "vads_url_check_src": "PAY",
        } | champs
        message = {nom: valeur for nom, valeur in message.items() if valeur is not None}
        cle = settings.PAYZEN_BOUTIQUES[fait.site].cle
        signables = {nom: valeur for nom, valeur in message.items() if isinstance(valeur, str)}
        corps = urlencode({"signature": sign(signables, cle)} | message, doseq=True)
        return client.post(reverse("paiements:notification"), corps, content_type="application/x-www-form-urlencoded")

    return poster


@pytest.fixture
def plateforme() -> Iterator[Callable[..., None]]:
    """La plateforme REST : `plateforme(paiement, "AUTHORISED")` dit ce que rendra `Order/Get`."""
    with responses.RequestsMock(assert_all_requests_are_fired=False) as serveur:

        def repondre(paiement: Paiement, *statuts: str, **champs: object) -> None:
            transactions = [_transaction(paiement, statut, **champs) for statut in statuts]
            corps = (
                {"status": "SUCCESS", "answer": {"shopId": paiement.boutique, "transactions": transactions}}
                if transactions
                else {"status": "ERROR", "answer": {"errorCode": "PSP_010", "shopId": paiement.boutique}}
            )
            serveur.post(f"{settings.PAYZEN_URL_API}Order/Get", json=corps | {"mode": paiement.mode})

        repondre.serveur = serveur
        yield repondre


def _transaction(paiement: Paiement, statut: str, **champs: object) -> dict[str, object]:
    fait = FaitFactory(paiement=paiement, statut=statut, **champs)
    return {
        "shopId": fait.site,
        "uuid": fait.uuid,
        "detailedStatus": statut,
        "operationType": fait.operation,
        "amount": to_centimes(fait.montant),
        "currency": fait.devise,
        "orderDetails": {"orderId": fait.reference, "mode": fait.mode},
        "transactionDetails": {"sequenceNumber": 1, "cardDetails": {"legacyTransId": fait.trans_id}},
    }


def couper_la_base(execute: object, sql: object, params: object, many: object, context: object) -> None:
    """Pour `connection.execute_wrapper` : la base ne répond plus."""
    raise OperationalError("la base ne répond plus")


@pytest.fixture
def entrer(client: Client) -> Callable[..., Utilisateur]:
    """Un agent à son bureau : `entrer("COMPTABLE")`."""

    def entrer(role: str = "GESTION", **champs: object) -> Utilisateur:
        agent = AgentFactory(role=role, **champs)
        return entrer_en_agent(client, agent.utilisateur)

    return entrer
