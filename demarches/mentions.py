"""L'étape des informations : les mentions, lues une fois par version, et l'adresse facultative du ticket."""

from django.conf import settings
from django.http import HttpResponse

from comptes.acces import RequeteAllocataire
from demarches import services
from demarches.formulaires import InformationsForm
from demarches.models import Demarche
from demarches.parcours import afficher, aller, get_adresse, reprendre
from dettes.models import Dette
from dettes.repartition import get_disponible_total
from socle import frappe

INFORMATIONS = Demarche.Etape.INFORMATIONS


def montrer(request: RequeteAllocataire, demarche: Demarche, dettes: list[Dette]) -> HttpResponse:
    """Ce qui va se passer, les mentions, l'adresse. Les fautes d'un envoi sont redites."""
    deja_lues, attente = is_lue(demarche), frappe.lire(request)
    saisie = attente["saisie"] if attente else {"courriel": demarche.courriel}
    a_corriger = saisie if attente and attente["faire"] == frappe.CONTINUER else None
    contexte = {
        "form": InformationsForm(a_corriger, deja_lues=deja_lues, initial=saisie),
        "deja_lues": deja_lues,
        "disponible": get_disponible_total(dettes),
        "version": settings.MENTIONS_VERSION,
    }
    return afficher(request, "informations", demarche, INFORMATIONS, **contexte)


def recevoir(request: RequeteAllocataire, demarche: Demarche) -> HttpResponse:
    """Enregistre et mène à l'étape suivante, en portant la dette d'où l'on vient ; ou garde, et redit les fautes."""
    adresse, dette, envoi = (
        get_adresse(demarche, INFORMATIONS),
        request.GET.get("dette", ""),
        frappe.lire_envoi(request),
    )
    form = InformationsForm(envoi["saisie"], deja_lues=is_lue(demarche))
    if not form.is_valid():
        frappe.garder(request, adresse, envoi)
        return aller(adresse, dette=dette)
    frappe.oublier(request, adresse, request.path)
    return reprendre(services.enregistrer_informations(demarche, courriel=form.cleaned_data["courriel"]), dette=dette)


def is_lue(demarche: Demarche) -> bool:
    """Vrai si la personne a déjà lu les mentions en vigueur."""
    return demarche.mentions_version == settings.MENTIONS_VERSION
