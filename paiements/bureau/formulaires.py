"""Ce que demandent les gestes du bureau : des montants dette par dette, une adresse, un accord."""

from decimal import Decimal
from typing import Any, cast

from django import forms
from django.core.validators import MaxValueValidator

from demarches.champs import CourrielField, MontantField
from dettes.models import Dette
from dettes.repartition import repartir
from paiements.bureau.faits import dire_la_transaction
from paiements.models import Anomalie, Paiement, TransactionPayzen
from paiements.retours import impaye, reprise
from socle.carte import MotifField
from socle.euros import ecrire_euros
from socle.gestes import MOTIF, MotifForm

PART = "part_"


class PartsForm(MotifForm):
    """Un champ par dette, déjà rempli de ce qu'on propose ; l'agent le corrige. Montants en euros."""

    def ajouter(self, dette: Dette, *, libelle: str, propose: Decimal, au_plus: Decimal) -> None:
        # Les montants se tapent comme ils s'affichent : « 1 234,56 € », la virgule ou le point.
        self.fields[f"{PART}{dette.pk}"] = MontantField(
            label=libelle,
            initial=propose,
            required=False,
            validators=[MaxValueValidator(au_plus, f"au plus {ecrire_euros(au_plus)}")],
        )

    def ranger(self) -> None:
        """Les dettes d'abord, dans leur ordre, puis le motif."""
        self.order_fields([nom for nom in self.fields if nom != "motif"])


class RepriseForm(PartsForm):
    """De quelles dettes reprendre la part que la banque ne tient plus."""

    def __init__(self, *args: Any, objet: Anomalie, **kwargs: Any) -> None:
        super().__init__(*args, objet=objet, **kwargs)
        if objet.paiement:
            imputees = objet.paiement.imputations.par_dette()
            for dette, part in reprise.proposer(objet.paiement).items():
                libelle = f"À reprendre à la dette {dette} (ce paiement y a imputé {ecrire_euros(imputees[dette.pk])})"
                self.ajouter(dette, libelle=libelle, propose=part, au_plus=imputees[dette.pk])
        self.ranger()


class ResteForm(PartsForm):
    """Sur quelles dettes placer le reste, et comment l'allocataire a donné son accord."""

    motif = MotifField(label="Accord de l'allocataire : comment, quand", max_length=200, widget=MOTIF)

    def __init__(self, *args: Any, objet: Anomalie, **kwargs: Any) -> None:
        super().__init__(*args, objet=objet, **kwargs)
        accueil = get_dettes_d_accueil(objet)
        proposees = {dette.pk: part for dette, part in repartir(get_reste(objet), accueil)}
        for dette in accueil:
            libelle = f"À placer sur la dette {dette} (elle peut recevoir {ecrire_euros(dette.disponible)})"
            propose = proposees.get(dette.pk, Decimal(0))
            self.ajouter(dette, libelle=libelle, propose=propose, au_plus=dette.disponible)
        self.ranger()


def _nommer_le_debit(obj: TransactionPayzen) -> str:
    return f"{dire_la_transaction(obj)}, identifiant {obj.uuid}"


class RattachementForm(MotifForm):
    """Quel débit du paiement ce remboursement a rendu, d'après le Back Office."""

    debit = forms.ModelChoiceField(
        TransactionPayzen.objects.none(), label="Le débit que ce remboursement rend", empty_label=None
    )

    def __init__(self, *args: Any, objet: Anomalie, **kwargs: Any) -> None:
        super().__init__(*args, objet=objet, **kwargs)
        debits = TransactionPayzen.objects.debits().filter(paiement=objet.paiement_id or 0)
        champ = cast("forms.ModelChoiceField[TransactionPayzen]", self.fields["debit"])
        champ.queryset = debits.select_related("compte").order_by("apprise_le")
        champ.label_from_instance = _nommer_le_debit  # type: ignore[method-assign]
        self.order_fields(["debit", "motif"])


class RestitutionPartielleForm(PartsForm):
    """Quelle part rendre, dette par dette."""

    def __init__(self, *args: Any, objet: Paiement, **kwargs: Any) -> None:
        super().__init__(*args, objet=objet, **kwargs)
        imputees = objet.imputations.par_dette()
        for dette in Dette.objects.filter(pk__in=imputees).order_by("-notifiee_le", "-pk"):
            recu = imputees[dette.pk]
            libelle = f"À rendre de la dette {dette} (ce paiement y a imputé {ecrire_euros(recu)})"
            self.ajouter(dette, libelle=libelle, propose=Decimal(0), au_plus=recu)
        self.ranger()


class ImpayeForm(MotifForm):
    """Ce que le journal des impayés dit repris : d'ordinaire, ce que la banque tenait encore."""

    field_order = ("montant", "motif")
    montant = MontantField(label="Montant de l'impayé, lu au journal")

    def __init__(self, *args: Any, objet: Paiement, **kwargs: Any) -> None:
        propose = {"montant": impaye.get_probable(objet.debit)} if objet.debit else {}
        super().__init__(*args, objet=objet, initial=propose | kwargs.pop("initial", {}), **kwargs)


class TicketForm(MotifForm):
    """L'adresse où renvoyer le ticket, et comment l'allocataire l'a dite."""

    field_order = ("courriel", "motif")
    courriel = CourrielField(label="Adresse du ticket")
    motif = MotifField(label="Accord de l'allocataire : comment, quand", max_length=200, widget=MOTIF)

    def __init__(self, *args: Any, objet: Paiement | Anomalie, **kwargs: Any) -> None:
        paiement = objet.paiement if isinstance(objet, Anomalie) else objet
        initial = {"courriel": paiement.demarche.courriel if paiement else ""} | kwargs.pop("initial", {})
        super().__init__(*args, objet=objet, initial=initial, **kwargs)


def get_reste(anomalie: Anomalie) -> Decimal:
    """Ce qui reste à placer, en euros, si c'est ce dont parle l'anomalie ; zéro sinon."""
    paiement = anomalie.paiement
    if paiement is None or not anomalie.is_a_trancher or anomalie.transaction_id != paiement.debit_id:
        return Decimal(0)
    return max(paiement.a_placer, Decimal(0))


def get_dettes_d_accueil(anomalie: Anomalie) -> list[Dette]:
    """Les dettes de l'allocataire qui peuvent recevoir un reste, les plus anciennes d'abord."""
    if anomalie.paiement is None:
        return []
    siennes = Dette.objects.for_allocataire(anomalie.paiement.demarche.allocataire)
    payables = siennes.payables().with_disponible().plus_anciennes_d_abord()
    return [dette for dette in payables if dette.disponible > 0]


def lire_les_parts(donnees: dict[str, Any]) -> dict[int, Decimal]:
    """Ce qu'un formulaire demande à chaque dette, par sa clé, en euros."""
    return {int(nom.removeprefix(PART)): part for nom, part in donnees.items() if nom.startswith(PART) and part}
