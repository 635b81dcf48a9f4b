"""Les situations de départ des tests : des traits nommés, des états atteints par les vrais services."""

import hashlib
from datetime import date, timedelta
from decimal import Decimal

import factory
from django.conf import settings
from django.db import transaction
from django.utils import timezone
from factory.django import DjangoModelFactory

from comptes.models import Agent, Allocataire, Caf, Utilisateur
from demarches.models import Demarche, LigneDemarche
from demarches.recapitulatif import Recapitulatif, lire_le_recapitulatif
from demarches.services import get_dettes
from dettes.models import Dette, Mouvement
from paiements import depart
from paiements.causes import par_service
from paiements.imputation.imputer import imputer_un_lot
from paiements.models import Paiement
from paiements.passages import avancer, verrouiller
from paiements.payzen import Fait
from paiements.reception.porter import Recu, porter, resumer
from paiements.statuts import Geste, Statut
from paiements.verification import interroger

MOT_DE_PASSE = "correct-cheval-pile-agrafe"


class CafFactory(DjangoModelFactory):
    class Meta:
        model = Caf
        django_get_or_create = ["code"]

    class Params:
        suspendue = factory.Trait(ouverte=False, message_suspension="Maintenance de nos serveurs.")

    code = "661"
    nom = "Caf des Pyrénées-Orientales"
    departement = "66"
    boutique = factory.LazyAttribute(lambda caf: f"{caf.code}00001")


class AllocataireFactory(DjangoModelFactory):
    class Meta:
        model = Allocataire

    class Params:
        radie = factory.Trait(radie_le=date(2026, 3, 31))

    caf = factory.SubFactory(CafFactory)
    numero = factory.Sequence(lambda n: f"{n + 354:07d}")
    civilite = "MME"
    nom = "Colin"
    prenom = "Inès"


class UtilisateurFactory(DjangoModelFactory):
    class Meta:
        model = Utilisateur
        skip_postgeneration_save = True

    allocataire = factory.SubFactory(AllocataireFactory)
    identifiant = factory.LazyAttribute(lambda u: f"{u.allocataire.caf_id}{u.allocataire.numero}")
    password = factory.django.Password(MOT_DE_PASSE)


class AgentFactory(DjangoModelFactory):
    class Meta:
        model = Agent
        skip_postgeneration_save = True

    utilisateur = factory.SubFactory(
        UtilisateurFactory,
        allocataire=None,
        is_staff=True,
        identifiant=factory.Sequence(lambda n: f"agent-{n}"),
        courriel=factory.LazyAttribute(lambda u: f"{u.identifiant}@caf.invalid"),
    )
    role = Agent.Role.GESTION

    @factory.post_generation
    def cafs(self, create: bool, cafs: list[Caf] | None, **kwargs: object) -> None:
        self.cafs.set(cafs if cafs is not None else [CafFactory()])


class DetteFactory(DjangoModelFactory):
    """Une dette née par son constat ; `deja_repris` (euros) l'a déjà fait baisser."""

    class Meta:
        model = Dette
        skip_postgeneration_save = True

    class Params:
        contentieuse = factory.Trait(phase=Dette.Phase.CONTENTIEUX)
        transmise = factory.Trait(situation=Dette.Situation.TRANSMISE, creancier=Dette.Creancier.DEPARTEMENT)
        en_recours = factory.Trait(situation=Dette.Situation.RECOURS)

    allocataire = factory.SubFactory(AllocataireFactory)
    caf = factory.SelfAttribute("allocataire.caf")
    reference = factory.Sequence(lambda n: f"IM3-661-{n:06d}")
    creancier = Dette.Creancier.ETAT
    nature = Dette.Nature.PPA
    code = "IM3 001"
    libelle = "Trop-perçu : prime d'activité"
    motif = "Ressources trimestrielles corrigées."
    periode_debut = date(2025, 4, 1)
    periode_fin = date(2025, 6, 30)
    notifiee_le = date(2025, 9, 1)
    montant_initial = Decimal("900.00")
    solde = factory.SelfAttribute("montant_initial")
    phase = Dette.Phase.AMIABLE
    situation = Dette.Situation.EN_COURS

    @factory.post_generation
    def deja_repris(self, create: bool, montant: Decimal | None, **kwargs: object) -> None:
        Mouvement.objects.create(
            dette=self, genre=Mouvement.Genre.CONSTAT, montant=self.montant_initial, origine="test"
        )
        if montant:
            Mouvement.objects.create(
                dette=self, genre=Mouvement.Genre.AJUSTEMENT, montant=-Decimal(montant), origine="test"
            )
        self.refresh_from_db()


