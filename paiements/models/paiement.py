"""Un paiement, son journal, et ce que nous en tenons."""

from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

import pgtrigger
from django.conf import settings
from django.contrib.postgres.functions import RandomUUID
from django.db import models
from django.db.models import Func, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Cast, Left, Upper
from django.utils import timezone

from comptes.models import Caf
from demarches.models import Demarche
from paiements.models.transaction import TransactionPayzen
from paiements.payzen import draw_trans_id
from paiements.statuts import ENCAISSES, RESTITUABLES, TRANSITIONS, Geste, Statut
from socle.jours import ajouter_des_jours_ouvres

if TYPE_CHECKING:
    from paiements.models.imputation import Imputation


def de_ce_mode() -> Q:
    """Ceux dont le service fait quelque chose : d'une carte d'essai, en production, ce n'est pas de l'argent."""
    return Q(mode=settings.PAYZEN_MODE)  # garde: essai_ne_s_impute_pas


class PaiementQuerySet(models.QuerySet["Paiement"]):
    def for_reference(self, reference: str) -> "PaiementQuerySet":
        """Celui qui porte cette référence, ou celui de la démarche qui la porte."""
        portent = self.filter(Q(reference=reference) | Q(demarche__reference=reference))
        return portent.select_related("demarche", "caf").order_by("pk")

    def encaisses(self) -> "PaiementQuerySet":
        return self.filter(statut__in=ENCAISSES)

    def a_imputer(self) -> "PaiementQuerySet":
        """Ceux dont l'heure est venue : tout de suite, ou plus tard après un échec."""
        venus = self.filter(de_ce_mode(), statut=Statut.VERIFIE, imputer_le__lte=timezone.now())
        return venus.order_by("imputer_le", "pk")


