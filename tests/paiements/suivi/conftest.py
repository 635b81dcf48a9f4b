"""Une personne connectée, qui suit ses demandes, et ce que la banque en dit."""

from decimal import Decimal

import pytest

from paiements.models import Paiement
from tests.demarches.conftest import connecte, envoyer, personne, voir
from tests.factories import DemarcheFactory, DetteFactory, PaiementFactory, dire

__all__ = ["connecte", "envoyer", "personne", "voir"]


@pytest.fixture
def dette(personne):
    return DetteFactory(allocataire=personne.allocataire)


@pytest.fixture
def payer(personne, dette):
    """Paie 120 € sur la dette : `payer(accepte=True)`."""

    def ouvrir(montant="120.00", **traits):
        demarche = DemarcheFactory(auteur=personne, courriel="ines@exemple.fr", lignes={dette: Decimal(montant)})
        return PaiementFactory(demarche=demarche, **traits)

    return ouvrir


def retenir(paiement, montant="6.00"):
    """La banque annonce un débit que nous n'attendions pas : un agent l'a en main."""
    dire(paiement, "AUTHORISED", uuid="d" * 32, montant=Decimal(montant))


def annuler(paiement):
    """La banque défait le débit du paiement."""
    dire(paiement, "CANCELLED")


def rembourser(paiement, montant="120.00"):
    """La banque rend le débit du paiement, en tout ou partie."""
    debit = Paiement.objects.get(pk=paiement.pk).debit_id
    credit = {"operation": "CREDIT", "uuid": "e" * 32, "trans_id": "900001", "montant": Decimal(montant)}
    dire(paiement, "AUTHORISED", parent=debit, **credit)


def get_frise(reponse):
    return [(evenement["titre"], evenement["etat"]) for evenement in reponse.context["evenements"]]
