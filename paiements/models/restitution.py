"""Ce qu'il faut être deux pour décider : restituer de l'argent, finir ce que la plateforme ne dit plus."""

import pgtrigger
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from comptes.models import Utilisateur
from dettes.models import Dette
from paiements.models.demande import DemandeADeux, decidee_a_deux
from paiements.models.paiement import Paiement
from paiements.models.transaction import TransactionPayzen
from paiements.statuts import Statut
from socle.euros import ecrire_euros


class DemandeRestitution(models.Model):
    """
    Restituer de l'argent : un agent demande, un autre approuve, la plateforme l'exécute une fois. Montant en euros.
    """

    class Etat(models.TextChoices):
        """
        DEMANDEE : attend l'accord d'un deuxième agent.
        APPROUVEE : à envoyer à la plateforme.
        ENVOYEE : l'ordre est parti ; tant que sa réponse n'est pas lue, on regarde avant de renvoyer.
        FAITE : la plateforme a confirmé.
        REFUSEE : l'approbateur a dit non.
        ECHOUEE : la plateforme a dit non pour de bon, ou un comptable a arrêté l'ordre ; une anomalie dit pourquoi.
        """

        DEMANDEE = "DEMANDEE", "demandée"
        APPROUVEE = "APPROUVEE", "approuvée"
        ENVOYEE = "ENVOYEE", "envoyée à la plateforme"
        FAITE = "FAITE", "faite"
        REFUSEE = "REFUSEE", "refusée"
        ECHOUEE = "ECHOUEE", "restée sans effet"

    EN_COURS = (Etat.DEMANDEE, Etat.APPROUVEE, Etat.ENVOYEE)

    paiement = models.ForeignKey(Paiement, models.PROTECT, related_name="restitutions")
    debit = models.ForeignKey(
        TransactionPayzen, models.PROTECT, related_name="restitutions", verbose_name="débit à restituer"
    )
    credit = models.OneToOneField(
        TransactionPayzen,
        models.PROTECT,
        related_name="restitution",
        null=True,
        blank=True,
        verbose_name="remboursement",
    )
    montant = models.DecimalField(max_digits=9, decimal_places=2)
    etat = models.CharField("état", max_length=9, choices=Etat, default=Etat.DEMANDEE)
    motif = models.CharField(max_length=200)
    demandeur = models.ForeignKey(Utilisateur, models.PROTECT, related_name="restitutions_demandees")
    demandee_le = models.DateTimeField("demandée le", default=timezone.now)
    approbateur = models.ForeignKey(
        Utilisateur, models.PROTECT, related_name="restitutions_decidees", null=True, blank=True
    )
    decidee_le = models.DateTimeField("décidée le", null=True, blank=True)
    decision = models.CharField("motif de la décision", max_length=200, blank=True)
    prochain_essai_le = models.DateTimeField("prochain essai le", null=True, blank=True)
    faite_le = models.DateTimeField("faite le", null=True, blank=True)
    tenue_jusqu_a = models.DateTimeField("tenue par un ouvrier jusqu'à", null=True, blank=True)
    cause = models.CharField("pourquoi elle est restée sans effet", max_length=200, blank=True)

    class Meta:
        verbose_name = "demande de restitution"
        verbose_name_plural = "demandes de restitution"
        constraints = [
            models.UniqueConstraint(
                name="une_restitution_en_cours_par_paiement",
                fields=["paiement"],
                condition=Q(etat__in=["DEMANDEE", "APPROUVEE", "ENVOYEE"]),
            ),
            models.CheckConstraint(name="restitution_montant_positif", condition=Q(montant__gt=0)),
            models.CheckConstraint(
                name="demandeur_et_approbateur_sont_deux",
                condition=Q(approbateur=None) | ~Q(approbateur=F("demandeur")),
                violation_error_message="Celui qui approuve n'est pas celui qui demande.",
            ),
            models.CheckConstraint(
                name="restitution_envoyee_est_approuvee",
                condition=Q(etat="DEMANDEE", approbateur=None)
                | (~Q(etat="DEMANDEE") & Q(approbateur__isnull=False, decidee_le__isnull=False)),
            ),
        ]
        triggers = [
            pgtrigger.FSM(
                name="passages_de_la_restitution",
                field="etat",
                transitions=[
                    ("DEMANDEE", "APPROUVEE"),
                    ("DEMANDEE", "REFUSEE"),
                    ("APPROUVEE", "ENVOYEE"),
                    ("ENVOYEE", "FAITE"),
                    ("ENVOYEE", "ECHOUEE"),
                ],
            ),
            pgtrigger.Trigger(
                name="restitution_approuvee_telle_que_demandee",
                operation=pgtrigger.Update,
                when=pgtrigger.Before,
                func="""
                    IF (NEW.paiement_id, NEW.debit_id, NEW.montant, NEW.motif, NEW.demandeur_id)
                       IS DISTINCT FROM
                       (OLD.paiement_id, OLD.debit_id, OLD.montant, OLD.motif, OLD.demandeur_id)
                       OR (OLD.approbateur_id IS NOT NULL AND NEW.approbateur_id IS DISTINCT FROM OLD.approbateur_id)
                    THEN
                        RAISE EXCEPTION 'Ce qui est demandé est ce qui s''approuve et ce qui part.';
                    END IF;
                    RETURN NEW;
                """,
            ),
            pgtrigger.Protect(name="restitution_jamais_effacee", operation=pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return f"restitution de {ecrire_euros(self.montant)} sur {self.paiement}"


class PartRestituee(models.Model):
    """De quelle dette, et combien, quand on ne restitue qu'une part d'un paiement imputé. Montant en euros."""

    demande = models.ForeignKey(DemandeRestitution, models.PROTECT, related_name="parts", db_index=False)
    dette = models.ForeignKey(Dette, models.PROTECT, related_name="+")
    montant = models.DecimalField(max_digits=9, decimal_places=2)

    class Meta:
        verbose_name = "part restituée"
        verbose_name_plural = "parts restituées"
        constraints = [
            models.UniqueConstraint(name="une_part_par_dette", fields=["demande", "dette"]),
            models.CheckConstraint(name="part_restituee_positive", condition=Q(montant__gt=0)),
        ]
        triggers = [pgtrigger.Protect(name="part_ajout_seul", operation=pgtrigger.Update | pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"{ecrire_euros(self.montant)} de la dette {self.dette}"


class DemandeCloture(DemandeADeux):
    """
    Finir un paiement que la plateforme ne peut plus nous dire : un agent demande, un autre décide.

    Il attendait la banque : le clore sans débit ; un accord entendu plus tard est encore accepté. La banque l'avait
    accepté : le tenir pour vérifié, d'après son Back Office.
    """

    paiement = models.ForeignKey(Paiement, models.PROTECT, related_name="clotures")

    class Meta:
        verbose_name = "demande de clôture sans débit"
        verbose_name_plural = "demandes de clôture sans débit"
        constraints = [
            models.UniqueConstraint(
                name="une_cloture_a_decider_par_paiement", fields=["paiement"], condition=Q(accord=None)
            ),
            decidee_a_deux("cloture_demandee_et_decidee_a_deux"),
        ]
        triggers = [pgtrigger.Protect(name="cloture_jamais_effacee", operation=pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"{self.quoi} de {self.paiement}"

    @property
    def is_confirmation(self) -> bool:
        """À la demande, la banque avait accepté ce paiement."""
        avant = [etape for etape in self.paiement.etapes.all() if etape.le <= self.demandee_le]
        return bool(avant) and max(avant, key=lambda etape: etape.pk).vers == Statut.ACCEPTE

    @property
    def quoi(self) -> str:
        """Ce qui est demandé."""
        return "confirmation d'après le Back Office" if self.is_confirmation else "clôture sans débit"
