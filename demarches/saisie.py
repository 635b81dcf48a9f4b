"""L'étape des montants : un seul, ou un par dette. Chaque bouton marche aussi sans JavaScript."""

from django.http import HttpResponse, QueryDict

from comptes.acces import RequeteAllocataire
from demarches import services
from demarches.formulaires import AffecteForm, MontantForm, RepartirForm, nommer
from demarches.models import Demarche
from demarches.montants import MontantInvalide, Parts, get_disponible_total, partager, retenir
from demarches.parcours import afficher, reprendre
from dettes.models import Dette
from dettes.repartition import repartir
from socle.euros import ecrire_euros, ecrire_saisie

CONTINUER, CALCULER, REPARTIR, TOUT = "continuer", "calculer", "repartir", "tout"


def saisir_un_montant(request: RequeteAllocataire, demarche: Demarche, dettes: list[Dette]) -> HttpResponse:
    """Mode global : le maximum est dit d'avance, « Calculer » montre la répartition sans rien écrire."""
    disponible = get_disponible_total(dettes)
    aide = f"Au plus {ecrire_euros(disponible)}."
    if request.method != "POST":
        voulu = min(demarche.montant, disponible)
        form = MontantForm(initial={"montant": voulu or None}, aide=aide)
        return _montrer_le_global(request, demarche, form, repartir(voulu, dettes))

    saisie, faire = request.POST.copy(), request.POST.get("faire", CONTINUER)
    if faire == TOUT:
        saisie["montant"] = ecrire_saisie(disponible)
    form, apercu = MontantForm(saisie, aide=aide), []
    if form.is_valid():
        montant = form.cleaned_data["montant"]
        try:
            if faire == CONTINUER:
                return reprendre(services.enregistrer_montant_global(demarche, montant))
            apercu = partager(montant, dettes)
        except MontantInvalide as refus:
            form.ajouter_les_erreurs(refus)
    return _montrer_le_global(request, demarche, form, apercu)


def _montrer_le_global(
    request: RequeteAllocataire, demarche: Demarche, form: MontantForm, apercu: Parts
) -> HttpResponse:
    restes = [(dette, montant, dette.disponible - montant) for dette, montant in apercu]
    return afficher(request, "montant_global", demarche, Demarche.Etape.MONTANTS, form=form, apercu=restes)


def saisir_les_montants(request: RequeteAllocataire, demarche: Demarche, dettes: list[Dette]) -> HttpResponse:
    """Mode affecté : toutes les dettes, un montant en face de chacune, « tout » et « la plus ancienne d'abord »."""
    deja = dict(demarche.lignes.values_list("dette_id", "montant"))
    if request.method != "POST":
        initial = {nommer(dette): deja[dette.pk] for dette in dettes if dette.pk in deja}
        return _montrer(request, demarche, dettes, AffecteForm(dettes=dettes, initial=initial), RepartirForm())

    saisie, faire = request.POST.copy(), request.POST.get("faire", CONTINUER)
    repartition = RepartirForm(saisie if faire == REPARTIR else None)
    if faire == REPARTIR:
        _repartir(repartition, saisie, dettes)
    elif faire.startswith(TOUT):
        _remplir(saisie, [(dette, dette.disponible) for dette in dettes if faire in (TOUT, f"{TOUT}-{dette.pk}")])
    form = AffecteForm(saisie, dettes=dettes)
    is_lisible, montants = form.is_valid(), form.montants
    if faire in (CONTINUER, CALCULER):
        try:
            if is_lisible and faire == CONTINUER:
                return reprendre(services.enregistrer_montants(demarche, montants))
            retenir(montants, dettes)
        except MontantInvalide as refus:
            form.ajouter_les_erreurs(refus)
    return _montrer(request, demarche, dettes, form, repartition)


def _repartir(repartition: RepartirForm, saisie: QueryDict, dettes: list[Dette]) -> None:
    """Remplace les montants tapés par la répartition du montant donné, ou dit pourquoi elle ne se fait pas."""
    if not repartition.is_valid():
        return
    try:
        parts = partager(repartition.cleaned_data["montant"], dettes)
    except MontantInvalide as refus:
        repartition.ajouter_les_erreurs(refus)
        return
    for dette in dettes:
        saisie[nommer(dette)] = ""
    _remplir(saisie, parts)


def _remplir(saisie: QueryDict, parts: Parts) -> None:
    for dette, montant in parts:
        saisie[nommer(dette)] = ecrire_saisie(montant)


def _montrer(
    request: RequeteAllocataire, demarche: Demarche, dettes: list[Dette], form: AffecteForm, repartition: RepartirForm
) -> HttpResponse:
    return afficher(
        request,
        "montants_affectes",
        demarche,
        Demarche.Etape.MONTANTS,
        form=form,
        repartition=repartition,
        fautes=[repartition] if repartition.errors else [],
        erreurs=bool(form.errors or repartition.errors),
        total=sum(form.montants.values()),
        disponible=get_disponible_total(dettes),
        engagees=[dette for dette in dettes if dette.disponible <= 0],
    )
