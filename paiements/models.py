"""L'argent : tentatives, journal, notifications, imputations, tickets, anomalies."""

from typing import Any, ClassVar

import pgtrigger
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from comptes.models import Caf, Utilisateur
from demarches.models import Demarche
from demarches.references import draw_reference
from dettes.models import Dette, Mouvement
from paiements.payzen import draw_trans_id
from paiements.statuts import ENCAISSES, TRANSITIONS, Geste, Statut


def draw_paiement() -> str:
    return draw_reference("P")


class PaiementQuerySet(models.QuerySet["Paiement"]):
    def for_reference(self, reference: str) -> "PaiementQuerySet":
        """Celui qui porte cette référence, ou celui de la démarche qui la porte."""
        portent = self.filter(Q(reference=reference) | Q(demarche__reference=reference))
        return portent.select_related("demarche", "caf").order_by("pk")

    def encaisses(self) -> "PaiementQuerySet":
        return self.filter(statut__in=ENCAISSES)

    def a_controler(self) -> "PaiementQuerySet":
        """Ceux dont l'heure du prochain contrôle est venue, le plus en retard d'abord."""
        return self.filter(prochain_controle_le__lte=timezone.now()).order_by("prochain_controle_le")

    def a_imputer(self) -> "PaiementQuerySet":
        return self.filter(statut=Statut.VERIFIE).order_by("pk")


