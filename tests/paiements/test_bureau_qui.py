"""Au bureau, on sait de qui l'on parle : en tête de chaque fiche, et sur une page par allocataire."""

import re
from decimal import Decimal

import pytest
from django.urls import reverse

from paiements.retours import cloture, restitution
from tests.factories import AgentFactory, DemarcheFactory, DetteFactory, PaiementFactory, UtilisateurFactory, dire
from tests.paiements.bureau import faire_un_reliquat, fiche

pytestmark = pytest.mark.django_db
ROLES = ("CONSULTATION", "GESTION", "COMPTABLE", "RESPONSABLE")


@pytest.fixture
def lire(client):
    return lambda adresse: client.get(adresse).content.decode()


def liens(page: str) -> set[str]:
    """Où mène une page du bureau, hors d'elle-même, de la déconnexion, et des soixante liens de la courbe."""
    adresses = {adresse.partition("#")[0] for adresse in re.findall(r'href="(/agents/[^"]*)"', page)}
    return {adresse.replace("&amp;", "&") for adresse in adresses if not re.search("logout|cree_le__lt", adresse)}


def test_une_fiche_dit_d_abord_de_qui_il_s_agit(lire, entrer):
    paiement, anomalie = faire_un_reliquat()
    agent = AgentFactory().utilisateur
    demande = restitution.demander(paiement, motif="trop", agent=agent, anomalie=anomalie)
    fin = cloture.demander(PaiementFactory(demarche__auteur=paiement.demarche.auteur), motif="perdu", agent=agent)
    entrer("CONSULTATION")

    for objet in (paiement, anomalie, demande):
        page = lire(fiche(objet))
        assert f'<a href="{fiche(paiement.demarche.allocataire)}">Madame Inès Colin</a>' in page
        assert f"n° <strong>{paiement.demarche.allocataire.numero}</strong>" in page
        assert f'href="{fiche(paiement)}"' in page
    assert "Madame Inès Colin" in lire(fiche(fin))


def test_un_paiement_mene_a_ses_anomalies_et_a_ses_demandes(lire, entrer):
    paiement, anomalie = faire_un_reliquat()
    agent = AgentFactory().utilisateur
    demande = restitution.demander(paiement, motif="trop", agent=agent, anomalie=anomalie)
    fin = cloture.demander(PaiementFactory(), motif="perdu", agent=agent)
    entrer("CONSULTATION")

    page = lire(fiche(paiement))

    assert f'data-label="Anomalie"><a href="{fiche(anomalie)}">' in page
    assert f'data-label="Demande"><a href="{fiche(demande)}">n° {demande.pk}</a>' in page
    assert f'data-label="Demande"><a href="{fiche(fin)}">' in lire(fiche(fin.paiement))


def test_ce_qui_est_deja_demande_ne_se_propose_plus(lire, entrer):
    paiement = PaiementFactory(impute=True)
    entrer("GESTION")
    avant = lire(fiche(paiement.demarche.allocataire))
    restitution.demander(paiement, motif="trop", agent=AgentFactory().utilisateur)

    apres = lire(fiche(paiement.demarche.allocataire))

    assert "Demander la restitution du paiement" in avant
    assert "Demander la restitution du paiement" not in apres


def test_la_page_d_un_allocataire_dit_ou_est_l_argent(lire, entrer):
    paiement, _ = faire_un_reliquat()
    dire(paiement, "AUTHORISED", uuid="d" * 32, montant=Decimal(70), trans_id="900002")
    entrer()

    page = lire(fiche(paiement.demarche.allocataire))

    assert "20,00\xa0€ sur les dettes ; 100,00\xa0€ à placer ; 70,00\xa0€ retenus, un agent décide" in page
    for mot in (paiement.reference, paiement.demarche.reference, "Deux débits pour une démarche"):
        assert mot in page


def test_la_page_d_un_allocataire_dit_ce_que_peut_son_agent(lire, entrer):
    paiement, anomalie = faire_un_reliquat()
    restitution.demander(paiement, motif="trop", agent=AgentFactory().utilisateur, anomalie=anomalie)
    pages = {}
    for role in ROLES:
        entrer(role)
        pages[role] = lire(fiche(paiement.demarche.allocataire))

    assert "Rien n’attend de geste de votre rôle" in pages["CONSULTATION"]
    assert "Reste qui ne tient plus sur les dettes : Placer" in pages["GESTION"].replace("reste qui", "Reste qui")
    assert "Approuver ou refuser la restitution de 100,00\xa0€" in pages["COMPTABLE"]


def test_la_page_d_un_allocataire_coute_autant_pour_un_que_pour_dix(client, entrer, django_assert_max_num_queries):
    auteur = UtilisateurFactory()
    for rang in range(10):
        dette = DetteFactory(allocataire=auteur.allocataire)
        demarche = DemarcheFactory(auteur=auteur, lignes={dette: Decimal(120)})
        paiement = PaiementFactory(demarche=demarche, impute=True)
        dire(paiement, "AUTHORISED", uuid=f"d{rang:031}", montant=Decimal(70), trans_id=f"90000{rang}")
        restitution.demander(paiement, motif="trop", agent=AgentFactory().utilisateur)
    entrer()

    with django_assert_max_num_queries(22):
        assert client.get(fiche(auteur.allocataire)).status_code == 200


@pytest.mark.parametrize("role", ROLES)
def test_aucun_lien_ne_mene_a_un_refus(client, entrer, lire, role):
    paiement, anomalie = faire_un_reliquat()
    demande = restitution.demander(paiement, motif="trop", agent=AgentFactory().utilisateur, anomalie=anomalie)
    dette = paiement.demarche.lignes.get().dette
    entrer(role)

    listes = [reverse(f"admin:{nom}_changelist") for nom in ("paiements_paiement", "paiements_demanderestitution")]
    objets = (paiement, anomalie, demande, dette, paiement.demarche.allocataire)
    vus = {adresse for page in (*map(fiche, objets), *listes, reverse("admin:index")) for adresse in liens(lire(page))}

    refus = [adresse for adresse in sorted(vus) if client.get(adresse).status_code >= 400]
    assert not refus
    assert fiche(paiement.demarche.allocataire) in vus
    assert fiche(dette) in vus


def test_un_tableau_vide_ne_se_montre_pas(lire, entrer):
    paiement = PaiementFactory()
    entrer()

    page = lire(fiche(paiement))

    assert page.count('class="journal"') == 1
    assert "Étapes" in page.partition('class="journal"')[2]
