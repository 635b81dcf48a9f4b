"""Ce qui se règle dans une boutique simulée : l'équivalent du paramétrage du Back Office."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from .signature import ALGORITHMES, HMAC

REGLES = ("fin", "annulation", "refus_tentative", "bo", "batch")
PANNES_IPN = (
    "perdue",
    "retardee",
    "double",
    "apres_retour",
    "desordre",
    "signature_fausse",
    "montant_autre",
    "mode_autre",
)
PANNES_REST = ("delai", "erreur_500", "html", "tronquee", "vide", "liste", "refusee", "inconnue")
UN_AN_S = 366 * 86_400
OUI = {"oui", "1", "true", "yes", "on"}
NON = {"non", "0", "false", "no", "off", ""}


class ReglageInvalide(Exception):
    """Un réglage ou une panne inconnus, ou une valeur qui ne convient pas."""


@dataclass(frozen=True)
class Reglages:
    """Paramétrage d'une boutique ; les valeurs par défaut sont celles de la plateforme (PROTOCOLE §3)."""

    regles: tuple[str, ...] = ("fin",)
    rejeu_auto: bool = False
    essais_ipn: int = 4
    tentatives_supplementaires: int = 2
    session_s: float = 600
    quart_d_heure_s: float = 900
    ipn_delai_s: float = 10
    decalage_horloge_s: float = 0
    remise_auto: bool = True
    marques: tuple[str, ...] = ("CB", "VISA", "MASTERCARD")
    algorithme: str = HMAC
    url_notification: str = ""
    url_retour: str = ""

    def __post_init__(self) -> None:
        """Refuse ce qui bloquerait le simulateur."""
        inconnues = set(self.regles) - set(REGLES)
        if inconnues:
            raise ReglageInvalide(f"règles inconnues : {', '.join(sorted(inconnues))} ; attendu : {', '.join(REGLES)}")
        if self.algorithme not in ALGORITHMES:
            raise ReglageInvalide(f"algorithme inconnu : {self.algorithme} ; attendu : {', '.join(ALGORITHMES)}")
        if self.quart_d_heure_s <= 0 or self.ipn_delai_s <= 0 or self.session_s <= 0:
            raise ReglageInvalide("session_s, quart_d_heure_s et ipn_delai_s sont des durées positives, en secondes")


def lire_booleen(valeur: Any) -> bool:
    """Comprend un booléen JSON ou un mot (« oui », « non », « true », « 0 »…)."""
    mot = str(valeur).strip().lower()
    if mot in OUI:
        return True
    if mot in NON:
        return False
    raise ReglageInvalide(f"« {valeur} » n'est ni oui ni non")


def lire_liste(valeur: Any) -> tuple[str, ...]:
    """Comprend une liste JSON ou des mots séparés par des virgules ou des points-virgules."""
    mots = valeur.replace(";", ",").split(",") if isinstance(valeur, str) else valeur
    return tuple(str(mot).strip() for mot in mots if str(mot).strip())


def lire_nombre(valeur: Any) -> float:
    """Un nombre fini et raisonnable : une durée d'un an au plus, dans un sens ou dans l'autre."""
    nombre = float(valeur)
    if not abs(nombre) <= UN_AN_S:
        raise ReglageInvalide(f"« {valeur} » : un nombre de secondes, d'un an au plus")
    return nombre


LECTEURS: dict[Any, Callable[[Any], Any]] = {
    bool: lire_booleen,
    tuple[str, ...]: lire_liste,
    int: int,
    float: lire_nombre,
    str: str,
}
LECTEUR_DE = {champ.name: LECTEURS[champ.type] for champ in fields(Reglages)}


def lire(changements: Mapping[str, Any]) -> dict[str, Any]:
    """
    Convertit des réglages venus de l'environnement, d'un formulaire ou d'un JSON.

    :raises ReglageInvalide: nom inconnu ou valeur illisible
    """
    lus = {}
    for nom, valeur in changements.items():
        if nom not in LECTEUR_DE:
            raise ReglageInvalide(f"réglage inconnu : {nom} ; attendu : {', '.join(LECTEUR_DE)}")
        try:
            lus[nom] = LECTEUR_DE[nom](valeur)
        except (TypeError, ValueError, OverflowError) as erreur:
            raise ReglageInvalide(f"valeur refusée pour {nom} : {valeur}") from erreur
    return lus


def completer(base: Reglages, changements: Mapping[str, Any]) -> Reglages:
    """Rend les réglages de base, modifiés."""
    return replace(base, **lire(changements))


def from_environnement(environnement: Mapping[str, str]) -> Reglages:
    """Lit `SIMULATEUR_REGLES`, `SIMULATEUR_SESSION_S`… : un nom de variable par champ de `Reglages`."""
    presents = {
        nom: environnement[f"SIMULATEUR_{nom.upper()}"]
        for nom in LECTEUR_DE
        if f"SIMULATEUR_{nom.upper()}" in environnement
    }
    return completer(Reglages(), presents)


def lire_panne(cible: str, demande: Any) -> dict[str, Any] | None:
    """
    Vérifie une panne : un genre seul, ou `{"genre": …, "secondes": 2, "fois": 1}` ; vide pour l'ôter.

    Sans `fois`, elle dure jusqu'à ce qu'on l'ôte.
    """
    if not demande:
        return None
    panne = {"genre": demande} if isinstance(demande, str) else demande
    genres = {"ipn": PANNES_IPN, "rest": PANNES_REST}.get(cible)
    if genres is None:
        raise ReglageInvalide(f"cible de panne inconnue : {cible} ; attendu : ipn, rest")
    if not isinstance(panne, dict) or panne.get("genre") not in genres:
        raise ReglageInvalide(f"panne {cible} inconnue : {demande} ; attendu : {', '.join(genres)}")
    try:
        secondes, fois = lire_nombre(panne.get("secondes") or 2), int(panne.get("fois") or 0)
    except (TypeError, ValueError, OverflowError) as erreur:
        raise ReglageInvalide("« secondes » et « fois » sont des nombres") from erreur
    if secondes < 0 or fois < 0:
        raise ReglageInvalide("« secondes » et « fois » ne sont pas négatifs")
    return {"genre": panne["genre"], "secondes": secondes, "fois": fois or None}


def lire_pannes(environnement: Mapping[str, str]) -> dict[str, dict[str, Any] | None]:
    """Lit `SIMULATEUR_PANNE_IPN` et `SIMULATEUR_PANNE_REST` : un genre de panne, qui dure jusqu'à ce qu'on l'ôte."""
    demandes = {cible: environnement.get(f"SIMULATEUR_PANNE_{cible.upper()}") for cible in ("ipn", "rest")}
    return {cible: lire_panne(cible, demande) for cible, demande in demandes.items() if demande}
