"""`make images` : le modèle de données et la table des passages, dessinés d'après le code dans docs/images/."""

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import django
from django.apps import apps
from django.db.models import ForeignKey, Model

from outils.systeme import RACINE

IMAGES = RACINE / "docs" / "images"
# De haut en bas, comme les flèches entre apps.
APPS = ("paiements", "demarches", "dettes", "comptes")
ENTETE = """digraph {
  rankdir=LR; bgcolor="white";
  node [shape=box fontname="sans-serif" fontsize=11];
  edge [fontname="sans-serif" fontsize=9];"""


def dessiner_modele() -> str:
    """Rend, en langage dot, une boîte par table et une flèche par clé étrangère, rangées par app."""
    lignes = [ENTETE]
    for app in APPS:
        tables = sorted(apps.get_app_config(app).get_models(), key=lambda modele: modele.__name__)
        boites = " ".join(f'"{table.__name__}"{_en_pointille(table)};' for table in tables)
        lignes.append(
            f'  subgraph "cluster_{app}" {{ label="{app}"; fontname="sans-serif"; color="#000091"; {boites} }}'
        )
    lignes += sorted(_dessiner_cles(apps.get_models()))
    return "\n".join([*lignes, "}\n"])


def _en_pointille(table: type[Model]) -> str:
    """Une vue de la base se calcule : rien n'y est gardé."""
    return "" if table._meta.managed else ' [style=dashed label="' + table.__name__ + '\\n(vue)"]'


def _dessiner_cles(tables: Iterable[type[Model]]) -> Iterator[str]:
    for table in tables:
        if table._meta.app_label in APPS:
            for champ in table._meta.get_fields():
                if isinstance(champ, ForeignKey) and champ.remote_field.model._meta.app_label in APPS:
                    yield f'  "{table.__name__}" -> "{champ.remote_field.model.__name__}" [label="{champ.name}"];'


def dessiner_passages() -> str:
    """Rend, en langage dot, la table des passages d'un paiement, et sous chaque statut ce que lit l'allocataire."""
    from paiements.statuts import ETAT_DE_LA_DEMARCHE, TRANSITIONS, Statut

    lignes = [ENTETE]
    lignes += [f'  "{statut}" [label="{statut}\\n« {ETAT_DE_LA_DEMARCHE[statut].label} »"];' for statut in Statut]
    for geste, passage in TRANSITIONS.items():
        lignes += [
            f'  "{statut}" -> "{passage.vers}" [label="{geste.label}"];'
            for statut in Statut
            if statut in passage.depuis
        ]
    return "\n".join([*lignes, "}\n"])


DESSINS = {"modele": dessiner_modele, "passages": dessiner_passages}


def get_empreinte(dessin: str) -> str:
    """Rend ce que porte l'image, et qui dit de quel dessin elle vient."""
    return f"<!-- dessin {hashlib.sha256(dessin.encode()).hexdigest()} -->"


def is_a_jour(nom: str) -> bool:
    """Dit si l'image gardée vient du code d'aujourd'hui ; graphviz n'y sert pas."""
    image = IMAGES / f"{nom}.svg"
    return image.exists() and get_empreinte(DESSINS[nom]()) in image.read_text()


def main() -> None:
    """Redessine tout ; code 2 et la commande à donner si graphviz manque."""
    dot = shutil.which("dot")
    if dot is None:
        sys.stderr.write("graphviz manque : apt-get install graphviz, puis make images.\n")
        sys.exit(2)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "caf_remboursement.settings")
    django.setup()
    for nom, dessiner in DESSINS.items():
        dessin = dessiner()
        svg = subprocess.run([dot, "-Tsvg"], input=dessin, capture_output=True, check=True, text=True).stdout
        chemin = Path(IMAGES, f"{nom}.svg")
        chemin.write_text(svg.rstrip() + "\n" + get_empreinte(dessin) + "\n")
        print(f"{chemin.relative_to(RACINE)}")


if __name__ == "__main__":
    main()
