"""Ce qui demande un agent : les anomalies, ce que la banque a repris, ce que la Caf rend."""

from decimal import Decimal
from typing import Any, ClassVar

import pgtrigger
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from comptes.models import Caf, Utilisateur
from dettes.models import Dette, Mouvement
from paiements.models.paiement import Imputation, Paiement
from socle.euros import ecrire_euros


class AnomalieQuerySet(models.QuerySet["Anomalie"]):
    def ouvertes(self) -> "AnomalieQuerySet":
        return self.filter(resolue_le=None)

    def retenues(self) -> "AnomalieQuerySet":
        """Celles qui retiennent l'argent de débits qu'un agent a en main, ou a mis de côté."""
        retenues = self.filter(issue__in=("", Anomalie.Issue.ECARTEE))
        return retenues.exclude(genre__in=(Anomalie.Genre.RELIQUAT, Anomalie.Genre.DESACCORD))

    def for_debit(self, paiement: Paiement | None, uuid: str) -> "AnomalieQuerySet":
        """Celles qui retiennent l'argent d'un débit de la banque : le sien, ou celui d'un crédit qu'elle a défait."""
        if not uuid:
            return self.none()
        sien = Q(constat__vu__uuid=uuid) | Q(constat__vu__parent=uuid)
        return self.filter(sien, paiement=paiement, montant__gt=0)


class Anomalie(models.Model):
    """
    La file des agents : ce que la machine n'a pas le droit de décider seule. Jamais un silence.

    `montant` est l'argent sans case que l'anomalie retient, en euros : 0 s'il n'y en a pas.
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

    class Issue(models.TextChoices):
        """
        IMPUTEE : le reste a été porté sur d'autres dettes, avec l'accord de l'allocataire.
        RESTITUEE : l'argent a été rendu.
        ACCEPTEE : le montant de la banque, plus petit, est accepté.
        CADUQUE : la banque l'a réglée depuis ; elle n'avait plus d'objet.
        ECARTEE : rien à faire, ou réglé autrement ; le motif dit comment.
        """

        IMPUTEE = "IMPUTEE", "porté sur d'autres dettes"
        RESTITUEE = "RESTITUEE", "rendu à l'allocataire"
        ACCEPTEE = "ACCEPTEE", "accepté au montant de la banque"
        CADUQUE = "CADUQUE", "sans objet depuis"
        ECARTEE = "ECARTEE", "mis de côté"

    # Ce qui attend d'abord ; puis l'âge, et à âge égal l'argent.
    ORDRE_DE_LA_FILE: ClassVar[list[Any]] = [F("resolue_le").asc(nulls_first=True), "ouverte_le", "-montant"]

    genre = models.CharField(max_length=20, choices=Genre)
    cle = models.CharField("clé", max_length=170, help_text="ce qui fait que deux constats sont le même")
    caf = models.ForeignKey(Caf, models.PROTECT, related_name="anomalies", null=True, blank=True, verbose_name="Caf")
    paiement = models.ForeignKey(Paiement, models.PROTECT, related_name="anomalies", null=True, blank=True)
    dette = models.ForeignKey(Dette, models.PROTECT, related_name="anomalies", null=True, blank=True)
    montant = models.DecimalField("argent retenu", max_digits=9, decimal_places=2, default=0)
    constat = models.JSONField(default=dict, encoder=DjangoJSONEncoder, help_text="ce qu'on attendait, ce qu'on a vu")
    ouverte_le = models.DateTimeField("ouverte le", default=timezone.now)
    resolue_le = models.DateTimeField("résolue le", null=True, blank=True)
    resolue_par = models.ForeignKey(
        Utilisateur, models.PROTECT, related_name="+", null=True, blank=True, verbose_name="résolue par"
    )
    issue = models.CharField(max_length=9, choices=Issue, blank=True)
    resolution = models.CharField("motif de la résolution", max_length=500, blank=True)

    objects = AnomalieQuerySet.as_manager()

    class Meta:
        verbose_name = "anomalie"
        indexes = [models.Index(name="anomalies_ouvertes", fields=["ouverte_le"], condition=Q(resolue_le=None))]
        constraints = [
            models.UniqueConstraint(name="une_anomalie_par_fait", fields=["genre", "cle"]),
            models.CheckConstraint(name="anomalie_montant_positif_ou_nul", condition=Q(montant__gte=0)),
            models.CheckConstraint(
                name="anomalie_resolue_dit_comment",
                condition=Q(resolue_le=None, resolution="") | (Q(resolue_le__isnull=False) & ~Q(resolution="")),
                violation_error_message="Une anomalie résolue dit comment.",
            ),
        ]
        triggers = [pgtrigger.Protect(name="anomalie_jamais_effacee", operation=pgtrigger.Delete)]

    def __str__(self) -> str:
        return self.get_genre_display()

    @property
    def vu(self) -> dict[str, Any]:
        """Ce que la banque a dit, détail par détail ; vide si le constat ne le dit pas ainsi."""
        vu = self.constat.get("vu")
        return vu if isinstance(vu, dict) else {}

    @property
    def annonce(self) -> Decimal | None:
        """Le montant que la banque annonce, en euros ; None si elle n'en dit pas, ou dans une autre devise."""
        if "montant" not in self.vu or self.vu.get("devise", "EUR") != "EUR":
            return None
        return Decimal(self.vu["montant"])


