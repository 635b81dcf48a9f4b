"""La file des agents : ce qui est à faire, et le journal de chaque chose."""

from typing import Any, ClassVar

import pgtrigger
from django.db import models
from django.db.models import Q
from django.utils import timezone

from comptes.models import Caf
from dettes.models import Dette
from paiements.models.paiement import Paiement
from paiements.models.restitution import DemandeRestitution
from paiements.models.transaction import TransactionPayzen

# De, vers : ce qu'un agent ou les faits règlent peut se rouvrir, si les comptes changent.
PASSAGES = [
    ("OUVERTE", "ECARTEE"),
    ("OUVERTE", "CLOSE"),
    ("OUVERTE", "SANS_OBJET"),
    ("ECARTEE", "OUVERTE"),
    ("ECARTEE", "CLOSE"),
    ("ECARTEE", "SANS_OBJET"),
    ("CLOSE", "OUVERTE"),
    ("SANS_OBJET", "OUVERTE"),
]


class AnomalieQuerySet(models.QuerySet["Anomalie"]):
    def ouvertes(self) -> "AnomalieQuerySet":
        return self.filter(etat=Anomalie.Etat.OUVERTE)

    def d_argent(self) -> "AnomalieQuerySet":
        """Celles qui suivent l'état des comptes : `paiements.file` seul les ouvre et les ferme."""
        return self.filter(genre__in=Anomalie.D_ARGENT)


