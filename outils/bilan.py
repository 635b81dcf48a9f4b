"""Plugin de pytest : à la fin, ce que les essais passés ont prouvé, en cinq lignes au plus."""

from collections import Counter

import pytest

MARQUE = "prouvé"
# Ce que prouve chaque dossier de tests/.
SUJETS = {
    "l'argent : paiements, pannes, courses, histoires tirées au sort": ("paiements", "pannes"),
    "les dettes et les fichiers de la Caf, et des nuits entières": ("dettes", "nuits"),
    "les personnes : entrer, ne voir que le sien, suivre ses démarches": ("comptes", "demarches"),
    "les pages et les routes entières, dans un vrai navigateur": ("navigateur",),
    "la maison : murs du code, simulateur, outils, documents": (
        "caf_remboursement",
        "docs",
        "outils",
        "simulateur_payzen",
        "socle",
    ),
}


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Écrit une ligne par sujet dont un essai est passé."""
    passes = Counter(essai.nodeid.split("/")[1] for essai in terminalreporter.getreports("passed"))
    for ligne in tell(passes):
        terminalreporter.write_line(ligne)


def tell(passes: Counter[str]) -> list[str]:
    """Une ligne par sujet, d'après le nombre d'essais passés de chaque dossier."""
    comptes = {sujet: sum(passes[dossier] for dossier in dossiers) for sujet, dossiers in SUJETS.items()}
    return [f"{MARQUE} {nombre:5} : {sujet}" for sujet, nombre in comptes.items() if nombre]
