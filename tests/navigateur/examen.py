"""Ce qu'aucune page ne doit faire : gêner, déborder, sortir de la machine, se plaindre à la console."""

import re
from urllib.parse import urldefrag, urlsplit

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, ConsoleMessage, Page, Request, Response

from tests.navigateur.captures import Captures

# L'admin de Django n'est pas de nous : il y suffit que WCAG AA soit tenu, quand nos pages tiennent aussi l'usage. Ses
# tableaux de journal, trop larges pour un téléphone, défilent ; Chromium leur donne le clavier de lui-même.
REGLES_DU_BUREAU = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"],
    "rules": {"scrollable-region-focusable": {"enabled": False}},
}
# Le thème ne change que les couleurs.
CONTRASTE = {"runOnly": ["color-contrast"]}
# Le reste de ce qu'axe a vu, nœud par nœud, coûte plus à transporter qu'à chercher.
FAUTES = "(options) => axe.run({...options, resultTypes: ['violations']}).then((vu) => vu.violations)"
AXE = Axe().axe_script
LARGEURS = (1440, 320)
TELEPHONE = 360
# L'état d'une page : ce dont elle est faite. Une erreur, un bandeau, un repli ouvert, un bouton caché le changent.
ETAT = """() => [...new Set([...document.querySelectorAll("body, body *")].map(
  (noeud) => `${noeud.localName}.${noeud.getAttribute("class") ?? ""}.${noeud.hasAttribute("open")}.${noeud.hidden}`,
))].sort().join()"""
# Sans JavaScript, Chromium exécute encore ce qu'on lui souffle, mais n'appelle plus ce qu'une page remet à plus tard.
SANS_ATTENTE = "window.setTimeout = (suite) => void Promise.resolve().then(suite)"
HAUTEUR = 800
# Chromium note ainsi toute réponse 4xx ou 5xx : ce sont nos refus, que chaque essai constate lui-même.
REFUS = "Failed to load resource: the server responded with a status of"


class Examen:
    """
    Relève les fautes au passage ; chaque état de chaque page n'est examiné qu'une fois par session.

    Deux fiches du bureau faites des mêmes éléments n'ont qu'un état : axe n'y verrait rien de neuf, et la deuxième est
    seulement mesurée.
    """

    def __init__(self, captures: Captures | None = None) -> None:
        self.captures = captures
        self.vus: set[tuple[str, str]] = set()
        self.photographies: set[tuple[str, str]] = set()
        self.fautes: list[str] = []
        self.est_sourd = False
        self.reponses: dict[Page, Response] = {}
        self.sources: dict[str, str] = {}

    def surveiller(self, contexte: BrowserContext) -> None:
        """Écoute tout ce que fait un navigateur."""
        contexte.on("request", self._noter_la_requete)
        contexte.on("response", self._noter_la_reponse)
        contexte.on("console", self._noter_la_console)
        if self.captures:
            contexte.on("page", lambda page: page.on("download", self.captures.prendre_le_papier))
        contexte.on("weberror", lambda erreur: self.fautes.append(f"script : {erreur.error}"))

    def passer(self, page: Page, *, javascript: bool = True) -> None:
        """
        Examine la page ouverte avec axe, à 1440 puis 320 px, et dans le noir ; elle reste à 320 px, en clair.

        :param javascript: faux dans un navigateur qui n'en a pas
        """
        page.wait_for_load_state()
        elements = page.evaluate(ETAT)
        self._photographier(page, elements)
        chemin = urlsplit(page.url).path
        # Une référence, une heure, un montant ne font pas un autre état ; ni, au bureau, l'espèce d'une anomalie.
        etat = (re.sub(r"[0-9]+", "", chemin if chemin.startswith("/agents/") else page.title()), elements)
        if etat in self.vus:
            self.mesurer(page)
            return
        if not javascript:
            page.evaluate(SANS_ATTENTE)
        self.vus.add(etat)
        self.est_sourd = True  # axe parle lui-même à la console
        page.set_viewport_size({"width": TELEPHONE, "height": HAUTEUR})
        self.mesurer(page)
        for largeur in LARGEURS:
            page.set_viewport_size({"width": largeur, "height": HAUTEUR})
            self._relever(page, f"{largeur} px", REGLES_DU_BUREAU if "/agents/" in page.url else {})
            self.mesurer(page)
        page.emulate_media(color_scheme="dark", reduced_motion="reduce")
        page.evaluate(
            "document.getAnimations().forEach((animation) => animation.finish())"
        )  # l'admin fond ses couleurs
        self._relever(page, "dans le noir", CONTRASTE)
        page.emulate_media(color_scheme="light", reduced_motion="no-preference")
        self.est_sourd = False

    def _photographier(self, page: Page, elements: str) -> None:
        etat = (re.sub(r"[0-9]+", "", page.title()), elements)
        if self.captures and etat not in self.photographies:
            self.photographies.add(etat)
            self.captures.prendre(page)

    def _relever(self, page: Page, comment: str, options: dict[str, object]) -> None:
        if not page.evaluate("'axe' in window"):
            page.evaluate(AXE)
        for regle in page.evaluate(FAUTES, options):
            cibles = [noeud["target"] for noeud in regle["nodes"]]
            self.fautes.append(f"{page.title()}, {comment} : {regle['id']} ({regle['help']}) {cibles}")

    def mesurer(self, page: Page) -> None:
        """Rien ne dépasse de la largeur de l'écran, une fois la feuille de style arrivée."""
        page.wait_for_load_state()
        self._recueillir(page)
        largeur = page.evaluate("document.documentElement.clientWidth")
        contenu = page.evaluate("document.documentElement.scrollWidth")
        if contenu > largeur:
            self.fautes.append(f"{page.title()} : {contenu} px de contenu dans {largeur} px")

    def _recueillir(self, page: Page) -> None:
        """Garde ce que le serveur a envoyé de cette page : vnu le lit à la fin, d'un seul coup (`validite.py`)."""
        reponse = self.reponses.get(page)
        if reponse is None or reponse.url != urldefrag(page.url).url or "/agents/" in page.url:
            return
        source = reponse.text()
        # Même page aux chiffres près : une seule lecture suffit.
        forme = str(hash(re.sub(r'[0-9]+|value="[^"]*"', "", source)))
        self.sources.setdefault(f"{page.title()} ({urlsplit(page.url).path}, {forme})", source)

    def _noter_la_reponse(self, reponse: Response) -> None:
        if reponse.request.is_navigation_request() and reponse.frame.parent_frame is None:
            self.reponses[reponse.frame.page] = reponse

    def _noter_la_requete(self, requete: Request) -> None:
        adresse = urlsplit(requete.url)
        # « localhost » : la même boucle, sous le seul nom d'où un navigateur accepte une clé de sécurité sans https.
        if adresse.scheme not in ("data", "blob") and adresse.hostname not in ("127.0.0.1", "localhost"):
            self.fautes.append(f"requête vers l'extérieur : {requete.url}")

    def _noter_la_console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and not self.est_sourd and not message.text.startswith(REFUS):
            self.fautes.append(f"console : {message.text}")