class DemarcheFactory(DjangoModelFactory):
    """Une démarche en brouillon ; `lignes={dette: montant}` la remplit jusqu'au récapitulatif."""

    class Meta:
        model = Demarche
        skip_postgeneration_save = True

    class Params:
        globale = factory.Trait(mode=Demarche.Mode.GLOBAL)

    auteur = factory.SubFactory(UtilisateurFactory)
    allocataire = factory.SelfAttribute("auteur.allocataire")
    mentions_version = settings.MENTIONS_VERSION
    mentions_lues_le = factory.LazyFunction(lambda: timezone.now() - timedelta(minutes=5))
    mode = Demarche.Mode.AFFECTE

    @factory.post_generation
    def lignes(self, create: bool, lignes: dict[Dette, Decimal] | None, **kwargs: object) -> None:
        if not lignes:
            return
        for dette, montant in lignes.items():
            LigneDemarche.objects.create(demarche=self, dette=dette, montant=montant)
        self.montant = self.total_des_lignes
        self.etape = Demarche.Etape.RECAPITULATIF
        self.save()


class PaiementFactory(DjangoModelFactory):
    """Un paiement parti de « Payer » ; les traits le mènent plus loin par les vrais services."""

    class Meta:
        model = Paiement

    class Params:
        accepte = factory.Trait(jusqu_a=Statut.ACCEPTE)
        verifie = factory.Trait(jusqu_a=Statut.VERIFIE)
        impute = factory.Trait(jusqu_a=Statut.IMPUTE)
        refuse = factory.Trait(jusqu_a=Statut.REFUSE)
        expire = factory.Trait(jusqu_a=Statut.EXPIRE)

    montant = Decimal("120.00")
    jusqu_a = Statut.EN_ATTENTE
    demarche = factory.LazyAttribute(lambda o: demander(o.montant))

    @classmethod
    def _create(cls, model: type[Paiement], *, demarche: Demarche, montant: Decimal, jusqu_a: Statut) -> Paiement:
        paiement = depart.payer(demarche, empreinte_vue=empreinte(demarche)).paiement
        if jusqu_a in (Statut.ACCEPTE, Statut.VERIFIE, Statut.IMPUTE):
            dire(paiement, "AUTHORISED")
        if jusqu_a in (Statut.VERIFIE, Statut.IMPUTE):
            avancer_d_un(Geste.VERIFIER, paiement)
        if jusqu_a == Statut.IMPUTE:
            imputer_un_lot()
        if jusqu_a == Statut.REFUSE:
            dire(paiement, "REFUSED")
        if jusqu_a == Statut.EXPIRE:
            avancer_d_un(Geste.EXPIRER, paiement)
        return Paiement.objects.select_related("demarche", "caf", "debit").get(pk=paiement.pk)


def demander(montant: Decimal, **champs: object) -> Demarche:
    """Une démarche prête à payer, sur une dette neuve de 900 €."""
    auteur = UtilisateurFactory()
    return DemarcheFactory(
        auteur=auteur, lignes={DetteFactory(allocataire=auteur.allocataire): Decimal(montant)}, **champs
    )


class FaitFactory(factory.Factory):
    """Ce que PayZen dirait d'un paiement : `FaitFactory(paiement=p, statut="REFUSED")`."""

    class Meta:
        model = Fait
        exclude = ["paiement"]

    paiement = None
    reference = factory.SelfAttribute("paiement.reference")
    statut = "AUTHORISED"
    montant = factory.SelfAttribute("paiement.montant")
    devise = "EUR"
    site = factory.SelfAttribute("paiement.boutique")
    mode = factory.SelfAttribute("paiement.mode")
    uuid = factory.LazyAttribute(lambda o: hashlib.md5(o.paiement.reference.encode()).hexdigest())  # noqa: S324 (un uuid stable)
    trans_id = factory.SelfAttribute("paiement.trans_id")
    marque = "CB"
    carte_fin = "0055"
    autorisation = "3fe85c"
    source = "PAY"


@transaction.atomic
def avancer_d_un(geste: Geste, paiement: Paiement) -> Paiement:
    """Un geste de la table, sans attendre ce qui d'ordinaire le provoque."""
    return avancer(geste, verrouiller(paiement.pk), par_service("test"))


def dire(paiement: Paiement, statut: str, **champs: object) -> None:
    """PayZen dit quelque chose d'un paiement."""
    fait = FaitFactory(paiement=paiement, statut=statut, **champs)
    porter([Recu(fait, resumer(fait))])


def repondre(paiement: Paiement, *faits: Fait) -> None:
    """PayZen, interrogé, répond ces faits d'un paiement."""
    interroger.conclure(paiement.pk, interroger.Lecture(list(faits), interroger.get_repere(paiement)))


def relire(demarche: Demarche) -> Recapitulatif:
    """Le récapitulatif d'un brouillon, tel qu'il se montrerait maintenant."""
    return lire_le_recapitulatif(demarche, get_dettes(demarche))


def empreinte(demarche: Demarche) -> str:
    """Celle que porterait « Payer » maintenant."""
    return relire(demarche).empreinte
