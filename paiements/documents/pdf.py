"""HTML vers PDF/UA. WeasyPrint s'importe au premier rendu : le web démarre sans lui, et sans Pango."""

import re
from functools import cache
from pathlib import Path
from typing import Any

from django.conf import settings

FEUILLE = Path("static/css/ticket_pdf.css")
# Nos polices ont le premier plan d'Unicode ; au-delà, un signe de remplacement, lisible, plutôt qu'une case vide.
SANS_POLICE = re.compile("[\U00010000-\U0010ffff]")


def render_pdf(html: str) -> bytes:
    """Rend une page en PDF balisé (PDF/UA-1). Ne lit que les fichiers du projet : aucune adresse n'est suivie."""
    weasyprint, polices, feuille = _load()
    document = weasyprint.HTML(string=SANS_POLICE.sub("\ufffd", html), base_url=None, url_fetcher=_refuse)
    return bytes(document.write_pdf(stylesheets=[feuille], font_config=polices, pdf_variant="pdf/ua-1"))


def warm_up() -> None:
    """Rend une page de rien : bibliothèque, polices et feuille sont chargées quand vient le premier ticket."""
    render_pdf('<html lang="fr"><title>Ticket</title><p><strong>0</strong> €</p></html>')


@cache
def _load() -> tuple[Any, Any, Any]:
    """La bibliothèque, la police et la feuille, lues une fois par processus : le rendu en est deux fois plus court."""
    import weasyprint
    from weasyprint.text.fonts import FontConfiguration

    polices = FontConfiguration()
    feuille = weasyprint.CSS(filename=settings.BASE_DIR / FEUILLE, font_config=polices)
    return weasyprint, polices, feuille


def _refuse(url: str) -> Any:
    raise ValueError(f"un ticket ne charge rien : {url}")
