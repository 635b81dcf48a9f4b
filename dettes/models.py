"""Ce qui est dû : les dettes, leurs mouvements, et lesquels sont partis à la Caf."""

import re
from decimal import Decimal

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import DecimalField, F, Q, Sum, Value
from django.db.models.functions import Coalesce
from django.utils.text import capfirst
from django.utils.translation import get_language, gettext_lazy

from comptes.models import Allocataire, Caf
from dettes.fichiers import FichierEmis, FichierRecu, LigneEmise, MouvementARendre
from dettes.plausibilite import Plausibilite
from socle.gardes import oublier_l_empreinte
from socle.templatetags.euros import periode

__all__ = ["Dette", "FichierEmis", "FichierRecu", "LigneEmise", "Mouvement", "MouvementARendre", "Plausibilite"]

TROP_PERCU = re.compile(r"^Trop-perçu(?: ?:| de(?= )| d(?=['’]))['’ ]*")
ZERO = Value(Decimal(0), output_field=DecimalField(max_digits=9, decimal_places=2))


DITS_PAR_LA_CAF = (
    *("creancier", "nature", "code", "libelle", "motif", "periode_debut", "periode_fin", "notifiee_le"),
    *("phase", "situation", "retenue_mensuelle"),
)


class DetteQuerySet(models.QuerySet["Dette"]):
    def for_allocataire(self, allocataire: Allocataire) -> "DetteQuerySet":
        return self.filter(allocataire=allocataire)

    def payables(self) -> "DetteQuerySet":
        """Dettes que l'on peut régler ici, y compris en recours ou sous plan : on informe, on ne bloque pas."""
        return self.filter(solde__gt=0, situation__in=Dette.SITUATIONS_PAYABLES)

    def transmises(self) -> "DetteQuerySet":
        """Celles que le département réclame lui-même : elles ne se paient pas ici."""
        return self.filter(situation=Dette.Situation.TRANSMISE)

    def with_disponible(self) -> "DetteQuerySet":
        """Ajoute `engage`, déjà en route vers la Caf, et `disponible`, ce que l'on peut encore payer (euros)."""
        en_route = Q(lignes__demarche__engagee=True)
        engage = Coalesce(Sum("lignes__montant", filter=en_route), ZERO)
        return self.annotate(engage=engage, disponible=F("solde") - engage)  # type: ignore[no-redef]  # voir Dette

    def plus_anciennes_d_abord(self) -> "DetteQuerySet":
        """L'ordre d'extinction des dettes : la plus ancienne, puis la plus petite (CSS D553-4, DOMAINE §5)."""
        return self.order_by("notifiee_le", "solde", "pk")