class Reprise(models.Model):
    """
    Une part d'un paiement que la banque ne tient plus : rendue au porteur, ou jamais prise (montant baissé avant la
    remise). Montant en euros. Ajout seul.

    `imputation` et `mouvement` disent de quelle dette elle est reprise ; sans eux, elle ne l'est d'aucune.
    """

    paiement = models.ForeignKey(Paiement, models.PROTECT, related_name="reprises")
    anomalie = models.ForeignKey(Anomalie, models.PROTECT, related_name="reprises")
    imputation = models.ForeignKey(Imputation, models.PROTECT, related_name="reprises", null=True, blank=True)
    mouvement = models.OneToOneField(Mouvement, models.PROTECT, related_name="reprise", null=True, blank=True)
    montant = models.DecimalField(max_digits=9, decimal_places=2)
    le = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = "reprise"
        constraints = [
            models.CheckConstraint(name="reprise_montant_positif", condition=Q(montant__gt=0)),
            models.CheckConstraint(
                name="reprise_d_une_imputation_a_son_mouvement",
                condition=Q(imputation=None, mouvement=None) | Q(imputation__isnull=False, mouvement__isnull=False),
            ),
        ]
        triggers = [
            pgtrigger.Trigger(
                name="reprise_jamais_au_dela",
                operation=pgtrigger.Insert,
                when=pgtrigger.Before,
                func="""
                    IF NEW.montant + (
                           SELECT coalesce(sum(montant), 0) FROM paiements_reprise WHERE paiement_id = NEW.paiement_id
                       ) > (SELECT montant FROM paiements_paiement WHERE id = NEW.paiement_id)
                       OR NEW.montant + (
                           SELECT coalesce(sum(montant), 0) FROM paiements_reprise
                           WHERE imputation_id = NEW.imputation_id
                       ) > (SELECT montant FROM paiements_imputation WHERE id = NEW.imputation_id) THEN
                        RAISE EXCEPTION 'On ne reprend pas plus que ce qui a été pris.';
                    END IF;
                    RETURN NEW;
                """,
            ),
            pgtrigger.Protect(name="reprise_ajout_seul", operation=pgtrigger.Update | pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return f"reprise de {ecrire_euros(self.montant)} sur {self.paiement}"

    @property
    def is_baisse(self) -> bool:
        """La banque n'a jamais pris cette part : elle ne l'a pas rendue."""
        return self.anomalie.genre == Anomalie.Genre.MONTANT_DIFFERENT


class DemandeRestitution(models.Model):
    """
    Rendre de l'argent : un agent demande, un autre approuve, la plateforme l'exécute une fois. Montant en euros.
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
    anomalie = models.ForeignKey(Anomalie, models.PROTECT, related_name="restitutions", null=True, blank=True)
    montant = models.DecimalField(max_digits=9, decimal_places=2)
    etat = models.CharField("état", max_length=9, choices=Etat, default=Etat.DEMANDEE)
    motif = models.CharField(max_length=200)
    demandeur = models.ForeignKey(Utilisateur, models.PROTECT, related_name="restitutions_demandees")
    demandee_le = models.DateTimeField("demandée le", default=timezone.now)
    approbateur = models.ForeignKey(
        Utilisateur, models.PROTECT, related_name="restitutions_decidees", null=True, blank=True
    )
    decidee_le = models.DateTimeField("décidée le", null=True, blank=True)
    prochain_essai_le = models.DateTimeField("prochain essai le", null=True, blank=True)
    faite_le = models.DateTimeField("faite le", null=True, blank=True)
    debit = models.CharField("débit à rendre (uuid)", max_length=32)
    uuid = models.CharField("transaction de remboursement", max_length=32, blank=True)

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
                    IF (NEW.paiement_id, NEW.anomalie_id, NEW.debit, NEW.montant, NEW.motif, NEW.demandeur_id)
                       IS DISTINCT FROM
                       (OLD.paiement_id, OLD.anomalie_id, OLD.debit, OLD.montant, OLD.motif, OLD.demandeur_id)
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

    @property
    def is_partielle(self) -> bool:
        """Le reste du débit est sur des dettes : annuler le débit entier les priverait de leur argent."""
        return self.anomalie is not None and self.debit == self.paiement.uuid
