"""L'étape des montants : une somme, ou un montant par dette. Chaque bouton marche aussi sans JavaScript."""

from django.http import HttpResponse
from django.utils.translation import get_language, gettext

from comptes.acces import RequeteAllocataire
from demarches import gestes, lignes, rangees, services
from demarches.formulaires import nommer
from demarches.models import Demarche, LigneDemarche
from demarches.montants import MontantInvalide, get_total
from demarches.page_montants import TOUT, Page, is_seule, lire_la_page
from demarches.parcours import afficher, aller, get_adresse, reprendre
from dettes import retenue
from dettes.models import Dette
from dettes.repartition import get_disponible_total
from socle import frappe
from socle.euros import ecrire_saisie
from socle.frappe import CONTINUER, Frappe, Saisie
from socle.sql import Lecture

REMETTRE = "remettre"
MONTANTS = Demarche.Etape.MONTANTS
Mode = Demarche.Mode
GARDEES = Lecture(lambda cle: LigneDemarche.objects.filter(demarche=cle).values_list("dette", "montant"))


# --- Regarder


def montrer(request: RequeteAllocataire, demarche: Demarche, dettes: list[Dette]) -> HttpResponse:
    """
    L'étape, sur ce qui attend d'être enregistré, sinon sur ce qui l'est déjà.

    Venu de « Payer cette dette » (?dette=), elle est choisie et remplie ; rien d'enregistré n'en est changé.
    """
    attente = frappe.lire(request)
    deja = attente["saisie"] if attente else _redire(demarche) or _remplir_la_seule(dettes)
    choisie = _trouver(request.GET.get("dette"), dettes)
    if choisie:
        montant = deja.get(nommer(choisie.pk)) or ecrire_saisie(choisie.disponible)
        saisie, faire = {"mode": Mode.AFFECTE.value, nommer(choisie.pk): montant}, ""
        attente = None
    else:
        saisie, faire = deja, attente["faire"] if attente else ""
    page = lire_la_page(saisie, dettes, faire)
    autres = bool(choisie and any(valeur for nom, valeur in deja.items() if nom not in ("mode", nommer(choisie.pk))))
    choisie = choisie or (page.affecte.dettes[0] if is_seule(dettes) else None)
    return _afficher(request, demarche, dettes, page, attente, choisie=choisie, has_autres=autres)


def _afficher(
    request: RequeteAllocataire,
    demarche: Demarche,
    dettes: list[Dette],
    page: Page,
    attente: Frappe | None,
    *,
    choisie: Dette | None,
    **contexte: object,
) -> HttpResponse:
    return afficher(
        request,
        "montants",
        demarche,
        MONTANTS,
        page=page,
        rangees=rangees.dresser(page.affecte, choisie),
        choisie=choisie,
        form=page.form,
        is_seule=is_seule(dettes),
        apercu=lignes.dresser(
            ((dette, montant, dette.disponible - montant) for dette, montant in page.parts), lignes.dire_il_restera()
        )
        if page.mode == Mode.GLOBAL
        else [],
        total=get_total(page.parts),
        disponible=get_disponible_total(dettes),
        engagees=[dette for dette in dettes if dette.disponible <= 0],
        retenue=retenue.calculer(dettes, {dette.pk: montant for dette, montant in page.parts}),
        dit=attente.get("dit", "") if attente and attente.get("langue") == get_language() else "",
        a_remettre=bool(attente and "avant" in attente),
        **contexte,
    )


def _redire(demarche: Demarche) -> Saisie:
    """Ce qui est enregistré, comme on l'aurait tapé ; vide si rien ne l'est encore."""
    if not demarche.montant:
        return {}
    if demarche.mode == Mode.GLOBAL:
        return {"mode": demarche.mode, "montant": ecrire_saisie(demarche.montant)}
    gardees = GARDEES.lire(demarche.pk)
    return {"mode": demarche.mode} | {nommer(cle): ecrire_saisie(montant) for cle, montant in gardees}


def _trouver(reference: str | None, dettes: list[Dette]) -> Dette | None:
    return next((dette for dette in dettes if dette.reference == reference and dette.disponible > 0), None)


def _remplir_la_seule(dettes: list[Dette]) -> Saisie:
    return gestes.remplir([(dette, dette.disponible) for dette in dettes]) if is_seule(dettes) else {}


# --- Recevoir


def recevoir(request: RequeteAllocataire, demarche: Demarche, dettes: list[Dette]) -> HttpResponse:
    """Enregistre et mène au récapitulatif ; ou fait ce que dit le bouton, le dit, et revient à l'étape."""
    adresse = get_adresse(demarche, MONTANTS)
    envoi, attente = frappe.lire_envoi(request), frappe.lire(request)
    if envoi["faire"] == REMETTRE and attente and "avant" in attente:
        envoi |= {"saisie": attente["avant"], "dit": gettext("Vos montants d’avant sont revenus.")}
    else:
        gestes.faire(envoi, dettes)
    page = lire_la_page(envoi["saisie"], dettes, envoi["faire"])
    if envoi["faire"] == CONTINUER and (suite := _enregistrer(demarche, page)):
        frappe.oublier(request, adresse, request.path)
        return reprendre(suite)
    frappe.garder(request, adresse, envoi | {"langue": get_language()})
    # Sans fautes, l'ancre ramène où l'on était ; avec, le résumé des fautes prend la main.
    return aller(adresse, ancre="" if page.form.errors else get_ancre(envoi["faire"], dettes))


def get_ancre(faire: str, dettes: list[Dette]) -> str:
    """L'endroit de la page où ramener après un bouton : sa dette, ou le début des montants."""
    dette = next((dette for dette in dettes if faire == f"{TOUT}-{dette.pk}"), None)
    return f"rangee-{dette.pk}" if dette else "montants"


def _enregistrer(demarche: Demarche, page: Page) -> Demarche | None:
    """La démarche enregistrée, ou None si ce qui est tapé ne peut pas se payer : la page le redira."""
    if page.form.errors:
        return None
    try:
        if page.mode == Mode.GLOBAL:
            return services.enregistrer_montant_global(demarche, get_total(page.parts))
        return services.enregistrer_montants(demarche, {dette.pk: montant for dette, montant in page.parts})
    except MontantInvalide:
        return None
