"""`make captures` : chaque état de chaque page que les essais traversent, en images, et une planche qui les montre."""

import re
from pathlib import Path

import pypdfium2
from playwright.sync_api import Download, Page

LARGEURS = (320, 768, 1440)
THEMES = ("light", "dark")
HAUTEUR = 800
NETTETE = 1.5  # d'une page de PDF : 108 points par pouce
# Photographiée d'un coup, la page entière cacherait sous ses barres du bas ce que l'on lit en défilant.
EN_PLACE = """() => {
  const feuille = new CSSStyleSheet();
  feuille.replaceSync(".bilan, .fin-de-session { position: static !important }");
  document.adoptedStyleSheets = [feuille];
}"""
PLANCHE = """<!doctype html><html lang="fr"><meta charset="utf-8"><title>Captures</title>
<style>body {{ font: 14px sans-serif }} section {{ display: flex; flex-wrap: wrap; gap: 1rem; align-items: start }}
img {{ max-width: 20rem; max-height: 40rem; border: 1px solid #888 }} figure {{ margin: 0 }}</style>
<h1>{nombre} images</h1>
{sections}
</html>
"""


class Captures:
    """Un dossier d'images : « 012-mes-dettes-320-dark.png » est le douzième état vu, à 320 px, thème sombre."""

    def __init__(self, dossier: Path) -> None:
        self.dossier = dossier
        dossier.mkdir(parents=True, exist_ok=True)
        self.etats: list[str] = []

    def prendre(self, page: Page) -> None:
        """L'état ouvert : trois largeurs, deux thèmes, puis tel qu'on l'imprime ; la page reste à 320 px, en clair."""
        nom = self._nommer(page.title())
        page.evaluate(EN_PLACE)
        for largeur in reversed(LARGEURS):
            page.set_viewport_size({"width": largeur, "height": HAUTEUR})
            for theme in reversed(THEMES):
                page.emulate_media(color_scheme=theme, reduced_motion="reduce")
                self._photographier(page, f"{nom}-{largeur}-{theme}")
        page.emulate_media(media="print")
        self._photographier(page, f"{nom}-imprimee")
        page.evaluate("document.adoptedStyleSheets = []")
        page.emulate_media(media="screen", color_scheme="light", reduced_motion="no-preference")

    def prendre_le_papier(self, telechargement: Download) -> None:
        """Chaque page d'un PDF téléchargé."""
        if telechargement.suggested_filename.endswith(".pdf"):
            nom = self._nommer(telechargement.suggested_filename.removesuffix(".pdf"))
            for rang, feuille in enumerate(pypdfium2.PdfDocument(telechargement.path()), start=1):
                feuille.render(scale=NETTETE).to_pil().save(self.dossier / f"{nom}-page-{rang}.png")

    def composer_la_planche(self) -> Path:
        """Une page web : un titre par état, ses images dessous."""
        images = sorted(self.dossier.glob("*.png"))
        sections = [
            self._montrer(etat, [image for image in images if image.name.startswith(etat)]) for etat in self.etats
        ]
        planche = self.dossier / "planche.html"
        planche.write_text(PLANCHE.format(nombre=len(images), sections="\n".join(sections)), encoding="utf-8")
        return planche

    def _nommer(self, titre: str) -> str:
        self.etats.append(f"{len(self.etats) + 1:03}-{re.sub(r'[^a-z0-9à-ÿ]+', '-', titre.lower()).strip('-')[:60]}")
        return self.etats[-1]

    def _photographier(self, page: Page, nom: str) -> None:
        page.screenshot(path=self.dossier / f"{nom}.png", full_page=True, animations="disabled")

    @staticmethod
    def _montrer(etat: str, images: list[str]) -> str:
        figures = [
            f'<figure><a href="{image}"><img loading="lazy" alt="" src="{image}"></a>'
            f"<figcaption>{image}</figcaption></figure>"
            for image in images
        ]
        return f"<h2>{etat}</h2><section>{''.join(figures)}</section>"
