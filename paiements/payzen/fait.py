"""« Ce que la plateforme dit d'une transaction » : la même forme, venue d'une notification ou de REST."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal

from paiements.payzen.boutique import Mode
from paiements.payzen.montants import from_centimes
from paiements.payzen.statuts import Famille, get_famille

FORMAT_DATE = "%Y%m%d%H%M%S"
EURO = "EUR"
DEVISES = {"978": EURO}
ILLISIBLE = "(illisible)"
REQUIS = ("vads_site_id", "vads_ctx_mode", "vads_order_id", "vads_trans_status", "vads_amount", "vads_currency")

_DATE = r"[0-9]{14}"
_DEVISE = r"[0-9]{3}|[A-Z]{3}"
_CENTIMES = r"[0-9]{1,9}"  # dix millions d'euros ne se paient pas : au-delà, le message est pour un agent

# Liste blanche : ce qu'on lit, et ce qu'on garde. Le reste (identité, courriel, adresses, IP, banque, 3-D Secure)
# n'entre jamais chez nous (PROTOCOLE §9.23).
FORMATS = {
    nom: re.compile(motif)
    for nom, motif in {
        "vads_site_id": r"[0-9]{8}",
        "vads_ctx_mode": "|".join(Mode),
        "vads_order_id": r"[A-Za-z0-9_-]{1,64}",
        "vads_trans_id": r"[A-Za-z0-9]{6}",
        "vads_trans_date": _DATE,
        "vads_trans_uuid": r"[0-9A-Fa-f]{32}",
        "vads_trans_status": r"[A-Z_]{1,40}",
        "vads_operation_type": r"[A-Z_]{1,20}",
        "vads_amount": _CENTIMES,
        "vads_currency": _DEVISE,
        "vads_effective_amount": _CENTIMES,
        "vads_effective_currency": _DEVISE,
        "vads_effective_creation_date": _DATE,
        "vads_presentation_date": _DATE,
        "vads_result": r"[0-9]{2}",
        "vads_extra_result": r"[0-9]{2}",
        "vads_payment_error": r"[0-9]{1,3}",
        "vads_auth_number": r"[A-Za-z0-9]{1,20}",
        "vads_warranty_result": r"[A-Z]{1,10}",
        "vads_card_brand": r"[A-Z0-9_-]{1,30}",
        "vads_card_number": r"[0-9X*]{4,32}[0-9]{4}",
        "vads_url_check_src": r"[A-Z_]{1,20}",
    }.items()
}

# Lus, et rangés sur la transaction, d'où ils s'effacent à leur heure : un message, lui, ne se retouche pas.
DE_LA_CARTE = ("vads_card_number", "vads_card_brand", "vads_auth_number")


class FaitIllisible(Exception):
    """Un champ indispensable manque ou n'a pas la forme attendue ; ``noms`` dit lesquels."""

    def __init__(self, noms: list[str]) -> None:
        super().__init__("champs absents ou illisibles : " + ", ".join(noms))
        self.noms = noms


