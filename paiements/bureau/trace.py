"""
La trace : qui a fait quoi ce jour-là, dans les Caf de l'agent, et qui a consulté le dossier d'une personne.

Les gestes sont ceux que le bureau consigne à chaque bouton ; on n'y montre que ce qui touche une fiche que cet agent
a le droit de voir. Les listes emportées viennent du journal de sécurité.
"""

from datetime import date, datetime, timedelta
from typing import Any

from django import forms
from django.apps import apps
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from comptes.models import Allocataire, Evenement, Utilisateur
from comptes.objets import dire_l_objet, dire_les_filtres
from paiements.bureau.jour import get_minuit
from paiements.bureau.qui import get_page, nommer
from socle.bornes import borner
from socle.bureau import can, consultation, get_codes, limiter
from socle.jours import JourField

AU_PLUS = 200


class TraceForm(forms.Form):
    """Le jour, la personne, et ce sur quoi elle a agi."""

    jour = JourField(required=False)
    qui = forms.ChoiceField(label="Par qui", required=False)
    quoi = forms.ChoiceField(label="Sur quoi", required=False)

    def __init__(self, *args: Any, codes: list[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        agents = Utilisateur.objects.filter(agent__cafs__in=codes).distinct().order_by("identifiant")
        self.fields["qui"].choices = [("", "tous"), *((u.identifiant, u.identifiant) for u in agents)]  # type: ignore[attr-defined]
        modeles = sorted((m._meta.model_name or "", str(m._meta.verbose_name)) for m in admin.site._registry)
        self.fields["quoi"].choices = [("", "tout"), *modeles]  # type: ignore[attr-defined]


@require_safe
@borner("liste")
def tracer(request: HttpRequest) -> HttpResponse:
    """Les gestes d'un jour, du plus récent au plus ancien ; filtrables."""
    if not can(request, "regarder"):
        raise PermissionDenied
    form = TraceForm({"jour": timezone.localdate().isoformat(), **request.GET.dict()}, codes=get_codes(request))
    choix = form.cleaned_data if form.is_valid() else {}
    jour = choix.get("jour") or timezone.localdate()
    gestes = [
        *map(_presenter, _lire_les_gestes(jour, choix.get("qui", ""), choix.get("quoi", ""), request)),
        *map(_presenter_un_export, _lire_les_exports(jour, choix.get("qui", ""), choix.get("quoi", ""), request)),
    ]
    consultation.send(LogEntry, request=request, objet=None)
    contexte = {
        **admin.site.each_context(request),
        "title": "Qui a fait quoi",
        "form": form,
        "jour": jour,
        "gestes": sorted(gestes, key=lambda geste: geste["le"], reverse=True)[:AU_PLUS],
        "is_tronquee": len(gestes) > AU_PLUS,
    }
    return TemplateResponse(request, "admin/trace.html", contexte)


@require_safe
@borner("liste")
def lire_les_consultations(request: HttpRequest, pk: int) -> HttpResponse:
    """Qui a regardé le dossier d'une personne : au responsable de sa Caf, et à l'opérateur."""
    personne = limiter(Allocataire.objects.select_related("caf"), request).filter(pk=pk).first()
    if personne is None:
        raise Http404
    if not can(request, "lire_journal"):
        raise PermissionDenied
    evenements = Evenement.objects.filter(allocataire=personne).select_related("auteur").order_by("-pk")
    consultation.send(Evenement, request=request, objet=personne)
    lus = list(evenements[: AU_PLUS + 1])
    contexte = {
        **admin.site.each_context(request),
        "title": "Qui a consulté ce dossier",
        "personne": nommer(personne),
        "page": get_page(personne),
        "evenements": [{"evenement": evenement, "objet": dire_l_objet(evenement)} for evenement in lus[:AU_PLUS]],
        "is_tronquee": len(lus) > AU_PLUS,
    }
    return TemplateResponse(request, "admin/consultations.html", contexte)


def _borner(jour: date) -> tuple[datetime, datetime]:
    return get_minuit(jour), get_minuit(jour + timedelta(days=1))


def _lire_les_exports(jour: date, qui: str, quoi: str, request: HttpRequest) -> list[Evenement]:
    """Les listes emportées ce jour-là, par qui est de ces Caf ; une de trop dit qu'il y en a d'autres."""
    minuit, demain = _borner(jour)
    voulu = Q(genre=Evenement.Genre.EXPORT, le__gte=minuit, le__lt=demain, cafs__overlap=get_codes(request))
    if qui:
        voulu &= Q(auteur__identifiant=qui)
    if quoi:
        voulu &= Q(objet__regex=rf"^\w+\.{quoi}( |$)")  # « paiements.paiement statut__exact=REFUSE »
    return list(Evenement.objects.filter(voulu).select_related("auteur").order_by("-le")[: AU_PLUS + 1])


def _lire_les_gestes(jour: date, qui: str, quoi: str, request: HttpRequest) -> list[LogEntry]:
    """Les derniers de ce jour-là, sur ce que voit cet agent ; un de trop dit qu'il y en a d'autres."""
    minuit, demain = _borner(jour)
    voulu = Q(action_time__gte=minuit, action_time__lt=demain, content_type__isnull=False, object_id__isnull=False)
    if qui:
        voulu &= Q(user__identifiant=qui)
    if quoi:
        voulu &= Q(content_type__model=quoi)
    # Ceux des autres Caf s'écartent avant de compter : le jour d'un pays cacherait celui d'une Caf.
    entrees = LogEntry.objects.filter(voulu)
    siens = entrees.filter(_viser_les_visibles(entrees, request))
    return list(siens.select_related("user", "content_type").order_by("-action_time")[: AU_PLUS + 1])


def _viser_les_visibles(entrees: QuerySet[LogEntry], request: HttpRequest) -> Q:
    """Celles dont la fiche est à cet agent : une lecture par sorte de fiche, quel que soit leur nombre."""
    par_sorte: dict[int, set[str]] = {}
    for sorte, cle in entrees.order_by().values_list("content_type", "object_id").distinct():
        par_sorte.setdefault(sorte, set()).add(str(cle))
    visibles = Q(pk__in=[])
    for sorte, cles in par_sorte.items():
        fiche = admin.site._registry.get(ContentType.objects.get_for_id(sorte).model_class())  # type: ignore[arg-type]
        if fiche is not None and fiche.has_view_permission(request):
            vues = fiche.get_queryset(request).filter(pk__in=cles).values_list("pk", flat=True)
            visibles |= Q(content_type=sorte, object_id__in=[str(cle) for cle in vues])
    return visibles


def _presenter(entree: LogEntry) -> dict[str, Any]:
    sorte = entree.content_type
    try:
        adresse = reverse(f"admin:{sorte.app_label}_{sorte.model}_change", args=[entree.object_id])  # type: ignore[union-attr]
    except NoReverseMatch:
        adresse = ""
    return {
        "le": entree.action_time,
        "qui": str(entree.user),
        "sorte": str(sorte and sorte.name),
        "objet": entree.object_repr,
        "adresse": adresse,
        "geste": entree.get_change_message(),
    }


def _presenter_un_export(evenement: Evenement) -> dict[str, Any]:
    liste, _, filtres = evenement.objet.partition(" ")
    modele = apps.get_model(liste)
    return {
        "le": evenement.le,
        "qui": str(evenement.auteur or ""),
        "sorte": str(modele._meta.verbose_name_plural),
        "objet": f"({dire_les_filtres(modele, filtres) or 'toute la liste'})",
        "adresse": "",
        "geste": "Exporter en CSV",
    }
