"""La suite entière se joue dossier par dossier, plusieurs à la fois : aucun ne se perd, aucun compte non plus."""

from collections import Counter
from pathlib import Path

import pytest

from outils import essais
from outils.bilan import SUJETS
from outils.bilan import tell as tell_bilan
from outils.essais import LONGS, count, list_dossiers, play, tell
from outils.systeme import RACINE


def test_chaque_dossier_d_essais_se_joue_une_fois_les_plus_longs_d_abord() -> None:
    joues = list_dossiers()

    assert sorted(joues) == sorted({f.parent.name for f in Path(RACINE, "tests").glob("*/test_*.py")})
    assert tuple(joues[: len(LONGS)]) == LONGS


def test_les_comptes_des_dossiers_s_ajoutent() -> None:
    total = count(["2 failed, 10 passed in 3.00s", "5 passed, 1 skipped, 1 error in 61.20s (0:01:01)"])

    assert tell(total) == "15 passed, 3 failed, 1 skipped"


def test_chaque_dossier_d_essais_a_un_sujet_et_un_seul() -> None:
    dossiers = [dossier for dossiers in SUJETS.values() for dossier in dossiers]

    assert sorted(dossiers) == sorted(list_dossiers())
    assert len(SUJETS) == 5


def test_le_bilan_ne_parle_que_de_ce_qui_est_passe() -> None:
    lignes = tell_bilan(Counter({"paiements": 10, "pannes": 2, "socle": 1}))

    assert [ligne.split(":")[0].split() for ligne in lignes] == [["prouvé", "12"], ["prouvé", "1"]]


def test_un_essai_tombe_est_nomme_a_la_fin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "tests" / "bancal").mkdir(parents=True)
    (tmp_path / "tests" / "bancal" / "test_deux.py").write_text(
        "def test_un():\n    assert False\n\ndef test_deux():\n    pass\n"
    )
    (tmp_path / "pytest.ini").write_text("[pytest]\naddopts = -p no:django\n")  # un dossier sans le projet
    monkeypatch.delenv("DJANGO_SETTINGS_MODULE", raising=False)
    monkeypatch.setattr(essais, "RACINE", tmp_path)

    joue = play("bancal")

    assert joue.code == 1
    assert [chute.split(" - ")[0].strip() for chute in joue.chutes] == ["FAILED tests/bancal/test_deux.py::test_un"]
