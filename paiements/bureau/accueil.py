"""L'accueil du bureau : ce qui attend un agent, ce qui est mis de côté, où en est la journée. De ses Caf seulement."""

from collections import defaultdict
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import Count, Q, QuerySet, Sum
from django.http import HttpRequest
from django.utils import timezone

from comptes.models import Caf
from dettes.models import FichierEmis, FichierRecu
from paiements import liaisons
from paiements.bureau import retards
from paiements.bureau.jour import dire_la_journee, get_minuit, tracer_la_courbe
from paiements.bureau.qui import lier_le_paiement
from paiements.file.en_jeu import avec_en_jeu, sommer_le_tenu
from paiements.models import (
    Anomalie,
    DemandeCloture,
    DemandeMiseDeCote,
    DemandeRestitution,
    Liaison,
    MessagePayzen,
    Paiement,
)
from paiements.statuts import ENCAISSES, Statut
from socle.bureau import get_codes, limiter

VIEILLE = timedelta(days=7)
# Une Caf livre chaque nuit, PayZen parle à chaque paiement : au-delà, quelqu'un doit regarder.
SANS_LIVRAISON = timedelta(days=2)
SANS_NOTIFICATION = timedelta(days=1)
ZERO = Decimal(0)
TENU = Q(en_jeu__gt=0)


def dire_ce_qui_attend(request: HttpRequest) -> dict[str, Any]:
    """Tout ce que montre l'accueil, en un nombre fixe de requêtes. Montants en euros, jour de Paris."""
    codes = get_codes(request)
    anomalies = limiter(Anomalie.objects.all(), request, sans_caf=True)
    paiements = limiter(Paiement.objects.all(), request)
    restitutions = limiter(DemandeRestitution.objects.all(), request, "paiement__caf")
    clotures = limiter(DemandeCloture.objects.all(), request, "paiement__caf")
    mises_de_cote = limiter(DemandeMiseDeCote.objects.filter(accord=None), request, "anomalie__caf")
    return {
        "il_y_a_une_semaine": timezone.now() - VIEILLE,
        "journee": dire_la_journee(codes),
        "courbe": tracer_la_courbe(codes),
        "mises_de_cote_a_decider": mises_de_cote.count(),
        "anomalies": _compter_par_genre(avec_en_jeu(anomalies.filter(etat=Anomalie.Etat.OUVERTE))),
        "mises_de_cote": _compter_le_mis_de_cote(avec_en_jeu(anomalies.filter(etat=Anomalie.Etat.ECARTEE))),
        "a_confirmer": paiements.filter(statut=Statut.ACCEPTE, confirme_le__isnull=False).count(),
        "restitutions": restitutions.filter(etat=DemandeRestitution.Etat.DEMANDEE).count(),
        "clotures": clotures.filter(accord=None).count(),
        "jour": _compter_le_jour(paiements),
        "liens": _regarder_les_liens(paiements, limiter(FichierRecu.objects.all(), request)),
        "fichiers": _regarder_les_fichiers(request),
        "muettes": _lister_les_muettes(codes),
    }


def _compter_par_genre(ouvertes: QuerySet[Any]) -> list[dict[str, Any]]:
    """Les ouvertes, la plus grosse somme d'abord, avec ce que la banque en tient, et depuis quand."""
    par_genre: dict[str, list[tuple[datetime, Decimal]]] = defaultdict(list)
    # Additionnées ici : la base recalculerait chaque somme autant de fois qu'on la lui demande.
    for genre, ouverte_le, en_jeu in ouvertes.values_list("genre", "ouverte_le", "en_jeu"):
        par_genre[genre].append((ouverte_le, max(en_jeu or ZERO, ZERO)))
    lignes = [_resumer(genre, attentes) for genre, attentes in par_genre.items()]
    return sorted(lignes, key=lambda ligne: (-ligne["tenu"], ligne["plus_ancienne"], ligne["genre"]))


