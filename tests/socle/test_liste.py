"""Une longue liste se feuillette par clé : chaque ligne une fois, dans l'ordre, sans qu'on les compte."""

import re

import pytest
from django.urls import reverse

from tests.connexion import entrer_en_agent
from tests.factories import AgentFactory, AllocataireFactory, CafFactory, DetteFactory, PaiementFactory
from tests.ordres import ecouter

pytestmark = pytest.mark.django_db


@pytest.fixture
def feuilleter(client):
    """Toutes les pages d'une liste, l'une après l'autre : les adresses des fiches, et ce que la base a entendu."""
    entrer_en_agent(client, AgentFactory(cafs=[CafFactory(), CafFactory(code="751", boutique="75100001")]).utilisateur)

    def suivre(nom: str, filtres: str = "") -> tuple[list[str], list[str]]:
        adresse, fiches = f"{reverse(f'admin:{nom}_changelist')}{filtres}", []
        with ecouter() as ordres:
            while adresse:
                page = client.get(adresse).content.decode()
                fiches += re.findall(r'<th [^>]*class="field-\w+"[^>]*><a href="([^"?]+)', page)
                suite = re.search(r'<a href="([^"]*)" rel="next"', page)
                adresse = suite and reverse(f"admin:{nom}_changelist") + suite[1].replace("&amp;", "&")
        return fiches, ordres

    return suivre


def test_chaque_ligne_parait_une_fois_et_rien_n_est_compte(feuilleter, monkeypatch):
    monkeypatch.setattr("socle.liste.LongueListeAdmin.list_per_page", 3)
    for rang in range(4):
        AllocataireFactory(numero=f"000000{rang}")
        AllocataireFactory(numero=f"000000{rang}", caf=CafFactory(code="751"))

    fiches, requetes = feuilleter("comptes_allocataire")

    assert len(fiches) == len(set(fiches)) == 8
    assert not [sql for sql in requetes if "COUNT(" in sql]


def test_les_filtres_suivent_d_une_page_a_l_autre(feuilleter, monkeypatch):
    monkeypatch.setattr("socle.liste.LongueListeAdmin.list_per_page", 2)
    DetteFactory.create_batch(3)
    recours = DetteFactory.create_batch(5, en_recours=True)

    fiches, _ = feuilleter("dettes_dette", "?situation__exact=RECOURS")

    assert len(fiches) == len(recours)


def test_les_paiements_vont_du_plus_recent_au_plus_ancien(feuilleter, monkeypatch):
    monkeypatch.setattr("socle.liste.LongueListeAdmin.list_per_page", 2)
    paiements = PaiementFactory.create_batch(5)

    fiches, _ = feuilleter("paiements_paiement")

    assert [int(fiche.split("/")[-3]) for fiche in fiches] == [p.pk for p in reversed(paiements)]


@pytest.mark.parametrize("cle", ["x", "2", "WyJhIl0:1abc:zz", "%00", "é"])
def test_une_cle_qui_n_est_pas_de_nous_ramene_a_la_premiere_page(client, feuilleter, cle):
    AllocataireFactory()

    reponse = client.get(reverse("admin:comptes_allocataire_changelist"), {"p": cle})

    assert reponse.status_code in (200, 400)
