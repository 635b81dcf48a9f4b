"""Une dette et sa saisie, prêtes à montrer : chaque valeur déjà écrite, pour un gabarit qui n'a plus qu'à la poser."""

from itertools import chain
from typing import NamedTuple, TypedDict

from django.forms import BoundField
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language, gettext

from demarches.formulaires import AffecteForm
from dettes.cartes import dire_ou_elle_en_est
from dettes.models import Dette
from socle.euros import ecrire_euros
from socle.templatetags.euros import periode


class Rangee(TypedDict):
    """Ce que lit `demarches/_rangee.html` : du texte, ou vide quand il n'y a rien à dire."""

    cle: int
    reference: str
    prestation: str
    quoi: str
    ou_en_est: str
    classe: str
    precision: str
    periode: str
    disponible: str
    tout_quoi: str
    engage: str
    is_choisie: bool
    champ: BoundField
    has_erreurs: bool
    nom: str
    identifiant: str
    valeur: object
    attributs: SafeString
    mots: "Mots"


class Mots(NamedTuple):
    """Les mots d'une rangée, dans la langue de qui lit : cherchés une fois pour toute la page."""

    quoi: str
    reste: str
    tout: str
    tout_quoi: str
    engage: str


def dresser(form: AffecteForm, choisie: Dette | None) -> list[Rangee]:
    """
    Les rangées des dettes que ce formulaire propose, dans leur ordre.

    :param choisie: celle sur laquelle on arrive, prêt à changer son montant
    """
    mots = Mots(
        quoi=gettext(", référence {reference}, reste {disponible}\u00a0: je rembourse"),
        reste=gettext("Reste"),
        tout=gettext("Tout"),
        tout_quoi=gettext("\u00a0: {disponible} pour {prestation}, référence {reference}"),
        engage=gettext("{engage} réservés pour une demande en cours"),
    )
    langue = str(get_language())
    return [_dresser(dette, champ, mots, langue, is_choisie=dette == choisie) for dette, champ in form.lignes]


def _dresser(dette: Dette, champ: BoundField, mots: Mots, langue: str, *, is_choisie: bool) -> Rangee:
    disponible, prestation = ecrire_euros(dette.disponible), dette.prestation
    ou_en_est, classe, precision = dire_ou_elle_en_est(
        dette.phase, dette.situation, langue, is_payable=dette.is_payable
    )
    return {
        "cle": dette.pk,
        "reference": dette.reference,
        "prestation": prestation,
        "quoi": mots.quoi.format(reference=dette.reference, disponible=disponible),
        "ou_en_est": ou_en_est,
        "classe": classe,
        "precision": precision,
        "periode": periode(dette.periode_debut, dette.periode_fin),
        "disponible": disponible,
        "tout_quoi": mots.tout_quoi.format(disponible=disponible, prestation=prestation, reference=dette.reference),
        "engage": mots.engage.format(engage=ecrire_euros(dette.engage)) if dette.engage else "",
        "is_choisie": is_choisie,
        "champ": champ,
        "has_erreurs": bool(champ.errors),
        "nom": champ.html_name,
        "identifiant": champ.auto_id,
        "valeur": champ.value(),
        "attributs": _ecrire_les_attributs(champ),
        "mots": mots,
    }


def _ecrire_les_attributs(champ: BoundField) -> SafeString:
    """Ceux que Django donnerait à la saisie, écrits d'un coup : un gabarit par saisie coûtait le quart de la page."""
    attributs = champ.field.widget.attrs | champ.build_widget_attrs({}) | {"id": champ.auto_id}
    return format_html(' {}="{}"' * len(attributs), *chain.from_iterable(attributs.items()))
