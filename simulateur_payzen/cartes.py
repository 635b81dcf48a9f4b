"""Les cartes d'essai (PROTOCOLE §7) : c'est le numéro qui décide de l'issue, jamais le montant."""

from dataclasses import dataclass
from enum import Enum


class Authentification(Enum):
    """Ce que fait la banque du porteur au moment du 3-D Secure."""

    AUCUNE = "aucune"
    SANS_QUESTION = "sans question"
    CODE = "code"
    REJETEE = "rejetée"


@dataclass(frozen=True)
class Carte:
    """Une carte d'essai. `code` est le code d'autorisation de la banque (00 : accepté)."""

    numero: str
    libelle: str
    reseaux: tuple[str, ...]
    authentification: Authentification = Authentification.AUCUNE
    code: str = "00"
    garantie: str = "NO"
    enrolee: str = "Y"
    controle: str = ""
    ancienne: bool = False

    @property
    def masque(self) -> str:
        """Six premiers et quatre derniers chiffres, comme dans les IPN."""
        return f"{self.numero[:6]}XXXXXX{self.numero[-4:]}"

    @property
    def groupee(self) -> str:
        """Le numéro par groupes de quatre, pour les yeux."""
        return " ".join(self.numero[i : i + 4] for i in range(0, len(self.numero), 4))

    @property
    def est_acceptee(self) -> bool:
        """Vrai si la banque dit oui, l'authentification étant réussie."""
        return self.code == "00" and self.authentification is not Authentification.REJETEE


VISA = ("CB", "VISA", "E-CARTEBLEUE", "VISA_ELECTRON", "VPAY")
MASTERCARD = ("CB", "MASTERCARD")
AMEX = ("AMEX",)
MAESTRO = ("MAESTRO",)
A = Authentification

RECENTES = [
    Carte("4970110000000021", "Acceptée, avec un code de la banque", VISA, A.CODE, garantie="YES"),
    Carte("5970100300000018", "Acceptée, avec un code de la banque", MASTERCARD, A.CODE, garantie="YES"),
    Carte("4970100000000055", "Acceptée, sans 3-D Secure", VISA, enrolee="N"),
    Carte("4970100000000014", "Acceptée, 3-D Secure indisponible", VISA, enrolee="U"),
    Carte("4970110000000013", "Acceptée, sans question de la banque", VISA, A.SANS_QUESTION, garantie="YES"),
    Carte("5970100300000067", "Acceptée, sans 3-D Secure", MASTERCARD, enrolee="N"),
    Carte("4970100000000113", "Refusée : provision insuffisante (51)", VISA, code="51"),
    Carte("5970100300000109", "Refusée par la banque (05)", MASTERCARD, code="05"),
    Carte("4970110000000039", "Refusée après le code de la banque (05)", VISA, A.CODE, code="05"),
    Carte("4970110000000401", "Refusée : authentification rejetée", VISA, A.REJETEE, code="05"),
    Carte("5100010000002045", "Acceptée, sans question de la banque", MASTERCARD, A.SANS_QUESTION, garantie="YES"),
    Carte("5100010000000049", "Acceptée, avec un code de la banque", MASTERCARD, A.CODE, garantie="YES"),
    Carte("4970110000001029", "Acceptée, sans question, avec empreinte", VISA, A.SANS_QUESTION, garantie="YES"),
    Carte("5100010000000114", "Acceptée, sans question, avec empreinte", MASTERCARD, A.SANS_QUESTION, garantie="YES"),
    Carte("4970110000001003", "Acceptée, avec un code, avec empreinte", VISA, A.CODE, garantie="YES"),
    Carte("5100010000000106", "Acceptée, avec un code, avec empreinte", MASTERCARD, A.CODE, garantie="YES"),
    Carte("4970115000002133", "Refusée : échec « data only »", VISA, A.REJETEE, code="05"),
    Carte("5100010000002060", "Refusée : échec « data only »", MASTERCARD, A.REJETEE, code="05"),
    Carte("375900000000008", "Acceptée, sans question de la banque", AMEX, A.SANS_QUESTION, garantie="YES"),
    Carte("375900000010007", "Acceptée, sans question, avec empreinte", AMEX, A.SANS_QUESTION, garantie="YES"),
    Carte("375900000000016", "Acceptée, avec un code de la banque", AMEX, A.CODE, garantie="YES"),
    Carte("375900000010015", "Acceptée, avec un code, avec empreinte", AMEX, A.CODE, garantie="YES"),
    # Ces deux cartes sont d'une autre devise : en euros, la banque dit « transaction non permise ».
    Carte("4051700000003926", "Refusée en euros : carte en yens", VISA, code="57"),
    Carte("4515450000004140", "Refusée en euros : carte en dinars", VISA, code="57"),
]

# Liste de 2016 (3-D Secure 1) : mêmes fins de numéro pour trois réseaux, sans clé de Luhn valable.
ANCIENNES_FINS = [
    ("00", "Acceptée, avec 3-D Secure", {"authentification": A.SANS_QUESTION, "garantie": "YES"}),
    ("09", "Acceptée, avec un code de la banque", {"authentification": A.CODE, "garantie": "YES"}),
    ("03", "Acceptée, marchand non enrôlé", {"enrolee": "U"}),
    ("01", "Acceptée, porteur non enrôlé", {"enrolee": "N", "garantie": "YES"}),
    ("07", "Acceptée, sans garantie", {"enrolee": "U"}),
    ("02", "Refusée : appeler la banque (02)", {"code": "02"}),
    ("97", "Refusée : échec 3-D Secure", {"authentification": A.REJETEE, "code": "05"}),
    ("98", "Refusée : plafond dépassé (51)", {"code": "51"}),
    ("99", "Refusée : cryptogramme faux (05)", {"code": "05"}),
]
ANCIENNES = [
    Carte(prefixe + fin, libelle, reseaux, ancienne=True, **suite)
    for prefixe, reseaux in (("49701000000000", VISA), ("59701003000000", MASTERCARD), ("50005500000000", MAESTRO))
    for fin, libelle, suite in ANCIENNES_FINS
]

CARTES = {carte.numero: carte for carte in [*ANCIENNES, *RECENTES]}
PAR_MASQUE = {carte.masque: carte for carte in CARTES.values()}


def has_cle_juste(numero: str) -> bool:
    """Clé de Luhn : un chiffre sur deux compte double, le total est un multiple de dix."""
    total = 0
    for rang, chiffre in enumerate(reversed(numero)):
        valeur = int(chiffre) * (1 + rang % 2)
        total += valeur - 9 if valeur > 9 else valeur
    return total % 10 == 0


def get_proposables(marques: tuple[str, ...] | list[str]) -> list[Carte]:
    """Les cartes d'essai utilisables avec l'une de ces marques, les plus utiles d'abord."""
    return [carte for carte in [*RECENTES, *ANCIENNES] if set(carte.reseaux) & set(marques)]
