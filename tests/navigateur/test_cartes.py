"""Chaque carte d'essai du protocole (§7) mène l'allocataire à la bonne fin ; par HTTP, sans navigateur."""

import html
import re
from collections.abc import Iterator

import pytest
import requests

from tests.navigateur.demonstration import Demonstration
from tests.simulateur_payzen.plateforme import Payeur

ENREGISTREE = "Votre demande de paiement a été enregistrée avec succès."
REFUSEE = "Votre demande de paiement n’a pas pu être prise en compte."
# La liste de 2016 : mêmes fins de numéro pour trois réseaux.
ANCIENNES = ("49701000000000", "59701003000000", "50005500000000")
ACCEPTEES = [
    *("4970100000000014", "4970100000000055", "4970110000000013", "4970110000001029"),
    *("5970100300000067", "5100010000002045", "5100010000000114"),
    *("375900000000008", "375900000010007"),
    *(ancienne + fin for ancienne in ANCIENNES for fin in ("00", "03", "01", "07")),
]
ACCEPTEES_AVEC_CODE = [
    *("4970110000000021", "4970110000001003", "5970100300000018", "5100010000000049", "5100010000000106"),
    *("375900000000016", "375900000010015"),
    *(ancienne + "09" for ancienne in ANCIENNES),
]
REFUSEES = [
    *("4970100000000113", "5970100300000109", "4970110000000401", "4970115000002133", "5100010000002060"),
    *("4051700000003926", "4515450000004140"),
    *(ancienne + fin for ancienne in ANCIENNES for fin in ("02", "97", "98", "99")),
]
REFUSEES_APRES_CODE = ["4970110000000039"]
MARQUES = {"3": "AMEX", "4": "VISA", "5": "MASTERCARD"}


class Allocataire:
    """Quelqu'un qui rembourse un euro par carte, autant de fois qu'il faut."""

    def __init__(self, demonstration: Demonstration) -> None:
        self.demonstration, self.web = demonstration, requests.Session()
        compte = demonstration.get_compte("allocataire qui a trente dettes")
        self.aller("connexion/")
        self.envoyer(login=compte["identifiant"], password=compte["mot_de_passe"])

    def aller(self, chemin: str) -> None:
        self.page = self.web.get(self.demonstration.get_adresse("service", chemin), timeout=20)

    def envoyer(self, adresse: str = "", **champs: str) -> None:
        """Envoie un formulaire de la page, avec son jeton."""
        jeton = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', self.page.text)
        assert jeton, self.titre
        donnees = {"csrfmiddlewaretoken": jeton[1], **champs}
        url = requests.compat.urljoin(self.page.url, adresse)
        self.page = self.web.post(url, data=donnees, headers={"Referer": self.page.url}, timeout=20)

    @property
    def titre(self) -> str:
        trouve = re.search(r"<h1[^>]*>(.*?)</h1>", self.page.text, re.DOTALL)
        return html.unescape(trouve[1]).strip() if trouve else self.page.text[:200]

    def partir_payer(self) -> Payeur:
        """Du début du parcours à la page de carte de PayZen."""
        self.aller("rembourser/")
        if 'name="lu"' in self.page.text:
            self.envoyer(lu="on", courriel="", etape="1")
        self.envoyer(mode="GLOBAL", montant="1", etape="2")
        empreinte = re.search(r'name="empreinte" value="([^"]+)"', self.page.text)
        action = re.search(r'action="([^"]+/payer/)"', self.page.text)
        assert empreinte, self.titre
        assert action, self.titre
        self.envoyer(action[1], empreinte=empreinte[1])
        champs = re.findall(r'<input type="hidden" name="((?:vads_|signature)[^"]*)" value="([^"]*)"', self.page.text)
        self.reference = dict(champs)["vads_order_id"]
        banque = requests.Session()
        page = banque.post(
            re.search(r'action="(http[^"]+)"', self.page.text)[1],
            data={nom: html.unescape(valeur) for nom, valeur in champs},
            timeout=20,
        )
        return Payeur(page, banque)

    def revenir(self) -> str:
        """Le titre de la page de retour."""
        self.aller(f"paiements/{self.reference}/retour/")
        return self.titre


@pytest.fixture(scope="module")
def allocataire(demonstration: Demonstration) -> Iterator[Allocataire]:
    """Une seule tentative par session de paiement, le temps de ces essais : un refus y est une fin."""
    demonstration.regler(tentatives_supplementaires=0)
    yield Allocataire(demonstration)
    demonstration.regler(tentatives_supplementaires=2)


def saisir(allocataire: Allocataire, numero: str) -> Payeur:
    """Va payer un euro avec cette carte, sous sa marque."""
    marque = "MAESTRO" if numero.startswith("50005500") else MARQUES[numero[0]]
    cryptogramme = "1234" if marque == "AMEX" else "123"
    return allocataire.partir_payer().poster(marque=marque).carte(numero, cryptogramme=cryptogramme)


@pytest.mark.parametrize(
    ("numero", "fin"),
    [*((numero, ENREGISTREE) for numero in ACCEPTEES), *((numero, REFUSEE) for numero in REFUSEES)],
)
def test_une_carte_sans_code_mene_a_sa_fin(allocataire: Allocataire, numero: str, fin: str) -> None:
    saisir(allocataire, numero)

    assert allocataire.revenir() == fin


@pytest.mark.parametrize(
    ("numero", "fin"),
    [
        *((numero, ENREGISTREE) for numero in ACCEPTEES_AVEC_CODE),
        *((numero, REFUSEE) for numero in REFUSEES_APRES_CODE),
    ],
)
def test_une_carte_avec_code_mene_a_sa_fin(allocataire: Allocataire, numero: str, fin: str) -> None:
    saisir(allocataire, numero).code()

    assert allocataire.revenir() == fin
