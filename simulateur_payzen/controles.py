"""
Les contrôles du formulaire, dans l'ordre de PROTOCOLE §10 : la première faute l'emporte.

Module pur : des octets et des réglages en entrée, des champs ou une faute en sortie.
"""

import logging
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, urlsplit

from .cartes import has_cle_juste
from .signature import est_juste

logger = logging.getLogger(__name__)

PASSE_TOLERE = timedelta(minutes=60)
FUTUR_TOLERE = timedelta(minutes=150)
ECART_SIGNALE = timedelta(minutes=5)
LANGUES = {"de", "en", "es", "fr", "it", "ja", "nl", "pl", "pt", "ru", "sv", "tr", "zh"}
MODES = {"TEST", "PRODUCTION"}


class FormulaireRefuse(Exception):
    """Une faute de formulaire : le code de la plateforme (PROTOCOLE §1.6) et le champ."""

    def __init__(self, code: str, champ: str) -> None:
        super().__init__(f"{code} {champ}")
        self.code = code
        self.champ = champ


@dataclass(frozen=True)
class Cadre:
    """Ce que la boutique permet au moment du contrôle."""

    cle_par_mode: Mapping[str, str]
    algorithme: str
    marques: tuple[str, ...]
    maintenant: datetime


def decoder(corps: bytes) -> dict[str, str]:
    """
    Décode un corps `application/x-www-form-urlencoded` en UTF-8.

    :raises FormulaireRefuse: 00 si ce n'est pas de l'UTF-8, ou si un champ est répété (on ne saurait lequel est signé)
    """
    try:
        paires = parse_qsl(
            corps.decode("utf-8"), keep_blank_values=True, encoding="utf-8", errors="strict", max_num_fields=1000
        )
    except ValueError as erreur:
        raise FormulaireRefuse("00", "signature") from erreur
    champs = dict(paires)
    if len(champs) != len(paires):
        raise FormulaireRefuse("00", "signature")
    return champs


def motif(expression: str) -> Callable[[str], bool]:
    """Rend un contrôle par expression rationnelle, sur toute la valeur."""
    compilee = re.compile(expression)
    return lambda valeur: compilee.fullmatch(valeur) is not None


def texte(longueur: int) -> Callable[[str], bool]:
    """Format « ans » : tout sauf les chevrons et les retours à la ligne."""
    return motif(rf"[^<>\r\n]{{0,{longueur}}}")


def is_adresse(valeur: str) -> bool:
    """Adresse http(s) absolue d'au plus 1024 signes."""
    try:
        decoupee = urlsplit(valeur)
    except ValueError:
        return False
    return len(valeur) <= 1024 and decoupee.scheme in {"http", "https"} and bool(decoupee.netloc)


def is_montant(valeur: str) -> bool:
    """Entier positif, en centimes, d'au plus douze chiffres."""
    return motif("[0-9]{1,12}")(valeur) and int(valeur) > 0


def is_trans_id(valeur: str) -> bool:
    """Six lettres ou chiffres ; 900000 à 999999 est réservé à la plateforme."""
    return motif("[0-9A-Za-z]{6}")(valeur) and not motif("9[0-9]{5}")(valeur)


def is_delai(valeur: str) -> bool:
    """Délai de redirection, de 0 à 300 secondes."""
    return motif("[0-9]{1,3}")(valeur) and int(valeur) <= 300


def has_numero_de_carte(valeur: str) -> bool:
    """Vrai si un texte libre contient ce qui ressemble à un numéro de carte."""
    return any(has_cle_juste(suite) for suite in re.findall(r"(?<!\d)\d{16}(?!\d)", valeur))


Controle = tuple[str, str, Callable[[str], bool]]

