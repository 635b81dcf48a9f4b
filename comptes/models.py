"""Qui : les Caf, les allocataires, les personnes qui se connectent, les agents."""

from datetime import timedelta

import pgtrigger
from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.contrib.postgres.fields import ArrayField
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy

from comptes import mots_de_passe
from comptes.identifiants import normaliser
from comptes.roles import DROITS, Droit
from socle.gardes import oublier_l_empreinte


class Caf(models.Model):
    """
    Une caisse : tout encaissement a une Caf, et une seule.

    Le code est un texte opaque de trois caractères (DOMAINE §2). Le numéro de boutique PayZen est ici ; ses clés
    restent hors de la base.
    """

    code = models.CharField(primary_key=True, max_length=3, validators=[RegexValidator(r"^[0-9A-Z]{3}$")])
    nom = models.CharField(max_length=100)
    departement = models.CharField("département", max_length=3)
    boutique = models.CharField(
        "numéro de boutique PayZen", max_length=8, blank=True, validators=[RegexValidator(r"^\d{8}$")]
    )
    seuil_controle = models.DecimalField(
        "seuil de contrôle (€)",
        max_digits=9,
        decimal_places=2,
        null=True,
        blank=True,
        help_text="À partir de ce montant, un agent confirme la vérification. Vide : jamais.",
    )
    seuil_mise_de_cote = models.DecimalField(
        "seuil de mise de côté (€)",
        max_digits=9,
        decimal_places=2,
        null=True,
        blank=True,
        help_text="À partir de ce montant, un comptable approuve qu'on laisse de l'argent de côté. Vide : jamais.",
    )
    delai_mise_a_jour = models.PositiveSmallIntegerField(
        "délai habituel de mise à jour (jours ouvrés)",
        null=True,
        blank=True,
        help_text="Entre un paiement enregistré et des dettes à jour, ce que l'on annonce. Vide : on n'annonce rien.",
    )
    ouverte = models.BooleanField("service", default=True, choices=[(True, "ouvert"), (False, "suspendu")])
    message_suspension = models.TextField("message de suspension", blank=True)
    retour_prevu_le = models.DateField("retour prévu le", null=True, blank=True)

    class Meta:
        verbose_name = "Caf"
        verbose_name_plural = "Caf"
        constraints = [
            models.UniqueConstraint(
                name="une_boutique_par_caf",
                fields=["boutique"],
                condition=~Q(boutique=""),
                violation_error_message="Cette boutique PayZen est déjà celle d'une autre Caf.",
            ),
            models.CheckConstraint(
                name="suspension_expliquee",
                condition=Q(ouverte=True) | ~Q(message_suspension=""),
                violation_error_message="Une Caf suspendue dit pourquoi aux allocataires.",
            ),
        ]

    def __str__(self) -> str:
        return self.nom


DITS_PAR_LA_CAF = ("numero", "civilite", "nom", "prenom", "date_naissance", "identite", "radie_le")


class Allocataire(models.Model):
    """
    La personne responsable d'un dossier : numéro à 7 chiffres, unique avec le code de la Caf (DOMAINE §0.1).

    Le NIR n'est pas stocké. Un compte radié garde ses dettes et peut les rembourser.
    """

    class Civilite(models.TextChoices):
        MONSIEUR = "M", gettext_lazy("Monsieur")
        MADAME = "MME", gettext_lazy("Madame")

    caf = models.ForeignKey(Caf, models.PROTECT, related_name="allocataires", verbose_name="Caf", db_index=False)
    numero = models.CharField("numéro allocataire", max_length=7, validators=[RegexValidator(r"^\d{7}$")])
    civilite = models.CharField("civilité", max_length=3, choices=Civilite, blank=True)
    nom = models.CharField(max_length=100)
    prenom = models.CharField("prénom", max_length=100, blank=True)
    date_naissance = models.DateField("date de naissance", null=True, blank=True)
    # Seule à relier un dossier à FranceConnect (FICHIERS §5) ; l'import l'écrit sans passer par ici.
    identite = models.CharField("empreinte de l'identité", max_length=64, blank=True, db_default="", db_index=True)
    radie_le = models.DateField("radié le", null=True, blank=True)
    # De la ligne de la Caf qu'il dit exactement (docs/adr/0068) ; l'import seul l'écrit.
    empreinte = models.UUIDField(null=True, editable=False)

    class Meta:
        verbose_name = "allocataire"
        triggers = [oublier_l_empreinte("dossier_change_n_est_plus_sa_ligne", DITS_PAR_LA_CAF)]
        indexes = [
            # Ce que la liste du bureau filtre et qui est rare : sans lui, elle lirait tous les autres.
            models.Index(name="allocataires_radies", fields=["caf", "numero"], condition=Q(radie_le__isnull=False)),
        ]
        constraints = [
            models.UniqueConstraint(name="un_numero_par_caf", fields=["caf", "numero"]),
            # Des lettres : un dossier clos depuis dix ans, dont la personne est effacée (paiements 0035).
            models.CheckConstraint(
                name="numero_de_sept_chiffres", condition=Q(numero__regex=r"^([0-9]{7}|[A-P]{7})$")
            ),
        ]

    def __str__(self) -> str:
        return f"{self.caf_id} {self.numero}"

    @property
    def nom_complet(self) -> str:
        return f"{self.get_civilite_display()} {self.prenom} {self.nom}".strip().replace("  ", " ")


