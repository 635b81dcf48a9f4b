"""La saisie du payeur : la carte, puis le code de sa banque."""

import re
from dataclasses import dataclass
from datetime import datetime

from .cartes import CARTES, Carte, has_cle_juste
from .models import SessionPaiement


@dataclass(frozen=True)
class CarteSaisie:
    """Une carte d'essai reconnue et son expiration."""

    carte: Carte
    mois: int
    annee: int


def lire_numero(session: SessionPaiement, brut: str) -> tuple[Carte | None, str]:
    """Rend la carte d'essai, ou la raison du refus."""
    numero = re.sub(r"[\s.-]", "", brut)
    if not numero:
        return None, "Saisissez le numéro de la carte."
    if numero not in CARTES:
        if not re.fullmatch("[0-9]{13,19}", numero) or not has_cle_juste(numero):
            return None, "Ce numéro de carte n'est pas valide. Vérifiez chaque chiffre."
        return None, "Le simulateur n'accepte que les cartes d'essai ci-dessous. N'y saisissez jamais une vraie carte."
    carte = CARTES[numero]
    if session.marque not in carte.reseaux:
        return None, f"Cette carte n'est pas une carte {session.marque}. Choisissez-en une autre."
    return carte, ""


def lire_expiration(mois: str, annee: str, maintenant: datetime) -> tuple[tuple[int, int], str]:
    """Rend le mois et l'année, ou la raison du refus."""
    if not (re.fullmatch("[0-9]{1,2}", mois) and re.fullmatch("[0-9]{4}", annee) and 1 <= int(mois) <= 12):
        return (0, 0), "Choisissez le mois et l'année d'expiration."
    lue = int(mois), int(annee)
    if (lue[1], lue[0]) < (maintenant.year, maintenant.month):
        return (0, 0), "Cette carte a expiré. Vérifiez la date."
    return lue, ""


def lire_carte(
    session: SessionPaiement, donnees: dict[str, str], maintenant: datetime
) -> tuple[CarteSaisie | None, dict[str, str]]:
    """Rend la carte lue, ou les erreurs par champ."""
    carte, erreur_numero = lire_numero(session, donnees.get("numero", ""))
    expiration, erreur_expiration = lire_expiration(donnees.get("mois", ""), donnees.get("annee", ""), maintenant)
    longueur = 4 if carte and "AMEX" in carte.reseaux else 3
    cryptogramme = donnees.get("cryptogramme", "").strip()
    erreurs = {"numero": erreur_numero, "mois": erreur_expiration}
    if not re.fullmatch(f"[0-9]{{{longueur}}}", cryptogramme):
        erreurs["cryptogramme"] = f"Saisissez les {longueur} chiffres du cryptogramme."
    erreurs = {champ: erreur for champ, erreur in erreurs.items() if erreur}
    if carte is None or erreurs:
        return None, erreurs
    return CarteSaisie(carte, *expiration), {}
