"""Une adresse du bureau tapée à la main : ni panne, ni rien de plus que ce que la page montre."""

import pytest

from comptes.models import Agent, Evenement, Utilisateur
from tests.connexion import entrer_en_agent
from tests.factories import MOT_DE_PASSE, PaiementFactory

pytestmark = pytest.mark.django_db
ALLOCATAIRES, PAIEMENTS = "/agents/comptes/allocataire/", "/agents/paiements/paiement/"


@pytest.fixture
def responsable(entrer):
    PaiementFactory(impute=True)
    return entrer(Agent.Role.RESPONSABLE)


@pytest.mark.parametrize("jour", ["0001-01-01", "9999-12-31", "9999-13-01"])
@pytest.mark.parametrize("suite", ["", "feuille.csv", "feuille.pdf"])
def test_la_feuille_d_un_jour_impossible_n_existe_pas(client, responsable, jour, suite):
    assert client.get(f"/agents/feuille/661/{jour}/{suite}").status_code == 404


@pytest.mark.parametrize("adresse", ["/agents/trace/?jour=", "/agents/feuille/?caf=661&jour="])
@pytest.mark.parametrize("jour", ["0001-01-01", "9999-12-31"])
def test_un_jour_impossible_se_redemande(client, responsable, adresse, jour):
    assert client.get(adresse + jour).status_code == 200


@pytest.mark.parametrize(
    "adresse",
    [
        f"{PAIEMENTS}?cree_le__year=99999",
        f"{ALLOCATAIRES}?numero__regex=(a",
        f"{ALLOCATAIRES}?numero__startswith=0",
        f"{ALLOCATAIRES}?identite=a",
        f"{ALLOCATAIRES}?identite__gte=a",
        f"{PAIEMENTS}?demarche__auteur__password__gte=p",
    ],
)
def test_une_liste_ne_se_filtre_que_par_ce_qu_elle_montre(client, responsable, adresse):
    assert client.get(adresse).status_code == 400
    assert client.get(adresse.replace("?", "export/?")).status_code == 404


def test_l_operateur_ne_devine_pas_un_mot_de_passe_hache(client):
    entrer_en_agent(client, Utilisateur.objects.create_superuser("operateur", MOT_DE_PASSE))

    for question in ("password__startswith=p", "password__gte=p", "password=p"):
        assert client.get(f"/agents/comptes/utilisateur/?{question}").status_code == 400


@pytest.mark.parametrize("fichier", ["csv", "pdf"])
def test_emporter_une_feuille_reste_au_journal(client, responsable, fichier):
    client.get(f"/agents/feuille/661/2026-11-27/feuille.{fichier}")

    assert Evenement.objects.filter(genre="EXPORT", objet="paiements.jourclos").count() == 1
