"""Le travail dû, par genre : combien, et depuis quand le plus vieux attend."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.conf import settings
from django.db.models import Count, Min, QuerySet
from django.utils import timezone

from paiements import liaisons
from paiements.models import DemandeRestitution, Liaison, Paiement, Ticket
from paiements.models.paiement import de_ce_mode
from paiements.statuts import Statut

# Au-delà, personne ne fait ce travail : le balayage passe chaque seconde.
RETARD = timedelta(minutes=5)
# Chaque ouvrier bat toutes les vingt secondes, noté à la minute près.
SANS_BATTEMENT = timedelta(minutes=3)


class Travail(NamedTuple):
    """Ce qui est dû d'un genre de travail. `age` est celui du plus vieux."""

    nom: str
    file: str
    nombre: int
    age: timedelta

    @property
    def is_en_retard(self) -> bool:
        return self.age > RETARD


def get_travaux() -> list[Travail]:
    """Le travail dont l'heure est passée ; ce qui attend une liaison muette n'en est pas : c'est elle, l'alerte."""
    muettes = liaisons.get_muettes()
    boutiques = [nom.removeprefix("PayZen ") for nom in muettes]
    rien_ne_part = muettes & {liaisons.COURRIEL, liaisons.PDF}
    verifies = Paiement.objects.filter(de_ce_mode(), statut=Statut.VERIFIE)
    a_restituer = DemandeRestitution.objects.exclude(paiement__boutique__in=boutiques)
    a_interroger = Paiement.objects.exclude(boutique__in=boutiques)
    a_envoyer = Ticket.objects.none() if rien_ne_part else Ticket.objects.filter(etat=Ticket.Etat.A_ENVOYER)
    return [
        _compter("imputations", "argent", verifies, "imputer_le"),
        _compter("interrogations", "payzen", a_interroger, "prochain_controle_le"),
        _compter("restitutions", "payzen", a_restituer, "prochain_essai_le"),
        _compter("tickets", "tickets", a_envoyer, "prochain_essai_le"),
    ]


def _compter(nom: str, file: str, en_attente: QuerySet[Any], champ: str) -> Travail:
    maintenant = timezone.now()
    dus = en_attente.filter(**{f"{champ}__lte": maintenant}).aggregate(nombre=Count("pk"), plus_vieux=Min(champ))
    return Travail(nom, file, dus["nombre"], maintenant - (dus["plus_vieux"] or maintenant))


def get_battements() -> Mapping[str, datetime | None]:
    """Par file, la dernière fois que son ouvrier a pris quelque chose ; None s'il n'a jamais battu."""
    noms = {liaisons.get_ouvrier(file): file for file in settings.FILES}
    lus = dict(Liaison.objects.filter(pk__in=noms).values_list("pk", "repondue_le"))
    return {file: lus.get(nom) for nom, file in noms.items()}


def get_sans_ouvrier() -> list[str]:
    """Les files dont aucun ouvrier ne bat plus."""
    limite = timezone.now() - SANS_BATTEMENT
    return [file for file, le in get_battements().items() if le is None or le < limite]
