"""Ce qu'aucune saisie libre ne doit contenir : un numéro de carte (DOMAINE §6)."""

import re

from django import forms
from django.core.exceptions import ValidationError

LONGUEURS_DE_CARTE = range(13, 20)
# Une saisie démesurée ne doit pas coûter de temps : au-delà, le champ la refuse de toute façon.
LUE_AU_PLUS = 300
# Ce qui reste d'une saisie qu'on garde de côté, quand elle portait un numéro de carte : le champ la refuse encore.
EFFACE = "\u2022numéro de carte effacé\u2022"


def has_numero_de_carte(saisie: str) -> bool:
    """Vrai si la saisie contient 13 à 19 chiffres qui suivent la règle de Luhn : un numéro de carte, sans doute."""
    if EFFACE in saisie:
        return True
    suites = re.findall(r"[0-9]{13,}", re.sub(r"[\s.-]", "", saisie[:LUE_AU_PLUS]))
    return any(
        _suit_luhn(suite[debut : debut + longueur])
        for suite in suites
        for longueur in LONGUEURS_DE_CARTE
        for debut in range(len(suite) - longueur + 1)
    )


def effacer_la_carte(saisie: str) -> str:
    """La saisie, sauf si elle porte un numéro de carte : il n'en reste alors que la marque, que le champ refuse."""
    return EFFACE if has_numero_de_carte(saisie) else saisie


def _suit_luhn(chiffres: str) -> bool:
    doubles = [int(chiffre) * 2 for chiffre in chiffres[-2::-2]]
    simples = [int(chiffre) for chiffre in chiffres[-1::-2]]
    return (sum(simples) + sum(double - 9 if double > 9 else double for double in doubles)) % 10 == 0


class SansCarteMixin(forms.Field):
    """Refuse un numéro de carte collé là par mégarde, et ne le réaffiche jamais."""

    sans_carte = "N’écrivez pas de numéro de carte ici : vous le saisirez sur la page sécurisée de PayZen"

    def clean(self, value: object) -> object:
        if has_numero_de_carte(str(value or "")):
            raise ValidationError(self.sans_carte, code="carte")
        return super().clean(value)

    def bound_data(self, data: object, initial: object) -> object:
        return "" if has_numero_de_carte(str(data or "")) else super().bound_data(data, initial)

    def prepare_value(self, value: object) -> object:
        return "" if has_numero_de_carte(str(value or "")) else super().prepare_value(value)


class MotifField(SansCarteMixin, forms.CharField):
    """Ce qu'un agent écrit et qui reste au journal pour toujours."""

    sans_carte = "N’écrivez pas de numéro de carte : ses quatre derniers chiffres suffisent"