def _resumer(genre: str, attentes: list[tuple[datetime, Decimal]]) -> dict[str, Any]:
    """Une espèce : combien, ce que la banque en tient, depuis quand, et la part d'il y a plus d'une semaine."""
    vieilles = [tenu for ouverte_le, tenu in attentes if ouverte_le < timezone.now() - VIEILLE]
    return {
        "genre": genre,
        # Celui d'une version plus récente, dont on est revenu, n'a que son nom.
        "libelle": dict(Anomalie.Genre.choices).get(genre, genre),
        "nombre": len(attentes),
        "tenu": sum(tenu for _, tenu in attentes),
        "plus_ancienne": min(ouverte_le for ouverte_le, _ in attentes),
        "vieilles": len(vieilles),
        "tenu_vieux": sum(vieilles, ZERO),
    }


def _compter_le_mis_de_cote(ecartees: QuerySet[Anomalie]) -> dict[str, Any]:
    """Ce que la banque tient encore, ou tient peut-être, et qu'un agent a laissé."""
    tenues = ecartees.filter(TENU)
    return {"nombre": tenues.count(), "somme": sommer_le_tenu(tenues)}


def _compter_le_jour(paiements: QuerySet[Paiement]) -> dict[str, Any]:
    minuit = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
    du_jour = paiements.filter(cree_le__gte=minuit)
    encaisses = Q(statut__in=ENCAISSES)
    tenu = Sum("solde__tenu", filter=encaisses, default=ZERO)
    return du_jour.aggregate(tentatives=Count("pk"), acceptes=Count("pk", filter=encaisses), tenu=tenu)


def _regarder_les_liens(paiements: QuerySet[Paiement], livraisons: QuerySet[FichierRecu]) -> dict[str, Any]:
    """L'état de ce qui nous relie au dehors : PayZen, le courrier, les tâches, la Caf (PROTOCOLE §11.7)."""
    maintenant = timezone.now()
    notifications = MessagePayzen.objects.notifications().filter(paiement__in=paiements)
    notification = notifications.order_by("-recu_le").select_related("paiement").first()
    dernieres = livraisons.order_by("caf", "-pris_le").distinct("caf")
    livraison = min(dernieres, key=lambda recu: recu.pris_le, default=None)
    return {
        "notification": notification and notification.recu_le,
        "notifie": lier_le_paiement(notification.paiement) if notification else "",
        "is_muette": notification is not None and notification.recu_le < maintenant - SANS_NOTIFICATION,
        "livraison": livraison,
        "is_sans_livraison": livraison is not None and livraison.pris_le < maintenant - SANS_LIVRAISON,
        **retards.compter(paiements),
    }


def _regarder_les_fichiers(request: HttpRequest) -> dict[str, Any]:
    """Ce que la Caf a envoyé et ce que nous lui avons rendu depuis minuit, et les derniers de chaque."""
    minuit = get_minuit(timezone.localdate())
    recus = limiter(FichierRecu.objects.order_by("-pris_le"), request)
    emis = limiter(FichierEmis.objects.order_by("-emis_le"), request)
    return {
        "recus": recus.filter(pris_le__gte=minuit).count(),
        "emis": emis.filter(emis_le__gte=minuit).count(),
        "dernier_recu": recus.first(),
        "dernier_emis": emis.first(),
        "depuis": minuit,
    }


def _lister_les_muettes(codes: list[str]) -> list[Liaison]:
    """Ce qui ne répond plus : les boutiques de ces Caf, le courriel, le rendu des PDF."""
    boutiques = Caf.objects.filter(pk__in=codes).exclude(boutique="").values_list("boutique", flat=True)
    noms = [*map(liaisons.get_nom, boutiques), liaisons.COURRIEL, liaisons.PDF]
    return list(Liaison.objects.filter(nom__in=noms, muette_depuis__isnull=False).order_by("muette_depuis"))
