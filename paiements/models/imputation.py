"""Ce que nous avons imputé aux dettes : des écritures signées, jamais retouchées."""

from decimal import Decimal

import pgtrigger
from django.db import models
from django.db.models import Q, Sum

from dettes.models import Dette, Mouvement
from paiements.models.transaction import TransactionPayzen
from socle.euros import ecrire_euros


class ImputationQuerySet(models.QuerySet["Imputation"]):
    def par_dette(self) -> dict[int, Decimal]:
        """Ce qui tient encore sur chaque dette, en euros, par sa clé ; rien de celles d'où tout est repris."""
        soldes = self.values("dette").annotate(somme=Sum("montant")).filter(somme__gt=0).order_by("dette")
        return dict(soldes.values_list("dette", "somme"))


class Imputation(models.Model):
    """
    De l'argent d'un débit mis sur une dette, ou repris d'elle : montant signé, en euros. Ajout seul.

    Reprendre est une imputation négative, avec son motif et son auteur.
    """

    paiement = models.ForeignKey("paiements.Paiement", models.PROTECT, related_name="imputations")
    debit = models.ForeignKey(TransactionPayzen, models.PROTECT, related_name="imputations", verbose_name="débit")
    dette = models.ForeignKey(Dette, models.PROTECT, related_name="imputations")
    montant = models.DecimalField("montant signé", max_digits=9, decimal_places=2)
    mouvement = models.OneToOneField(Mouvement, models.PROTECT, related_name="imputation")
    paye_le = models.DateTimeField("payé le", help_text="l'heure du débit, dite à la Caf : elle ne change plus")
    motif = models.CharField(max_length=200)
    auteur = models.CharField(max_length=60)

    objects = ImputationQuerySet.as_manager()

    class Meta:
        verbose_name = "imputation"
        constraints = [models.CheckConstraint(name="imputation_jamais_nulle", condition=~Q(montant=0))]
        triggers = [
            pgtrigger.Trigger(
                name="imputation_dans_ses_bornes",
                operation=pgtrigger.Insert,
                when=pgtrigger.Before,
                func="""
                    IF NEW.montant + (
                           SELECT coalesce(sum(montant), 0) FROM paiements_imputation
                           WHERE paiement_id = NEW.paiement_id AND dette_id = NEW.dette_id
                       ) < 0 THEN
                        RAISE EXCEPTION 'On ne reprend d''une dette que ce que ce paiement y a imputé.';
                    END IF;
                    IF NEW.montant > 0 AND NEW.montant + (
                           SELECT coalesce(sum(montant), 0) FROM paiements_imputation
                           WHERE paiement_id = NEW.paiement_id
                       ) > (SELECT tenu FROM paiements_debit_tenu WHERE uuid = NEW.debit_id) THEN
                        RAISE EXCEPTION 'On n''impute pas plus que ce que la banque tient.';
                    END IF;
                    RETURN NEW;
                """,
            ),
            pgtrigger.Protect(name="imputation_ajout_seul", operation=pgtrigger.Update | pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return f"{self.paiement} → {self.dette} : {ecrire_euros(self.montant)}"
