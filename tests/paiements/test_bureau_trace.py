"""La trace dit qui a fait quoi, dans les Caf de l'agent, et qui a consulté un dossier."""

import re
from datetime import timedelta

import pytest
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.urls import reverse
from django.utils import timezone

from comptes.models import Evenement
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


def consigner(agent, objet, geste: str, fois: int = 1) -> None:
    """Ce geste, tant de fois, sur cet objet."""
    sorte = ContentType.objects.get_for_model(objet)
    faits = {"user": agent, "content_type": sorte, "object_id": objet.pk, "object_repr": str(objet)}
    LogEntry.objects.bulk_create(
        LogEntry(**faits, action_flag=CHANGE, change_message=f"{geste} {rang}") for rang in range(1, fois + 1)
    )


def test_un_geste_du_jour_se_lit_avec_son_auteur_et_ses_mots(lire, demander):
    agent, paiement = demander()

    page = lire()

    assert re.search(f">{agent}</td><td[^>]*>Demander la clôture sans débit : clés perdues</td>", page)
    assert f'<a href="{fiche(paiement)}">{paiement.reference}</a>' in page


def test_ce_qui_est_d_une_autre_caf_ne_se_lit_pas(lire, demander, entrer):
    demander()
    entrer(cafs=[CafFactory(code="751", nom="Caf de Paris", boutique="75100001")])

    assert "clés perdues" not in lire()


def test_les_gestes_des_autres_caf_ne_cachent_pas_ceux_de_la_sienne(lire, demander):
    agent, _ = demander()
    consigner(agent, CafFactory(code="751", nom="Caf de Paris", boutique="75100001"), "Régler les seuils", 250)

    page = lire()

    assert "clés perdues" in page
    assert "Régler les seuils" not in page
    assert "Les deux cents derniers" not in page


def test_au_dela_de_deux_cents_la_trace_garde_les_derniers_et_le_dit(lire, entrer):
    agent, caf = entrer(), CafFactory()
    consigner(agent, caf, "Suspendre, fois", 200)
    juste = lire()
    consigner(agent, caf, "Reprendre, fois", 1)

    page = lire()

    assert "Les deux cents derniers" not in juste
    assert (page.count("Suspendre, fois"), page.count("Reprendre, fois 1<")) == (199, 1)
    assert "Les deux cents derniers" in page


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


def test_au_dela_de_deux_cents_consultations_la_page_dit_qu_il_y_en_a_d_autres(client, entrer):
    personne = PaiementFactory().demarche.allocataire
    agent = entrer("RESPONSABLE")
    adresse = reverse("bureau:consultations", args=[personne.pk])
    Evenement.objects.bulk_create(
        Evenement(genre=Evenement.Genre.CONSULTATION, auteur=agent, allocataire=personne, cafs=[personne.caf_id])
        for _ in range(199)
    )
    juste = client.get(adresse).content.decode()  # la deux centième : elle se consigne aussi

    page = client.get(adresse).content.decode()

    assert "Les deux cents dernières" not in juste
    assert "Les deux cents dernières" in page
