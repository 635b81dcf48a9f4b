"""La trace dit qui a fait quoi, dans les Caf de l'agent, et qui a consulté un dossier."""

import re
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from paiements.models import DemandeCloture
from tests.factories import CafFactory, PaiementFactory
from tests.paiements.bureau import fiche, geste

pytestmark = pytest.mark.django_db


@pytest.fixture
def demander(client, entrer):
    """Un agent demande une clôture ; rend l'agent et le paiement."""

    def demander(motif: str = "clés perdues"):
        paiement, agent = PaiementFactory(), entrer()
        client.post(geste(paiement, "clore"), {"motif": motif})
        assert DemandeCloture.objects.filter(paiement=paiement).exists()
        return agent, paiement

    return demander


@pytest.fixture
def lire(client):
    return lambda **filtres: client.get(reverse("bureau:trace"), filtres).content.decode()


def test_un_geste_du_jour_se_lit_avec_son_auteur_et_ses_mots(lire, demander):
    agent, paiement = demander()

    page = lire()

    assert re.search(f">{agent}</td><td[^>]*>Demander la clôture sans débit : clés perdues</td>", page)
    assert f'<a href="{fiche(paiement)}">{paiement.reference}</a>' in page


def test_ce_qui_est_d_une_autre_caf_ne_se_lit_pas(lire, demander, entrer):
    demander()
    entrer(cafs=[CafFactory(code="751", nom="Caf de Paris", boutique="75100001")])

    assert "clés perdues" not in lire()


def test_la_trace_se_filtre_par_jour_par_personne_et_par_fiche(lire, demander):
    agent, _ = demander()
    hier = (timezone.localdate() - timedelta(days=1)).isoformat()

    assert "clés perdues" in lire(qui=agent.identifiant, quoi="paiement")
    assert "clés perdues" not in lire(quoi="anomalie")
    assert "Aucun geste le" in lire(jour=hier)
    assert "clés perdues" in lire(jour="demain")  # illisible : c'est aujourd'hui


def test_une_liste_emportee_se_lit_a_la_trace_de_sa_caf(client, lire, entrer):
    agent = entrer("CONSULTATION")
    client.get(reverse("admin:dettes_dette_export"), {"situation__exact": "RECOURS"})

    page, filtree = lire(), lire(quoi="paiement")
    entrer(cafs=[CafFactory(code="751", nom="Caf de Paris", boutique="75100001")])
    ailleurs = lire()

    assert re.search(f">{agent}</td><td[^>]*>Exporter en CSV</td>", page)
    assert "Dettes (situation : en recours)" in " ".join(page.split())
    assert "Exporter en CSV" not in filtree
    assert "Exporter en CSV" not in ailleurs


def test_la_trace_ne_coute_pas_plus_pour_dix_gestes(client, demander, lire, django_assert_max_num_queries):
    for _ in range(4):
        demander()

    with django_assert_max_num_queries(15):
        lire()


def test_le_responsable_lit_qui_a_consulte_un_dossier(client, entrer):
    personne = PaiementFactory().demarche.allocataire
    regard = entrer("CONSULTATION")
    client.get(fiche(personne))
    adresse = reverse("bureau:consultations", args=[personne.pk])
    refuse = client.get(adresse).status_code
    entrer("RESPONSABLE")

    page = client.get(adresse).content.decode()

    assert refuse == 403
    assert regard.identifiant in page
    assert "Fiche consultée" in page
    assert adresse in client.get(fiche(personne)).content.decode()
