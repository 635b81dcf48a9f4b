"""
Ce qu'un mot de passe ne doit pas être : un de ceux que tout le monde essaie, ni ce que l'on sait de la personne.

Il se compare et s'enregistre sous sa forme NFKC : « é » ne s'écrit pas partout avec les mêmes octets.
"""

import re
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.contrib.auth.password_validation import (
    CommonPasswordValidator,
    MinimumLengthValidator,
    NumericPasswordValidator,
)
from django.core.exceptions import ValidationError
from django.utils.translation import gettext

COURANTS = frozenset((Path(__file__).parent / "mots_courants.txt").read_text().split())
CHIFFRES_LUS_COMME_DES_LETTRES = str.maketrans("01345@$", "oieasas")
SIGNES_DIFFERENTS = 5
LETTRES_D_UN_NOM = 4  # plus court, il se trouve par hasard dans trop de mots


def normaliser(mot_de_passe: str) -> str:
    return unicodedata.normalize("NFKC", mot_de_passe)


class AssezLong(MinimumLengthValidator):
    def get_error_message(self) -> str:
        return gettext("Écrivez au moins {min_length} caractères").format(min_length=self.min_length)


class PasQueDesChiffres(NumericPasswordValidator):
    def get_error_message(self) -> str:
        return gettext("Ajoutez au moins une lettre")


class Courant(CommonPasswordValidator):
    """Refuse la liste de Django, et un ou deux mots que les francophones choisissent, quoi qu'on leur ajoute."""

    def validate(self, password: str, user: object = None) -> None:
        signes = normaliser(password).casefold()
        if signes.isdigit():
            return  # `PasQueDesChiffres` le refuse, et dit quoi ajouter
        if len(set(signes)) < SIGNES_DIFFERENTS:
            raise ValidationError(gettext("Ce mot de passe se répète trop. Quatre mots sans rapport font l’affaire."))
        if signes in self.passwords or _is_courant(signes):
            raise ValidationError(
                gettext(
                    "Ce mot de passe est choisi par trop de gens, même avec des chiffres au bout. Quatre mots sans"
                    " rapport font l’affaire."
                )
            )


class DonneesPersonnelles:
    """Refuse ce qu'un proche ou un courrier volé diraient : nom, prénom, naissance, identifiant, numéro."""

    def validate(self, password: str, user: Any = None) -> None:
        colle = re.sub(r"[\W_]", "", _oter_les_accents(password))
        if user is not None and any(donnee in colle for donnee in _lister(user)):
            raise ValidationError(
                gettext(
                    "N’y mettez ni votre nom, ni votre prénom, ni votre date de naissance, ni votre identifiant\u00a0:"
                    " d’autres que vous les connaissent."
                )
            )

    def get_help_text(self) -> str:
        return gettext("Ni votre nom, ni votre date de naissance, ni votre identifiant.")


def _is_courant(signes: str) -> bool:
    """Dit si, sans les chiffres et signes du bord, il reste moins d'une lettre, ou un ou deux mots courants."""
    lettres = re.sub(r"^[\W\d_]+|[\W\d_]+$", "", _oter_les_accents(signes))
    lectures = (lettres, lettres.translate(CHIFFRES_LUS_COMME_DES_LETTRES))
    return any(_is_fait_de_mots(re.sub(r"[\W\d_]", "", lecture)) for lecture in lectures)


def _is_fait_de_mots(lettres: str) -> bool:
    permis = COURANTS | {""}
    return any(lettres[:coupe] in permis and lettres[coupe:] in permis for coupe in range(len(lettres) + 1))


def _lister(utilisateur: Any) -> Iterator[str]:
    yield from re.findall(r"[a-z0-9]{4,}", re.sub(r"[\W_]", "", utilisateur.identifiant))
    if (dossier := utilisateur.allocataire) is None:
        return
    yield dossier.numero
    noms = _oter_les_accents(f"{dossier.nom} {dossier.prenom}")
    yield from (nom for nom in re.split(r"[\W_]+", noms) if len(nom) >= LETTRES_D_UN_NOM)
    if naissance := dossier.date_naissance:
        yield from (naissance.strftime(forme) for forme in ("%d%m%Y", "%Y%m%d", "%d%m%y"))


def _oter_les_accents(texte: str) -> str:
    return re.sub(r"[\u0300-\u036f]", "", unicodedata.normalize("NFKD", texte)).casefold()
