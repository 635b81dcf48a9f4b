"""L'identifiant et le code tels qu'on les recopie d'un courrier, ou que les abîme un tableur."""

import re
import unicodedata
from typing import NamedTuple

CHIFFRES = 7
LONGUEUR = 10  # trois signes pour la Caf, sept chiffres pour l'allocataire
LETTRES_PRISES_POUR_DES_CHIFFRES = str.maketrans("oil", "011")
SEPARATEURS = re.compile(r"[\s./_-]+")
# Le code d'une Caf a trois signes, le numéro d'un département deux (ou trois, outre-mer : c'est aussi son code).
TETE = re.compile(r"[0-9][0-9ab][0-9a-z]?")


class Dossier(NamedTuple):
    """Ce qu'une saisie dit d'un dossier : le code de la Caf ou le numéro du département, et le numéro à 7 chiffres."""

    tete: str
    numero: str


def normaliser(identifiant: str) -> str:
    """
    Rend l'identifiant sous la seule forme enregistrée.

    « 661 0000354 » et « 661-OOOO354 » deviennent « 6610000354 », comme « 110000022 », qui a perdu son zéro dans un
    tableur, devient « 0110000022 ». Le nom d'un agent garde ses signes.
    """
    chiffres = lire_chiffres(identifiant)
    # Le code d'une Caf commence par deux zéros au plus : plus court, ce n'est pas un identifiant abîmé.
    if LONGUEUR - 2 <= len(chiffres) <= LONGUEUR:
        return chiffres.zfill(LONGUEUR)
    return "".join(identifiant.split()).lower()


def lire_dossier(saisie: str) -> Dossier | None:
    """
    Lit « 661 0000354 », « 66-0000354 », « 66 354 » ou « 660000354 » ; None si ce n'est pas un dossier.

    Des zéros oubliés en tête du numéro se remettent ; sans séparation, il faut les sept chiffres.
    """
    lue = unicodedata.normalize("NFKC", saisie).strip().lower().translate(LETTRES_PRISES_POUR_DES_CHIFFRES)
    tete, *suite = SEPARATEURS.split(lue)
    numero = "".join(suite)
    if not numero or len(numero) > CHIFFRES:
        colle = tete + numero
        tete, numero = colle[:-CHIFFRES], colle[-CHIFFRES:]
    if not TETE.fullmatch(tete) or not re.fullmatch(r"[0-9]+", numero):
        return None
    return Dossier(tete, numero.zfill(CHIFFRES))


def lire_chiffres(saisie: str) -> str:
    """
    Rend les chiffres seuls, quels que soient les espaces, tirets et points qui les séparent.

    Une lettre O vaut zéro, I ou L minuscule valent un. Rend une chaîne vide s'il y a autre chose.
    """
    signes = [signe for signe in unicodedata.normalize("NFKC", saisie).lower() if signe.isalnum()]
    chiffres = "".join(signes).translate(LETTRES_PRISES_POUR_DES_CHIFFRES)
    is_nombre = chiffres.isascii() and chiffres.isdigit() and any(signe.isdigit() for signe in signes)
    return chiffres if is_nombre else ""
