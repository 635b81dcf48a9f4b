"""Ce que l'exploitant tape : rapprocher, expliquer."""

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from paiements.statuts import Statut
from tests.factories import PaiementFactory, dire

pytestmark = pytest.mark.django_db


def lancer(*arguments):
    sortie = StringIO()
    call_command(*arguments, stdout=sortie, stderr=sortie)
    return sortie.getvalue()


def test_rapprocher_une_reference_retrouve_un_paiement_perdu(plateforme):
    paiement = PaiementFactory()
    plateforme(paiement, "AUTHORISED")

    sortie = lancer("rapprocher", "--reference", paiement.reference)

    paiement.refresh_from_db()
    assert paiement.statut == Statut.VERIFIE
    assert "1 paiement(s) ont avancé" in sortie


def test_rapprocher_a_l_essai_montre_et_n_ecrit_rien(plateforme):
    paiement = PaiementFactory()
    plateforme(paiement, "AUTHORISED")

    sortie = lancer("rapprocher", "--reference", paiement.reference, "--essai")

    paiement.refresh_from_db()
    assert paiement.statut == Statut.EN_ATTENTE
    assert "DEBIT 120.00 € AUTHORISED" in sortie


def test_rapprocher_un_jour_ne_prend_que_ce_jour(plateforme):
    paiement = PaiementFactory()
    plateforme(paiement, "AUTHORISED")
    hier = timezone.localdate() - timedelta(days=1)

    rien = lancer("rapprocher", "--jour", hier.isoformat())
    tout = lancer("rapprocher", "--jour", timezone.localdate().isoformat())

    assert "0 paiement(s)" in rien
    assert "1 paiement(s)" in tout


@pytest.mark.parametrize("options", [[], ["--essai"]])
def test_une_plateforme_muette_est_dite_avec_la_commande_qui_continue(plateforme, settings, options):
    paiement = PaiementFactory()
    plateforme.serveur.post(f"{settings.PAYZEN_URL_API}Order/Get", status=500)

    with pytest.raises(CommandError, match="relancez la même commande"):
        lancer("rapprocher", "--reference", paiement.reference, *options)


def test_une_reference_inconnue_est_dite():
    for commande in (["rapprocher", "--reference", "P-RIEN"], ["expliquer_paiement", "P-RIEN"]):
        with pytest.raises(CommandError, match="P-RIEN"):
            lancer(*commande)


@pytest.mark.parametrize(
    ("trait", "attendu"),
    [
        ({}, "La réponse de la banque"),
        ({"accepte": True}, "La vérification auprès de PayZen"),
        ({"verifie": True}, "L'imputation, au prochain balayage"),
        ({"impute": True}, "Rien : l'argent est sur les dettes"),
        ({"refuse": True}, "L'allocataire peut recommencer"),
    ],
)
def test_expliquer_dit_ce_que_le_paiement_attend(trait, attendu):
    paiement = PaiementFactory(**trait)

    recit = lancer("expliquer_paiement", paiement.reference)

    assert attendu in recit
    assert lancer("expliquer_paiement", paiement.demarche.reference) == recit


def test_expliquer_raconte_toute_la_vie_sans_nommer_personne():
    paiement = PaiementFactory(impute=True)
    dire(paiement, "CANCELLED")

    recit = lancer("expliquer_paiement", paiement.reference)

    for morceau in ("clic sur Payer", "CANCELLED", "sur la dette", "anomalie n°", "l'argent est reparti"):
        assert morceau in recit
    assert "Colin" not in recit
    assert paiement.demarche.allocataire.numero not in recit