class UtilisateurManager(BaseUserManager["Utilisateur"]):
    def create_user(self, identifiant: str, password: str | None = None, **champs: object) -> "Utilisateur":
        utilisateur = self.model(identifiant=normaliser(identifiant), **champs)
        utilisateur.set_password(password)
        utilisateur.save()
        return utilisateur

    def create_superuser(self, identifiant: str, password: str | None = None, **champs: object) -> "Utilisateur":
        return self.create_user(identifiant, password, is_staff=True, is_superuser=True, **champs)


class Utilisateur(AbstractBaseUser, PermissionsMixin):
    """
    Qui se connecte : pour un dossier d'allocataire, ou comme agent. Jamais les deux.

    L'identifiant d'un allocataire est le code de sa Caf suivi de son numéro ; deux conjoints peuvent avoir chacun leur
    compte sur le même dossier.
    """

    identifiant = models.CharField(
        max_length=50, unique=True, error_messages={"unique": "Cet identifiant est déjà pris."}
    )
    allocataire = models.ForeignKey(
        Allocataire, models.PROTECT, related_name="utilisateurs", null=True, blank=True, verbose_name="allocataire"
    )
    courriel = models.EmailField(
        blank=True,
        db_default="",  # l'import des allocataires écrit la table sans passer par ici
        help_text="D'un agent ou d'un opérateur : prévenu de tout changement de son accès.",
    )
    is_active = models.BooleanField("compte", default=True, choices=[(True, "ouvert"), (False, "fermé")])
    is_staff = models.BooleanField(
        "au bureau", default=False, choices=[(True, "agent ou opérateur"), (False, "allocataire")]
    )
    cree_le = models.DateTimeField("créé le", auto_now_add=True)

    objects = UtilisateurManager()

    USERNAME_FIELD = "identifiant"
    EMAIL_FIELD = "courriel"
    REQUIRED_FIELDS = ["courriel"]  # demandé par createsuperuser

    class Meta:
        verbose_name = "utilisateur"
        constraints = [
            # La connexion cherche la forme normalisée : une autre forme n'entrerait jamais.
            models.CheckConstraint(
                name="identifiant_normalise",
                condition=Q(identifiant__regex=r"^[a-z0-9._@-]+$"),
                violation_error_message="Un identifiant n'a ni majuscule, ni espace, ni accent.",
            ),
            models.CheckConstraint(
                name="allocataire_ou_agent_jamais_les_deux",
                condition=Q(allocataire=None) | Q(is_staff=False, is_superuser=False),
                violation_error_message="Un compte est celui d'un allocataire ou d'un agent, jamais des deux.",
            ),
        ]
        triggers = [
            # Un opérateur naît d'une commande, lancée par qui possède les tables ; jamais du service.
            pgtrigger.Trigger(
                name="operateur_hors_du_service",
                operation=pgtrigger.Insert | pgtrigger.UpdateOf("is_superuser"),
                when=pgtrigger.Before,
                func="""
                    IF NEW.is_superuser AND (TG_OP = 'INSERT' OR NOT OLD.is_superuser) AND NOT pg_has_role(
                        current_user, (SELECT relowner FROM pg_class WHERE oid = TG_RELID), 'USAGE'
                    ) THEN
                        RAISE EXCEPTION 'Le service ne crée pas d''opérateur.';
                    END IF;
                    RETURN NEW;
                """,
            )
        ]

    def __str__(self) -> str:
        return self.identifiant

    @cached_property
    def codes(self) -> list[str]:
        """Les codes des Caf qu'il regarde, lus une fois : celles d'un agent, toutes pour un opérateur."""
        cafs = Caf.objects.all() if self.is_superuser else Caf.objects.filter(agents__utilisateur=self)
        return list(cafs.values_list("pk", flat=True).order_by("pk"))

    @property
    def inactivite(self) -> timedelta:
        """Le temps sans activité au bout duquel une session de ce compte se ferme."""
        return settings.INACTIVITE_AGENT if self.is_staff else settings.INACTIVITE_ALLOCATAIRE

    def set_password(self, raw_password: str | None) -> None:
        super().set_password(raw_password and mots_de_passe.normaliser(raw_password))

    def check_password(self, raw_password: str | None) -> bool:
        return super().check_password(raw_password and mots_de_passe.normaliser(raw_password))


