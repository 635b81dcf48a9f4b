"""Le bureau des agents : sa porte, ses Caf, ses gestes."""

from typing import get_args

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.urls import reverse

from comptes.models import Agent, Caf, Utilisateur
from comptes.roles import DROITS, Droit
from tests.connexion import entrer, entrer_en_agent
from tests.factories import MOT_DE_PASSE, AgentFactory, AllocataireFactory, CafFactory, UtilisateurFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def installer(client: Client):
    """Un agent de la Caf 661 à son bureau, double authentification active."""

    def installer(role: str = Agent.Role.GESTION, **champs: object) -> Agent:
        agent = AgentFactory(role=role, **champs)
        entrer_en_agent(client, agent.utilisateur)
        return agent

    return installer


def test_l_admin_n_a_pas_de_porte_a_lui(client: Client) -> None:
    assert client.get("/agents/", follow=True).redirect_chain[-1][0].startswith("/connexion/?next=")

    entrer(client, UtilisateurFactory().identifiant)
    assert client.get("/agents/", follow=True).status_code == 403


def test_un_agent_ne_voit_que_ses_caf(client: Client, installer) -> None:
    ici, ailleurs = AllocataireFactory(), AllocataireFactory(caf=CafFactory(code="751"))
    installer()

    liste = client.get(reverse("admin:comptes_allocataire_changelist"))

    assert list(liste.context["cl"].queryset) == [ici]
    fiche = reverse("admin:comptes_allocataire_change", args=[ailleurs.pk])
    assert client.get(fiche).status_code == 404
    assert client.get(reverse("admin:comptes_caf_change", args=["751"])).status_code == 404


def test_un_allocataire_se_cherche_par_son_numero_entier(client: Client, installer) -> None:
    AllocataireFactory(numero="1234567")
    installer()

    trouves = [
        client.get(reverse("admin:comptes_allocataire_changelist"), {"q": cherche}).context["cl"].result_count
        for cherche in ["1234567", "123456"]
    ]

    assert trouves == [1, 0]


def test_un_agent_regarde_et_ne_modifie_rien(client: Client, installer) -> None:
    allocataire = AllocataireFactory()
    installer(Agent.Role.RESPONSABLE)
    fiche = reverse("admin:comptes_allocataire_change", args=[allocataire.pk])

    assert client.get(fiche).status_code == 200
    assert client.post(fiche, {"nom": "Autre"}).status_code == 403
    assert client.get(reverse("admin:comptes_allocataire_add")).status_code == 403
    assert client.post(reverse("admin:comptes_allocataire_delete", args=[allocataire.pk])).status_code == 403


def entrer_en_operateur(client: Client) -> None:
    entrer_en_agent(client, Utilisateur.objects.create_superuser("operateur", MOT_DE_PASSE))


@pytest.mark.parametrize("modele", ["utilisateur", "agent"])
def test_les_comptes_sont_a_l_operateur_seul(client: Client, installer, modele: str) -> None:
    adresse = reverse(f"admin:comptes_{modele}_changelist")
    installer(Agent.Role.RESPONSABLE)
    assert client.get(adresse).status_code == 403

    entrer_en_operateur(client)
    assert client.get(adresse).status_code == 200


def test_la_boutique_et_le_seuil_se_reglent_par_l_operateur_seul(client: Client, installer) -> None:
    caf = CafFactory(boutique="")
    fiche = reverse("admin:comptes_caf_change", args=[caf.pk])
    reglages = {
        "boutique": "66100001",
        "seuil_controle": "500",
        "delai_mise_a_jour": "2",
        "nom": "Autre",
        "ouverte": "",
    }
    installer(Agent.Role.RESPONSABLE)
    refus = client.post(fiche, reglages)

    entrer_en_operateur(client)
    client.post(fiche, reglages)

    assert refus.status_code == 403
    reglee = Caf.objects.get()
    assert (reglee.boutique, reglee.seuil_controle, reglee.delai_mise_a_jour) == ("66100001", 500, 2)
    assert (reglee.nom, reglee.ouverte) == (caf.nom, True)


def test_le_responsable_suspend_avec_un_message_puis_rouvre(client: Client, installer) -> None:
    caf = CafFactory()
    installer(Agent.Role.RESPONSABLE)
    suspendre = reverse("admin:caf_geste", args=[caf.pk, "suspendre"])
    assert "Suspendre le service" in client.get(reverse("admin:comptes_caf_change", args=[caf.pk])).content.decode()

    client.post(suspendre, {"message": "  "})
    caf.refresh_from_db()
    assert caf.ouverte
    client.post(suspendre, {"message": "Panne de réseau.", "retour_prevu_le": "2026-12-24", "motif": "panne"})
    caf.refresh_from_db()
    assert (caf.ouverte, caf.message_suspension, str(caf.retour_prevu_le)) == (False, "Panne de réseau.", "2026-12-24")
    client.post(reverse("admin:caf_geste", args=[caf.pk, "rouvrir"]), {"motif": "réparé"})
    caf.refresh_from_db()
    assert (caf.ouverte, caf.message_suspension, caf.retour_prevu_le) == (True, "", None)
    assert LogEntry.objects.filter(object_id=caf.pk).count() == 2


@pytest.mark.parametrize("role", [role for role in Agent.Role if role != Agent.Role.RESPONSABLE])
def test_suspendre_est_au_responsable_seul(client: Client, installer, role: str) -> None:
    caf = CafFactory()
    installer(role)

    reponse = client.post(reverse("admin:caf_geste", args=[caf.pk, "suspendre"]), {"message": "Panne."})

    caf.refresh_from_db()
    assert reponse.status_code == 403
    assert caf.ouverte


def test_le_responsable_d_une_caf_n_en_suspend_pas_une_autre(client: Client, installer) -> None:
    autre = CafFactory(code="751")
    installer(Agent.Role.RESPONSABLE)

    assert (
        client.post(reverse("admin:caf_geste", args=[autre.pk, "suspendre"]), {"message": "Panne."}).status_code == 404
    )


def test_un_geste_ne_part_pas_d_un_lien(client: Client, installer) -> None:
    installer(Agent.Role.RESPONSABLE)

    assert client.get(reverse("admin:caf_geste", args=["661", "rouvrir"])).status_code == 302


def test_chaque_role_a_sa_ligne_et_regarde() -> None:
    assert set(DROITS) == set(Agent.Role.values)
    assert all("regarder" in droits for droits in DROITS.values())
    assert set().union(*DROITS.values()) == set(get_args(Droit))


def test_personne_ne_demande_et_n_approuve_une_restitution() -> None:
    for droits in DROITS.values():
        assert not {"demander_restitution", "approuver_restitution"} <= droits


def test_le_bureau_parle_francais(client: Client, installer) -> None:
    installer()

    html = client.get("/agents/").content.decode()

    assert "Rembourser ma Caf : bureau des agents" in html
    assert "Les dossiers de vos Caf" in html


@pytest.mark.parametrize(
    "fiche", ["account/emailaddress", "auth/group", "mfa/authenticator", "usersessions/usersession"]
)
def test_ce_que_le_service_n_emploie_pas_n_a_pas_de_fiche(client: Client, fiche: str) -> None:
    entrer_en_operateur(client)

    assert client.get(f"/agents/{fiche}/").status_code == 404
