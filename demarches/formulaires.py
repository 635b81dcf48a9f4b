"""Les formulaires des étapes : ils lisent la saisie ; les règles de montant sont dans `demarches.montants`."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.forms import BoundField
from django.utils.translation import gettext, gettext_lazy

from demarches.champs import CourrielField, MontantField
from demarches.montants import DETTE_DISPARUE, MontantInvalide
from dettes.models import Dette
from dettes.repartition import get_disponible_total
from socle.euros import ecrire_euros, ecrire_saisie

PREFIXE = "dette_"
Saisie = Mapping[str, str]


def nommer(cle: int) -> str:
    """Le nom du champ d'une dette, d'après sa clé."""
    return f"{PREFIXE}{cle}"


class InformationsForm(forms.Form):
    lu = forms.BooleanField(
        label=gettext_lazy("J’ai pris connaissance des mentions de protection des données et je les accepte."),
        error_messages={"required": gettext_lazy("Lisez les mentions, puis cochez la case pour continuer")},
    )
    courriel = CourrielField(
        label=gettext_lazy("Votre adresse électronique"),
        required=False,
        help_text=gettext_lazy("Pour recevoir votre ticket de paiement. Elle ne sert à rien d’autre."),
        widget=forms.EmailInput(attrs={"autocomplete": "email", "spellcheck": "false"}),
    )

    def __init__(self, data: Saisie | None = None, *, deja_lues: bool = False, **options: Any) -> None:
        """:param deja_lues: vrai si ces mentions-là ont été lues : la case ne se redemande pas"""
        super().__init__(data, **options)
        if deja_lues:
            del self.fields["lu"]


class MontantForm(forms.Form):
    """Une somme, que la Caf répartit : les phrases d'un refus vont en face d'elle."""

    montant = MontantField(label=gettext_lazy("Montant à rembourser"))

    def __init__(self, data: Saisie | None = None, *, dettes: Iterable[Dette], **options: Any) -> None:
        super().__init__(data, **options)
        disponible = get_disponible_total(dettes)
        self.fields["montant"].help_text = gettext("Au plus {disponible}.").format(disponible=ecrire_euros(disponible))
        self.fields["montant"].widget.attrs |= {
            "data-montant": ecrire_saisie(disponible),
            "data-nom": gettext("Cette somme"),
        }

    def ajouter_les_erreurs(self, refus: MontantInvalide) -> None:
        for phrase in refus.erreurs.values():
            self.add_error("montant", phrase)


class AffecteForm(forms.Form):
    """Un montant facultatif en face de chaque dette que l'on peut encore payer. Chaque faute nomme sa dette."""

    def __init__(self, data: Saisie | None = None, *, dettes: Iterable[Dette], **options: Any) -> None:
        super().__init__(data, **options)
        self.dettes = [dette for dette in dettes if dette.disponible > 0]
        self.noms = _distinguer(self.dettes)
        # Le même champ pour toutes : il ne sait rien de sa dette, et en bâtir trente coûtait un vingtième de la page.
        champ = MontantField(label=gettext("Montant à rembourser"), required=False)
        self.fields |= dict.fromkeys(self.noms, champ)

    @property
    def lignes(self) -> Iterator[tuple[Dette, BoundField]]:
        return ((dette, self[nommer(dette.pk)]) for dette in self.dettes)

    @property
    def montants(self) -> dict[int, Decimal]:
        """Les montants justes, en euros par clé de dette."""
        lus = {dette.pk: self.cleaned_data.get(nommer(dette.pk)) for dette in self.dettes}
        return {pk: montant for pk, montant in lus.items() if montant}

    def clean(self) -> None:
        # Taire un montant envoyé pour une dette disparue de la page changerait le total sans le dire.
        if any(nom.startswith(PREFIXE) and nom not in self.fields and self.data[nom] for nom in self.data):
            raise ValidationError(DETTE_DISPARUE)

    def add_error(self, field: str | None, error: Any) -> None:
        """Nomme la dette devant la phrase : dans le résumé, la phrase est loin de son champ."""
        if field in self.noms:
            phrase = error if isinstance(error, str) else error.messages[0]
            error = gettext("{nom}\u00a0: {phrase}").format(
                nom=self.noms[field], phrase=f"{phrase[0].lower()}{phrase[1:]}"
            )
        super().add_error(field, error)

    def ajouter_les_erreurs(self, refus: MontantInvalide, *, total: bool) -> None:
        """
        Chaque phrase en face de son champ ; celle du total attend que les champs soient justes.

        :param total: faux tant qu'on n'a pas demandé à continuer : un total vide n'est alors pas une faute
        """
        fautif = bool(self.errors)
        for pk, phrase in refus.erreurs.items():
            if pk is not None:
                self.add_error(f"{PREFIXE}{pk}", phrase)
            elif total and not fautif:
                self.add_error(None, phrase)


def _distinguer(dettes: Iterable[Dette]) -> dict[str, str]:
    """Le nom de chaque dette, par champ ; deux dettes du même nom disent aussi leur référence."""
    noms = [(dette, dette.nom) for dette in dettes]
    combien = Counter(nom for _, nom in noms)
    return {nommer(dette.pk): nom if combien[nom] == 1 else f"{nom} ({dette.reference})" for dette, nom in noms}
