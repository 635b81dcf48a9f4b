"""La suite entière se joue en deux moitiés : aucune ne perd un dossier, aucun compte ne se perd."""

from pathlib import Path

from outils.essais import count, list_moities, tell
from outils.systeme import RACINE


def test_chaque_dossier_d_essais_est_d_une_moitie_et_d_une_seule() -> None:
    joues = [dossier for moitie in list_moities().values() for dossier in moitie]

    assert sorted(joues) == sorted({f"tests/{f.parent.name}" for f in Path(RACINE, "tests").glob("*/test_*.py")})


def test_les_comptes_des_deux_moities_s_ajoutent() -> None:
    total = count(["2 failed, 10 passed in 3.00s", "5 passed, 1 skipped, 1 error in 61.20s (0:01:01)"])

    assert tell(total) == "15 passed, 3 failed, 1 skipped"
