"""
Ne garder que le temps promis : une règle par ligne, et ce qu'elle efface.

Les durées sont celles de DOMAINE §9, où chaque table de la base a sa ligne.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Any, NamedTuple

from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib.admin.models import LogEntry
from django.contrib.sessions.models import Session
from django.db import connection, transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.utils import timezone

from comptes.models import Allocataire, CodeActivation, Evenement, Utilisateur
from demarches.etats import Etat
from demarches.models import Demarche, LigneDemarche
from dettes.models import Mouvement
from paiements.models import Anomalie, Purge, SoldePaiement, Ticket, TransactionPayzen
from paiements.payzen import EURO, Mode

Lignes = QuerySet[Any]


class Regle(NamedTuple):
    """Ce qui est périmé, et comment l'effacer ; `effacer` rend le nombre d'objets touchés."""

    phrase: str
    perimes: Callable[[], Lignes]
    effacer: Callable[[Lignes], int]


def _il_y_a(jours: int) -> Any:
    return timezone.now() - timedelta(days=jours)


def _saisies() -> Lignes:
    return Demarche.objects.filter(etat__in=[Etat.BROUILLON, Etat.ABANDONNEE], cree_le__lt=_il_y_a(30))


def _courriels() -> Lignes:
    """Trois mois après l'envoi du ticket, ou après le clic quand rien n'a été envoyé ; jamais s'il part encore."""
    envoyes = Q(paiement__ticket__envoye_le__lt=_il_y_a(91))
    partis_ou_a_partir = [Ticket.Etat.ENVOYE, Ticket.Etat.A_ENVOYER]
    sans_envoi = ~Q(paiement__ticket__etat__in=partis_ou_a_partir) & Q(paiement__cree_le__lt=_il_y_a(91))
    return Demarche.objects.exclude(courriel="").filter(envoyes | sans_envoi)


def _cartes() -> Lignes:
    """Elles ne sont que sur les transactions : la base n'en admet dans aucun message (`message_sans_carte`)."""
    anciennes = TransactionPayzen.objects.filter(apprise_le__lt=_il_y_a(456))
    return anciennes.exclude(marque="", carte_fin="", autorisation="")


def _codes() -> Lignes:
    """Trente jours après avoir servi, ou fini de pouvoir servir : le temps de répondre à qui n'entre pas."""
    return CodeActivation.objects.filter(Q(utilise_le__lt=_il_y_a(30)) | Q(expire_le__lt=_il_y_a(30)))


def _dossiers_vides() -> Lignes:
    """Ni dette, ni démarche, ni visite depuis un an, ni rien au journal : on n'a plus rien à en faire."""
    visites = Utilisateur.objects.filter(Q(cree_le__gt=_il_y_a(365)) | Q(last_login__gt=_il_y_a(365)))
    cites = Evenement.objects.filter(Q(allocataire=OuterRef("pk")) | Q(compte__allocataire=OuterRef("pk")))
    vides = Allocataire.objects.filter(dettes=None, demarches=None, utilisateurs__isnull=False)
    return vides.exclude(Exists(visites.filter(allocataire=OuterRef("pk")))).exclude(Exists(cites)).distinct()


def _sessions() -> Lignes:
    return Session.objects.filter(expire_date__lt=timezone.now())


def _dossiers_clos() -> Lignes:
    """
    Ceux qui ne doivent plus rien, sans écriture ni démarche depuis dix ans, non effacés.

    Ni une anomalie ouverte, ni un euro que la banque tient hors des dettes, même mis de côté : il est à quelqu'un.
    D'une carte d'essai, ou d'une autre devise, rien n'est tenu.
    """
    ecritures = Mouvement.objects.filter(dette__allocataire=OuterRef("pk"), le__gt=_il_y_a(3653))
    demarches = Demarche.objects.filter(allocataire=OuterRef("pk"), cree_le__gt=_il_y_a(3653))
    ouvertes = Anomalie.objects.filter(
        Q(dette__allocataire=OuterRef("pk")) | Q(paiement__demarche__allocataire=OuterRef("pk")),
        etat=Anomalie.Etat.OUVERTE,
    )
    en_euros = TransactionPayzen.objects.filter(operation="CREDIT", devise=EURO, paiement=OuterRef("paiement"))
    en_l_air = Q(Exists(en_euros), is_en_l_air=True)
    a_part = Q(tenu__gt=F("impute")) | Q(a_rendre__gt=0) | Q(douteux__gt=0) | en_l_air
    tenus = SoldePaiement.objects.filter(
        a_part, paiement__mode=Mode.PRODUCTION, paiement__demarche__allocataire=OuterRef("pk")
    )
    soldes = Allocataire.objects.filter(dettes__isnull=False, numero__regex="^[0-9]").exclude(dettes__solde__gt=0)
    vivants = Exists(ecritures) | Exists(demarches) | Exists(ouvertes) | Exists(tenus)
    return soldes.exclude(vivants).distinct()


