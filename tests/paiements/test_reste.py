"""Un reste qui ne tient plus sur ses dettes se place sur d'autres, en entier, avec l'accord de l'allocataire."""

from decimal import Decimal

import pytest

from paiements.imputation import imputer
from paiements.models import Anomalie
from paiements.retours import reprise
from tests.factories import DetteFactory, dire
from tests.paiements.livres import faire_un_reliquat

pytestmark = pytest.mark.django_db


def test_un_reste_se_place_sur_d_autres_dettes_avec_accord(agent):
    paiement, anomalie = faire_un_reliquat()
    autre = DetteFactory(allocataire=paiement.demarche.allocataire)

    reprise.placer_le_reste(anomalie, {autre: Decimal(100)}, accord="accord au téléphone le 3 mars", agent=agent)

    anomalie.refresh_from_db()
    autre.refresh_from_db()
    etape = anomalie.etapes.latest("pk")
    assert (anomalie.etat, autre.solde) == (Anomalie.Etat.CLOSE, Decimal(800))
    assert (etape.motif, etape.auteur) == ("accord au téléphone le 3 mars", agent.identifiant)


@pytest.mark.parametrize("part", [Decimal("99.99"), Decimal("100.01")])
def test_un_reste_se_place_en_entier(agent, part):
    paiement, anomalie = faire_un_reliquat()
    autre = DetteFactory(allocataire=paiement.demarche.allocataire)

    with pytest.raises(imputer.ResteImpossible, match="doivent faire 100,00\xa0€"):
        reprise.placer_le_reste(anomalie, {autre: part}, accord="oui", agent=agent)


def test_un_reste_ne_va_pas_sur_la_dette_d_un_autre(agent):
    _, anomalie = faire_un_reliquat()

    with pytest.raises(imputer.ResteImpossible, match="ne peut recevoir 100,00\xa0€"):
        reprise.placer_le_reste(anomalie, {DetteFactory(): Decimal(100)}, accord="oui", agent=agent)


def test_un_reste_ne_se_place_pas_tant_qu_un_remboursement_est_en_l_air(agent):
    """La banque a peut-être rendu ce reste : elle n'a pas encore dit de quel débit."""
    paiement, anomalie = faire_un_reliquat()
    autre = DetteFactory(allocataire=paiement.demarche.allocataire)
    dire(paiement, "AUTHORISED", operation="CREDIT", uuid="c" * 32, trans_id="900002", montant=Decimal(100))

    with pytest.raises(reprise.RepriseImpossible, match="quel débit"):
        reprise.placer_le_reste(anomalie, {autre: Decimal(100)}, accord="oui", agent=agent)