class Anomalie(models.Model):
    """
    Une chose à faire, que la machine n'a pas le droit de décider seule. Jamais un silence.

    Elle ne garde ni preuve ni somme, qui se lit aux livres, sauf le `manque` d'une dette, que le fichier de la Caf dit
    seul. `situation` dit de quel état on parle : mise de côté, elle l'est pour celui-là, et se rouvre s'il change.
    """

    class Genre(models.TextChoices):
        MONTANT_DIFFERENT = "MONTANT_DIFFERENT", "la banque annonce un autre montant"
        DOUBLE_PAIEMENT = "DOUBLE_PAIEMENT", "deux débits pour une démarche"
        PAIEMENT_TARDIF = "PAIEMENT_TARDIF", "accepté alors qu'on le croyait sans suite"
        RELIQUAT = "RELIQUAT", "reste qui ne tient plus sur les dettes"
        REFERENCE_INCONNUE = "REFERENCE_INCONNUE", "paiement d'une référence inconnue"
        DESACCORD = "DESACCORD", "la deuxième source ne confirme pas"
        STATUT_INATTENDU = "STATUT_INATTENDU", "état inattendu à la banque"
        ANNULATION_BANQUE = "ANNULATION_BANQUE", "annulé ou remboursé à la banque"
        IMPAYE = "IMPAYE", "impayé"
        COURRIEL_IMPOSSIBLE = "COURRIEL_IMPOSSIBLE", "courriel impossible à remettre"
        SOLDE_NEGATIF = "SOLDE_NEGATIF", "le fichier de la Caf mène sous zéro"
        RESTITUTION_REFUSEE = "RESTITUTION_REFUSEE", "une restitution est restée sans effet"
        REMISE_ABSENTE = "REMISE_ABSENTE", "accepté, mais pas remis en banque"
        REPONSE_INATTENDUE = "REPONSE_INATTENDUE", "PayZen ne répond pas ce qu'il faut"
        ECART = "ECART", "la banque et nous ne tenons pas la même somme"
        IMPUTATION_IMPOSSIBLE = "IMPUTATION_IMPOSSIBLE", "l'imputation ou l'interrogation échoue"
        LIAISON_MUETTE = "LIAISON_MUETTE", "une liaison ne répond plus"
        CLES_ABSENTES = "CLES_ABSENTES", "les clés d'une boutique ne sont plus réglées"
        LIGNE_EN_SUSPENS = "LIGNE_EN_SUSPENS", "une ligne de journal attend un agent"

    class Etat(models.TextChoices):
        """
        OUVERTE : attend un agent.
        ECARTEE : un agent l'a mise de côté, pour cet état-là des comptes.
        CLOSE : un agent l'a réglée.
        SANS_OBJET : les faits l'ont réglée.
        """

        OUVERTE = "OUVERTE", "à traiter"
        ECARTEE = "ECARTEE", "mise de côté"
        CLOSE = "CLOSE", "réglée par un agent"
        SANS_OBJET = "SANS_OBJET", "sans objet depuis"

    # Une fonction de l'état des comptes ; les autres racontent un événement, qu'un agent clôt.
    D_ARGENT = (
        Genre.MONTANT_DIFFERENT,
        Genre.DOUBLE_PAIEMENT,
        Genre.RELIQUAT,
        Genre.REFERENCE_INCONNUE,
        Genre.DESACCORD,
        Genre.STATUT_INATTENDU,
        Genre.ANNULATION_BANQUE,
        Genre.IMPAYE,
        Genre.RESTITUTION_REFUSEE,
        Genre.REMISE_ABSENTE,
        Genre.ECART,
    )

    genre = models.CharField(max_length=21, choices=Genre)
    cle = models.CharField("clé", max_length=170, help_text="ce dont elle parle, toujours le même")
    situation = models.CharField(max_length=200, blank=True, help_text="l'état des comptes dont elle parle")
    etat = models.CharField("état", max_length=10, choices=Etat, default=Etat.OUVERTE)
    caf = models.ForeignKey(Caf, models.PROTECT, related_name="anomalies", null=True, blank=True, verbose_name="Caf")
    paiement = models.ForeignKey(Paiement, models.PROTECT, related_name="anomalies", null=True, blank=True)
    transaction = models.ForeignKey(
        TransactionPayzen, models.PROTECT, related_name="anomalies", null=True, blank=True, verbose_name="transaction"
    )
    restitution = models.ForeignKey(
        DemandeRestitution, models.PROTECT, related_name="refus", null=True, blank=True, verbose_name="restitution"
    )
    dette = models.ForeignKey(Dette, models.PROTECT, related_name="anomalies", null=True, blank=True)
    manque = models.DecimalField(
        max_digits=9,
        decimal_places=2,
        null=True,
        blank=True,
        help_text="ce que la Caf mène sous zéro et qu'aucun paiement n'explique, en euros",
    )
    detail = models.CharField("détail", max_length=300, blank=True)
    ouverte_le = models.DateTimeField("ouverte le", default=timezone.now)

    objects = AnomalieQuerySet.as_manager()

    class Meta:
        verbose_name = "anomalie"
        indexes = [models.Index(name="anomalies_ouvertes", fields=["ouverte_le"], condition=Q(etat="OUVERTE"))]
        constraints = [
            models.UniqueConstraint(name="une_anomalie_par_objet", fields=["genre", "cle"]),
            models.CheckConstraint(
                name="solde_negatif_dit_son_manque", condition=~Q(genre="SOLDE_NEGATIF") | Q(manque__isnull=False)
            ),
        ]
        triggers = [
            pgtrigger.FSM(name="passages_de_l_anomalie", field="etat", transitions=PASSAGES),
            pgtrigger.Trigger(
                name="anomalie_change_avec_son_journal",
                operation=pgtrigger.Update,
                when=pgtrigger.Before,
                condition=pgtrigger.AnyChange("etat"),
                func="""
                    IF NOT EXISTS (
                        SELECT FROM (
                            SELECT de, vers FROM paiements_etapeanomalie
                            WHERE anomalie_id = NEW.id ORDER BY id DESC LIMIT 1
                        ) derniere WHERE (de, vers) = (OLD.etat, NEW.etat)
                    ) THEN
                        RAISE EXCEPTION 'Une anomalie ne change pas d''état sans le dire à son journal.';
                    END IF;
                    RETURN NEW;
                """,
            ),
            pgtrigger.Protect(name="anomalie_jamais_effacee", operation=pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return self.get_genre_display()

    @property
    def is_ouverte(self) -> bool:
        return self.etat == self.Etat.OUVERTE

    @property
    def is_a_trancher(self) -> bool:
        """Ouverte, ou mise de côté : qui s'est trompé en l'écartant peut encore agir."""
        return self.etat in (self.Etat.OUVERTE, self.Etat.ECARTEE)


class EtapeAnomalie(models.Model):
    """Le journal d'une anomalie : de, vers, motif, auteur, quand. Ajout seul : nul ne récrit les mots d'un autre."""

    anomalie = models.ForeignKey(Anomalie, models.PROTECT, related_name="etapes")
    de = models.CharField(max_length=10, choices=Anomalie.Etat, blank=True)
    vers = models.CharField(max_length=10, choices=Anomalie.Etat)
    situation = models.CharField(max_length=200, blank=True)
    motif = models.CharField(max_length=500)
    auteur = models.CharField(max_length=60)
    le = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = "étape d'une anomalie"
        verbose_name_plural = "étapes d'une anomalie"
        ordering: ClassVar[list[Any]] = ["pk"]
        triggers = [pgtrigger.Protect(name="etape_anomalie_ajout_seul", operation=pgtrigger.Update | pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"{self.get_de_display() or 'rien'} → {self.get_vers_display()}"
