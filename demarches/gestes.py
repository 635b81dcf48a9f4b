"""Les boutons de l'étape des montants : chacun change la saisie, dit ce qu'il a fait, et laisse revenir en arrière."""

from collections.abc import Callable
from decimal import Decimal

from django.utils.translation import gettext, ngettext

from demarches.formulaires import nommer
from demarches.montants import Parts
from demarches.page_montants import AJUSTER, CALCULER, TOUT, Mode, lire_la_page
from dettes.models import Dette
from dettes.repartition import get_disponible_total
from socle.euros import ecrire_euros, ecrire_saisie
from socle.frappe import Frappe, Saisie

Geste = Callable[[Frappe, list[Dette]], tuple[Saisie, str]]


def faire(envoi: Frappe, dettes: list[Dette]) -> None:
    """
    Fait ce que dit le bouton pressé, sur la frappe elle-même ; rien si ce bouton ne remplit rien.

    Ce qui était écrit et que le bouton remplace reste dans `avant`, et `dit` le dit.
    """
    geste = _remplir_une_dette if envoi["faire"].startswith(f"{TOUT}-") else GESTES.get(envoi["faire"])
    if geste is None:
        return
    avant = envoi["saisie"]
    ecrite, dit = geste(envoi, dettes)
    remplaces = [nom for nom, valeur in ecrite.items() if nom != "mode" and avant.get(nom) not in (None, valeur)]
    envoi["saisie"] = {nom: valeur for nom, valeur in (avant | ecrite).items() if valeur}
    envoi["dit"] = dit
    if remplaces:
        envoi["avant"] = avant
        envoi["dit"] = f"{dit} {_dire_les_remplaces(len(remplaces))}"


def remplir(parts: Parts) -> Saisie:
    """Ces montants, comme on les taperait."""
    return {nommer(dette.pk): ecrire_saisie(montant) for dette, montant in parts if montant > 0}


def _remplir_une_dette(envoi: Frappe, dettes: list[Dette]) -> tuple[Saisie, str]:
    voulue = [dette for dette in dettes if envoi["faire"] == f"{TOUT}-{dette.pk}"]
    parts = [(dette, dette.disponible) for dette in voulue if dette.disponible > 0]
    dit = [
        gettext("{nom}\u00a0: {montant}, tout ce qu’il en reste.").format(nom=dette.nom, montant=ecrire_euros(montant))
        for dette, montant in parts
    ]
    return remplir(parts), "".join(dit)


def _tout_remplir(envoi: Frappe, dettes: list[Dette]) -> tuple[Saisie, str]:
    if lire_la_page(envoi["saisie"], dettes, TOUT).mode == Mode.GLOBAL:
        disponible = get_disponible_total(dettes)
        return {"montant": ecrire_saisie(disponible)}, gettext("{disponible}\u00a0: tout ce qu’il reste.").format(
            disponible=ecrire_euros(disponible)
        )
    parts = [(dette, dette.disponible) for dette in dettes]
    return remplir(parts), gettext("Tout est rempli\u00a0: {compter}.").format(compter=_compter(parts))


def _ajuster(envoi: Frappe, dettes: list[Dette]) -> tuple[Saisie, str]:
    """De la somme aux montants par dette, que l'on peut ensuite changer un à un."""
    parts = lire_la_page(envoi["saisie"] | {"mode": Mode.GLOBAL.value}, dettes, AJUSTER).parts
    if not parts:
        return {"mode": Mode.GLOBAL.value}, ""
    ecrite = {nommer(dette.pk): "" for dette in dettes} | remplir(parts) | {"mode": Mode.AFFECTE.value}
    return ecrite, gettext("Nous avons réparti {compter}. Changez ce que vous voulez.").format(compter=_compter(parts))


def _calculer(envoi: Frappe, dettes: list[Dette]) -> tuple[Saisie, str]:
    page = lire_la_page(envoi["saisie"], dettes, CALCULER)
    if page.form.errors:
        return {}, ""
    if page.mode == Mode.GLOBAL:
        return {}, gettext("Voici comment la Caf répartirait cette somme.")
    return {}, gettext("Le total est à jour\u00a0: {compter}.").format(compter=_compter(page.parts))


def _compter(parts: Parts) -> str:
    """« 1 000,00 € sur 3 dettes »."""
    payees = [montant for _, montant in parts if montant > 0]
    somme = ecrire_euros(sum(payees, Decimal(0)))
    return ngettext("{somme} sur {nombre} dette", "{somme} sur {nombre} dettes", max(len(payees), 1)).format(
        somme=somme, nombre=len(payees)
    )


def _dire_les_remplaces(combien: int) -> str:
    if combien == 1:
        return gettext("Le montant que vous aviez écrit est remplacé.")
    return gettext("Les {combien} montants que vous aviez écrits sont remplacés.").format(combien=combien)


GESTES: dict[str, Geste] = {TOUT: _tout_remplir, AJUSTER: _ajuster, CALCULER: _calculer}