class Paiement(models.Model):
    """
    Une tentative de paiement : une ligne par clic sur « Payer ». Montant en euros, dates en UTC.

    La référence est l'`order_id` envoyé à PayZen ; `trans_id` est unique par boutique et jour UTC (PROTOCOLE §1.3).
    """

    demarche = models.OneToOneField(Demarche, models.PROTECT, related_name="paiement", verbose_name="démarche")
    caf = models.ForeignKey(Caf, models.PROTECT, related_name="paiements", verbose_name="Caf")
    reference = models.CharField("référence", max_length=32, unique=True, default=draw_paiement)
    statut = models.CharField(max_length=10, choices=Statut, default=Statut.INITIE)
    montant = models.DecimalField(max_digits=9, decimal_places=2)
    boutique = models.CharField(max_length=8)
    mode = models.CharField("mode PayZen", max_length=10)
    trans_id = models.CharField(max_length=6, default=draw_trans_id)
    cree_le = models.DateTimeField("créé le", default=timezone.now)
    jour_utc = models.DateField("jour UTC", editable=False)
    accepte_le = models.DateTimeField("accepté le", null=True, blank=True)
    confirme_le = models.DateTimeField("confirmé par une deuxième source le", null=True, blank=True)
    remis_le = models.DateTimeField("remis en banque le", null=True, blank=True)
    uuid = models.CharField("uuid de transaction", max_length=32, null=True, blank=True, unique=True)
    marque = models.CharField(max_length=30, blank=True)
    carte_fin = models.CharField("quatre derniers chiffres", max_length=4, blank=True)
    carte_expiration = models.CharField("expiration de la carte", max_length=7, blank=True)
    autorisation = models.CharField("numéro d'autorisation", max_length=20, blank=True)
    prochain_controle_le = models.DateTimeField("prochain contrôle le", null=True, blank=True)
    controles = models.PositiveSmallIntegerField("contrôles faits", default=0)

    objects = PaiementQuerySet.as_manager()

    class Meta:
        verbose_name = "paiement"
        indexes = [
            models.Index(
                name="paiements_a_controler",
                fields=["prochain_controle_le"],
                condition=Q(prochain_controle_le__isnull=False),
            ),
            models.Index(name="paiements_a_imputer", fields=["id"], condition=Q(statut=Statut.VERIFIE)),
            models.Index(name="paiements_de_la_caf", fields=["caf", "-cree_le"]),
        ]
        constraints = [
            models.UniqueConstraint(
                name="un_trans_id_par_boutique_et_par_jour", fields=["boutique", "jour_utc", "trans_id"]
            ),
            models.CheckConstraint(name="paiement_montant_positif", condition=Q(montant__gt=0)),
            models.CheckConstraint(name="paiement_statut_connu", condition=Q(statut__in=Statut.values)),
            models.CheckConstraint(
                name="reference_sans_donnee_personnelle", condition=Q(reference__regex=r"^[A-Za-z0-9-]{1,32}$")
            ),
            models.CheckConstraint(
                name="paiement_encaisse_a_date_et_uuid",
                condition=Q(statut__in=ENCAISSES, accepte_le__isnull=False, uuid__isnull=False)
                | (~Q(statut__in=ENCAISSES) & Q(accepte_le=None)),
                violation_error_message="La date d'accord et l'uuid vont avec l'accord de la banque.",
            ),
        ]
        triggers = [
            pgtrigger.FSM(
                name="passages_de_la_table",
                field="statut",
                transitions=sorted({(avant, t.vers) for t in TRANSITIONS.values() for avant in t.depuis}),
            ),
            pgtrigger.Trigger(
                name="jour_utc_de_la_creation",
                operation=pgtrigger.Insert,
                when=pgtrigger.Before,
                func="NEW.jour_utc := (NEW.cree_le AT TIME ZONE 'UTC')::date; RETURN NEW;",
            ),
            pgtrigger.Trigger(
                name="paiement_immuable_sur_l_essentiel",
                operation=pgtrigger.Update,
                when=pgtrigger.Before,
                func="""
                    IF (NEW.montant, NEW.reference, NEW.demarche_id, NEW.trans_id, NEW.cree_le, NEW.boutique)
                       IS DISTINCT FROM
                       (OLD.montant, OLD.reference, OLD.demarche_id, OLD.trans_id, OLD.cree_le, OLD.boutique)
                       OR (OLD.uuid IS NOT NULL AND NEW.uuid IS DISTINCT FROM OLD.uuid) THEN
                        RAISE EXCEPTION 'Le montant, les références et la transaction d''un paiement ne changent pas.';
                    END IF;
                    RETURN NEW;
                """,
            ),
            pgtrigger.Protect(name="paiement_jamais_efface", operation=pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return self.reference

    @property
    def is_encaisse(self) -> bool:
        return self.statut in ENCAISSES

    @property
    def carte_masquee(self) -> str:
        return f"•••• {self.carte_fin}" if self.carte_fin else ""


class EtapePaiement(models.Model):
    """Le journal d'un paiement : geste, de, vers, motif, auteur, quand. Ajout seul."""

    paiement = models.ForeignKey(Paiement, models.PROTECT, related_name="etapes")
    geste = models.CharField(max_length=10, choices=Geste)
    de = models.CharField(max_length=10, choices=Statut)
    vers = models.CharField(max_length=10, choices=Statut)
    motif = models.CharField(max_length=200)
    auteur = models.CharField(max_length=60)
    le = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = "étape"
        triggers = [pgtrigger.Protect(name="etape_ajout_seul", operation=pgtrigger.Update | pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"{self.get_geste_display()} : {self.get_de_display()} → {self.get_vers_display()}"


class NotificationPayzen(models.Model):
    """
    Ce que PayZen nous a dit et qui était authentique, moins les données de carte, avec son sort. Ajout seul.

    La clé d'idempotence est celle du fait : uuid, statut, opération (PROTOCOLE §3.8). Un rejeu laisse sa ligne, comme
    doublon, et n'agit pas.
    """

    class Sort(models.TextChoices):
        APPLIQUEE = "APPLIQUEE", "a fait avancer le paiement"
        SANS_EFFET = "SANS_EFFET", "n'avait rien à changer"
        DOUBLON = "DOUBLON", "déjà reçue"
        ANOMALIE = "ANOMALIE", "confiée à un agent"

    cle = models.CharField("clé", max_length=130)
    paiement = models.ForeignKey(Paiement, models.PROTECT, related_name="notifications", null=True, blank=True)
    source = models.CharField(max_length=20, blank=True)
    champs = models.JSONField(encoder=DjangoJSONEncoder)
    sort = models.CharField(max_length=10, choices=Sort)
    motif = models.CharField(max_length=200, blank=True)
    recue_le = models.DateTimeField("reçue le", default=timezone.now)

    class Meta:
        verbose_name = "notification PayZen"
        verbose_name_plural = "notifications PayZen"
        indexes = [models.Index(name="notifications_recues", fields=["-recue_le"])]
        constraints = [
            models.UniqueConstraint(
                name="une_notification_agit_une_fois", fields=["cle"], condition=~Q(sort="DOUBLON")
            )
        ]
        triggers = [pgtrigger.Protect(name="notification_ajout_seul", operation=pgtrigger.Update | pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"{self.cle} ({self.get_sort_display()})"


class Imputation(models.Model):
    """Ce qu'un paiement a porté sur une dette, en euros. Une seule par dette et par paiement. Ajout seul."""

    paiement = models.ForeignKey(Paiement, models.PROTECT, related_name="imputations")
    dette = models.ForeignKey(Dette, models.PROTECT, related_name="imputations")
    montant = models.DecimalField(max_digits=9, decimal_places=2)
    mouvement = models.OneToOneField(Mouvement, models.PROTECT, related_name="imputation")

    class Meta:
        verbose_name = "imputation"
        constraints = [
            models.UniqueConstraint(name="une_imputation_par_paiement_et_dette", fields=["paiement", "dette"]),
            models.CheckConstraint(name="imputation_montant_positif", condition=Q(montant__gt=0)),
        ]
        triggers = [pgtrigger.Protect(name="imputation_ajout_seul", operation=pgtrigger.Update | pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"{self.paiement} → {self.dette} : {self.montant} €"


class Ticket(models.Model):
    """Le ticket d'un paiement accepté, à envoyer quand l'allocataire a laissé un courriel (PARCOURS §7)."""

    class Etat(models.TextChoices):
        A_ENVOYER = "A_ENVOYER", "à envoyer"
        ENVOYE = "ENVOYE", "envoyé"
        IMPOSSIBLE = "IMPOSSIBLE", "envoi impossible"

    paiement = models.OneToOneField(Paiement, models.PROTECT, related_name="ticket")
    etat = models.CharField("état", max_length=10, choices=Etat, default=Etat.A_ENVOYER)
    essais = models.PositiveSmallIntegerField(default=0)
    prochain_essai_le = models.DateTimeField("prochain essai le", null=True, blank=True, default=timezone.now)
    envoye_le = models.DateTimeField("envoyé le", null=True, blank=True)
    dernier_motif = models.CharField("dernier échec", max_length=200, blank=True)

    class Meta:
        verbose_name = "ticket"
        indexes = [models.Index(name="tickets_a_envoyer", fields=["prochain_essai_le"], condition=Q(etat="A_ENVOYER"))]
        constraints = [
            models.CheckConstraint(
                name="ticket_envoye_a_une_date", condition=Q(etat="ENVOYE") ^ Q(envoye_le__isnull=True)
            )
        ]

    def __str__(self) -> str:
        return f"ticket {self.paiement}"


class AnomalieQuerySet(models.QuerySet["Anomalie"]):
    def ouvertes(self) -> "AnomalieQuerySet":
        return self.filter(resolue_le=None)

    def for_debit(self, paiement: Paiement | None, uuid: str) -> "AnomalieQuerySet":
        """Celles qu'un débit de la banque a ouvertes et dont elles retiennent l'argent."""
        return self.filter(paiement=paiement, constat__vu__uuid=uuid, montant__gt=0)


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

    class Issue(models.TextChoices):
        """
        IMPUTEE : le reste a été porté sur d'autres dettes, avec l'accord de l'allocataire.
        RESTITUEE : l'argent a été rendu.
        ECARTEE : rien à faire, ou réglé autrement ; le motif dit comment.
        """

        IMPUTEE = "IMPUTEE", "porté sur d'autres dettes"
        RESTITUEE = "RESTITUEE", "rendu à l'allocataire"
        ECARTEE = "ECARTEE", "mis de côté"

    # Ce qui attend d'abord ; puis l'âge, et à âge égal l'argent.
    ORDRE_DE_LA_FILE: ClassVar[list[Any]] = [F("resolue_le").asc(nulls_first=True), "ouverte_le", "-montant"]

    genre = models.CharField(max_length=20, choices=Genre)
    cle = models.CharField("clé", max_length=170, help_text="ce qui fait que deux constats sont le même")
    caf = models.ForeignKey(Caf, models.PROTECT, related_name="anomalies", null=True, blank=True, verbose_name="Caf")
    paiement = models.ForeignKey(Paiement, models.PROTECT, related_name="anomalies", null=True, blank=True)
    dette = models.ForeignKey(Dette, models.PROTECT, related_name="anomalies", null=True, blank=True)
    montant = models.DecimalField(max_digits=9, decimal_places=2, default=0)
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
        """

        DEMANDEE = "DEMANDEE", "demandée"
        APPROUVEE = "APPROUVEE", "approuvée"
        ENVOYEE = "ENVOYEE", "envoyée à la plateforme"
        FAITE = "FAITE", "faite"
        REFUSEE = "REFUSEE", "refusée"

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
                ],
            ),
            pgtrigger.Protect(name="restitution_jamais_effacee", operation=pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return f"restitution de {self.montant} € sur {self.paiement}"

    @property
    def is_partielle(self) -> bool:
        """Le reste du débit est sur des dettes : annuler le débit entier les priverait de leur argent."""
        return self.anomalie is not None and self.anomalie.genre == Anomalie.Genre.RELIQUAT
