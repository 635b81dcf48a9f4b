"""L'examen des pages : chaque état d'une page, dans les deux thèmes, même sous un titre déjà vu."""

import pytest
from playwright.sync_api import Browser

from tests.navigateur.examen import Examen
from tests.navigateur.validite import valider

pytestmark = pytest.mark.navigateur
PAGE = "<!doctype html><html lang='fr'><title>Montants</title><main><h1>Montants</h1>{}</main></html>"
SAINE = PAGE.format("<p>Rien à dire.</p>")
EN_ERREUR = PAGE.format("<p>Rien à dire.</p><input class='champ--erreur'>")
ILLISIBLE_DANS_LE_NOIR = PAGE.format(
    "<style>@media (prefers-color-scheme: dark) { body { background: #111; color: #222 } }</style><p>Du texte.</p>"
)


def examiner(chromium: Browser, *pages: str) -> list[str]:
    examen, page = Examen(), chromium.new_page()
    for contenu in pages:
        page.set_content(contenu)
        examen.passer(page)
    page.close()
    return examen.fautes


def test_une_page_saine_n_a_pas_de_faute(chromium: Browser) -> None:
    assert examiner(chromium, SAINE) == []


def test_un_etat_d_erreur_s_examine_meme_si_le_titre_a_ete_vu(chromium: Browser) -> None:
    assert any("label" in faute for faute in examiner(chromium, SAINE, EN_ERREUR))


def test_ce_qui_ne_se_lit_pas_dans_le_noir_est_une_faute(chromium: Browser) -> None:
    fautes = examiner(chromium, ILLISIBLE_DANS_LE_NOIR)

    assert fautes
    assert all("dans le noir" in faute and "color-contrast" in faute for faute in fautes)


def test_vnu_dit_ce_qui_n_est_pas_valide() -> None:
    double = PAGE.format('<p id="a"></p><p id="a"></p>')

    fautes = valider({"saine": SAINE, "double": double})

    assert fautes
    assert all(faute.startswith("double : ") and "“a”" in faute for faute in fautes)
