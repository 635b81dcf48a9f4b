"""Demander et accorder à deux, au bureau : redemander après un refus, un rôle perdu entre-temps, une page rejouée."""

import pytest
from django.urls import reverse

from comptes.models import Agent, Caf
from paiements.models import DemandeCloture, DemandeRestitution
from paiements.retours import cloture, mise_de_cote, restitution
from tests.factories import AgentFactory, PaiementFactory
from tests.paiements.bureau import faire_un_reliquat, fiche, geste

pytestmark = pytest.mark.django_db


def demander_une_restitution(agent):
    return restitution.demander(PaiementFactory(impute=True), motif="erreur", agent=agent)


def demander_une_cloture(agent):
    return cloture.demander(PaiementFactory(), motif="rien au Back Office", agent=agent)


def demander_une_mise_de_cote(agent):
    _, reliquat = faire_un_reliquat()
    Caf.objects.update(seuil_mise_de_cote=50)
    return mise_de_cote.demander(reliquat, motif="rendu par chèque", agent=agent)


CHACUNE = pytest.mark.parametrize(
    "demander", [demander_une_restitution, demander_une_cloture, demander_une_mise_de_cote]
)


def is_a_decider(demande):
    demande.refresh_from_db()
    return demande.approbateur is None and getattr(demande, "accord", None) is None


@CHACUNE
def test_qui_n_est_plus_comptable_n_accorde_plus(client, entrer, agent, demander):
    demande = demander(agent)
    comptable = entrer("COMPTABLE")
    assert "Approuver" in client.get(fiche(demande)).content.decode()
    Agent.objects.filter(utilisateur=comptable).update(role="CONSULTATION")

    reponse = client.post(geste(demande, "approuver"), {"motif": "vu"})

    assert reponse.status_code == 403
    assert is_a_decider(demande)


@CHACUNE
def test_qui_n_est_plus_de_cette_caf_n_accorde_plus(client, entrer, agent, demander):
    demande = demander(agent)
    comptable = entrer("COMPTABLE")
    comptable.agent.cafs.clear()

    assert client.post(geste(demande, "approuver"), {"motif": "vu"}).status_code == 404
    assert is_a_decider(demande)


@CHACUNE
def test_un_demandeur_devenu_comptable_n_accorde_pas_sa_propre_demande(client, entrer, demander):
    demandeur = entrer("GESTION")
    demande = demander(demandeur)
    Agent.objects.filter(utilisateur=demandeur).update(role="COMPTABLE")

    page = client.post(geste(demande, "approuver"), {"motif": "vu"}, follow=True).content.decode()

    assert "n&#x27;est pas celui qui demande" in page
    assert is_a_decider(demande)


@CHACUNE
def test_accorder_de_nouveau_une_page_restee_ouverte_dit_que_c_est_fait(client, entrer, agent, demander):
    demande = demander(agent)
    entrer("COMPTABLE")
    client.post(geste(demande, "approuver"), {"motif": "vu"})

    encore = client.post(geste(demande, "refuser"), {"motif": "non"}, follow=True).content.decode()
    recharge = client.get(geste(demande, "approuver"), follow=True)

    assert "Ce geste n&#x27;est pas possible" in encore
    assert recharge.redirect_chain[-1][0] == fiche(demande)
    assert "Approuver" not in recharge.content.decode()


def redemander(demande, agent):
    """Un autre agent redemande la même chose."""
    match demande:
        case DemandeRestitution():
            return restitution.demander(demande.paiement, motif="encore", agent=agent)
        case DemandeCloture():
            return cloture.demander(demande.paiement, motif="encore", agent=agent)
    return mise_de_cote.demander(demande.anomalie, motif="encore", agent=agent)


@CHACUNE
def test_refusee_elle_se_redemande_et_s_accorde(client, entrer, agent, demander):
    demande = demander(agent)
    modele = type(demande)
    entrer("COMPTABLE")
    client.post(geste(demande, "refuser"), {"motif": "manque le chèque"})
    deuxieme = redemander(demande, AgentFactory().utilisateur)

    client.post(geste(deuxieme, "approuver"), {"motif": "chèque reçu"})

    decisions = modele.objects.order_by("pk").values_list("decision", flat=True)
    assert list(decisions) == ["manque le chèque", "chèque reçu"]
    page = client.get(reverse(f"admin:{modele._meta.app_label}_{modele._meta.model_name}_changelist"))
    assert page.context["cl"].result_count == 2