# Champ obligatoire, code, contrôle : l'ordre est celui de la plateforme, après boutique, mode et signature.
OBLIGATOIRES_AVANT_DATE: list[Controle] = [
    ("vads_version", "01", motif("V2")),
    ("vads_trans_id", "03", is_trans_id),
    ("vads_trans_date", "04", motif("[0-9]{14}")),
]
OBLIGATOIRES: list[Controle] = [
    ("vads_amount", "09", is_montant),
    ("vads_currency", "10", motif("978")),
    ("vads_action_mode", "47", motif("INTERACTIVE")),
    ("vads_page_action", "46", motif("PAYMENT")),
    ("vads_payment_config", "07", motif("SINGLE")),
]
FACULTATIFS_AVANT_MARQUES: list[Controle] = [
    ("vads_capture_delay", "06", motif("[0-9]{1,3}")),
    ("vads_validation_mode", "05", motif("[01]")),
]
FACULTATIFS: list[Controle] = [
    ("vads_order_id", "13", motif("[A-Za-z0-9_-]{1,64}")),
    ("vads_language", "12", LANGUES.__contains__),
    ("vads_order_info", "14", texte(255)),
    ("vads_order_info2", "14", texte(255)),
    ("vads_order_info3", "14", texte(255)),
    ("vads_cust_email", "15", motif(r"(?=.{3,150}$)[^<>\s@]+@[^<>\s@]+")),
    ("vads_cust_id", "16", motif("[A-Za-z0-9_-]{1,63}")),
    ("vads_cust_title", "17", texte(63)),
    ("vads_cust_name", "18", texte(127)),
    ("vads_cust_address", "19", texte(255)),
    ("vads_cust_zip", "20", texte(64)),
    ("vads_cust_city", "21", texte(128)),
    ("vads_cust_country", "22", motif("[A-Z]{2}")),
    ("vads_cust_phone", "23", texte(32)),
    ("vads_url_success", "24", is_adresse),
    ("vads_url_refused", "25", is_adresse),
    ("vads_url_referral", "26", is_adresse),
    ("vads_url_cancel", "27", is_adresse),
    ("vads_url_return", "28", is_adresse),
    ("vads_url_error", "29", is_adresse),
    ("vads_contrib", "31", texte(128)),
    ("vads_theme_config", "32", texte(255)),
    ("vads_url_check", "33", is_adresse),
    ("vads_redirect_success_message", "35", texte(255)),
    ("vads_redirect_error_message", "37", texte(255)),
    ("vads_return_post_params", "38", texte(255)),
    ("vads_return_get_params", "39", texte(255)),
    ("vads_threeds_mpi", "50", motif("[0-6]")),
    ("vads_payment_src", "60", motif("EC|MOTO|CC|OTHER")),
    ("vads_user_info", "61", texte(255)),
    ("vads_contracts", "62", texte(255)),
    ("vads_available_languages", "71", lambda valeur: set(valeur.split(";")) <= LANGUES),
    ("vads_shop_name", "72", texte(127)),
    ("vads_shop_url", "73", is_adresse),
    ("vads_cust_cell_phone", "77", texte(32)),
    ("vads_cust_state", "88", texte(127)),
    ("vads_cust_status", "92", motif("PRIVATE|COMPANY")),
    ("vads_cust_first_name", "104", texte(63)),
    ("vads_cust_last_name", "105", texte(63)),
    ("vads_cust_address_number", "112", texte(64)),
    ("vads_cust_district", "113", texte(127)),
    ("vads_cust_legal_name", "121", texte(100)),
    ("vads_return_mode", "48", motif("NONE|GET|POST")),
    ("vads_redirect_success_timeout", "34", is_delai),
    ("vads_redirect_error_timeout", "36", is_delai),
]
TEXTES_LIBRES = ("vads_order_info", "vads_order_info2", "vads_order_info3", "vads_user_info")


def controler_signature(champs: Mapping[str, str], cadre: Cadre) -> None:
    """Mode (11), signature absente (70), signature fausse (00)."""
    mode = champs.get("vads_ctx_mode", "")
    if mode not in MODES:
        raise FormulaireRefuse("11", "vads_ctx_mode")
    if not champs.get("signature"):
        raise FormulaireRefuse("70", "signature")
    if not est_juste(champs, cadre.cle_par_mode[mode], cadre.algorithme):
        raise FormulaireRefuse("00", "signature")


def controler_date(date: str, maintenant: datetime) -> None:
    """Date UTC, de 60 minutes avant à 150 minutes après l'heure de la plateforme (limite exacte non publiée)."""
    try:
        ecart = datetime.strptime(date, "%Y%m%d%H%M%S").replace(tzinfo=UTC) - maintenant
    except ValueError as erreur:
        raise FormulaireRefuse("04", "vads_trans_date") from erreur
    if not -PASSE_TOLERE <= ecart <= FUTUR_TOLERE:
        raise FormulaireRefuse("04", "vads_trans_date")
    if abs(ecart) > ECART_SIGNALE:
        logger.warning(
            "vads_trans_date loin de l'heure UTC : heure locale ou page gardée en cache ?",
            extra={"ecart_s": round(ecart.total_seconds())},
        )


def controler_marques(demandees: str, permises: tuple[str, ...]) -> None:
    """Chaque marque demandée doit être au contrat ; vide : toutes celles du contrat."""
    if demandees and not set(demandees.split(";")) <= set(permises):
        raise FormulaireRefuse("08", "vads_payment_cards")


def controler_liste(champs: Mapping[str, str], controles: list[Controle], *, obligatoires: bool) -> None:
    """Applique des contrôles ; une valeur facultative vide vaut absente."""
    for nom, code, convient in controles:
        valeur = champs.get(nom, "")
        if not valeur and not obligatoires:
            continue
        if not convient(valeur):
            raise FormulaireRefuse(code, nom)


def controler(champs: Mapping[str, str], cadre: Cadre) -> None:
    """
    Contrôle tout le formulaire, sauf la boutique (02) et l'unicité du numéro de transaction (03).

    :raises FormulaireRefuse: à la première faute
    """
    controler_signature(champs, cadre)
    controler_liste(champs, OBLIGATOIRES_AVANT_DATE, obligatoires=True)
    controler_date(champs["vads_trans_date"], cadre.maintenant)
    controler_liste(champs, OBLIGATOIRES, obligatoires=True)
    controler_liste(champs, FACULTATIFS_AVANT_MARQUES, obligatoires=False)
    controler_marques(champs.get("vads_payment_cards", ""), cadre.marques)
    controler_liste(champs, FACULTATIFS, obligatoires=False)
    libres = [nom for nom in champs if nom in TEXTES_LIBRES or nom.startswith("vads_ext_info_")]
    for nom in libres:
        if nom.startswith("vads_ext_info_") and not texte(255)(champs[nom]):
            raise FormulaireRefuse("91", nom)
        if has_numero_de_carte(champs[nom]):
            raise FormulaireRefuse("999", nom)
