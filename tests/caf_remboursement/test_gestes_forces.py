"""
Un geste posté à la main, sur un objet dont la fiche ne montre pas ce bouton : il se refuse, et rien ne tombe.

Ni d'un signe que la base ne lit pas.
"""

import pytest
import responses
from django.core.cache import cache
from django.db import transaction
from django.test import Client

from tests.caf_remboursement.acces import Monde, lister_les_chemins

SAISIE = {"motif": "à la main", "message": "à la main", "montant": "1,00", "reste": "1,00"}
# Les champs de tous les formulaires ; en chacun, ce que PostgreSQL ne lit pas.
CHAMPS = (
    *(
        "q",
        "motif",
        "message",
        "montant",
        "courriel",
        "telephone",
        "reference",
        "code",
        "next",
        "pour",
        "faire",
        "etape",
    ),
    *("login", "password", "identifiant", "mot_de_passe", "confirmation", "language", "paye", "empreinte", "essai"),
    *(
        "action",
        "_selected_action",
        "select_across",
        "index",
        "name",
        "credential",
        "oldpassword",
        "password1",
        "session",
    ),
)


@pytest.mark.django_db
@pytest.mark.parametrize("role", ["gestion", "compta.", "resp."])
def test_aucun_geste_force_ne_fait_de_panne(client: Client, role: str) -> None:
    monde = Monde()
    monde.entrer(client, role)
    client.raise_request_exception = False
    recus = {}
    for chemin in (chemin for chemin in lister_les_chemins() if "/geste/" in chemin):
        with transaction.atomic(), responses.RequestsMock(assert_all_requests_are_fired=False):
            recus[chemin] = client.post(monde.get_adresse(chemin), SAISIE).status_code
            transaction.set_rollback(True)

    assert len(recus) > 20
    assert {chemin: code for chemin, code in recus.items() if code not in (302, 403, 404)} == {}


@pytest.mark.django_db
@pytest.mark.parametrize("role", ["anonyme", "soi", "resp.", "opér."])
def test_un_octet_nul_dans_un_envoi_ne_fait_aucune_panne(client: Client, role: str) -> None:
    monde = Monde()
    monde.entrer(client, role)
    client.raise_request_exception = False
    biscuits = client.cookies.output().replace("Set-Cookie: ", "")
    recus = {}
    for chemin in lister_les_chemins():
        cache.clear()
        client.cookies.load(biscuits)
        with transaction.atomic(), responses.RequestsMock(assert_all_requests_are_fired=False):
            reponse = client.post(monde.get_adresse(chemin), dict.fromkeys(CHAMPS, "7\0e"), follow=True)
            recus[chemin] = reponse.status_code
            transaction.set_rollback(True)

    assert {chemin: code for chemin, code in recus.items() if code >= 500 and chemin != "/sante/pret/"} == {}
