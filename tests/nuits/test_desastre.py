"""Le désastre, vécu : un vrai pg_dump à midi, la journée perdue, psql, les journaux ; mêmes livres au centime."""

import hashlib

import pytest

from paiements.surveillance.invariants import verifier
from tests.nuits import sauvegarde
from tests.nuits.journee import (
    CAF,
    emettre,
    faire_tourner_les_taches,
    gerer,
    lire_les_journaux,
    lire_les_livres,
    payer,
    trouver,
    vivre_l_apres_midi,
    vivre_le_matin,
)

# Ils ne disent rien d'une journée refaite : des tâches qui n'ont pas tourné, une base d'essai sans ses rôles.
HORS_SUJET = ("rien_en_retard", "gardes_en_place")


def lire_les_fichiers(tmp_path):
    return {
        f.name: hashlib.sha256(f.read_bytes()).hexdigest()
        for f in sorted((tmp_path / "publies").glob("encaissements_*"))
    }


@pytest.mark.django_db(transaction=True)
def test_la_journee_perdue_revient_au_centime_et_aucun_fichier_ne_change(demonstration, tmp_path):
    vivre_le_matin(demonstration, tmp_path)
    midi = sauvegarde.sauver(tmp_path / "midi.sql")
    vivre_l_apres_midi(demonstration, tmp_path)
    avant, fichiers = lire_les_livres(), lire_les_fichiers(tmp_path)
    assert len(fichiers) == 4  # deux encaissements, deux manifestes
    assert {reference for reference, _ in avant["écarts"]} >= {"FACTURE-1"}

    sauvegarde.restaurer(midi)
    perdus = lire_les_livres()
    refus = emettre_trop_tot(tmp_path)
    revenir(demonstration, tmp_path / "publies")

    assert len(perdus["paiements"]) == 1
    assert "--plancher" in refus
    assert "reprendre_encaissements" in refus
    assert lire_les_livres() == avant
    emettre(tmp_path)
    assert lire_les_fichiers(tmp_path) == fichiers
    assert [v for v in verifier() if v.invariant.nom not in HORS_SUJET] == []


@pytest.mark.django_db(transaction=True)
def test_ce_que_la_banque_a_defait_depuis_revient_aussi_meme_en_vol_a_la_sauvegarde(demonstration, tmp_path):
    vivre_le_matin(demonstration, tmp_path)
    en_vol = [payer(demonstration, 11), payer(demonstration, 13)]  # acceptés, pas encore imputés
    midi = sauvegarde.sauver(tmp_path / "midi.sql")
    perdus = [payer(demonstration, 7), payer(demonstration, 8), payer(demonstration, 9)]
    faire_tourner_les_taches()
    emettre(tmp_path)
    for reference, geste, options in (
        (en_vol[0], "annuler", {}),
        (perdus[0], "annuler", {}),
        (perdus[1], "modifier", {"montant": 300}),
    ):
        demonstration.faire(trouver(demonstration, reference), geste, **options)
    demonstration.remettre()
    demonstration.faire(trouver(demonstration, en_vol[1]), "rembourser")
    demonstration.faire(trouver(demonstration, perdus[2]), "impaye")
    lire_les_journaux(demonstration, tmp_path / "publies")
    emettre(tmp_path)
    avant, fichiers = lire_les_livres(), lire_les_fichiers(tmp_path)
    assert len(fichiers) == 6

    sauvegarde.restaurer(midi)
    revenir(demonstration, tmp_path / "publies")

    assert lire_les_livres() == avant
    emettre(tmp_path)
    assert lire_les_fichiers(tmp_path) == fichiers
    assert [v for v in verifier() if v.invariant.nom not in HORS_SUJET] == []


def revenir(banque, publies):
    """docs/exploitation.md, « Après un désastre », dans son ordre."""
    gerer("interroger_payzen", "--journaux", "--publies", str(publies), "--appliquer")
    for _ in range(2):
        lire_les_journaux(banque, publies)
    gerer("reprendre_encaissements", CAF, "--dossier", str(publies), "--appliquer")


def emettre_trop_tot(tmp_path):
    """Émettre avant d'avoir repris est refusé, et dit pourquoi ; rien n'est écrit."""
    with pytest.raises(Exception, match="publié") as refus:
        emettre(tmp_path)
    return str(refus.value)
