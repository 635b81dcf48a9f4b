"""Chaque renvoi du dépôt mène quelque part : une section d'une référence, une décision, une page liée."""

import re
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import pytest

from outils.systeme import RACINE

REFERENCES = {
    nom: RACINE / "docs/reference" / f"{nom.lower()}.md"
    for nom in ("PROTOCOLE", "DOMAINE", "PARCOURS", "FICHIERS", "ARGENT")
}
SUFFIXES = {".conf", ".css", ".exemple", ".html", ".js", ".md", ".po", ".py", ".service", ".sh", ".sql", ".timer"}
SUFFIXES |= {".toml", ".txt", ".yml"}
SANS_INTERET = {"livraisons", "requirements", "staticfiles"}

# « PROTOCOLE §3.8 », « ARCHITECTURE.md §5 », « §2.4 » ; les normes d'autrui (RFC 5321 §4.2.1) n'en sont pas.
RENVOI = re.compile(r"(?<!\d )(?:\b(?P<page>[A-Z]{4,})(?:\.md)?`?,?\s+)?§\s?(?P<section>\d+(?:\.\d+)*)")
# Ce qui sépare deux sections d'une même énumération : « §3.8 et §6.7 », « §1 à §3 ».
SUITE = re.compile(r"(?:\s|#|,|;|et|à|ou)+")
DECISION = re.compile(r"(?:\bADR\s|docs/adr/)(?P<numeros>\d{4}(?:(?:,| et| à| ou)\s\d{4})*)")
# Dans les pages de décision, un numéro entre parenthèses suffit : « (0043) ».
DECISION_NUE = re.compile(r"\((?P<numeros>\d{4})\)")
FICHIER = re.compile(r"`([\w.-]+/[\w./-]*)`")
LIEN = re.compile(r"\]\((?!https?:|mailto:|#)(?P<cible>[^)#\s]+)")


def list_textes() -> Iterator[Path]:
    """Les textes du dépôt, ce fichier-ci excepté : il montre des renvois faux."""
    a_lire = [RACINE.glob("*")]
    a_lire += [
        dossier.rglob("*")
        for dossier in RACINE.iterdir()
        if dossier.is_dir() and not dossier.name.startswith(".") and dossier.name not in SANS_INTERET
    ]
    for chemin in chain.from_iterable(a_lire):
        if chemin.suffix in SUFFIXES and chemin.is_file() and chemin != Path(__file__).resolve():
            yield chemin


def list_sections(page: str) -> set[str]:
    """
    Les sections que l'on peut citer d'une page : ses titres numérotés, et les rangs de ses listes numérotées.

    Le rang 4 d'une liste du chapitre 3 se cite §3.4, sauf si le chapitre a déjà un titre 3.4.
    """
    sections, courante = set(), ""
    for ligne in page.splitlines():
        if titre := re.match(r"#{2,3} (\d+(?:\.\d+)*)\.? ", ligne):
            courante = titre[1]
            sections.add(courante)
        elif ligne.startswith("## "):
            courante = ""
        elif courante and (rang := re.match(r"(\d+)\. ", ligne)):
            sections.add(f"{courante}.{rang[1]}")
    return sections


def list_renvois(texte: str, *, defaut: str = "PROTOCOLE") -> Iterator[tuple[str, str]]:
    """Les renvois d'un texte : (page, section). Un § sans nom suit celui d'avant, ou va à la page par défaut."""
    page, fin = defaut, 0
    for renvoi in RENVOI.finditer(texte):
        if renvoi["page"]:
            page = renvoi["page"]
        elif not SUITE.fullmatch(texte, fin, renvoi.start()):
            page = defaut
        fin = renvoi.end()
        yield page, renvoi["section"]


def list_decisions(texte: str, *, page_de_decision: bool = False) -> Iterator[str]:
    """Les numéros de décisions qu'un texte cite."""
    for forme in (DECISION, DECISION_NUE) if page_de_decision else (DECISION,):
        for renvoi in forme.finditer(texte):
            yield from re.findall(r"\d{4}", renvoi["numeros"])


def get_page_par_defaut(chemin: Path) -> str:
    """Une référence se cite elle-même sans se nommer ; ailleurs, un § sans nom est du protocole."""
    return chemin.stem.upper() if chemin in REFERENCES.values() else "PROTOCOLE"


TEXTES = {chemin: chemin.read_text(encoding="utf-8") for chemin in list_textes()}


def test_chaque_section_citee_existe() -> None:
    sections = {nom: list_sections(page.read_text()) for nom, page in REFERENCES.items()}

    perdus = [
        f"{chemin.relative_to(RACINE)} : {page} §{section}"
        for chemin, texte in TEXTES.items()
        for page, section in list_renvois(texte, defaut=get_page_par_defaut(chemin))
        if section not in sections.get(page, set())
    ]

    assert perdus == []


def test_chaque_decision_citee_existe() -> None:
    decisions = {page.name[:4] for page in (RACINE / "docs/adr").glob("[0-9]*.md")}

    perdus = [
        f"{chemin.relative_to(RACINE)} : {numero}"
        for chemin, texte in TEXTES.items()
        for numero in list_decisions(texte, page_de_decision=chemin.parent.name == "adr")
        if numero not in decisions
    ]

    assert perdus == []


def test_chaque_page_liee_existe() -> None:
    perdus = [
        f"{chemin.relative_to(RACINE)} : {lien['cible']}"
        for chemin, texte in TEXTES.items()
        if chemin.suffix == ".md"
        for lien in LIEN.finditer(texte)
        if not (chemin.parent / lien["cible"]).exists()
    ]

    assert perdus == []


def test_chaque_fichier_nomme_dans_un_guide_existe() -> None:
    """Les décisions, elles, racontent le passé : leurs fichiers ont pu changer de nom."""
    guides = [*RACINE.glob("*.md"), *(RACINE / "docs").glob("*.md")]

    perdus = [
        f"{guide.relative_to(RACINE)} : {nom}"
        for guide in guides
        for nom in FICHIER.findall(TEXTES[guide])
        if (RACINE / nom.partition("/")[0]).is_dir() and not (RACINE / nom).exists()
    ]

    assert perdus == []


@pytest.mark.parametrize(
    ("texte", "renvois"),
    [
        ("(PROTOCOLE §3.8 et §6.7)", [("PROTOCOLE", "3.8"), ("PROTOCOLE", "6.7")]),
        ("FICHIERS §1 à §3, puis (§2.4)", [("FICHIERS", "1"), ("FICHIERS", "3"), ("PROTOCOLE", "2.4")]),
        ("les invariants d'`ARCHITECTURE.md` §5", [("ARCHITECTURE", "5")]),
        ("# saisies (DOMAINE §5,\n# §11)", [("DOMAINE", "5"), ("DOMAINE", "11")]),
        ("RFC 5321 §4.5.3.1.3", []),
    ],
)
def test_un_renvoi_se_lit_comme_on_l_ecrit(texte: str, renvois: list[tuple[str, str]]) -> None:
    assert list(list_renvois(texte)) == renvois


def test_un_rang_de_liste_est_une_section() -> None:
    page = "## 3. Import\n\n1. Manifeste.\n2. Ligne.\n\n### 3.7 Rejeu\n\n## Sources\n\n1. Rien.\n"

    assert list_sections(page) == {"3", "3.1", "3.2", "3.7"}
