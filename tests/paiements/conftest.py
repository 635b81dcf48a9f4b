"""De vraies notifications signées, une plateforme REST qui répond, un agent à son bureau."""

import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from decimal import Decimal
from io import StringIO
from urllib.parse import urlencode

import pytest
import responses
from django.conf import settings
from django.core.management import call_command
from django.db import OperationalError
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from requests import ReadTimeout

from comptes.models import Utilisateur
from dettes.models import Dette
from paiements.imputation.imputer import imputer_un_lot
from paiements.models import DemandeRestitution, Paiement, Ticket
from paiements.payzen import PlateformeInjoignable, sign, to_centimes
from paiements.retours import ordres, restitution
from tests.connexion import entrer_en_agent
from tests.factories import (
    AgentFactory,
    DemarcheFactory,
    DetteFactory,
    FaitFactory,
    PaiementFactory,
    UtilisateurFactory,
    demander,
)

COURRIEL = "personne@exemple.fr"
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


@pytest.fixture
def agent() -> Utilisateur:
    return AgentFactory().utilisateur


@pytest.fixture
def comptable() -> Utilisateur:
    return AgentFactory(role="COMPTABLE").utilisateur


@pytest.fixture
def dettes() -> list[Dette]:
    """L'ancienne et la récente, 900 € chacune, d'un même allocataire."""
    allocataire = UtilisateurFactory().allocataire
    return [DetteFactory(allocataire=allocataire, notifiee_le=jour) for jour in ("2024-03-01", "2025-03-01")]


@pytest.fixture
def paye(dettes: list[Dette]) -> Callable[..., Paiement]:
    """Un paiement de 100 € sur l'ancienne dette et 50 € sur la récente : `paye(impute=True)`."""

    def payer(**traits: bool) -> Paiement:
        auteur = dettes[0].allocataire.utilisateurs.get()
        demarche = DemarcheFactory(auteur=auteur, lignes=dict(zip(dettes, (Decimal(100), Decimal(50)), strict=True)))
        return PaiementFactory(demarche=demarche, **traits)

    return payer


@pytest.fixture
def rembourser(plateforme: Callable[..., None]) -> Callable[..., responses.BaseResponse]:
    """La plateforme rembourse sur ordre : `rembourser(paiement)` rend le crédit, ou la réponse donnée."""

    def repondre(
        paiement: Paiement, montant: Decimal | None = None, statut: str = "AUTHORISED", **reponse: object
    ) -> responses.BaseResponse:
        fait = FaitFactory(paiement=paiement)
        credit = {
            "shopId": fait.site,
            "uuid": "c" * 32,
            "detailedStatus": statut,
            "operationType": "CREDIT",
            "amount": to_centimes(montant or paiement.montant),
            "currency": "EUR",
            "orderDetails": {"orderId": fait.reference, "mode": fait.mode},
        }
        corps = {"status": "SUCCESS", "mode": fait.mode, "answer": credit}
        return plateforme.serveur.post(
            f"{settings.PAYZEN_URL_API}Transaction/CancelOrRefund", **(reponse or {"json": corps})
        )

    return repondre


@pytest.fixture
def ordre_sans_reponse(plateforme, rembourser, agent, comptable) -> Callable[[Paiement], DemandeRestitution]:
    """`ordre_sans_reponse(paiement)` : sa restitution est approuvée, l'ordre est parti, sa réponse s'est perdue."""

    def partir(paiement: Paiement) -> DemandeRestitution:
        demande = restitution.demander(paiement, motif="à rendre", agent=agent)
        demande = restitution.decider(demande, accord=True, agent=comptable)
        plateforme(paiement, "CAPTURED")
        rembourser(paiement, body=ReadTimeout())
        with suppress(PlateformeInjoignable):
            ordres.executer(demande)
        demande.refresh_from_db()
        return demande

    return partir


@pytest.fixture
def ticket() -> Ticket:
    """Le ticket d'un paiement accepté de 184,12 €, à envoyer."""
    demarche = demander(Decimal("184.12"), courriel=COURRIEL)
    return PaiementFactory(demarche=demarche, accepte=True).ticket


@pytest.fixture
def lire(tmp_path):
    """`lire(jt(...), jrb(...))` pose les journaux dans un dossier et les lit ; rend le compte rendu."""

    def _lire(*journaux, appliquer=True, **options):
        dossier = tmp_path / f"journaux-{len(list(tmp_path.iterdir()))}"
        dossier.mkdir()
        for nom, octets in journaux:
            (dossier / nom).write_bytes(octets)
        sortie = StringIO()
        ecrire = ["--appliquer"] if appliquer else []
        call_command("lire_journaux", str(dossier), "--json", *ecrire, stdout=sortie, **options)
        return json.loads(sortie.getvalue())

    return _lire


@pytest.fixture
def ramener(plateforme, tmp_path):
    """Lit un journal des paiements donnés, puis interroge la plateforme, qui répond les transactions données."""

    def _ramener(journal, transactions, *options):
        nom, octets = journal
        (tmp_path / nom).write_bytes(octets)
        call_command("lire_journaux", str(tmp_path / nom), "--appliquer", stdout=StringIO())
        reponse = {"status": "SUCCESS", "mode": "TEST", "answer": {"shopId": "66100001", "transactions": transactions}}
        plateforme.serveur.post(f"{settings.PAYZEN_URL_API}Order/Get", json=reponse)
        sortie = StringIO()
        call_command("interroger_payzen", "--journaux", "--json", "--appliquer", *options, stdout=sortie)
        imputer_un_lot()
        return json.loads(sortie.getvalue())

    return _ramener
