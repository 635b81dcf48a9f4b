"""Mise à jour et retour : ce que demandent encore les pages d'avant se sert pendant les relances."""

import subprocess
from pathlib import Path

import pytest

from outils.systeme import RACINE

# Ce qu'est `.venv/bin/python` d'une version : il prépare ses fichiers, et tait le reste.
PYTHON = """#!/bin/sh
[ "$2" != collectstatic ] || { mkdir -p staticfiles && echo "$(basename "$PWD")" | tee "staticfiles/$(basename "$PWD").css" > staticfiles/staticfiles.json; }
"""  # noqa: E501 (un script)


@pytest.fixture
def serveur(tmp_path: Path) -> Path:
    """Deux versions, A en service ; `relancer` note ce que le frontal sert à la première relance."""
    for version in ("A", "B"):
        programme = tmp_path / "versions" / version / ".venv/bin/python"
        programme.parent.mkdir(parents=True)
        programme.write_text(PYTHON)
        programme.chmod(0o755)
    (tmp_path / "courant").symlink_to(tmp_path / "versions/A")
    (tmp_path / "service.env").touch()
    relancer = tmp_path / "relancer"
    relancer.write_text(f"#!/bin/sh\n[ -e {tmp_path}/vus ] || ls {tmp_path}/courant/staticfiles > {tmp_path}/vus\n")
    relancer.chmod(0o755)
    return tmp_path


def passer_a(serveur: Path, version: str) -> set[str]:
    """Rend les fichiers servis quand la première unité se relance."""
    (serveur / "vus").unlink(missing_ok=True)
    script = (RACINE / "deploiement/mettre_a_jour.sh").read_text()
    script = script.replace("/srv/rembourser", str(serveur)).replace("/etc/rembourser", str(serveur))
    (serveur / "mettre_a_jour.sh").write_text(script)
    subprocess.run(
        ["/bin/sh", serveur / "mettre_a_jour.sh", serveur / "versions" / version],
        env={"PATH": "/usr/bin:/bin", "RELANCER": str(serveur / "relancer")},
        check=True,
    )
    return set((serveur / "vus").read_text().split())


def test_les_fichiers_des_pages_d_avant_se_servent_encore(serveur):
    passer_a(serveur, "A")

    vus = passer_a(serveur, "B")

    assert {"A.css", "B.css"} <= vus
    assert (serveur / "courant/staticfiles/staticfiles.json").read_text() == "B\n"


def test_de_meme_en_revenant(serveur):
    passer_a(serveur, "A")
    passer_a(serveur, "B")

    vus = passer_a(serveur, "A")

    assert {"A.css", "B.css"} <= vus
    assert (serveur / "courant/staticfiles/staticfiles.json").read_text() == "A\n"
