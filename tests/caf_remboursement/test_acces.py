"""Qui entre où : chaque adresse a sa ligne dans `acces.txt`, et chaque rôle y reçoit ce que la ligne promet."""

import pytest
from django.test import Client

from tests.caf_remboursement.acces import ROLES, Monde, lire_la_table, lister_les_demandes, relever


def test_chaque_adresse_a_sa_ligne_et_aucune_ligne_n_est_de_trop() -> None:
    assert set(lire_la_table()) == set(lister_les_demandes())


def test_chaque_role_a_sa_colonne() -> None:
    assert all(list(ligne) == list(ROLES) for ligne in lire_la_table().values())


@pytest.mark.django_db
@pytest.mark.parametrize("role", ROLES)
def test_chacun_recoit_ce_que_la_table_promet(client: Client, role: str) -> None:
    promis = {demande: ligne[role] for demande, ligne in lire_la_table().items()}

    recu = relever(client, Monde(), role)

    assert {
        demande: (promis.get(demande), code) for demande, code in recu.items() if promis.get(demande) != code
    } == {}


def test_la_table_ne_promet_ni_panne_ni_ecriture() -> None:
    table = lire_la_table()
    sonde = table.pop(("GET", "/sante/pret/"))
    promesses = {code for ligne in table.values() for code in ligne.values()}

    assert promesses <= {"200", "204", "400", "403", "404", "405", "409", ">", ">con", ">bur", ">fac"}
    assert {*sonde.values()} == {"503"}  # sans ouvrier, le service n'est pas prêt, et le dit à tous


def test_qui_revient_de_la_connexion_n_arrive_jamais_a_une_page_blanche() -> None:
    """La connexion ramène en GET à l'adresse d'un envoi : elle mène à sa page, et non à un 405 vide."""
    fermees = {
        chemin: ligne
        for (methode, chemin), ligne in lire_la_table().items()
        if methode == "GET" and ligne["anonyme"] == ">con"
    }

    assert len(fermees) > 50
    assert [chemin for chemin, ligne in fermees.items() if "405" in ligne.values()] == []
