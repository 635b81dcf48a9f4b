"""Un paiement et ce qui lui arrive : journal, notifications, imputations, ticket."""

from decimal import Decimal

import pgtrigger
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import Q, Sum
from django.db.models.fields.json import KT
from django.utils import timezone

from comptes.models import Caf
from demarches.models import Demarche
from dettes.models import Dette, Mouvement
from paiements.payzen import draw_trans_id
from paiements.statuts import ENCAISSES, TRANSITIONS, Geste, Statut
from socle.euros import ecrire_euros
from socle.references import draw_reference


def draw_paiement() -> str:
    return draw_reference("P")


class PaiementQuerySet(models.QuerySet["Paiement"]):
    def for_reference(self, reference: str) -> "PaiementQuerySet":
        """Celui qui porte cette référence, ou celui de la démarche qui la porte."""
        portent = self.filter(Q(reference=reference) | Q(demarche__reference=reference))
        return portent.select_related("demarche", "caf").order_by("pk")

    def encaisses(self) -> "PaiementQuerySet":
        return self.filter(statut__in=ENCAISSES)

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
    trans_id = models.CharField("numéro de transaction", max_length=6, default=draw_trans_id)
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
                name="chaque_passage_a_son_etape",
                operation=pgtrigger.Update,
                when=pgtrigger.Before,
                condition=pgtrigger.AnyChange("statut"),
                func="""
                    IF NOT EXISTS (
                        SELECT FROM (
                            SELECT de, vers FROM paiements_etapepaiement
                            WHERE paiement_id = NEW.id ORDER BY id DESC LIMIT 1
                        ) derniere WHERE (de, vers) = (OLD.statut, NEW.statut)
                    ) THEN
                        RAISE EXCEPTION 'Un paiement ne change pas de statut sans son étape au journal.';
                    END IF;
                    RETURN NEW;
                """,
            ),
            pgtrigger.Trigger(
                name="paiement_nait_initie",
                operation=pgtrigger.Insert,
                when=pgtrigger.Before,
                func="""
                    IF NEW.statut <> 'INITIE' THEN
                        RAISE EXCEPTION 'Un paiement naît initié : la suite est au journal.';
                    END IF;
                    RETURN NEW;
                """,
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
                    IF (NEW.montant, NEW.reference, NEW.demarche_id, NEW.caf_id, NEW.trans_id, NEW.cree_le,
                        NEW.boutique, NEW.mode)
                       IS DISTINCT FROM
                       (OLD.montant, OLD.reference, OLD.demarche_id, OLD.caf_id, OLD.trans_id, OLD.cree_le,
                        OLD.boutique, OLD.mode)
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

    def is_encaisse_par(self, uuid: str) -> bool:
        """Le débit de cette transaction est celui que nous avons accepté, et non un autre de la même démarche."""
        return self.is_encaisse and self.uuid == uuid

    @property
    def is_impaye(self) -> bool:
        """La banque a repris le débit entier, sans que la plateforme le montre (PROTOCOLE §5)."""
        return self.anomalies.filter(genre="IMPAYE").exclude(issue="CADUQUE").exists()

    @property
    def net(self) -> Decimal:
        """Ce que la banque tient encore de ce paiement, en euros : son montant, moins ce qui en a été repris."""
        return self.montant - sum((reprise.montant for reprise in self.reprises.all()), Decimal(0))

    @property
    def montant_debite(self) -> Decimal:
        """Le montant du débit à la banque, en euros : elle a pu le baisser avant la remise (PROTOCOLE §5)."""
        return self.montant - sum(
            (reprise.montant for reprise in self.reprises.all() if reprise.is_baisse), Decimal(0)
        )

    @property
    def reste_a_placer(self) -> Decimal:
        """Ce qui n'est sur aucune dette et n'a pas été repris, en euros."""
        imputes = sum((imputation.montant for imputation in self.imputations.all()), Decimal(0))
        sans_dette = sum((r.montant for r in self.reprises.all() if r.imputation_id is None), Decimal(0))
        return self.montant - imputes - sans_dette

    @property
    def retenu(self) -> Decimal:
        """L'argent de ses débits qu'un agent a en main, ou a mis de côté, en euros."""
        return self.anomalies.retenues().aggregate(somme=Sum("montant"))["somme"] or Decimal(0)

    @property
    def rendu_a_part(self) -> Decimal:
        """
        Ce que la Caf a fait rendre de débits en trop, en euros : ni ce paiement, ni un reste qu'il portait.

        Défait, un remboursement n'a rien rendu.
        """
        faites = self.restitutions.filter(etat="FAITE", anomalie__isnull=False).exclude(anomalie__genre="RELIQUAT")
        defaits = self.anomalies.filter(genre="ANNULATION_BANQUE", constat__motif__startswith="remboursement défait")
        faites = faites.exclude(uuid__in=defaits.values_list(KT("constat__vu__uuid")))
        if self.statut == Statut.RESTITUE:
            faites = faites.exclude(debit=self.uuid)
        return faites.aggregate(somme=Sum("montant"))["somme"] or Decimal(0)

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
        return f"{self.paiement} → {self.dette} : {ecrire_euros(self.montant)}"

    @property
    def reste(self) -> Decimal:
        """Ce qui en tient encore sur la dette, en euros, une fois ôté ce que la banque a repris."""
        return self.montant - sum((reprise.montant for reprise in self.reprises.all()), Decimal(0))


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