class Paiement(models.Model):
    """
    Une tentative de paiement : une ligne par clic sur « Payer ». Montant en euros, dates en UTC.

    La référence, l'`order_id` envoyé à PayZen, est celle de la démarche : la personne n'en lit qu'une (docs/adr/0051).
    Le code est celui que portent ses papiers : tiré par la base, il ne change jamais. `trans_id` est unique par
    boutique et jour UTC (PROTOCOLE §1.3).
    """

    demarche = models.OneToOneField(Demarche, models.PROTECT, related_name="paiement", verbose_name="démarche")
    caf = models.ForeignKey(Caf, models.PROTECT, related_name="paiements", verbose_name="Caf", db_index=False)
    reference = models.CharField("référence", max_length=32, unique=True)
    code = models.CharField(
        "code de vérification", max_length=8, db_default=Upper(Left(Cast(RandomUUID(), models.TextField()), 8))
    )
    statut = models.CharField(max_length=10, choices=Statut, default=Statut.INITIE)
    montant = models.DecimalField(max_digits=9, decimal_places=2)
    boutique = models.CharField(max_length=8)
    mode = models.CharField("mode PayZen", max_length=10)
    trans_id = models.CharField("numéro de transaction", max_length=6, default=draw_trans_id)
    cree_le = models.DateTimeField("créé le", default=timezone.now)
    jour_utc = models.GeneratedField(
        verbose_name="jour UTC",
        expression=Func("cree_le", template="(%(expressions)s AT TIME ZONE 'UTC')::date"),
        output_field=models.DateField(),
        db_persist=True,
    )
    debit = models.OneToOneField(
        TransactionPayzen,
        models.PROTECT,
        related_name="paiement_encaisse",
        null=True,
        blank=True,
        verbose_name="débit",
    )
    montant_admis = models.DecimalField(
        "montant admis par un agent", max_digits=9, decimal_places=2, null=True, blank=True
    )
    confirme_le = models.DateTimeField("confirmé par une deuxième source le", null=True, blank=True)
    solde_lu = models.DecimalField(
        "tenu d'après la dernière lecture", max_digits=10, decimal_places=2, null=True, blank=True
    )
    prochain_controle_le = models.DateTimeField("prochaine interrogation le", null=True, blank=True)
    controles = models.PositiveSmallIntegerField("interrogations sans la trouver", default=0)

    imputer_le = models.DateTimeField("à imputer le", null=True, blank=True)
    echecs = models.PositiveSmallIntegerField("imputations échouées", default=0)

    objects = PaiementQuerySet.as_manager()

    class Meta:
        verbose_name = "paiement"
        indexes = [
            models.Index(
                name="paiements_a_controler",
                fields=["prochain_controle_le"],
                condition=Q(prochain_controle_le__isnull=False),
            ),
            models.Index(
                name="paiements_verifies_par_heure", fields=["imputer_le"], condition=Q(statut=Statut.VERIFIE)
            ),
            models.Index(name="paiements_de_la_caf", fields=["caf", "-cree_le", "-id"]),
            # Ce que cherche et filtre le bureau (bancs/bureau.py).
            models.Index(name="paiements_par_statut", fields=["caf", "statut", "-cree_le", "-id"]),
            models.Index(name="paiements_par_montant", fields=["caf", "montant", "-cree_le"]),
            models.Index(name="paiements_par_trans_id", fields=["trans_id"]),
            models.Index(name="paiements_par_date", fields=["-cree_le", "-id"]),
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
                name="paiement_encaisse_a_son_debit",
                condition=Q(statut__in=ENCAISSES, debit__isnull=False) | (~Q(statut__in=ENCAISSES) & Q(debit=None)),
                violation_error_message="Le débit va avec l'accord de la banque.",
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
                name="paiement_immuable_sur_l_essentiel",
                operation=pgtrigger.Update,
                when=pgtrigger.Before,
                func="""
                    IF (NEW.montant, NEW.reference, NEW.demarche_id, NEW.caf_id, NEW.trans_id, NEW.cree_le,
                        NEW.boutique, NEW.mode, NEW.code)
                       IS DISTINCT FROM
                       (OLD.montant, OLD.reference, OLD.demarche_id, OLD.caf_id, OLD.trans_id, OLD.cree_le,
                        OLD.boutique, OLD.mode, OLD.code)
                       OR (OLD.statut IN ('VERIFIE', 'IMPUTE') AND NEW.debit_id IS DISTINCT FROM OLD.debit_id) THEN
                        RAISE EXCEPTION 'Montant et références ne changent pas ; ni le débit, une fois vérifié.';
                    END IF;
                    RETURN NEW;
                """,
            ),
            pgtrigger.Protect(name="paiement_jamais_efface", operation=pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return self.reference

    @property
    def is_d_un_autre_mode(self) -> bool:
        """D'une carte d'essai en production, ou l'inverse : il ne se confirme, ne s'impute ni ne se place."""
        return self.mode != settings.PAYZEN_MODE

    @property
    def is_encaisse(self) -> bool:
        return self.statut in ENCAISSES

    @property
    def paye_le(self) -> datetime | None:
        """
        L'heure du débit à la banque, UTC : celle de la page, du ticket, et du fichier rendu à la Caf.

        Jamais avant le clic ; à défaut, l'heure où nous l'avons appris. None si rien n'est encaissé.
        """
        # garde: date_jamais_avant_le_clic
        return None if self.debit is None else max(self.cree_le, self.debit.creee_le or self.debit.apprise_le)

    @property
    def annonce_le(self) -> date | None:
        """
        Le jour, à Paris, où les dettes sont d'ordinaire à jour : d'après le délai, en jours ouvrés, que dit la Caf.

        None si elle n'annonce rien, ou si rien n'est encore encaissé.
        """
        delai = self.caf.delai_mise_a_jour
        if delai is None or self.paye_le is None:
            return None
        return ajouter_des_jours_ouvres(timezone.localdate(self.paye_le), delai)

    @property
    def annonce_a_venir(self) -> date | None:
        """Ce jour-là, tant qu'il n'est pas passé : ensuite, ce n'est plus à promettre."""
        le = self.annonce_le
        return le if le and le >= timezone.localdate() else None

    @property
    def montants_attendus(self) -> list[Decimal]:
        """Ce qui était demandé, et ce qu'un agent a admis."""
        return [self.montant] if self.montant_admis is None else [self.montant, self.montant_admis]

    @property
    def a_placer(self) -> Decimal:
        """
        Tenu du débit, moins imputé, en euros, une fois le paiement imputé. Positif, un reste ; négatif, la banque a
        repris, il faut reprendre. Zéro tant que rien n'est imputé.
        """
        return self.solde.a_placer if self.statut == Statut.IMPUTE else Decimal(0)

    @property
    def retenu(self) -> Decimal:
        """Ce que la banque tient, ou tient peut-être, et qu'un agent a en main, en euros, hors d'un reste à placer."""
        reparti = self.is_encaisse and self.statut not in RESTITUABLES
        tenu = max(self.solde.tenu, Decimal(0)) if reparti else Decimal(0)
        return self.solde.a_rendre + self.solde.douteux + tenu  # garde: douteux_ne_se_recommence_pas

    def get_imputations(self) -> QuerySet["Imputation"]:
        """Ses imputations depuis son dernier accord : celles d'avant ont toutes été reprises des dettes."""
        accord = self.etapes.filter(geste=Geste.ACCEPTER).order_by("-pk").values("le")[:1]
        return self.imputations.filter(mouvement__le__gte=Subquery(accord))  # garde: imputations_du_dernier_accord

    @property
    def rendu_a_part(self) -> Decimal:
        """Ce que la Caf a fait rendre de débits qui n'étaient pas celui du paiement, en euros."""
        faites = self.restitutions.filter(etat="FAITE").exclude(debit=self.debit_id)
        # Un remboursement défait n'a rien rendu.
        # garde: restitution_defaite_ne_se_compte_pas
        tenues = faites.filter(Q(credit=None) | Q(credit__in=TransactionPayzen.objects.vivantes()))
        return tenues.aggregate(somme=Sum("montant"))["somme"] or Decimal(0)


class SoldePaiement(models.Model):
    """
    Où en est l'argent d'un paiement, en euros : une vue de la base, la seule définition de ces mots.

    `tenu` de son débit, `impute` aux dettes, `a_placer` leur différence, `a_rendre` ce qui est tenu de tout autre
    débit, `douteux` ce que la banque tient peut-être d'un débit dont elle dit deux choses, hors celui d'un paiement en
    cours. `is_en_l_air` : un crédit dont on ne sait pas ce qu'il ôte, ou s'il est parti.
    """

    paiement = models.OneToOneField(Paiement, models.DO_NOTHING, primary_key=True, related_name="solde")
    tenu = models.DecimalField(max_digits=10, decimal_places=2)
    impute = models.DecimalField(max_digits=10, decimal_places=2)
    a_placer = models.DecimalField(max_digits=10, decimal_places=2)
    a_rendre = models.DecimalField(max_digits=10, decimal_places=2)
    douteux = models.DecimalField(max_digits=10, decimal_places=2)
    is_en_l_air = models.BooleanField("un crédit en l'air")

    class Meta:
        managed = False
        db_table = "paiements_solde"

    def __str__(self) -> str:
        return f"{self.paiement_id} : tenu {self.tenu}, imputé {self.impute}"


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
