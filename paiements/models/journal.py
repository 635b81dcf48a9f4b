"""Les journaux de la plateforme que nous avons lus, ligne à ligne (PROTOCOLE §8)."""

import pgtrigger
from django.db import models
from django.db.models import Q

from paiements.models.transaction import TransactionPayzen


class JournalPayzen(models.Model):
    """Un fichier lu. La reprise d'un même jour est un autre fichier ; le relire n'apprend rien."""

    class Genre(models.TextChoices):
        JT = "JT", "transactions"
        JO = "JO", "opérations"
        JRB = "JRB", "rapprochement bancaire"
        JRI = "JRI", "impayés"

    nom = models.CharField(max_length=60)
    genre = models.CharField(max_length=3, choices=Genre)
    boutique = models.CharField(max_length=8)
    mode = models.CharField("mode PayZen", max_length=10)
    jour = models.CharField("période du nom", max_length=6)
    modele = models.CharField("modèle", max_length=40, blank=True)
    empreinte = models.CharField("empreinte SHA-256", max_length=64, unique=True)
    lignes = models.PositiveIntegerField()
    inconnues = models.JSONField("colonnes inconnues", default=list)
    lu_le = models.DateTimeField("lu le", auto_now_add=True)

    class Meta:
        verbose_name = "journal PayZen"
        verbose_name_plural = "journaux PayZen"
        triggers = [pgtrigger.Protect(name="journal_ajout_seul", operation=pgtrigger.Update | pgtrigger.Delete)]

    def __str__(self) -> str:
        return self.nom


class LigneJournal(models.Model):
    """
    Une ligne d'un journal, et ce qu'elle est devenue. Montant en euros, jours en UTC.

    Deux journaux, ou une reprise, qui la redisent n'en font pas deux. Elle reste EN_SUSPENS tant que nous n'avons pas
    la transaction dont elle parle : la feuille du jour la montre, et chaque lecture la reprend.
    """

    class Etat(models.TextChoices):
        EN_SUSPENS = "EN_SUSPENS", "sans transaction connue"
        PORTEE = "PORTEE", "portée"

    journal = models.ForeignKey(JournalPayzen, models.PROTECT, related_name="lignes_lues")
    numero = models.PositiveIntegerField("ligne du fichier")
    cle = models.CharField(max_length=64, unique=True)
    genre = models.CharField(max_length=3, choices=JournalPayzen.Genre)
    boutique = models.CharField(max_length=8)
    mode = models.CharField("mode PayZen", max_length=10)
    trans_id = models.CharField("numéro de transaction", max_length=6)
    jour = models.DateField(null=True, blank=True)
    operation = models.CharField("opération", max_length=20)
    reference = models.CharField("référence", max_length=64, blank=True)
    uuid = models.CharField(max_length=32, blank=True)
    statut = models.CharField(max_length=40, blank=True)
    montant = models.DecimalField(max_digits=9, decimal_places=2)
    devise = models.CharField(max_length=3)
    instant = models.DateTimeField(null=True, blank=True)
    remise_le = models.DateTimeField("remise en banque le", null=True, blank=True)
    impaye_le = models.DateField("impayé le", null=True, blank=True)
    motif = models.CharField(max_length=20, blank=True)
    autres = models.JSONField("colonnes inconnues", default=dict)
    etat = models.CharField("état", max_length=10, choices=Etat, default=Etat.EN_SUSPENS)
    pourquoi = models.CharField("pourquoi elle attend", max_length=200, blank=True)
    is_a_decider = models.BooleanField("nulle commande ne la portera", default=False, db_default=False)
    transaction = models.ForeignKey(
        TransactionPayzen, models.PROTECT, related_name="lignes_de_journal", null=True, blank=True
    )

    class Meta:
        verbose_name = "ligne de journal"
        verbose_name_plural = "lignes de journal"
        indexes = [models.Index(name="lignes_en_suspens", fields=["journal"], condition=Q(etat="EN_SUSPENS"))]
        constraints = [
            models.CheckConstraint(
                name="ligne_portee_a_sa_transaction", condition=Q(etat="EN_SUSPENS") | Q(transaction__isnull=False)
            )
        ]
        triggers = [
            pgtrigger.Trigger(
                name="ligne_de_journal_ne_se_retouche_pas",
                operation=pgtrigger.Update,
                when=pgtrigger.Before,
                func="""
                    IF OLD.etat = 'PORTEE' OR (NEW.cle, NEW.montant, NEW.operation, NEW.trans_id, NEW.statut)
                       IS DISTINCT FROM (OLD.cle, OLD.montant, OLD.operation, OLD.trans_id, OLD.statut) THEN
                        RAISE EXCEPTION 'Une ligne de journal ne se retouche pas.';
                    END IF;
                    RETURN NEW;
                """,
            ),
            pgtrigger.Protect(name="ligne_de_journal_jamais_effacee", operation=pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return f"{self.genre} {self.trans_id}, ligne {self.numero}"
