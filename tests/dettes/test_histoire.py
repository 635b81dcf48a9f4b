"""La courbe d'un solde, en marches."""

import re
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from django.utils import translation

from dettes import histoire
from dettes.importation import application
from dettes.models import Dette, Mouvement
from tests.langues import is_francais

DETTE = Dette(notifiee_le=date(2025, 1, 1), montant_initial=Decimal(100), solde=Decimal(50))


def mouvement(genre, jour, montant, solde_apres):
    le = datetime(jour.year, jour.month, jour.day, 12, tzinfo=UTC)
    return Mouvement(genre=genre, le=le, montant=Decimal(montant), solde_apres=Decimal(solde_apres))


def mise_a_jour(motif):
    le = datetime(2026, 6, 30, tzinfo=UTC)
    return Mouvement(genre="AJUSTEMENT", le=le, montant=Decimal(-100), solde_apres=Decimal(0), motif=motif)


CONSTAT = mouvement("CONSTAT", date(2026, 1, 1), 100, 100)


def test_la_courbe_descend_en_marches_du_courrier_a_aujourd_hui():
    moitie = mouvement("RETENUE", date(2025, 7, 2), -50, 50)

    courbe = histoire.tracer(DETTE, [CONSTAT, moitie], date(2025, 12, 31))

    assert courbe.trait == "M0 4H308V100H640"
    assert courbe.bout == 100
    assert (courbe.haut, courbe.debut) == (Decimal(100), date(2025, 1, 1))


def test_une_baisse_du_jour_meme_se_voit():
    aujourd_hui = mouvement("AJUSTEMENT", date(2025, 12, 31), -50, 50)

    courbe = histoire.tracer(DETTE, [CONSTAT, aujourd_hui], date(2025, 12, 31))

    assert courbe.trait == "M0 4H616V100H640"


def test_la_courbe_ne_recule_jamais():
    dette = Dette(notifiee_le=date(2025, 6, 1))
    avant = mouvement("AJUSTEMENT", date(2025, 1, 1), -50, 50)

    courbe = histoire.tracer(dette, [CONSTAT, avant], date(2025, 6, 1))

    assert courbe.trait == "M0 4H0V100H640"


def test_un_mouvement_de_fin_de_soiree_est_au_jour_de_paris():
    tard = Mouvement(genre="RETENUE", le=datetime(2026, 6, 30, 22, 30, tzinfo=UTC))

    assert histoire.get_jour(DETTE, tard) == date(2026, 7, 1)


def test_ce_que_l_import_ecrit_se_lit_dans_la_langue_de_qui_lit():
    requetes = application.AJUSTER_CHANGEES + application.AJUSTER_NEUVES
    ecrits = [motif for motif in re.findall("'([^']*)'", requetes) if " " in motif]
    mouvements = [mise_a_jour(motif) for motif in ecrits]

    assert {*ecrits, histoire.DEJA_REPRISE, histoire.PAS_ATTENDUE} == set(histoire.MOTIFS)
    with translation.override("fr"):
        assert [un["texte"] for un in histoire.raconter(DETTE, mouvements)] == [
            f"{motif[0].upper()}{motif[1:]}." for motif in ecrits
        ]
    with translation.override("en"):
        assert "The Caf gives a different balance." in [un["texte"] for un in histoire.raconter(DETTE, mouvements)]


@pytest.mark.parametrize("motif", histoire.MOTIFS)
def test_aucun_motif_ne_reste_en_francais(motif):
    with translation.override("en"):
        (un,) = histoire.raconter(DETTE, [mise_a_jour(motif)])

    assert not is_francais(un["texte"])


def test_une_dette_recue_annulee_n_est_pas_dite_remboursee():
    annulee = Dette(notifiee_le=date(2025, 1, 1), montant_initial=Decimal(100), situation="ANNULEE")

    (un,) = histoire.raconter(annulee, [mise_a_jour(histoire.DEJA_REMBOURSE)])

    assert un["texte"] == "Annulée par la Caf avant que ce service la reçoive."
