"""L'argent se lit dans des colonnes : ni un JSON, ni une clé découpée, ni un début de phrase n'en décide."""

import re
from pathlib import Path

import pytest

RACINE = Path(__file__).parents[2]
APPS = ("socle", "comptes", "dettes", "demarches", "paiements")
TEXTES = re.compile(
    r"constat__|champs__(?!has_any_keys)|\.champs\[|cle__(?:starts|ends)with|cle__contains|\bcle\.(?:split|startswith|partition)"
    r"|motif__(?:starts|ends)with|motif__contains|situation\.(?:split|startswith)|Decimal\([^)]*situation"
)


def lire(fichier: Path) -> list[str]:
    return [ligne for ligne in fichier.read_text().splitlines() if TEXTES.search(ligne)]


FICHIERS = [
    fichier
    for app in APPS
    for fichier in sorted((RACINE / app).rglob("*.py"))
    # Une migration lit la base d'avant, telle qu'elle était ; `payzen` lit le fil, c'est son métier.
    if "migrations" not in fichier.parts and "payzen" not in fichier.parts
]


@pytest.mark.parametrize("fichier", FICHIERS, ids=lambda fichier: str(fichier.relative_to(RACINE)))
def test_aucun_texte_ne_decide_de_l_argent(fichier: Path) -> None:
    assert lire(fichier) == []


def test_le_mur_voit_ce_qu_il_cherche(tmp_path: Path) -> None:
    """Les lignes d'avant, une par façon de lire l'argent dans un texte."""
    avant = tmp_path / "avant.py"
    avant.write_text(
        'filter(constat__vu__uuid=uuid)\nfilter(cle__startswith=f"{uuid}:")\ncle.split(":")[1]\n'
        'exclude(motif__startswith="remboursement défait")\nDecimal(anomalie.situation)\n'
    )

    assert len(lire(avant)) == 5
