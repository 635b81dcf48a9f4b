"""Ce que la plateforme tient : une ligne par transaction, débit ou crédit, dans son état le plus avancé."""

from decimal import Decimal

import pgtrigger
from django.db import models
from django.db.models import Q

from comptes.models import Utilisateur
from paiements.payzen import (
    ACCORDES,
    ATTENTES,
    CONTRADICTOIRE,
    DOUTEUSES,
    EURO,
    VIVANTS,
    Famille,
    get_famille,
    get_pris,
)
from socle.euros import ecrire_euros

# Remise en banque (PROTOCOLE §3.4).
REMISE = "CAPTURED"


class TransactionQuerySet(models.QuerySet["TransactionPayzen"]):
    def debits(self) -> "TransactionQuerySet":
        return self.filter(operation=TransactionPayzen.DEBIT)

    def credits(self) -> "TransactionQuerySet":
        return self.filter(operation=TransactionPayzen.CREDIT)

    def vivantes(self) -> "TransactionQuerySet":
        """Celles dont l'argent a bougé : la banque le dit, ou un agent a tranché."""
        return self.filter(Q(statut__in=VIVANTS) | Q(verdict=TransactionPayzen.Verdict.TENUE))


class TransactionPayzen(models.Model):
    """
    Une transaction de la plateforme. Montants en euros, dates en UTC ; vide ou nul veut dire « jamais dit ».

    Écrite par `paiements.reception.porter`, et lui seul : son état est le plus avancé de tous ceux qu'on en a dits,
    son montant le plus petit (PROTOCOLE §3.8 et §5). L'ordre et le nombre des messages n'y changent rien ; la base
    refuse tout recul.
    """

    DEBIT, CREDIT = "DEBIT", "CREDIT"

    class Verdict(models.TextChoices):
        """Ce qu'un agent a lu au Back Office d'une transaction dont la banque dit deux choses."""

        TENUE = "TENUE", "la banque tient cet argent"
        DEFAITE = "DEFAITE", "la banque ne le tient pas"

    uuid = models.CharField(primary_key=True, max_length=32)
    paiement = models.ForeignKey(
        "paiements.Paiement", models.PROTECT, related_name="transactions", null=True, blank=True
    )
    reference = models.CharField("référence", max_length=64)
    boutique = models.CharField(max_length=8)
    mode = models.CharField("mode PayZen", max_length=10)
    operation = models.CharField("opération", max_length=20)
    parent = models.ForeignKey(
        "self", models.PROTECT, related_name="credits", null=True, blank=True, verbose_name="débit remboursé"
    )
    statut = models.CharField(max_length=40)
    verdict = models.CharField(max_length=7, choices=Verdict, blank=True)
    montant = models.DecimalField("montant, le plus petit dit", max_digits=9, decimal_places=2)
    montant_haut = models.DecimalField("montant, le plus grand dit", max_digits=9, decimal_places=2)
    devise = models.CharField(max_length=3)
    effectif = models.DecimalField("montant effectif", max_digits=9, decimal_places=2, null=True, blank=True)
    devise_effective = models.CharField(max_length=3, blank=True)
    # Nul, jamais dit ; vide, une notification qui le tait : elle n'est pas née de notre formulaire.
    trans_id = models.CharField("numéro de transaction", max_length=6, null=True, blank=True)  # noqa: DJ001
    trans_date = models.DateTimeField("date du formulaire", null=True, blank=True)
    creee_le = models.DateTimeField("créée à la banque le", null=True, blank=True)
    apprise_le = models.DateTimeField("apprise le")
    remise_le = models.DateTimeField("remise en banque le", null=True, blank=True)
    absente_le = models.DateTimeField(
        "absente de la dernière lecture depuis le", null=True, blank=True, help_text="la plateforme ne la montre plus"
    )
    marque = models.CharField(max_length=30, blank=True)
    carte_fin = models.CharField("quatre derniers chiffres", max_length=4, blank=True)
    autorisation = models.CharField("numéro d'autorisation", max_length=20, blank=True)

    objects = TransactionQuerySet.as_manager()

    class Meta:
        verbose_name = "transaction PayZen"
        verbose_name_plural = "transactions PayZen"
        indexes = [
            models.Index(name="transactions_de_la_carte", fields=["carte_fin"], condition=~Q(carte_fin="")),
            # Ce qu'un agent lit sur un ticket ou au Back Office, et tape.
            models.Index(name="transactions_autorisees", fields=["autorisation"], condition=~Q(autorisation="")),
            models.Index(name="transactions_par_trans_id", fields=["trans_id"]),
            models.Index(name="transactions_inconnues", fields=["reference"], condition=Q(paiement=None)),
        ]
        constraints = [
            models.CheckConstraint(
                name="transaction_montants_ordonnes", condition=Q(montant__lte=models.F("montant_haut"))
            ),
            models.CheckConstraint(
                name="transaction_parent_d_un_credit", condition=Q(parent=None) | Q(operation="CREDIT")
            ),
        ]
        triggers = [
            pgtrigger.Trigger(
                name="transaction_ne_recule_pas",
                operation=pgtrigger.Update,
                when=pgtrigger.Before,
                func="""
                    IF (NEW.uuid, NEW.reference, NEW.boutique, NEW.mode, NEW.operation, NEW.devise)
                       IS DISTINCT FROM
                       (OLD.uuid, OLD.reference, OLD.boutique, OLD.mode, OLD.operation, OLD.devise)
                       OR (OLD.paiement_id IS NOT NULL AND NEW.paiement_id IS DISTINCT FROM OLD.paiement_id)
                       OR (OLD.parent_id IS NOT NULL AND NEW.parent_id IS DISTINCT FROM OLD.parent_id) THEN
                        RAISE EXCEPTION 'Une transaction ne change ni de référence, ni de sens, ni de débit.';
                    END IF;
                    IF NEW.statut <> paiements_unir(OLD.statut, NEW.statut) THEN
                        RAISE EXCEPTION 'Une transaction ne revient pas de % à %.', OLD.statut, NEW.statut;
                    END IF;
                    IF NEW.montant > OLD.montant OR NEW.montant_haut < OLD.montant_haut
                       OR NEW.remise_le > OLD.remise_le
                       OR (OLD.remise_le IS NOT NULL AND NEW.remise_le IS NULL) THEN
                        RAISE EXCEPTION 'Le montant d''une transaction ne monte pas, sa remise ne s''oublie pas.';
                    END IF;
                    RETURN NEW;
                """,
            ),
            pgtrigger.Protect(name="transaction_jamais_effacee", operation=pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return f"{self.operation} {self.uuid}"

    @property
    def famille(self) -> Famille:
        return get_famille(self.statut)

    @property
    def is_debit(self) -> bool:
        return self.operation == self.DEBIT

    @property
    def is_credit(self) -> bool:
        return self.operation == self.CREDIT

    @property
    def is_vivante(self) -> bool:
        """L'argent a bougé : la banque le dit, ou un agent a tranché."""
        return self.statut in VIVANTS or self.verdict == self.Verdict.TENUE

    @property
    def is_accordee(self) -> bool:
        """La banque a dit oui un jour, même si elle l'a défait depuis."""
        return self.statut in (*ACCORDES, CONTRADICTOIRE) or self.verdict == self.Verdict.TENUE

    @property
    def is_remise(self) -> bool:
        return self.statut == REMISE or self.remise_le is not None

    @property
    def is_en_attente(self) -> bool:
        return self.statut in ATTENTES

    @property
    def is_douteuse(self) -> bool:
        """Deux mots contraires, un mot inconnu, ou une opération qui n'est pas de l'argent : un agent tranche."""
        return (self.famille in DOUTEUSES or self.operation not in (self.DEBIT, self.CREDIT)) and not self.verdict

    @property
    def is_en_euros(self) -> bool:
        return self.devise == EURO and self.devise_effective in ("", EURO)

    @property
    def is_en_l_air(self) -> bool:
        """Un crédit dont on ne sait pas ce qu'il ôte : de quel débit, combien d'euros, ou s'il est parti."""
        is_sans_compte = self.is_vivante and (self.parent_id is None or self.devise != EURO)
        return self.is_credit and (is_sans_compte or self.is_douteuse)  # garde: credit_douteux_est_en_l_air

    @property
    def pris(self) -> Decimal:
        """Ce que la banque dit avoir débité, au plus petit, dans la devise de la transaction."""
        return get_pris(self.montant, self.effectif, self.devise_effective)

    @property
    def carte_masquee(self) -> str:
        return f"•••• {self.carte_fin}" if self.carte_fin else ""


class DebitTenu(models.Model):
    """
    Ce que la plateforme tient d'un débit, en euros : ce qu'elle en a pris s'il vit, moins ce que la banque en a repris
    (l'impayé), moins ses crédits. Un crédit d'une autre devise n'en ôte rien qu'on sache compter : un agent regarde.

    La seule définition du mot « tenu » : une vue de la base, que lisent le code, les pages, le bureau, les invariants.
    """

    transaction = models.OneToOneField(
        TransactionPayzen, models.DO_NOTHING, primary_key=True, db_column="uuid", related_name="compte"
    )
    paiement = models.ForeignKey("paiements.Paiement", models.DO_NOTHING, null=True, related_name="debits_tenus")
    is_sien = models.BooleanField("le débit du paiement")
    is_impaye = models.BooleanField("impayé")
    tenu = models.DecimalField(max_digits=9, decimal_places=2)
    credite = models.DecimalField("rendu par des crédits", max_digits=9, decimal_places=2)
    impaye = models.DecimalField("repris par la banque", max_digits=9, decimal_places=2)

    class Meta:
        managed = False
        db_table = "paiements_debit_tenu"

    def __str__(self) -> str:
        return f"{ecrire_euros(self.tenu)} de {self.transaction_id}"


class Impaye(models.Model):
    """
    La banque a repris un débit que son porteur conteste, ou l'a rendu depuis (PROTOCOLE §5 et §8). Ajout seul.

    La plateforme ne le montre pas : un comptable le lit au journal des impayés. L'annuler est une écriture de plus, du
    même montant. En euros, c'est le débit entier, même si une part en a été remboursée, ou pas plus que ce qu'il en
    reste.
    """

    class Sens(models.IntegerChoices):
        PRIS = 1, "pris par la banque"
        RENDU = -1, "rendu par la banque, ou enregistré à tort"

    debit = models.ForeignKey(TransactionPayzen, models.PROTECT, related_name="impayes", verbose_name="débit")
    sens = models.SmallIntegerField(choices=Sens)
    montant = models.DecimalField(max_digits=9, decimal_places=2)
    motif = models.CharField(max_length=200)
    # Nul : enregistré de nouveau, avant que ce livre existe, sans que rien ait gardé par qui.
    auteur = models.ForeignKey(Utilisateur, models.PROTECT, related_name="+", null=True, blank=True)
    le = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = "impayé"
        verbose_name_plural = "impayés"
        constraints = [models.CheckConstraint(name="impaye_montant_positif", condition=Q(montant__gt=0))]
        triggers = [
            # La version d'avant, à qui l'on peut revenir, ne dit pas de montant : pris, tout ; rendu, ce qui l'était.
            pgtrigger.Trigger(
                name="impaye_entier_si_tu",
                operation=pgtrigger.Insert,
                when=pgtrigger.Before,
                condition=pgtrigger.Condition("NEW.montant IS NULL"),
                func="""
                    SELECT coalesce(nullif(sum(i.sens * i.montant), 0), d.montant) INTO NEW.montant
                    FROM paiements_transactionpayzen d LEFT JOIN paiements_impaye i ON i.debit_id = d.uuid
                    WHERE d.uuid = NEW.debit_id GROUP BY d.uuid;
                    RETURN NEW;
                """,
            ),
            pgtrigger.Trigger(
                name="impaye_pris_puis_rendu",
                operation=pgtrigger.Insert,
                when=pgtrigger.Before,
                func="""
                    IF (
                        SELECT coalesce(sum(sens * montant), 0) FROM paiements_impaye WHERE debit_id = NEW.debit_id
                    ) <> (CASE NEW.sens WHEN 1 THEN 0 ELSE NEW.montant END) THEN
                        RAISE EXCEPTION 'Un débit n''est impayé qu''une fois à la fois, et se rend en entier.';
                    END IF;
                    RETURN NEW;
                """,
            ),
            pgtrigger.Trigger(
                name="impaye_qui_tient_au_debit",
                operation=pgtrigger.Insert,
                when=pgtrigger.Before,
                func="""
                    IF NEW.sens = 1 AND NOT EXISTS (
                        SELECT FROM paiements_transactionpayzen d JOIN paiements_debit_tenu c ON c.uuid = d.uuid
                        WHERE d.uuid = NEW.debit_id
                          AND (NEW.montant = d.montant OR NEW.montant + c.credite <= d.montant)
                    ) THEN
                        RAISE EXCEPTION 'Un impayé est du débit entier, ou pas plus que ce qu''il en reste.';
                    END IF;
                    RETURN NEW;
                """,
            ),
            pgtrigger.Protect(name="impaye_ajout_seul", operation=pgtrigger.Update | pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return f"{ecrire_euros(self.montant)} {self.get_sens_display()} : {self.debit_id}"
