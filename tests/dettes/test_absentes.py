"""Une dette qu'une livraison complète ne dit plus est soldée, sauf si une ligne rejetée pouvait la dire (ADR 0010)."""

from decimal import Decimal

import pytest

from dettes.importation import importer
from dettes.importation.compte_rendu import raconter
from dettes.models import Dette
from tests.dettes.conftest import DEUX_DOSSIERS, REFERENCE, get_dette

pytestmark = pytest.mark.usefixtures("chez_soi")


def test_complet_une_dette_absente_est_soldee(livrer):
    importer(livrer([{}, {"reference": "R-2"}]))

    compte_rendu = importer(livrer([{"reference": "R-2"}], sequence=2, mode="complet"))

    dette = get_dette()
    assert (dette.solde, dette.situation) == (0, "SOLDEE")
    assert compte_rendu["dettes"]["soldees_par_absence"] == 1
    assert Dette.objects.get(reference="R-2").solde == 900


def test_differentiel_une_dette_absente_ne_change_pas(livrer):
    importer(livrer([{}, {"reference": "R-2"}]))

    importer(livrer([{"reference": "R-2", "solde": "0"}], sequence=2))

    assert get_dette().solde == 900


def test_complet_une_dette_de_ligne_rejetee_n_est_pas_absente(livrer):
    importer(livrer([{}, {"reference": "R-2"}]))

    importer(livrer([{"phase": "INCONNUE"}, {"reference": "R 2"}], sequence=2, mode="complet"), seuil=Decimal(1))

    assert {dette.solde for dette in Dette.objects.all()} == {900}


@pytest.mark.parametrize(
    "meconnaissable",
    [
        # Son premier champ manque : tout est décalé. Un tableur a ôté les zéros de tête.
        {"caf": "0000354", "numero": REFERENCE, "reference": "ETAT", "creancier": "PPA"},
        {"numero": "354", "reference": "IM3-661-1"},
    ],
)
def test_complet_une_ligne_rejetee_meconnaissable_ne_solde_aucune_absente(livrer, meconnaissable):
    """Elle est peut-être celle de n'importe laquelle (docs/adr/0010)."""
    importer(livrer([{}, {"reference": "R-2"}]))

    dossier = livrer([meconnaissable, {"reference": "R-2", "solde": "80000"}], sequence=2, mode="complet")
    compte_rendu = importer(dossier, seuil=Decimal(1))

    assert get_dette().solde == 900
    assert Dette.objects.get(reference="R-2").solde == 800
    assert compte_rendu["dettes"]["rejets_meconnaissables"] == 1
    assert "1 lignes rejetées qui ne disent ni dette ni dossier : aucune dette absente n'est soldée" in [
        *raconter(compte_rendu | {"duree_s": 0})
    ]


@pytest.mark.parametrize(
    "lisible",
    [
        {"reference": "R-2", "numero": "354"},  # la dette est connue
        {"reference": "R 3"},  # le dossier l'est
        {"reference": "R-3", "numero": "0009999"},  # ni l'un ni l'autre, mais elle le dit : ce n'est aucune des nôtres
    ],
)
def test_complet_une_ligne_rejetee_qui_dit_de_qui_elle_parle_laisse_solder_les_autres(livrer, lisible):
    importer(livrer([{}, {"reference": "R-2"}, {"reference": "R-4", "numero": "0000999"}], DEUX_DOSSIERS))

    importer(livrer([{}, {"reference": "R-2"}, lisible], sequence=2, mode="complet"), seuil=Decimal(1))

    assert Dette.objects.get(reference="R-4").solde == 0
