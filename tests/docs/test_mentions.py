"""Les mentions disent chaque donnée de la personne que la base garde : une de plus se dit, ou ne se garde pas."""

import pytest
from django.test import Client

from comptes.models import Allocataire
from demarches.models import Demarche
from paiements.models import TransactionPayzen

# Ce que les mentions en disent ; une clé, une date ou un montant d'un dossier n'apprend rien de plus de la personne.
DITES = {
    Allocataire: {
        "caf": "votre Caf",
        "numero": "votre numéro allocataire",
        "civilite": "Votre civilité",
        "nom": "votre nom",
        "prenom": "votre prénom",
        "date_naissance": "Votre date de naissance",
        "identite": "Une empreinte de votre identité",
        "empreinte": "Une empreinte de ce que votre Caf nous envoie de vous",
        "radie_le": "si votre dossier est radié, depuis quand",
    },
    Demarche: {"courriel": "Votre adresse électronique"},
    TransactionPayzen: {
        "marque": "la marque de la carte",
        "carte_fin": "ses quatre derniers chiffres",
        "autorisation": "le numéro d’autorisation de la banque",
    },
}


@pytest.fixture
def mentions(client: Client) -> str:
    return client.get("/donnees-personnelles/").content.decode()


@pytest.mark.parametrize("modele", DITES)
def test_chaque_donnee_de_la_personne_est_dite(mentions: str, modele: type) -> None:
    assert [phrase for phrase in DITES[modele].values() if phrase not in mentions] == []


def test_aucune_donnee_de_la_personne_n_est_oubliee() -> None:
    assert {champ.name for champ in Allocataire._meta.concrete_fields} - {"id"} == DITES[Allocataire].keys()


def test_ni_adresse_de_la_caf_ni_echeance_de_la_carte_ne_se_gardent() -> None:
    """Le courriel du fichier de la Caf et l'échéance de la carte ne servaient à rien."""
    gardes = {champ.name for modele in (Allocataire, TransactionPayzen) for champ in modele._meta.concrete_fields}

    assert not {"courriel", "carte_expiration", "expiration", "adresse", "telephone", "nir"} & gardes
