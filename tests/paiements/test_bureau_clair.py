"""Au bureau, tout se lit : aucune fiche, aucune liste ne montre ce que la machine garde comme elle le garde."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser

import pytest
from django.contrib import admin
from django.db.models import Model
from django.urls import reverse
from django.utils import timezone

from comptes.models import Agent, Evenement, Utilisateur
from paiements.models import DemandeCloture, DemandeMiseDeCote, Ticket
from tests.connexion import entrer_en_agent
from tests.factories import MOT_DE_PASSE
from tests.paiements.bureau import fiche
from tests.paiements.bureau_rempli import remplir

pytestmark = pytest.mark.django_db
ROLES = (*Agent.Role.values, "OPERATEUR")
# Ce qui ne se lit pas, et pourquoi.
FAUTES = {
    "un mot de Python": r"\b(?:None|True|False|Decimal|nan)\b",
    "du JSON": r"[{}]|\[\]|\[['\"]|\": ",
    "une clé de modèle": r"\b(?:admin|paiements|dettes|comptes|demarches)\.[a-z_]+\b",
    "une clé de champ": r"\b[a-z]+__[a-z]+|\b[A-Z]{3,}_[A-Z_]+\b",
    "un jour qui n'est pas à la française": r"\b\d{4}-\d{2}-\d{2}",
    "un montant sans euro": r"(?<![\d.,])\d[\d\xa0]*,\d{2}\b(?![\xa0 ]€|\xa0?%| USD)",
    "un montant écrit à l'anglaise": r"\b\d+\.\d{2}(?:\xa0| )?€",
    "de l'anglais": r"\b(?:Yes|No|Unknown|Empty|Any date|Today|Change|View|History|Delete|Save|By|All)\b",
    "un mot de l'informatique": r"^(?:Non )?[Vv]ide$",
}
MUETS = {"script", "style", "head"}
SANS_FIN = {"img", "input", "br", "meta", "link", "hr", "rect"}


class Lecteur(HTMLParser):
    """Ce qu'une page dit, à l'œil et à qui l'écoute, morceau par morceau ; et ce que disent ses champs."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.dits: list[str] = []
        self.champs: list[list[str]] = []
        self._ouverts: list[tuple[str, str]] = []
        self.feed(page)

    def handle_starttag(self, nom: str, attributs: list[tuple[str, str | None]]) -> None:
        valeurs = dict(attributs)
        self.dits += [
            dit for attribut in ("alt", "title", "aria-label", "placeholder") if (dit := valeurs.get(attribut))
        ]
        if nom not in SANS_FIN:
            self._ouverts.append((nom, valeurs.get("class") or ""))
            if "readonly" in (valeurs.get("class") or "").split():
                self.champs.append([self.dits[-1], ""])

    def handle_endtag(self, nom: str) -> None:
        while self._ouverts and self._ouverts.pop()[0] != nom:
            pass

    def handle_data(self, donnees: str) -> None:
        texte = donnees.strip()
        if not texte or any(nom in MUETS or classe == "original" for nom, classe in self._ouverts):
            return
        self.dits.append(texte)
        if any("readonly" in classe.split() for _, classe in self._ouverts):
            self.champs[-1][1] += texte


def relever(page: str) -> Iterator[str]:
    """Les fautes d'une page, en phrases."""
    lecteur = Lecteur(page)
    for faute, motif in FAUTES.items():
        yield from (f"{faute} : {dit[:120]!r}" for dit in lecteur.dits if re.search(motif, dit))
    yield from (f"un champ vide : {nom}" for nom, valeur in lecteur.champs if valeur in ("", "-"))


@pytest.fixture
def bureau(tmp_path, plateforme, rembourser, entrer, client):
    """`bureau("GESTION")` : un bureau rempli, et ce rôle qui y entre."""
    remplir(tmp_path, plateforme, rembourser)

    def entrer_en(role: str) -> None:
        if role == "OPERATEUR":
            entrer_en_agent(client, Utilisateur.objects.create_superuser("operateur", MOT_DE_PASSE))
        else:
            entrer(role)

    return entrer_en


def get_liste(sorte: admin.ModelAdmin) -> str:
    return reverse(f"admin:{sorte.opts.app_label}_{sorte.opts.model_name}_changelist")


def choisir(sorte: admin.ModelAdmin) -> list[Model]:
    """Une fiche de chaque état d'une sorte ; sans état, les trois dernières."""
    etat = next((nom for nom in ("statut", "genre", "etat", "accord") if hasattr(sorte.model, nom)), None)
    if etat is None:
        return list(sorte.model.objects.order_by("-pk")[:3])
    return list(sorte.model.objects.order_by(etat, "-pk").distinct(etat))


def lister_les_autres_pages() -> list[str]:
    """Ce qui n'est ni une liste ni une fiche."""
    paiement = Ticket.objects.get(etat="IMPOSSIBLE").paiement
    personne = [paiement.demarche.allocataire.pk]
    return [
        *(reverse(nom) for nom in ("admin:index", "bureau:trace", "admin:verifier_un_papier", "feuille:choisir")),
        reverse("bureau:consultations", args=personne),
        reverse("admin:comptes_allocataire_history", args=personne),
        reverse("bureau:imprimer", args=[paiement.pk]),
    ]


@pytest.mark.parametrize("role", ROLES)
def test_chaque_liste_et_chaque_fiche_se_lit(bureau, client, role):
    bureau(role)
    fautes, lues = set(), set()
    # Le journal à la fin : il dit alors tout ce qui vient d'être lu.
    sortes = sorted(admin.site._registry.values(), key=lambda sorte: sorte.model is Evenement)

    for sorte in sortes:
        liste = client.get(get_liste(sorte))
        if liste.status_code != 200:
            continue
        lues.add(sorte)
        pages = [liste, *(client.get(fiche(objet)) for objet in choisir(sorte))]
        for page in (page for page in pages if page.status_code == 200):
            fautes |= {f"{sorte.opts.label} : {faute}" for faute in relever(page.content.decode())}

    for adresse in lister_les_autres_pages():
        page = client.get(adresse)
        fautes |= {f"{adresse} : {faute}" for faute in relever(page.content.decode()) if page.status_code == 200}

    assert not fautes, "\n".join(sorted(fautes))
    assert len(lues) >= 10


def test_une_ligne_du_journal_se_nomme_a_l_heure_de_paris(client, entrer):
    entrer("RESPONSABLE")
    evenement = Evenement.objects.latest("pk")

    assert f"{timezone.localtime(evenement.le):%d/%m/%Y %H:%M}" in str(evenement)


def test_une_demande_a_decider_dit_ce_que_fera_l_accord(bureau, client):
    bureau("COMPTABLE")

    for demande, phrase in (
        (DemandeCloture.objects.get(accord=None), "ses montants sont libres"),
        (DemandeMiseDeCote.objects.get(accord=None), "ni rendu ni imputé"),
    ):
        assert phrase in client.get(fiche(demande)).content.decode()


def test_un_historique_vide_le_dit_dans_les_mots_du_bureau(client, entrer):
    entrer()
    page = client.get(reverse("admin:comptes_caf_history", args=["661"])).content.decode()

    assert "Aucun agent n’a rien fait ici." in page
