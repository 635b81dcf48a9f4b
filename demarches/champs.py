"""Les saisies de l'allocataire : lues comme il les écrit, refusées avec une phrase qui aide (DOMAINE §5, §11)."""

import re
import unicodedata
from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy

from socle.carte import LUE_AU_PLUS, SansCarteMixin
from socle.euros import ecrire_saisie

LONGUEUR_MAXIMALE = 30
LONGUEUR_D_UNE_ADRESSE = 254  # RFC 5321 §4.5.3.1.3, et ce que tient la base
BLANCS = " \t\r\n\f"
# Ces trois règles et `MontantField.to_python` sont refaites dans static/js/total.js, qui doit compter de même.
UNITE_FINALE = re.compile(rf"[{BLANCS}]*(€|euros?)$", re.IGNORECASE)
ENTIER = r"[0-9]+|[0-9]{1,3}(?: [0-9]{3})+"
NOMBRE = re.compile(rf"(?P<entier>{ENTIER})(?:[.,](?P<decimales>[0-9]*))?")


def nettoyer(saisie: object) -> str:
    """
    La saisie sans les signes invisibles qu'un copier-coller apporte, ni les blancs du bord.

    Une marque d'ordre, une espace sans largeur ou un sens d'écriture ne se voient pas : on ne peut pas les corriger.
    """
    visible = "".join(signe for signe in str(saisie or "")[:LUE_AU_PLUS] if unicodedata.category(signe) != "Cf")
    return visible.strip(BLANCS)


class CourrielField(SansCarteMixin, forms.EmailField):
    """
    Une adresse électronique, facultative, que la base sait garder et à laquelle on sait écrire.

    « <prenom@exemple.fr> », comme l'écrit un logiciel de courriel, se lit sans ses chevrons.
    """

    default_error_messages = {
        "invalid": gettext_lazy("Écrivez une adresse électronique complète, par exemple prenom.nom@exemple.fr"),
        "accent": gettext_lazy("Ce qui précède le @ s’écrit sans accent, par exemple rene@exemple.fr"),
        "max_length": gettext_lazy("Cette adresse est trop longue\u00a0: vérifiez-la, ou laissez le champ vide"),
    }

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=LONGUEUR_D_UNE_ADRESSE, **options)

    def to_python(self, value: object) -> str:
        saisie = nettoyer(value)
        return saisie[1:-1].strip(BLANCS) if saisie.startswith("<") and saisie.endswith(">") else saisie

    def run_validators(self, value: str) -> None:
        if not value.rpartition("@")[0].isascii():
            raise ValidationError(self.error_messages["accent"], code="accent")
        super().run_validators(value)

    def clean(self, value: object) -> object:
        courriel = str(super().clean(value))
        # Ce que la norme admet et qu'aucun courriel ne porte : un nom entre guillemets, un domaine qui ne se code pas.
        if '"' in courriel or not _se_code(courriel.rpartition("@")[2]):
            raise ValidationError(self.error_messages["invalid"], code="invalid")
        return courriel


def _se_code(domaine: str) -> bool:
    try:
        domaine.encode("idna")
    except UnicodeError:
        return False
    return True


class MontantField(SansCarteMixin, forms.Field):
    """
    Un montant en euros, écrit à la française : « 12,5 », « 1 234,56 € » ; le point vaut la virgule.

    Rend un Decimal positif ou nul, ou None si le champ est vide. Les milliers se séparent par une espace, de n'importe
    quelle largeur ; « 12 50 », qui peut vouloir dire deux choses, est refusé.
    """

    widget = forms.TextInput
    default_error_messages = {
        "required": gettext_lazy("Indiquez un montant"),
        "texte": gettext_lazy("Écrivez le montant en chiffres, par exemple 12,50"),
        "negatif": gettext_lazy("Indiquez un montant sans le signe moins"),
        "decimales": gettext_lazy("Indiquez au plus 2 chiffres après la virgule"),
        "separateurs": gettext_lazy("Écrivez le montant sans séparer les milliers, par exemple 1234,56"),
    }

    def widget_attrs(self, widget: forms.Widget) -> dict[str, Any]:
        attributs = {"inputmode": "decimal", "autocomplete": "off", "maxlength": str(LONGUEUR_MAXIMALE)}
        return super().widget_attrs(widget) | attributs

    def prepare_value(self, value: object) -> object:
        return ecrire_saisie(value) if isinstance(value, Decimal) else super().prepare_value(value)

    def to_python(self, value: object) -> Decimal | None:
        # NFKC ramène l'espace insécable, l'espace fine et les chiffres pleine chasse à leur forme ordinaire.
        saisie = UNITE_FINALE.sub("", nettoyer(unicodedata.normalize("NFKC", str(value or "")[:LUE_AU_PLUS])))
        if not saisie:
            return None
        if saisie[0] in "-−–":
            raise self._refus("negatif")
        nombre = NOMBRE.fullmatch(saisie)
        if not nombre or len(saisie) > LONGUEUR_MAXIMALE:
            raise self._refus("separateurs" if re.fullmatch(r"[0-9]+(?:[.,][0-9]+){2,}", saisie) else "texte")
        decimales = nombre["decimales"] or ""
        if len(decimales) > 2:
            raise self._refus("decimales")
        # Écrit avec ses deux décimales plutôt qu'arrondi : arrondir un très long nombre est une erreur.
        return Decimal(f"{nombre['entier'].replace(' ', '')}.{decimales:0<2}")

    def _refus(self, code: str) -> ValidationError:
        return ValidationError(self.error_messages[code], code=code)
