"""Un composant ne se pose qu'avec ce que son en-tête annonce : ses paramètres, et les variantes qu'il dessine."""

import re
from pathlib import Path
from typing import NamedTuple

import pytest

from outils.systeme import RACINE

GABARITS = RACINE / "templates"
ENTETE = re.compile(r"{% comment %}(.*?){% endcomment %}", re.DOTALL)
# « nom, valeur   facultatifs : ce que le bouton envoie »
LIGNE = re.compile(r"^  (\w+(?:, \w+)*) +(obligatoire|facultatif)s?\b[^:\n]*(?::([^\n;]*))?", re.MULTILINE)
POSE = re.compile(r'{% include "composants/(\w+)\.html"(?: with (.*?))?( only)? %}')
DONNEE = re.compile(r'(\w+)=("[^"]*"|\S+)')


class Composant(NamedTuple):
    """Ce qu'un en-tête annonce : les noms obligatoires, tous les noms, et les variantes de ceux qui en ont."""

    obligatoires: set[str]
    noms: set[str]
    variantes: dict[str, set[str]]


def lire_variantes(texte: str) -> set[str]:
    """« « leger » (second choix) ou « texte » » : deux variantes ; une phrase : aucune."""
    mots = [mot.strip(" «»\u00a0") for mot in re.split(r",| ou ", re.sub(r"\(.*?\)", "", texte))]
    return set(mots) if all(re.fullmatch(r"[a-z_]+", mot) for mot in mots) else set()


def lire_composant(texte: str) -> Composant:
    entete = ENTETE.search(texte)
    composant = Composant(set(), set(), {})
    for noms, rang, suite in LIGNE.findall(entete[1] if entete else ""):
        for nom in noms.split(", "):
            composant.noms.add(nom)
            if rang == "obligatoire":
                composant.obligatoires.add(nom)
            if variantes := lire_variantes(suite):
                composant.variantes[nom] = variantes
    return composant


COMPOSANTS = {fichier.stem: lire_composant(fichier.read_text()) for fichier in GABARITS.glob("composants/*.html")}


def trouver_les_fautes(gabarit: str) -> list[str]:
    """Ce qu'un gabarit donne à un composant sans que celui-ci l'annonce, ou ne lui donne pas."""
    fautes = []
    for nom, donnees, seul in POSE.findall(gabarit):
        composant, poses = COMPOSANTS[nom], dict(DONNEE.findall(donnees))
        fautes += [f"{nom} ignore {cle}" for cle in poses if cle not in composant.noms]
        fautes += [f"{nom} attend {cle}" for cle in composant.obligatoires if seul and cle not in poses]
        fautes += [
            f"{nom} ne sait pas {cle}={valeur}"
            for cle, valeur in poses.items()
            if valeur.startswith('"') and valeur.strip('"') not in composant.variantes.get(cle, {valeur.strip('"')})
        ]
    return fautes


@pytest.mark.parametrize("gabarit", sorted(GABARITS.rglob("*.html")), ids=lambda g: str(Path(g).relative_to(GABARITS)))
def test_un_gabarit_pose_ses_composants_comme_ils_l_annoncent(gabarit: Path) -> None:
    assert trouver_les_fautes(gabarit.read_text()) == []


def test_une_variante_inconnue_un_parametre_de_trop_ou_manquant_se_voient() -> None:
    pose = '{{% include "composants/{}" only %}}'.format

    assert trouver_les_fautes(pose('bouton.html" with texte="Payer" genre="rouge"')) == [
        'bouton ne sait pas genre="rouge"'
    ]
    assert trouver_les_fautes(pose('bouton.html" with texte="Payer" couleur="rouge"')) == ["bouton ignore couleur"]
    assert trouver_les_fautes(pose('bouton.html" with genre="leger"')) == ["bouton attend texte"]
    assert trouver_les_fautes(pose('bouton.html" with texte="Payer" genre="leger"')) == []
