"""L'identifiant tel qu'on le recopie d'un courrier : les espaces et les majuscules ne comptent pas."""

import re
import unicodedata
from typing import NamedTuple

CHIFFRES = 7
LONGUEUR = 10  # trois signes pour la Caf, sept chiffres pour l'allocataire
SEPARATEURS = re.compile(r"[\s./_-]+")
# Le code d'une Caf a trois signes, le numéro d'un département deux (ou trois, outre-mer : c'est aussi son code).
TETE = re.compile(r"[0-9][0-9ab][0-9a-z]?")


class Dossier(NamedTuple):
    """Ce qu'une saisie dit d'un dossier : le code de la Caf ou le numéro du département, et le numéro à 7 chiffres."""

    tete: str
    numero: str


def normaliser(identifiant: str) -> str:
    """Rend l'identifiant sous la seule forme enregistrée : « 661 0000354 » devient « 6610000354 »."""
    return "".join(identifiant.split()).lower()


def lire_dossier(saisie: str) -> Dossier | None:
    """
    Lit « 661 0000354 », « 66-0000354 », « 66 354 » ou « 660000354 » ; None si ce n'est pas un dossier.

    Des zéros oubliés en tête du numéro se remettent ; sans séparation, il faut les sept chiffres.
    """
    tete, *suite = SEPARATEURS.split(unicodedata.normalize("NFKC", saisie).strip().lower())
    numero = "".join(suite)
    if not numero or len(numero) > CHIFFRES:
        colle = tete + numero
        tete, numero = colle[:-CHIFFRES], colle[-CHIFFRES:]
    if not TETE.fullmatch(tete) or not re.fullmatch(r"[0-9]+", numero):
        return None
    return Dossier(tete, numero.zfill(CHIFFRES))
