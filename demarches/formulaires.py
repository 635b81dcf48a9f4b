"""Les formulaires des étapes : ils lisent la saisie ; les règles de montant sont dans `demarches.montants`."""

from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.forms import BoundField
from django.http import QueryDict

from demarches.champs import CourrielField, MontantField
from demarches.models import Demarche
from demarches.montants import DETTE_DISPARUE, MontantInvalide
from dettes.models import Dette

PREFIXE = "dette_"
Mode = Demarche.Mode


def nommer(dette: Dette) -> str:
    """Le nom du champ d'une dette."""
    return f"{PREFIXE}{dette.pk}"


class InformationsForm(forms.Form):
    lu = forms.BooleanField(
        label="J’ai pris connaissance des mentions de protection des données et je les accepte.",
        error_messages={"required": "Lisez les mentions, puis cochez la case pour continuer"},
    )
    courriel = CourrielField(
        label="Votre adresse électronique",
        required=False,
        help_text="Pour recevoir votre ticket de paiement. Elle ne sert à rien d’autre.",
        widget=forms.EmailInput(attrs={"autocomplete": "email", "spellcheck": "false"}),
    )


class ChoixForm(forms.Form):
    mode = forms.ChoiceField(
        label="Que voulez-vous rembourser ?",
        choices=[(Mode.GLOBAL, Mode.GLOBAL.label), (Mode.AFFECTE, "des dettes que je choisis")],
        widget=forms.RadioSelect,
        error_messages={"required": "Choisissez ce que vous voulez rembourser"},
    )


class MontantForm(forms.Form):
    """Un seul montant : les phrases d'un refus vont en face de lui."""

    montant = MontantField(label="Montant à rembourser")

    def __init__(self, data: QueryDict | None = None, *, aide: str = "", **options: Any) -> None:
        super().__init__(data, **options)
        self.fields["montant"].help_text = aide

    def ajouter_les_erreurs(self, refus: MontantInvalide) -> None:
        for phrase in refus.erreurs.values():
            self.add_error("montant", phrase)


class RepartirForm(MontantForm):
    """Le préréglage « la plus ancienne d'abord », posé à côté des montants par dette."""

    prefix = "repartir"
    montant = MontantField(label="Montant à répartir", aide_au_total=False)


class AffecteForm(forms.Form):
    """Un montant facultatif en face de chaque dette que l'on peut encore payer."""

    def __init__(self, data: QueryDict | None = None, *, dettes: Iterable[Dette], **options: Any) -> None:
        super().__init__(data, **options)
        self.dettes = [dette for dette in dettes if dette.disponible > 0]
        for dette in self.dettes:
            self.fields[nommer(dette)] = MontantField(label="Montant à rembourser", required=False)

    @property
    def lignes(self) -> Iterator[tuple[Dette, BoundField]]:
        return ((dette, self[nommer(dette)]) for dette in self.dettes)

    @property
    def montants(self) -> dict[int, Decimal]:
        """Les montants lisibles, en euros par clé de dette."""
        lus = self.cleaned_data if self.is_bound else self.initial
        return {dette.pk: lus[nommer(dette)] for dette in self.dettes if lus.get(nommer(dette))}

    def clean(self) -> None:
        # Taire un montant envoyé pour une dette disparue de la page changerait le total sans le dire.
        if any(nom.startswith(PREFIXE) and nom not in self.fields and self.data[nom] for nom in self.data):
            raise ValidationError(DETTE_DISPARUE)

    def ajouter_les_erreurs(self, refus: MontantInvalide) -> None:
        """Chaque phrase en face de son champ ; celle du total attend que les champs soient justes."""
        fautif = bool(self.errors)
        for pk, phrase in refus.erreurs.items():
            if pk is not None:
                self.add_error(f"{PREFIXE}{pk}", phrase)
            elif not fautif:
                self.add_error(None, phrase)
