"""
Ce que la plateforme retient. Une seule base SQLite, à elle.

Montants : entiers, en centimes. Dates : UTC. Aucun numéro de carte complet, aucun cryptogramme.
"""

import secrets
import uuid
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import models, transaction
from django.utils import timezone

from .controles import Cadre
from .reglages import Reglages, completer, lire, lire_panne


class Boutique(models.Model):
    """Une boutique : ses secrets viennent de l'environnement, ses réglages changés restent ici."""

    site_id = models.CharField(primary_key=True, max_length=8)
    changements = models.JSONField(default=dict)
    pannes = models.JSONField(default=dict)
    journaux_du = models.DateField(null=True, help_text="le dernier jour dont les journaux sont déposés")

    def __str__(self) -> str:
        return f"{self.nom} ({self.site_id})"

    @property
    def conf(self) -> dict[str, str]:
        """Ce que dit l'environnement."""
        conf: dict[str, str] = settings.BOUTIQUES[self.site_id]
        return conf

    @property
    def nom(self) -> str:
        """Nom affiché au payeur."""
        return self.conf["nom"]

    @property
    def reglages(self) -> Reglages:
        """Réglages du moment : ceux de l'environnement, puis ceux qu'on a changés."""
        return completer(settings.REGLAGES, self.changements)

    @property
    def cle_par_mode(self) -> dict[str, str]:
        """Clé de signature de chaque mode."""
        return {"TEST": self.conf["cle_test"], "PRODUCTION": self.conf["cle_production"]}

    def get_cadre(self) -> Cadre:
        """Ce que la boutique permet à un formulaire, à cet instant."""
        reglages = self.reglages
        return Cadre(self.cle_par_mode, reglages.algorithme, reglages.marques, self.maintenant())

    def maintenant(self) -> datetime:
        """L'heure de la plateforme, décalée si on l'a demandé."""
        return timezone.now() + timedelta(seconds=self.reglages.decalage_horloge_s)

    def url_notification(self, mode: str) -> str:
        """Adresse de la règle de notification pour ce mode."""
        propre = self.conf.get(f"url_notification_{mode.lower()}", "")
        return self.reglages.url_notification or propre or self.conf.get("url_notification", "")

    @transaction.atomic
    def regler(self, changements: dict[str, Any], pannes: dict[str, Any]) -> None:
        """
        Change des réglages et des pannes, tous ou aucun.

        :raises ReglageInvalide: nom ou valeur inconnus
        """
        self.refresh_from_db()
        self.changements |= lire(changements)
        completer(settings.REGLAGES, self.changements)
        self.pannes |= {cible: lire_panne(cible, demande) for cible, demande in pannes.items()}
        self.save()

    @transaction.atomic
    def consommer_panne(self, cible: str) -> dict[str, Any] | None:
        """Rend la panne en cours (« ipn » ou « rest »), et décompte une fois si elle en avait un nombre."""
        self.refresh_from_db()
        panne: dict[str, Any] | None = self.pannes.get(cible)
        if panne and panne["fois"]:
            reste = panne["fois"] - 1
            self.pannes[cible] = {**panne, "fois": reste} if reste else None
            self.save()
        return panne


class Etape(models.TextChoices):
    """Où en est une session ; les quatre dernières sont définitives."""

    MARQUE = "MARQUE", "choix de la marque"
    CARTE = "CARTE", "saisie de la carte"
    AUTHENTIFICATION = "AUTHENTIFICATION", "code de la banque"
    PAYEE = "PAYEE", "payée"
    REFUSEE = "REFUSEE", "refusée"
    ANNULEE = "ANNULEE", "annulée par le payeur"
    EXPIREE = "EXPIREE", "expirée"


OUVERTES = (Etape.MARQUE, Etape.CARTE, Etape.AUTHENTIFICATION)


def tirer_jeton() -> str:
    """Jeton d'adresse : qui a l'adresse de la page tient la session, comme sur la plateforme."""
    return secrets.token_urlsafe(24)


class SessionPaiement(models.Model):
    """Un formulaire accepté, et les dix minutes qu'il ouvre."""

    jeton = models.CharField(max_length=64, unique=True, default=tirer_jeton)
    boutique = models.ForeignKey(Boutique, on_delete=models.CASCADE, related_name="sessions")
    mode = models.CharField(max_length=10)
    jour = models.DateField(help_text="jour UTC de réception : les numéros y sont uniques")
    numero = models.CharField(max_length=6, help_text="vads_trans_id en minuscules")
    champs = models.JSONField()
    ouverte_le = models.DateTimeField()
    expire_le = models.DateTimeField()
    etape = models.CharField(max_length=20, choices=Etape, default=Etape.MARQUE)
    marque = models.CharField(max_length=20, blank=True)
    saisie = models.JSONField(default=dict, help_text="carte en cours d'authentification, sans son numéro")
    tentatives = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["boutique", "jour", "numero"], name="numero_unique_par_jour"),
        ]

    def __str__(self) -> str:
        return f"session {self.pk} ({self.etape})"

    @property
    def is_ouverte(self) -> bool:
        """Vrai si le payeur peut encore agir."""
        return self.etape in OUVERTES

    @property
    def montant(self) -> int:
        """En centimes."""
        return int(self.champs["vads_amount"])

    @property
    def marques(self) -> list[str]:
        """Marques proposées : celles du formulaire, sinon toutes celles du contrat."""
        demandees = self.champs.get("vads_payment_cards", "")
        return demandees.split(";") if demandees else list(self.boutique.reglages.marques)