class Agent(models.Model):
    """Un agent, son rôle, et les Caf dont il voit les dossiers."""

    class Role(models.TextChoices):
        """
        CONSULTATION : regarde.
        GESTION : confirme une vérification, traite les anomalies, demande une restitution.
        COMPTABLE : approuve les restitutions.
        RESPONSABLE : gère, et ouvre ou suspend le service de sa Caf.
        """

        CONSULTATION = "CONSULTATION", "consultation"
        GESTION = "GESTION", "gestion"
        COMPTABLE = "COMPTABLE", "comptable"
        RESPONSABLE = "RESPONSABLE", "responsable"

    utilisateur = models.OneToOneField(Utilisateur, models.CASCADE, related_name="agent")
    role = models.CharField("rôle", max_length=12, choices=Role)
    cafs = models.ManyToManyField(Caf, related_name="agents", verbose_name="Caf")

    class Meta:
        verbose_name = "agent"

    def __str__(self) -> str:
        return f"{self.utilisateur} ({self.get_role_display()})"

    def can(self, droit: Droit) -> bool:
        return droit in DROITS[self.role]


class CodeActivationQuerySet(models.QuerySet["CodeActivation"]):
    def valables(self) -> "CodeActivationQuerySet":
        """Ceux qui peuvent encore servir : ni utilisés, ni périmés."""
        return self.filter(utilise_le=None, expire_le__gt=timezone.now())


class CodeActivation(models.Model):
    """Un code envoyé par courrier, échangé une fois contre un mot de passe choisi. Le code n'est pas ici."""

    utilisateur = models.ForeignKey(Utilisateur, models.CASCADE, related_name="codes_activation")
    empreinte = models.CharField(max_length=64)
    expire_le = models.DateTimeField("expire le")
    utilise_le = models.DateTimeField("utilisé le", null=True, blank=True)

    objects = CodeActivationQuerySet.as_manager()

    class Meta:
        verbose_name = "code d'activation"
        verbose_name_plural = "codes d'activation"
        constraints = [
            models.UniqueConstraint(
                name="un_code_en_attente_par_utilisateur", fields=["utilisateur"], condition=Q(utilise_le=None)
            ),
        ]

    def __str__(self) -> str:
        return f"code de {self.utilisateur}"


class Evenement(models.Model):
    """
    Une ligne du journal de sécurité : qui a fait quoi, et quand. Elle ne se retouche pas, et vit un an.

    `compte` est le compte dont il s'agit ; `auteur`, qui l'a fait, vide si personne n'a prouvé qui il est. `cafs` sont
    celles dont le responsable lit la ligne, telles qu'elles étaient à l'instant du fait.
    """

    class Genre(models.TextChoices):
        CONNEXION = "CONNEXION", "connexion"
        DECONNEXION = "DECONNEXION", "déconnexion"
        MOT_DE_PASSE_FAUX = "MOT_DE_PASSE_FAUX", "identifiant ou mot de passe faux"
        FACTEUR_FAUX = "FACTEUR_FAUX", "second facteur faux"
        CODE_FAUX = "CODE_FAUX", "code de première connexion faux"
        BLOCAGE = "BLOCAGE", "trop d'essais"
        FACTEUR_AJOUTE = "FACTEUR_AJOUTE", "second facteur ajouté"
        FACTEUR_OTE = "FACTEUR_OTE", "second facteur ôté"
        MOT_DE_PASSE = "MOT_DE_PASSE", "mot de passe changé"
        ROLE = "ROLE", "rôle ou Caf changés"
        COMPTE = "COMPTE", "compte ouvert ou fermé"
        CONSULTATION = "CONSULTATION", "fiche consultée"
        LISTE = "LISTE", "liste consultée"
        EXPORT = "EXPORT", "liste exportée"

    le = models.DateTimeField("quand", default=timezone.now, db_index=True)
    genre = models.CharField(max_length=17, choices=Genre)
    auteur = models.ForeignKey(Utilisateur, models.PROTECT, related_name="+", null=True)
    compte = models.ForeignKey(Utilisateur, models.PROTECT, related_name="+", null=True)
    allocataire = models.ForeignKey(Allocataire, models.PROTECT, related_name="+", null=True)
    objet = models.CharField(max_length=200, blank=True)
    adresse = models.GenericIPAddressField("adresse IP", null=True)
    cafs = ArrayField(models.CharField(max_length=3), verbose_name="Caf")

    class Meta:
        verbose_name = "événement de sécurité"
        verbose_name_plural = "journal de sécurité"
        triggers = [
            pgtrigger.Protect(name="evenement_jamais_retouche", operation=pgtrigger.Update),
            pgtrigger.Protect(
                name="evenement_garde_un_an",
                operation=pgtrigger.Delete,
                condition=pgtrigger.Condition("OLD.le > now() - interval '1 year'"),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_genre_display()}, {timezone.localtime(self.le):%d/%m/%Y %H:%M}"
