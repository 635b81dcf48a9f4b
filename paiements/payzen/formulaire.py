"""Le formulaire de départ vers la page de paiement (PROTOCOLE §1) : paiement unique, immédiat, en euros."""

import re
import secrets
import string
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

from paiements.payzen.boutique import Boutique
from paiements.payzen.fait import FORMAT_DATE
from paiements.payzen.montants import to_centimes
from paiements.payzen.signature import sign

CHIFFRES_ET_LETTRES = string.digits + string.ascii_lowercase
# Un premier caractère « 9 » tomberait dans la plage 900000-999999, réservée à la plateforme (PROTOCOLE §1.3).
PREMIERS = CHIFFRES_ET_LETTRES.replace("9", "")
CARTES = "CB;VISA;MASTERCARD"
CENTIMES_AU_PLUS = 10**12 - 1
# Celles que la page de paiement sait parler (PROTOCOLE §1.4) ; dans une autre langue, elle parle français.
LANGUES = frozenset(["de", "en", "es", "fr", "it", "ja", "nl", "pl", "pt", "ru", "sv", "tr", "zh"])

FIXES = {
    "vads_action_mode": "INTERACTIVE",
    # Sans 0 et 0, les réglages du Back Office décideraient, et un défaut « manuel » laisserait expirer les paiements.
    "vads_capture_delay": "0",
    "vads_validation_mode": "0",
    "vads_contrib": "rembourser-ma-caf",
    "vads_currency": "978",
    "vads_page_action": "PAYMENT",
    "vads_payment_config": "SINGLE",
    "vads_version": "V2",
}


@dataclass(frozen=True)
class Demande:
    """
    Une tentative de paiement à soumettre. Aucune donnée personnelle : ni nom, ni courriel (PROTOCOLE §1.4).

    :param reference: la nôtre (``order_id``), 32 caractères au plus parmi ``[A-Za-z0-9-]``
    :param trans_id: un tirage de :func:`draw_trans_id`, unique par boutique et par jour UTC
    :param date: l'instant du clic, avec son fuseau
    :param montant: en euros, plus de zéro
    :param url_retour: où la plateforme ramène l'allocataire, sans données (PROTOCOLE §4)
    :param langue: celle de la page de paiement, en deux lettres
    :param contexte: de quoi refaire la démarche si nous la perdions (`payzen.contexte`), trois champs au plus
    :raises ValueError: si une valeur ferait refuser le formulaire par la plateforme
    """

    reference: str
    trans_id: str
    date: datetime
    montant: Decimal
    url_retour: str
    contexte: tuple[str, ...] = ()
    langue: str = "fr"

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[A-Za-z0-9-]{1,32}", self.reference):
            raise ValueError(f"la référence {self.reference!r} n'est pas faite de 1 à 32 lettres, chiffres ou tirets")
        if not re.fullmatch(r"[0-8a-z][0-9a-z]{5}", self.trans_id):
            raise ValueError(f"le numéro de transaction {self.trans_id!r} ne vient pas de notre tirage")
        if self.date.utcoffset() is None:
            raise ValueError("la date du formulaire doit porter son fuseau")
        if not 0 < to_centimes(self.montant) <= CENTIMES_AU_PLUS:
            raise ValueError(f"le montant {self.montant} ne se paie pas")
        # De l'ASCII visible, sans « + » (il se confond avec le séparateur de la signature), guillemet ni chevron.
        if not re.fullmatch(r"https?://[!#-*,-;=?-~]{1,1000}", self.url_retour):
            raise ValueError(f"l'adresse de retour {self.url_retour!r} n'est pas acceptable")


def draw_trans_id() -> str:
    """Tire un numéro de transaction : 36^6 valeurs environ, minuscules, car la casse ne distingue pas (§1.3)."""
    return secrets.choice(PREMIERS) + "".join(secrets.choice(CHIFFRES_ET_LETTRES) for _ in range(5))


def build_form(demande: Demande, boutique: Boutique, cartes: str = CARTES) -> dict[str, str]:
    """
    Tous les champs du formulaire, signature comprise, à poster tels quels à ``boutique.url_formulaire``.

    :param cartes: moyens proposés, séparés par « ; » ; tous doivent être au contrat de la boutique
    :raises ValueError: si la liste des cartes est mal écrite
    """
    if not re.fullmatch(r"[A-Z_-]+(;[A-Z_-]+)*", cartes):
        raise ValueError(f"la liste de cartes {cartes!r} est mal écrite")
    champs = FIXES | {
        "vads_amount": str(to_centimes(demande.montant)),
        "vads_ctx_mode": boutique.mode.value,
        "vads_language": demande.langue if demande.langue in LANGUES else "fr",
        "vads_order_id": demande.reference,
        "vads_payment_cards": cartes,
        "vads_site_id": boutique.site,
        "vads_trans_date": demande.date.astimezone(UTC).strftime(FORMAT_DATE),
        "vads_trans_id": demande.trans_id,
        "vads_url_return": demande.url_retour,
    }
    champs |= {f"vads_order_info{rang}": dit for rang, dit in zip(("", "2", "3"), demande.contexte, strict=False)}
    return champs | {"signature": sign(champs, boutique.cle)}
