"""La demande : une démarche de remboursement et ses lignes."""

from datetime import datetime, timedelta
from decimal import Decimal

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import Case, Q, Sum, Value, When
from django.utils import timezone
from django.utils.translation import gettext_lazy

from comptes.models import Allocataire, Utilisateur
from demarches.etats import A_RECOMMENCER, ENGAGES, Etat
from dettes.models import Dette
from socle.references import draw_reference

# Ce qu'on rappelle d'un paiement déjà pris en compte, avant d'en faire un autre sur les mêmes dettes.
DEPUIS_PEU = timedelta(days=7)


def draw_demarche() -> str:
    return draw_reference("D")


class DemarcheQuerySet(models.QuerySet["Demarche"]):
    def visibles_par(self, utilisateur: Utilisateur) -> "DemarcheQuerySet":
        """
        Celles du dossier, sauf les saisies d'un conjoint (docs/adr/0032).

        Deux conjoints partagent leurs dettes et leurs paiements ; ce que l'un n'a pas demandé ne regarde que lui.
        """
        saisies = Q(etat__in=[Etat.BROUILLON, Etat.ABANDONNEE])
        return self.filter(allocataire=utilisateur.allocataire_id).exclude(saisies & ~Q(auteur=utilisateur.pk))

    def brouillons(self) -> "DemarcheQuerySet":
        return self.filter(etat=Etat.BROUILLON)

    def deja_demandees(self, demarche: int, allocataire: int, depuis: datetime) -> "DemarcheQuerySet":
        """
        Les autres du dossier, sur les mêmes dettes, dont l'argent est en route, ou prises en compte depuis peu.

        C'est ce qu'il faut avoir lu avant de payer de nouveau. `commun` : leur montant sur ces dettes, en euros.

        :param demarche, allocataire: leurs clés
        :param depuis: l'heure avant laquelle une demande prise en compte ne se rappelle plus
        """
        recentes = Q(etat=Etat.PRISE_EN_COMPTE, paiement__cree_le__gte=depuis)
        autres = self.filter(Q(engagee=True) | recentes, allocataire=allocataire).exclude(pk=demarche)
        memes = autres.filter(lignes__dette__in=LigneDemarche.objects.filter(demarche=demarche).values("dette"))
        avec_commun = memes.annotate(commun=Sum("lignes__montant"))  # type: ignore[no-redef]  # voir Demarche
        return avec_commun.order_by("cree_le", "pk")

    def demandees(self) -> "DemarcheQuerySet":
        """Celles que l'allocataire suit dans « Mes démarches » : toutes, sauf les saisies abandonnées."""
        return self.exclude(etat=Etat.ABANDONNEE)

    def plus_recentes_d_abord(self) -> "DemarcheQuerySet":
        return self.order_by("-cree_le", "-pk")


