"""L'argent se lit dans des colonnes : ni un JSON, ni une clé découpée, ni un début de phrase n'en décide."""

import re
from pathlib import Path

import pytest

RACINE = Path(__file__).parents[2]
APPS = ("socle", "comptes", "dettes", "demarches", "paiements")
TEXTES = re.compile(
    r"constat__|champs__(?!has_any_keys)|\.champs\[|cle__(?:starts|ends)with|cle__contains|\bcle\.(?:split|startswith|partition)"
    # Une phrase lue en Python, par l'ORM, ou en SQL.
    r"|\b(?:situation|origine|motif|detail)(?:\.(?:split|rsplit|partition|rpartition|startswith|endswith|removeprefix|find|index)"
    r"|__i?(?:startswith|endswith|contains|regex))"
    r"|Decimal\([^)]*\b(?:situation|origine|motif|detail)\b"
    r"|\bre\.\w+\(.*\b(?:situation|origine|motif|detail)\b"
    r"|(?:\bF|\bSubstr|\bStrIndex|\bLeft|\bRight|\bCast)\(\s*(?:F\()?[\"'](?:situation|origine|motif|detail)[\"']"
    r"|function=[\"'](?:substring|substr|split_part|regexp_\w+|left|right|strpos)[\"']"
    r"|(?i:(?:substring|substr|split_part|regexp_\w+|strpos|position)\((?:\w+\.)?(?:situation|origine|motif|detail)\b)"
    r"|\b(?:situation|origine|motif|detail)\s+(?:LIKE|ILIKE|SIMILAR TO|~)"
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
        # Ce qui décidait d'un solde sous zéro, et ses semblables.
        'Func(F("situation"), Value(r"manque ([0-9]+)"), function="substring")\n'
        'Func("situation", function="regexp_match")\nSubstr("situation", 8)\nre.search(r"manque (.*)", a.situation)\n'
        'filter(detail__regex="manque")\nSELECT substring(a.situation FROM 8)::numeric\n'
        "WHERE m.motif LIKE 'trop%'\norigine.partition(' ')\n"
    )

    assert len(lire(avant)) == 13
