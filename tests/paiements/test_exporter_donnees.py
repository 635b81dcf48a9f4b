"""Une demande d'accès a sa réponse en un fichier : tout ce qui parle de la personne, et d'elle seule."""

from decimal import Decimal
from io import StringIO

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
from django.urls import reverse

from comptes import activation
from comptes.identifiants import normaliser
from comptes.models import Agent
from paiements.retours import restitution
from paiements.surveillance.personne import PERSONNE, SANS_PERSONNE, rassembler
from tests.connexion import entrer, entrer_en_agent
from tests.factories import (
    AgentFactory,
    AllocataireFactory,
    DemarcheFactory,
    DetteFactory,
    PaiementFactory,
    UtilisateurFactory,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def exporter(tmp_path):
    def _exporter(numero):
        sortie = tmp_path / "donnees.txt"
        call_command("exporter_donnees", numero, "--sortie", sortie, "--appliquer", stdout=StringIO())
        return sortie

    return _exporter


def payer(auteur, courriel="inès@exemple.fr"):
    lignes = {DetteFactory(allocataire=auteur.allocataire): Decimal(50)}
    return PaiementFactory(demarche=DemarcheFactory(auteur=auteur, lignes=lignes, courriel=courriel), impute=True)


def test_chaque_table_est_d_un_cote_ou_de_l_autre():
    tables = set(apps.get_models(include_auto_created=True))

    assert tables == set(PERSONNE) | set(SANS_PERSONNE)
    assert not set(PERSONNE) & set(SANS_PERSONNE)


def test_tout_ce_qui_parle_de_la_personne_y_est(client, exporter):
    soi = UtilisateurFactory()
    activation.emettre([soi])
    entrer(client, soi.identifiant)
    paiement = payer(soi)
    agent = AgentFactory(role=Agent.Role.GESTION).utilisateur
    restitution.demander(paiement, motif="versé deux fois", agent=agent)
    entrer_en_agent(client, agent)
    client.get(reverse("admin:comptes_allocataire_change", args=[soi.allocataire_id]))

    texte = exporter(soi.identifiant).read_text()

    attendus = (soi.allocataire.numero, "Colin", "inès@exemple.fr", paiement.reference, "0055", "50,00")
    assert [attendu for attendu in (*attendus, "versé deux fois", "fiche consultée") if attendu not in texte] == []
    vides = [table.nom for table in rassembler(soi) if not table.lignes]
    assert not {"dettes", "mouvements", "démarches", "paiements", "messages PayZen", "utilisateurs"} & set(vides)


def test_ni_secret_ni_agent_ni_autre_personne(client, exporter):
    soi = UtilisateurFactory()
    conjoint = UtilisateurFactory(allocataire=soi.allocataire, identifiant="conjoint")
    voisin = payer(UtilisateurFactory(), "voisin@exemple.fr")
    payer(conjoint, "conjoint@exemple.fr")
    entrer(client, conjoint.identifiant)
    agent = entrer_en_agent(client, AgentFactory().utilisateur)
    client.get(reverse("admin:comptes_allocataire_change", args=[soi.allocataire_id]))

    texte = exporter(soi.identifiant).read_text()

    for tu in (agent.identifiant, soi.password, "conjoint@exemple.fr", "voisin@exemple.fr", voisin.reference):
        assert tu not in texte
    assert "genre : connexion" not in texte


def test_le_fichier_n_est_lisible_que_de_qui_l_a_demande(exporter):
    assert exporter(UtilisateurFactory().identifiant).stat().st_mode & 0o777 == 0o600


def test_le_numero_se_tape_comme_sur_le_courrier(exporter):
    soi = UtilisateurFactory(allocataire=AllocataireFactory(numero="0000354"))

    assert normaliser("661 0000354") == soi.identifiant
    assert exporter("661 0000354").exists()


def test_un_numero_inconnu_ou_un_agent_est_refuse_avec_sa_raison(tmp_path):
    agent = AgentFactory().utilisateur
    for numero in ("6619999999", agent.identifiant):
        with pytest.raises(CommandError, match="Aucun compte d'allocataire"):
            call_command("exporter_donnees", numero, "--sortie", tmp_path / "x")


def test_un_fichier_qui_existe_n_est_pas_ecrase(tmp_path):
    sortie = tmp_path / "x"
    sortie.write_text("gardé")

    with pytest.raises(CommandError, match="ne peut pas être créé"):
        call_command("exporter_donnees", UtilisateurFactory().identifiant, "--sortie", sortie, "--appliquer")

    assert sortie.read_text() == "gardé"