class Demarche(models.Model):
    """
    Une demande de remboursement, des informations au récapitulatif, puis suivie jusqu'à sa prise en compte.

    Elle se fige quand l'allocataire presse « Payer » : recommencer en ouvre une autre, déjà remplie, et une seule.
    """

    class Etape(models.IntegerChoices):
        INFORMATIONS = 1, "Informations"
        MONTANTS = 2, "Montants"
        RECAPITULATIF = 3, "Récapitulatif"

    class Mode(models.TextChoices):
        """
        GLOBAL : un montant, que la Caf répartit en commençant par la dette la plus ancienne ; lignes indicatives.
        AFFECTE : les dettes choisies font loi, au centime (C. civ. 1342-10).
        """

        GLOBAL = "GLOBAL", gettext_lazy("un montant global")
        AFFECTE = "AFFECTE", gettext_lazy("des dettes choisies")

    allocataire = models.ForeignKey(Allocataire, models.PROTECT, related_name="demarches", db_index=False)
    auteur = models.ForeignKey(Utilisateur, models.PROTECT, related_name="demarches")
    reference = models.CharField("référence", max_length=20, unique=True, default=draw_demarche)
    etat = models.CharField("état", max_length=21, choices=Etat, default=Etat.BROUILLON)
    etape = models.PositiveSmallIntegerField("étape atteinte", choices=Etape, default=Etape.INFORMATIONS)
    mentions_version = models.CharField("version des mentions lues", max_length=20, blank=True)
    mentions_lues_le = models.DateTimeField("mentions lues le", null=True, blank=True)
    courriel = models.EmailField("courriel pour le ticket", blank=True)
    # Choisie à « Payer » : celle de la page de paiement, et du ticket envoyé.
    langue = models.CharField(max_length=10, default=settings.LANGUAGE_CODE, db_default=settings.LANGUAGE_CODE)
    mode = models.CharField(max_length=7, choices=Mode, blank=True)
    montant = models.DecimalField(max_digits=9, decimal_places=2, default=Decimal(0))
    cree_le = models.DateTimeField("créée le", default=timezone.now)
    # L'unicité est la règle : une démarche ne se recommence qu'une fois (docs/adr/0050).
    recommence = models.OneToOneField(
        "self",
        models.PROTECT,
        related_name="recommencee_par",
        null=True,
        blank=True,
        verbose_name="démarche qu'elle recommence",
    )
    engagee = models.GeneratedField(
        expression=Case(When(etat__in=ENGAGES, then=Value(True)), default=Value(False)),
        output_field=models.BooleanField(),
        db_persist=True,
    )

    # Posé par `deja_demandees`, en euros ; absent sinon.
    commun: Decimal

    objects = DemarcheQuerySet.as_manager()

    class Meta:
        verbose_name = "démarche"
        indexes = [
            models.Index(name="demarches_de_l_allocataire", fields=["allocataire", "-cree_le"]),
            models.Index(name="demarches_engagees", fields=["allocataire"], condition=Q(etat__in=ENGAGES)),
        ]
        constraints = [
            models.UniqueConstraint(
                name="un_brouillon_par_personne", fields=["auteur"], condition=Q(etat=Etat.BROUILLON)
            ),
            models.CheckConstraint(name="demarche_montant_positif_ou_nul", condition=Q(montant__gte=0)),
            models.CheckConstraint(
                name="demarche_demandee_est_complete",
                condition=Q(etat__in=[Etat.BROUILLON, Etat.ABANDONNEE])
                | (~Q(mode="") & Q(montant__gt=0) & Q(mentions_lues_le__isnull=False)),
                violation_error_message="On ne paie pas une démarche sans mentions lues, ni mode, ni montant.",
            ),
        ]
        triggers = [
            pgtrigger.Trigger(
                name="total_egal_somme_des_lignes",
                operation=pgtrigger.UpdateOf("etat"),
                when=pgtrigger.Before,
                condition=pgtrigger.Q(old__etat=Etat.BROUILLON, new__etat=Etat.A_LA_BANQUE),
                func="""
                    IF NEW.montant IS DISTINCT FROM
                       (SELECT sum(montant) FROM demarches_lignedemarche WHERE demarche_id = NEW.id) THEN
                        RAISE EXCEPTION 'Le total de la démarche n''est pas la somme de ses lignes.';
                    END IF;
                    RETURN NEW;
                """,
            ),
            pgtrigger.Trigger(
                name="demarche_figee_apres_payer",
                operation=pgtrigger.Update,
                when=pgtrigger.Before,
                condition=~pgtrigger.Q(old__etat=Etat.BROUILLON),
                func="""
                    IF (NEW.montant, NEW.mode, NEW.allocataire_id, NEW.reference, NEW.recommence_id)
                       IS DISTINCT FROM (OLD.montant, OLD.mode, OLD.allocataire_id, OLD.reference, OLD.recommence_id)
                       OR NEW.etat IN ('BROUILLON', 'ABANDONNEE') THEN
                        RAISE EXCEPTION 'Une démarche envoyée à la banque ne se modifie plus.';
                    END IF;
                    RETURN NEW;
                """,
            ),
        ]

    def __str__(self) -> str:
        return self.reference

    @property
    def is_modifiable(self) -> bool:
        return self.etat == Etat.BROUILLON

    @property
    def is_a_recommencer(self) -> bool:
        return self.etat in A_RECOMMENCER

    @property
    def suite(self) -> "Demarche | None":
        """Celle qui la recommence, ou None. Une requête, si elle n'est pas chargée."""
        suite: Demarche | None = getattr(self, "recommencee_par", None)
        return suite

    @property
    def demandee_le(self) -> datetime | None:
        """L'heure du clic sur « Payer », None avant. Une requête si le paiement n'est pas chargé."""
        paiement = getattr(self, "paiement", None)
        return paiement and paiement.cree_le

    @property
    def total_des_lignes(self) -> Decimal:
        return self.lignes.aggregate(total=Sum("montant"))["total"] or Decimal(0)


class LigneDemarche(models.Model):
    """Ce que l'allocataire destine à une dette, en euros. Figée avec sa démarche."""

    demarche = models.ForeignKey(
        Demarche, models.CASCADE, related_name="lignes", verbose_name="démarche", db_index=False
    )
    dette = models.ForeignKey(Dette, models.PROTECT, related_name="lignes")
    montant = models.DecimalField(max_digits=9, decimal_places=2)

    class Meta:
        verbose_name = "ligne de démarche"
        verbose_name_plural = "lignes de démarche"
        constraints = [
            models.UniqueConstraint(name="une_ligne_par_dette", fields=["demarche", "dette"]),
            models.CheckConstraint(name="ligne_montant_positif", condition=Q(montant__gt=0)),
        ]
        triggers = [
            pgtrigger.Trigger(
                name="lignes_figees_avec_la_demarche",
                operation=pgtrigger.Insert | pgtrigger.Update | pgtrigger.Delete,
                when=pgtrigger.Before,
                func="""
                    IF EXISTS (
                        SELECT FROM demarches_demarche
                        WHERE id IN (OLD.demarche_id, NEW.demarche_id) AND etat NOT IN ('BROUILLON', 'ABANDONNEE')
                    ) THEN
                        RAISE EXCEPTION 'Les lignes d''une démarche envoyée à la banque ne se modifient plus.';
                    END IF;
                    RETURN COALESCE(NEW, OLD);
                """,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.dette} : {self.montant} €"
