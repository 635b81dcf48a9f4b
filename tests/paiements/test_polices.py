"""Un papier dessine le nom de chacun, sur un serveur qui n'a pas une seule police."""

import os
import re
import subprocess
import sys
import unicodedata
from pathlib import Path

import pytest
from fontTools.ttLib import TTFont
from pypdf import PdfReader

POLICES = Path("static/polices/pdf")
FEUILLE = Path("static/css/ticket_pdf.css")
EUROPE = (
    "Nguyễn Şahin Đuk Łukasz Żółć Ștefan Þórður Æsir Őszi Űr Ŋuoǧǧi Ǯ Παπαδοπούλου Щербаков Ђорђе Խաչատրյան გიორგი"
)
AILLEURS = "محمد כהן 山田太郎 김철수 அருண் አበበ สมชาย"
FRANCE = "Madame Éléonore L’Haÿ-Noël, œuvre, 1\u00a0234,56\u00a0€"
HORS_DU_PLAN = "Monsieur 𠮷😀"
RENDRE = """
import sys, django
from pathlib import Path
django.setup()
from paiements.documents.pdf import render_pdf
for rang, texte in enumerate(sys.argv[2:]):
    html = f"<html lang='fr'><head><title>Noms</title></head><body><p>{texte}"
    Path(sys.argv[1], f"{rang}.pdf").write_bytes(render_pdf(html))
"""


@pytest.fixture(scope="module")
def rendus(tmp_path_factory):
    """Chaque texte en PDF, rendu là où aucune police du système ne se voit, et ce qui s'est plaint."""
    dossier = tmp_path_factory.mktemp("polices")
    reglage = dossier / "fonts.conf"
    reglage.write_text(f"<fontconfig><cachedir>{dossier}</cachedir></fontconfig>")
    textes = [EUROPE, AILLEURS, FRANCE, HORS_DU_PLAN]
    fait = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", RENDRE, str(dossier), *textes],
        env=os.environ | {"FONTCONFIG_FILE": str(reglage)},
        check=True,
        capture_output=True,
        text=True,
    )
    return {texte: PdfReader(dossier / f"{rang}.pdf") for rang, texte in enumerate(textes)}, fait.stderr


def lister_les_fichiers():
    return [fichier for fichier in POLICES.iterdir() if fichier.suffix != ".txt"]


def lister_les_polices(pdf):
    """Les polices du PDF, sans leur préfixe tiré au hasard."""
    polices = pdf.pages[0]["/Resources"]["/Font"].values()
    return {police.get_object()["/BaseFont"].split("+")[-1] for police in polices}


def test_aucun_nom_ne_laisse_de_case_vide(rendus):
    _, plaintes = rendus

    assert ".notdef" not in plaintes


def test_un_nom_francais_ne_demande_que_notre_police(rendus):
    pdf, _ = rendus

    assert lister_les_polices(pdf[FRANCE]) == {"Public-Sans"}


def test_ce_qu_aucune_police_n_a_se_remplace_par_un_signe_qui_le_dit(rendus):
    pdf, _ = rendus

    assert "Monsieur \ufffd\ufffd" in pdf[HORS_DU_PLAN].pages[0].extract_text()


def test_les_polices_ont_ensemble_toute_lettre_du_premier_plan():
    dessinees = {code for police in lister_les_fichiers() for code in TTFont(police).getBestCmap()}
    lettres = {code for code in range(0x10000) if unicodedata.category(chr(code))[0] in "LN"}

    assert lettres <= dessinees


def test_la_feuille_nomme_chaque_police_et_chacune_est_la():
    nommees = {Path(chemin).name for chemin in re.findall(r'url\("\.\./polices/pdf/(.+?)"\)', FEUILLE.read_text())}

    assert nommees == {police.name for police in lister_les_fichiers()}
