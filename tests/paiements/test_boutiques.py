"""Une boutique par Caf : ses clés viennent des réglages, et un mélange arrête tout."""

import json
import os
import subprocess
import sys

import pytest

from paiements.boutiques import BoutiqueAbsente, get_boutique, read_boutiques
from paiements.payzen import Mode

ADRESSES = {"url_formulaire": "https://payzen.invalid/form/", "url_api": "https://payzen.invalid/api/"}
TEST = {"cle": "cle-essai", "mot_de_passe": "testpassword_essai"}
PRODUCTION = {"cle": "cle-vraie", "mot_de_passe": "prodpassword_vrai"}


def test_chaque_mode_a_ses_cles():
    cles = {"12345678": {"TEST": TEST, "PRODUCTION": PRODUCTION}}

    essai = read_boutiques(cles, mode=Mode.TEST, **ADRESSES)["12345678"]
    vraie = read_boutiques(cles, mode=Mode.PRODUCTION, **ADRESSES)["12345678"]

    assert (essai.cle, vraie.cle) == ("cle-essai", "cle-vraie")


@pytest.mark.parametrize(
    ("cles", "mode"),
    [
        ({"12345678": {"PRODUCTION": PRODUCTION}}, Mode.TEST),
        ({"12345678": {"TEST": PRODUCTION}}, Mode.TEST),
        ({"12345678": {"PRODUCTION": TEST}}, Mode.PRODUCTION),
        ({"1234567": {"TEST": TEST}}, Mode.TEST),
        ({"12345678": {"TEST": TEST | {"cle": " espace "}}}, Mode.TEST),
        ({"12345678": {"TEST": {"cle": "seule"}}}, Mode.TEST),
        ({"12345678": {"TEST": TEST | {"cle_precedente": " espace "}}}, Mode.TEST),
        ({"12345678": {"TEST": TEST | {"cle_suivante": "inconnue"}}}, Mode.TEST),
    ],
)
def test_un_melange_ou_un_oubli_est_refuse(cles, mode):
    with pytest.raises(ValueError, match=r".+"):
        read_boutiques(cles, mode=mode, **ADRESSES)


def test_une_boutique_sans_cles_le_dit(settings):
    settings.PAYZEN_BOUTIQUES = {}

    with pytest.raises(BoutiqueAbsente, match="66100001"):
        get_boutique("66100001")


def demarrer(**variables):
    return subprocess.run(
        [sys.executable, "manage.py", "check"],
        env=os.environ | variables,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_le_service_refuse_de_demarrer_sur_un_melange():
    melange = json.dumps({"12345678": {"TEST": PRODUCTION}})

    issue = demarrer(PAYZEN_BOUTIQUES=melange)

    assert issue.returncode != 0
    assert "PAYZEN_BOUTIQUES" in issue.stderr
    assert "prodpassword_vrai" not in issue.stderr.split("ImproperlyConfigured")[-1]


def test_les_cles_se_lisent_aussi_dans_un_fichier_de_secrets(tmp_path):
    secrets = tmp_path / "boutiques.json"
    secrets.write_text(json.dumps({"12345678": {"TEST": TEST}}))

    bon = demarrer(PAYZEN_BOUTIQUES_FICHIER=str(secrets))
    absent = demarrer(PAYZEN_BOUTIQUES_FICHIER=str(tmp_path / "ailleurs.json"))

    assert bon.returncode == 0, bon.stderr
    assert (absent.returncode != 0, "ailleurs.json" in absent.stderr) == (True, True)
