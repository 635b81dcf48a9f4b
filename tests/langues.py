"""Ce qu'un lecteur anglais verrait de français dans une page : rien, sinon ce qui est marqué comme tel."""

import re
from functools import cache
from html.parser import HTMLParser

import polib
from django.conf import settings
from django.test import Client

from outils.traductions import get_catalogue

# Ce qui se lit sans être du texte de la page.
ATTRIBUTS = {"aria-label", "alt", "title", "placeholder", "content", "data-nom", "data-afficher", "data-afficher-quoi"}
MUETS = {"script", "style", "svg", "template"}
VIDES = {"meta", "link", "input", "img", "br", "hr", "wbr", "path"}
# Les petits mots du français qui ne sont pas de l'anglais ; sans eux, il ne se fait pas de phrase.
MOTS = re.compile(
    r"\b(?:le|la|les|l’|d’|n’|qu’|des|du|une|votre|vos|vous|est|sont|pas|avec|dans|sur|nous|aux?|et|ou|qui|que|ce|"
    r"cette|mon|mes|été|être|par|pour|il|elle|reste|euros?|janvier|février|mars|avril|juin|juillet|août|septembre|"
    r"octobre|novembre|décembre)\b|[àéèêçù]",
    re.IGNORECASE,
)
# Une référence tirée : l'un de ses blocs peut se lire « AVEC » ou « MARS ».
REFERENCE = re.compile(r"\b[DP](?:-[2-9A-Z]{4}){3}\b")
# Des noms propres : ils s'écrivent de même dans toutes les langues.
NOMS_PROPRES = (
    "Caisse nationale des allocations familiales",
    "avenue de la Sibelle",
    "place de Fontenoy",
    "Défenseur des droits, Libre réponse",
    "La Poste",
    "Caf des Pyrénées-Orientales",
    "Caf du Nord",
    "Caf de Paris",
    "Inès",
)


class Lecteur(HTMLParser):
    """Relève le texte d'une page et ses attributs lus, sauf ce qui dit être en français."""

    def __init__(self) -> None:
        super().__init__()
        self.lus: list[str] = []
        self.ouvertes: list[tuple[str, bool]] = []

    def handle_starttag(self, balise: str, attributs: list[tuple[str, str | None]]) -> None:
        dits = dict(attributs)
        tu = balise in MUETS or (dits.get("lang") == settings.LANGUAGE_CODE and balise != "html")
        if balise not in VIDES:
            self.ouvertes.append((balise, tu))
        if not tu and not self.is_tu and dits.get("name") not in ("viewport", "referrer"):
            phrases = (nom for nom in dits if nom in ATTRIBUTS or nom.startswith("data-phrase-"))
            self.lus += [dits[nom] or "" for nom in phrases]

    def handle_endtag(self, balise: str) -> None:
        while self.ouvertes and self.ouvertes.pop()[0] != balise:
            pass

    def handle_data(self, texte: str) -> None:
        if texte.strip() and not self.is_tu:
            self.lus.append(" ".join(texte.split()))

    @property
    def is_tu(self) -> bool:
        return any(tu for _, tu in self.ouvertes)


def lire_en_anglais(client: Client) -> None:
    """Comme après avoir pressé « English »."""
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = "en"


def relever_le_francais(html: str) -> list[str]:
    """Ce qui, dans cette page, est une phrase source ou porte un mot français."""
    lecteur = Lecteur()
    lecteur.feed(html)
    return [lu for lu in lecteur.lus if is_francais(lu)]


def is_francais(texte: str) -> bool:
    texte = REFERENCE.sub("", texte)
    for nom in NOMS_PROPRES:
        texte = texte.replace(nom, "")
    return texte in lire_les_sources() or bool(MOTS.search(texte))


@cache
def lire_les_sources() -> frozenset[str]:
    """Les phrases françaises du catalogue que l'anglais dit autrement."""
    entrees = polib.pofile(str(get_catalogue("en")))
    return frozenset(entree.msgid for entree in entrees if entree.msgid != entree.msgstr and len(entree.msgid) > 2)