def tirer_uuid() -> str:
    """Identifiant de transaction : 32 chiffres hexadécimaux."""
    return uuid.uuid4().hex


class Transaction(models.Model):
    """Une tentative, un remboursement ou une duplication ; un abandon n'en crée pas."""

    uuid = models.CharField(primary_key=True, max_length=32, default=tirer_uuid)
    boutique = models.ForeignKey(Boutique, on_delete=models.CASCADE, related_name="transactions")
    session = models.ForeignKey(SessionPaiement, on_delete=models.CASCADE, related_name="transactions")
    parent = models.ForeignKey("self", null=True, on_delete=models.CASCADE, related_name="suites")
    mode = models.CharField(max_length=10)
    operation = models.CharField(max_length=6, default="DEBIT")
    origine = models.CharField(max_length=10, default="CHARGE", help_text="creationContext de l'API")
    statut = models.CharField(max_length=30)
    order_id = models.CharField(max_length=64, blank=True, db_index=True)
    trans_id = models.CharField(max_length=6)
    trans_date = models.CharField(max_length=14)
    rang = models.PositiveIntegerField(default=1)
    montant = models.PositiveBigIntegerField(help_text="centimes")
    creee_le = models.DateTimeField()
    remise_prevue_le = models.DateTimeField()
    remise_le = models.DateTimeField(null=True)
    numero_remise = models.PositiveIntegerField(null=True)
    impayee_le = models.DateTimeField(null=True)
    impaye_fini_le = models.DateTimeField(null=True, help_text="la banque a rendu l'argent de l'impayé")
    code = models.CharField(max_length=2, blank=True, help_text="code d'autorisation de la banque")
    autorisation = models.CharField(max_length=6, blank=True)
    erreur = models.CharField(max_length=3, blank=True, help_text="vads_payment_error")
    garantie = models.CharField(max_length=7, blank=True)
    carte = models.JSONField(default=dict)
    threeds = models.JSONField(default=dict)

    class Meta:
        ordering = ["-creee_le", "-rang"]

    def __str__(self) -> str:
        return f"{self.operation} {self.uuid} ({self.statut})"

    @property
    def rembourse(self) -> int:
        """Centimes déjà rendus par des crédits vivants."""
        vivants = self.suites.filter(operation="CREDIT").exclude(statut__in=["CANCELLED", "REFUSED", "CAPTURE_FAILED"])
        return vivants.aggregate(total=models.Sum("montant"))["total"] or 0


class EtatAppel(models.TextChoices):
    """Le sort d'un appel à la boutique."""

    PREVU = "PREVU", "à envoyer"
    RETENU = "RETENU", "retenu, part après le suivant"
    EN_COURS = "EN_COURS", "en cours"
    REUSSI = "REUSSI", "envoyé"
    ECHOUE = "ECHOUE", "en échec"
    ANNULE = "ANNULE", "annulé"


class AppelIpn(models.Model):
    """Un appel à l'URL de notification : ce qui est parti, ce qui est revenu, en combien de temps."""

    boutique = models.ForeignKey(Boutique, on_delete=models.CASCADE, related_name="appels")
    session = models.ForeignKey(SessionPaiement, on_delete=models.CASCADE, related_name="appels")
    transaction = models.ForeignKey(Transaction, null=True, on_delete=models.CASCADE, related_name="appels")
    source = models.CharField(max_length=10, help_text="vads_url_check_src")
    url = models.CharField(max_length=1024)
    champs = models.JSONField(help_text="ce qui est envoyé, signature comprise")
    essai = models.PositiveIntegerField(default=1)
    panne = models.CharField(max_length=20, blank=True)
    etat = models.CharField(max_length=10, choices=EtatAppel, default=EtatAppel.PREVU)
    prevu_le = models.DateTimeField()
    apres_retour = models.BooleanField(default=False)
    envoye_le = models.DateTimeField(null=True)
    code = models.PositiveIntegerField(null=True)
    duree_ms = models.PositiveIntegerField(null=True)
    erreur = models.CharField(max_length=200, blank=True)
    reponse = models.TextField(blank=True)

    class Meta:
        ordering = ["-pk"]
        indexes = [models.Index(fields=["etat", "prevu_le"], name="appels_a_faire")]

    def __str__(self) -> str:
        return f"IPN {self.pk} {self.source} ({self.etat})"


class Courriel(models.Model):
    """Un courriel que la plateforme aurait envoyé au marchand : formulaire faux, IPN en échec."""

    boutique = models.ForeignKey(Boutique, on_delete=models.CASCADE, related_name="courriels")
    objet = models.CharField(max_length=200)
    details = models.JSONField(default=dict)
    envoye_le = models.DateTimeField()

    class Meta:
        ordering = ["-pk"]

    def __str__(self) -> str:
        return self.objet


def get_boutique(site_id: str) -> Boutique | None:
    """La boutique de l'environnement qui a ce numéro, créée en base à la première demande."""
    if site_id not in settings.BOUTIQUES:
        return None
    return Boutique.objects.get_or_create(site_id=site_id, defaults={"pannes": settings.PANNES})[0]


def get_boutiques() -> list[Boutique]:
    """Toutes les boutiques de l'environnement, d'une lecture quand elles sont déjà en base."""
    connues = {boutique.site_id: boutique for boutique in Boutique.objects.filter(site_id__in=settings.BOUTIQUES)}
    boutiques = [connues.get(site_id) or get_boutique(site_id) for site_id in settings.BOUTIQUES]
    return [boutique for boutique in boutiques if boutique]