def _effacer_les_saisies(saisies: Lignes) -> int:
    # Sous verrou : celle que l'allocataire paie à cet instant n'est plus une saisie, et garde ses lignes.
    cles = list(saisies.select_for_update(skip_locked=True).values_list("pk", flat=True))
    LigneDemarche.objects.filter(demarche__in=cles).delete()
    _, par_modele = Demarche.objects.filter(pk__in=cles).delete()
    return par_modele.get(Demarche._meta.label, 0)


def _effacer_les_dossiers(dossiers: Lignes) -> int:
    """Compte compris. Ce que Django effacerait de lui-même, journaux compris, est refusé au compte du service."""
    cles = list(dossiers.values_list("pk", flat=True))
    comptes = Utilisateur.objects.filter(allocataire__in=cles)
    CodeActivation.objects.filter(utilisateur__in=comptes).delete()
    for modele in (Authenticator, UserSession):
        modele.objects.filter(user__in=comptes).delete()
    comptes._raw_delete(comptes.db)
    Allocataire.objects.filter(pk__in=cles)._raw_delete(comptes.db)
    return len(cles)


def _effacer(lignes: Lignes) -> int:
    _, par_modele = lignes.delete()
    return par_modele.get(lignes.model._meta.label, 0)


def _par_la_base(fonction: str) -> Callable[[Lignes], int]:
    """Le compte du service n'a le droit d'effacer aucune trace ; la base le fait pour lui, et sait ce qui a fini."""

    def effacer(_: Lignes) -> int:
        with connection.cursor() as curseur:
            curseur.callproc(fonction)
            return int(curseur.fetchone()[0])

    return effacer


REGLES = [
    Regle("saisies sans suite de plus de 30 jours", _saisies, _effacer_les_saisies),
    Regle("courriels de ticket de plus de 3 mois", _courriels, lambda lignes: lignes.update(courriel="")),
    Regle(
        "données de carte de plus de 15 mois",
        _cartes,
        lambda lignes: lignes.update(marque="", carte_fin="", autorisation=""),
    ),
    Regle("codes d'activation finis depuis 30 jours", _codes, _effacer),
    Regle("sessions finies", _sessions, _effacer),
    Regle(
        "journal de sécurité de plus d'un an",
        lambda: Evenement.objects.filter(le__lt=_il_y_a(366)),
        _par_la_base("effacer_le_journal_de_securite"),
    ),
    Regle(
        "gestes du bureau de plus de 15 mois",
        lambda: LogEntry.objects.filter(action_time__lt=_il_y_a(457)),
        _par_la_base("effacer_les_gestes_du_bureau"),
    ),
    # Après le journal, qui les cite.
    Regle("dossiers vides depuis un an", _dossiers_vides, _effacer_les_dossiers),
    # La personne s'en va, les sommes restent : les livres et les fichiers s'y retrouvent encore (docs/adr/0059).
    Regle("dossiers clos depuis dix ans", _dossiers_clos, _par_la_base("effacer_les_personnes_des_dossiers_clos")),
]


def compter() -> list[tuple[str, int]]:
    """Ce qui serait effacé, règle par règle."""
    return [(regle.phrase, regle.perimes().count()) for regle in REGLES]


@transaction.atomic
def purger() -> list[Purge]:
    """Efface ce qui est périmé ; rend le rapport, règle par règle, qui reste en base."""
    return [_appliquer(regle) for regle in REGLES]


def _appliquer(regle: Regle) -> Purge:
    effaces = regle.effacer(regle.perimes())
    return Purge.objects.create(regle=regle.phrase, effaces=effaces, restants=regle.perimes().count())
