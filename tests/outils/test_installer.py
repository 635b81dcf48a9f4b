"""`make test` installe tout ce que les essais emploient : sur une machine nue, aucun ne se saute faute d'une pièce."""

import re
import subprocess

import pytest

from outils import installer
from outils.installer import PROGRAMMES, sans_service
from outils.systeme import RACINE

PAQUET = re.compile(r'skipif\(.*reason=".*apt-get install ([a-z0-9-]+)"')


def test_une_piece_sans_laquelle_un_essai_se_saute_est_installee():
    attendus = {p for essai in (RACINE / "tests").rglob("test_*.py") for p in PAQUET.findall(essai.read_text())}

    assert attendus, "plus aucun essai ne se saute : ce mur n'a plus rien à tenir"
    assert attendus <= set(PROGRAMMES.values())


def test_ce_qui_s_installe_ne_demarre_aucun_service(tmp_path, monkeypatch):
    """invoke-rc.d et deb-systemd-invoke demandent à policy-rc.d : 101 défend de démarrer."""
    politique = tmp_path / "policy-rc.d"
    monkeypatch.setattr(installer, "POLITIQUE", politique)

    with sans_service([]):
        code = subprocess.run([politique, "nginx", "start"], check=False).returncode

    assert (code, politique.exists()) == (101, False)


def test_la_politique_de_la_machine_reste_la_sienne(tmp_path, monkeypatch):
    politique = tmp_path / "policy-rc.d"
    politique.write_text("la sienne")
    monkeypatch.setattr(installer, "POLITIQUE", politique)

    with pytest.raises(KeyboardInterrupt), sans_service([]):
        raise KeyboardInterrupt

    assert politique.read_text() == "la sienne"
