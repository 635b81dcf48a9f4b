"""Les captures : un état est rendu sous ses deux thèmes, à ses trois largeurs, imprimé, et la planche les montre."""

from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Browser

from tests.navigateur.captures import LARGEURS, Captures
from tests.navigateur.examen import Examen

pytestmark = pytest.mark.navigateur
PAGE = """<!doctype html><html lang="fr"><title>Mes dettes</title><main><h1>Mes dettes</h1><p>Rien.</p></main>
<style>body { background: #fff; color: #000 }
@media (prefers-color-scheme: dark) { body { background: #000; color: #fff } } @media print { h1 { display: none } }
</style></html>"""


def lire(image: Path) -> Image.Image:
    with Image.open(image) as ouverte:
        return ouverte.convert("RGB")


def test_chaque_etat_vu_est_photographie_et_montre(chromium: Browser, tmp_path: Path) -> None:
    captures, page = Captures(tmp_path), chromium.new_page()
    page.set_content(PAGE)

    Examen(captures).passer(page)
    page.close()
    planche = captures.composer_la_planche().read_text()

    images = {image.stem.removeprefix("001-mes-dettes-"): lire(image) for image in tmp_path.glob("*.png")}
    assert set(images) == {f"{largeur}-{theme}" for largeur in LARGEURS for theme in ("light", "dark")} | {"imprimee"}
    assert [images[f"{largeur}-light"].width for largeur in LARGEURS] == list(LARGEURS)
    assert images["320-light"].getpixel((5, 5)) == (255, 255, 255)
    assert images["320-dark"].getpixel((5, 5)) == (0, 0, 0)
    assert planche.count("<figure>") == len(images)