class Dette(models.Model):
    """
    Une dette envers un créancier, pour une prestation (DOMAINE §3). Montants en euros.

    Le solde n'est jamais écrit : la base le tient à jour à chaque mouvement. Le montant initial est celui du constat
    et ne change plus ; une correction de la Caf est un mouvement.
    """

    class Creancier(models.TextChoices):
        CAF = "CAF", "la Caf"
        ETAT = "ETAT", "l'État"
        DEPARTEMENT = "DEPARTEMENT", "le département"

    class Nature(models.TextChoices):
        RSA = "RSA", gettext_lazy("revenu de solidarité active")
        PPA = "PPA", gettext_lazy("prime d'activité")
        AAH = "AAH", gettext_lazy("allocation aux adultes handicapés")
        APL = "APL", gettext_lazy("aide personnalisée au logement")
        ALF = "ALF", gettext_lazy("allocation de logement familiale")
        ALS = "ALS", gettext_lazy("allocation de logement sociale")
        AF = "AF", gettext_lazy("allocations familiales")
        CF = "CF", gettext_lazy("complément familial")
        ASF = "ASF", gettext_lazy("allocation de soutien familial")
        ARS = "ARS", gettext_lazy("allocation de rentrée scolaire")
        PAJE = "PAJE", gettext_lazy("prestation d'accueil du jeune enfant")
        AEEH = "AEEH", gettext_lazy("allocation d'éducation de l'enfant handicapé")
        AUTRE = "AUTRE", gettext_lazy("autre prestation")

    class Phase(models.TextChoices):
        AMIABLE = "AMIABLE", gettext_lazy("amiable")
        CONTENTIEUX = "CONTENTIEUX", gettext_lazy("contentieux")

    class Situation(models.TextChoices):
        """
        EN_COURS, RECOURS, PLAN : payable ici ; un recours ou un plan n'empêche pas de payer volontairement.
        TRANSMISE : le département recouvre lui-même, plus rien ne se paie ici.
        SOLDEE, ANNULEE : il ne reste rien à payer.
        """

        EN_COURS = "EN_COURS", gettext_lazy("en cours")
        RECOURS = "RECOURS", gettext_lazy("en recours")
        PLAN = "PLAN", gettext_lazy("plan de remboursement")
        TRANSMISE = "TRANSMISE", gettext_lazy("transmise au département")
        SOLDEE = "SOLDEE", gettext_lazy("soldée")
        ANNULEE = "ANNULEE", gettext_lazy("annulée")

    SITUATIONS_PAYABLES = (Situation.EN_COURS, Situation.RECOURS, Situation.PLAN)

    caf = models.ForeignKey(Caf, models.PROTECT, related_name="dettes", verbose_name="Caf", db_index=False)
    allocataire = models.ForeignKey(Allocataire, models.PROTECT, related_name="dettes")
    reference = models.CharField("référence", max_length=30)
    creancier = models.CharField("créancier", max_length=11, choices=Creancier)
    nature = models.CharField("prestation", max_length=5, choices=Nature)
    code = models.CharField("code du courrier", max_length=10, blank=True)
    libelle = models.CharField("libellé", max_length=200)
    motif = models.TextField(blank=True)
    periode_debut = models.DateField("début de la période", null=True, blank=True)
    periode_fin = models.DateField("fin de la période", null=True, blank=True)
    notifiee_le = models.DateField("notifiée le")
    montant_initial = models.DecimalField("montant d'origine", max_digits=9, decimal_places=2)
    solde = models.DecimalField(max_digits=9, decimal_places=2)
    phase = models.CharField(max_length=11, choices=Phase)
    situation = models.CharField(max_length=9, choices=Situation)
    retenue_mensuelle = models.DecimalField("retenue mensuelle", max_digits=9, decimal_places=2, null=True, blank=True)

    # De la ligne de la Caf qu'elle dit exactement, et son solde (docs/adr/0068) ; l'import seul les écrit.
    empreinte = models.UUIDField(null=True, editable=False)
    solde_recu = models.DecimalField(max_digits=9, decimal_places=2, null=True, editable=False)

    # Ce que la livraison mène sous zéro, en euros, jusqu'à ce que ses paiements le rendent ou qu'un agent le sache.
    a_reprendre = models.DecimalField(max_digits=9, decimal_places=2, null=True, editable=False)

    # Posés par `with_disponible`, en euros ; absents sinon.
    engage: Decimal
    disponible: Decimal

    objects = DetteQuerySet.as_manager()

    class Meta:
        verbose_name = "dette"
        indexes = [
            # Le début d'une référence, tapé par un agent, quel que soit le tri de la base.
            models.Index(
                name="dettes_par_reference", fields=["caf", "reference"], opclasses=["", "varchar_pattern_ops"]
            ),
            # Ce que la liste du bureau filtre et qui est rare : sans lui, elle lirait toutes les autres.
            models.Index(
                name="dettes_par_situation",
                fields=["caf", "situation", "reference"],
                condition=Q(situation__in=["RECOURS", "PLAN", "TRANSMISE", "ANNULEE"]),
            ),
            models.Index(name="dettes_a_reprendre", fields=["id"], condition=Q(a_reprendre__isnull=False)),
        ]
        constraints = [
            models.UniqueConstraint(name="une_reference_de_dette_par_caf", fields=["caf", "reference"]),
            models.CheckConstraint(name="dette_reference_lisible", condition=Q(reference__regex=r"^[A-Z0-9-]{1,30}$")),
            models.CheckConstraint(name="dette_montant_initial_positif", condition=Q(montant_initial__gt=0)),
            models.CheckConstraint(name="dette_jamais_sous_zero", condition=Q(solde__gte=0)),
        ]
        triggers = [
            pgtrigger.Trigger(
                name="solde_ecrit_par_les_seuls_mouvements",
                operation=pgtrigger.UpdateOf("solde", "montant_initial"),
                when=pgtrigger.Before,
                condition=pgtrigger.AnyChange("solde", "montant_initial"),
                func="""
                    IF pg_trigger_depth() < 2 OR NEW.montant_initial <> OLD.montant_initial THEN
                        RAISE EXCEPTION 'Le solde ne change que par un mouvement, le montant initial jamais.';
                    END IF;
                    RETURN NEW;
                """,
            ),
            pgtrigger.Trigger(
                name="solde_initial_au_constat",
                operation=pgtrigger.Insert,
                when=pgtrigger.Before,
                func="NEW.solde := NEW.montant_initial; RETURN NEW;",
            ),
            pgtrigger.Trigger(
                name="dette_reste_a_son_dossier",
                operation=pgtrigger.Update,
                when=pgtrigger.Before,
                condition=pgtrigger.AnyChange("allocataire", "caf", "reference"),
                func="RAISE EXCEPTION 'Une dette ne change ni de Caf, ni de dossier, ni de référence.';",
            ),
            oublier_l_empreinte("dette_changee_n_est_plus_sa_ligne", DITS_PAR_LA_CAF),
            pgtrigger.Protect(name="dette_jamais_effacee", operation=pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return self.reference

    @property
    def is_payable(self) -> bool:
        return self.solde > 0 and self.situation in self.SITUATIONS_PAYABLES

    @property
    def prestation(self) -> str:
        """Le libellé sans « Trop-perçu », qui se répéterait à chaque ligne d'une liste, et bien ponctué."""
        return capfirst(TROP_PERCU.sub("", self.intitule))

    @property
    def intitule(self) -> str:
        """
        Le libellé, bien ponctué. La Caf l'envoie en français : dans une autre langue, c'est le nom de la prestation.

        Celui de la Caf se lit alors à la page de la dette, marqué comme français.
        """
        return self.libelle.replace("'", "’") if get_language() == settings.LANGUAGE_CODE else self.dire_la_nature()

    def dire_la_nature(self) -> str:
        """Le nom de la prestation, dans la langue de qui lit."""
        return capfirst(self.get_nature_display().replace("'", "’"))

    @property
    def nom(self) -> str:
        """De quoi la désigner dans une phrase : « Prime d’activité, avril à juin 2025 »."""
        return ", ".join(filter(None, [self.prestation, periode(self.periode_debut, self.periode_fin)]))

    @property
    def rembourse(self) -> Decimal:
        """Ce qui a déjà été repris ou remboursé, en euros ; jamais négatif, même après une hausse par la Caf."""
        return max(self.montant_initial - self.solde, Decimal(0))


class Mouvement(models.Model):
    """
    Une écriture au compte d'une dette : ajout seul, la base la porte au solde.

    Une correction est une écriture de plus, avec son motif ; jamais une retouche. Montants en euros, signés.
    """

    class Genre(models.TextChoices):
        """
        CONSTAT : la dette naît ; son montant est le montant initial, il ne se déduit pas.
        RETENUE, REMISE : reprise par la Caf sur les prestations, effacement décidé par elle.
        IMPUTATION : un paiement en ligne est porté sur la dette.
        REJET : une imputation est reprise, la banque ayant repris l'argent.
        AJUSTEMENT : le fichier de la Caf dit un autre solde.
        """

        CONSTAT = "CONSTAT", "constat de la dette"
        RETENUE = "RETENUE", "retenue sur prestations"
        REMISE = "REMISE", "remise de dette"
        IMPUTATION = "IMPUTATION", "paiement en ligne"
        REJET = "REJET", "paiement repris par la banque"
        AJUSTEMENT = "AJUSTEMENT", "mise à jour par la Caf"

    dette = models.ForeignKey(Dette, models.PROTECT, related_name="mouvements")
    genre = models.CharField(max_length=10, choices=Genre)
    montant = models.DecimalField("montant signé", max_digits=9, decimal_places=2)
    solde_apres = models.DecimalField("solde après", max_digits=9, decimal_places=2, editable=False)
    origine = models.CharField(max_length=80, help_text="ce qui l'a causé : livraison, référence de paiement")
    motif = models.CharField(max_length=200, blank=True)
    fichier_recu = models.ForeignKey(
        FichierRecu, models.PROTECT, related_name="mouvements", null=True, blank=True, verbose_name="fichier reçu"
    )
    le = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = "mouvement"
        indexes = [
            # Ce que l'import déduit et que l'export rend : la plupart des mouvements sont des ajustements.
            models.Index(
                name="mouvements_de_paiement", fields=["dette"], condition=Q(genre__in=["IMPUTATION", "REJET"])
            )
        ]
        constraints = [
            models.UniqueConstraint(name="un_seul_constat_par_dette", fields=["dette"], condition=Q(genre="CONSTAT")),
            models.CheckConstraint(name="mouvement_jamais_nul", condition=~Q(montant=0)),
            models.CheckConstraint(name="mouvement_dit_d_ou_il_vient", condition=~Q(origine="")),
            models.CheckConstraint(
                name="mouvement_de_paiement_dans_le_bon_sens",
                condition=(~Q(genre="IMPUTATION") | Q(montant__lt=0)) & (~Q(genre="REJET") | Q(montant__gt=0)),
            ),
        ]
        triggers = [
            pgtrigger.Trigger(
                name="mouvement_porte_au_solde",
                operation=pgtrigger.Insert,
                when=pgtrigger.Before,
                func="""
                    IF NEW.genre = 'CONSTAT' THEN
                        SELECT montant_initial INTO NEW.solde_apres FROM dettes_dette WHERE id = NEW.dette_id;
                        IF NEW.solde_apres IS DISTINCT FROM NEW.montant THEN
                            RAISE EXCEPTION 'Le constat est le montant initial de la dette.';
                        END IF;
                    ELSE
                        UPDATE dettes_dette SET solde = solde + NEW.montant
                        WHERE id = NEW.dette_id RETURNING solde INTO NEW.solde_apres;
                    END IF;
                    RETURN NEW;
                """,
            ),
            pgtrigger.Trigger(
                name="mouvement_de_paiement_a_rendre",
                operation=pgtrigger.Insert,
                when=pgtrigger.After,
                condition=pgtrigger.Condition("NEW.genre IN ('IMPUTATION', 'REJET')"),
                func="""
                    INSERT INTO dettes_mouvementarendre (mouvement_id, caf_id)
                    SELECT NEW.id, caf_id FROM dettes_dette WHERE id = NEW.dette_id;
                    RETURN NULL;
                """,
            ),
            pgtrigger.Protect(name="mouvement_ajout_seul", operation=pgtrigger.Update | pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return f"{self.get_genre_display()} n° {self.pk}"