@dataclass(frozen=True, kw_only=True)
class Fait:
    """
    Ce que la plateforme affirme. Montant en euros, dates en UTC ; une chaîne vide ou ``None`` veut dire « non dit ».

    :param reference: notre référence (``order_id``)
    :param operation: DEBIT quand rien n'est dit ; une valeur illisible devient INCONNUE, jamais un débit
    :param uuid: transaction de la plateforme, vide quand rien n'a été créé (abandon)
    :param devise: « EUR », ou le code reçu si ce n'est pas l'euro
    :param parent: le débit qu'un crédit rembourse ; REST le dit, une notification jamais
    :param source: ``vads_url_check_src`` (PAY, RETRY, BO…), ou « REST »
    :param effectif: le montant effectif, en euros, quand il est dit à part (PROTOCOLE §5 : NON CONFIRMÉ)
    :param devise_effective: sa devise, comme `devise`
    :param creee_le: quand la plateforme a créé la transaction
    :param remise_le: date de remise en banque, connue de REST seulement
    :param contexte: ce que nous lui avions confié de la démarche (`payzen.contexte`), que REST rend
    """

    reference: str
    statut: str
    montant: Decimal
    devise: str
    site: str
    mode: Mode
    operation: str = "DEBIT"
    uuid: str = ""
    parent: str = ""
    trans_id: str = ""
    trans_date: datetime | None = None
    marque: str = ""
    carte_fin: str = field(default="", repr=False)
    autorisation: str = field(default="", repr=False)
    source: str = ""
    effectif: Decimal | None = None
    devise_effective: str = ""
    creee_le: datetime | None = None
    remise_le: datetime | None = None
    contexte: str = ""

    @property
    def famille(self) -> Famille:
        """Ce que veut dire le statut, quelle que soit l'opération."""
        return get_famille(self.statut)

    @property
    def is_credit(self) -> bool:
        """Un remboursement : l'argent va vers le porteur, le montant reste positif."""
        return self.operation == "CREDIT"

    @property
    def is_parti(self) -> bool:
        return self.famille is Famille.SUCCES

    @property
    def pris(self) -> Decimal:
        """Ce que la banque dit avoir débité."""
        return get_pris(self.montant, self.effectif, self.devise_effective)

    @property
    def is_success(self) -> bool:
        """Un débit que la banque tient."""
        return self.operation == "DEBIT" and self.is_parti


def get_pris(montant: Decimal, effectif: Decimal | None, devise_effective: str) -> Decimal:
    """Le plus petit de ce qui a été dit : le montant, ou l'effectif en euros (PROTOCOLE §5 : NON CONFIRMÉ lequel)."""
    # garde: effectif_le_plus_petit
    return min(montant, effectif) if effectif and devise_effective in ("", EURO) else montant


def keep(champs: Mapping[str, str]) -> dict[str, str]:
    """Ce qu'on a le droit de garder d'un message : la liste blanche, et rien de la carte."""
    gardes = {nom: champs[nom] for nom in FORMATS if nom in champs and nom not in DE_LA_CARTE}
    return {
        nom: ILLISIBLE if valeur and not FORMATS[nom].fullmatch(valeur) else valeur for nom, valeur in gardes.items()
    }


def to_fait(champs: Mapping[str, str]) -> Fait:
    """
    Lit un fait dans des champs ``vads_`` dont l'authenticité est déjà établie.

    Un champ facultatif illisible compte comme non dit : il ne doit pas faire perdre un paiement.

    :raises FaitIllisible: si un champ indispensable manque ou est illisible
    """
    lus = _get_lisibles(champs)
    return Fait(
        reference=lus["vads_order_id"],
        statut=lus["vads_trans_status"],
        montant=from_centimes(int(lus["vads_amount"])),
        devise=DEVISES.get(lus["vads_currency"], lus["vads_currency"]),
        site=lus["vads_site_id"],
        mode=Mode(lus["vads_ctx_mode"]),
        operation=lus.get("vads_operation_type", "INCONNUE" if champs.get("vads_operation_type") else "DEBIT"),
        uuid=lus.get("vads_trans_uuid", "").lower(),
        trans_id=lus.get("vads_trans_id", ""),
        trans_date=_to_date(lus.get("vads_trans_date")),
        marque=lus.get("vads_card_brand", ""),
        carte_fin=lus.get("vads_card_number", "")[-4:],
        autorisation=lus.get("vads_auth_number", ""),
        source=lus.get("vads_url_check_src", ""),
        effectif=from_centimes(int(lus["vads_effective_amount"])) if "vads_effective_amount" in lus else None,
        devise_effective=DEVISES.get(effective := lus.get("vads_effective_currency", ""), effective),
        creee_le=_to_date(lus.get("vads_effective_creation_date")),
    )


def _get_lisibles(champs: Mapping[str, str]) -> dict[str, str]:
    lus = {nom: valeur for nom, valeur in champs.items() if nom in FORMATS and FORMATS[nom].fullmatch(valeur)}
    if manquants := [nom for nom in REQUIS if nom not in lus]:
        raise FaitIllisible(manquants)
    return lus


def _to_date(texte: str | None) -> datetime | None:
    try:
        return datetime.strptime(texte or "", FORMAT_DATE).replace(tzinfo=UTC)
    except ValueError:
        return None
