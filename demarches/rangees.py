"""Une dette et sa saisie, prêtes à montrer : chaque valeur déjà écrite, pour un gabarit qui n'a plus qu'à la poser."""

from functools import lru_cache
from itertools import chain
from typing import NamedTuple, TypedDict

from django.forms import BoundField
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language, gettext

from demarches.formulaires import AffecteForm
from dettes.cartes import dire_ou_elle_en_est
from dettes.models import Dette
from socle.euros import ecrire_euros, ecrire_saisie
from socle.templatetags.euros import periode


class Rangee(TypedDict):
    """Ce que lit `demarches/_rangee.html` : du texte, vide s'il n'y a rien à dire ; le champ, s'il a des fautes."""

    cle: str
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
    champ: BoundField | str
    nom: str
    identifiant: str
    nom_de_la_dette: str
    montant: str
    valeur: str
    attributs: SafeString


class Mots(NamedTuple):
    """Les mots d'une rangée, dans la langue de qui lit : cherchés une fois pour toute la page."""

    quoi: str
    tout_quoi: str
    engage: str


def dresser(form: AffecteForm, choisie: Dette | None) -> list[Rangee]:
    """
    Les rangées des dettes que ce formulaire propose, dans leur ordre.

    :param choisie: celle sur laquelle on arrive, prêt à changer son montant
    """
    mots = Mots(
        quoi=gettext(", référence {reference}, reste {disponible}\u00a0: je rembourse"),
        tout_quoi=gettext("\u00a0: {disponible} pour {prestation}, référence {reference}"),
        engage=gettext("{engage} réservés pour une demande en cours"),
    )
    langue = str(get_language())
    return [
        _dresser(dette, champ, form.noms[champ.name], mots, langue, is_choisie=dette == choisie)
        for dette, champ in form.lignes
    ]


def _dresser(dette: Dette, champ: BoundField, nom: str, mots: Mots, langue: str, *, is_choisie: bool) -> Rangee:
    disponible, prestation = ecrire_euros(dette.disponible), dette.prestation
    ou_en_est, classe, precision = dire_ou_elle_en_est(
        dette.phase, dette.situation, langue, is_payable=dette.is_payable
    )
    return {
        "cle": str(dette.pk),
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
        "champ": champ if champ.errors else "",
        "nom": champ.html_name,
        "identifiant": champ.auto_id,
        "nom_de_la_dette": nom,
        "montant": ecrire_saisie(dette.disponible),
        "valeur": str(champ.value() or ""),
        "attributs": _ecrire((*champ.field.widget.attrs.items(), *champ.build_widget_attrs({}).items())),
    }


@lru_cache(maxsize=256)
def _ecrire(attributs: tuple[tuple[str, object], ...]) -> SafeString:
    """Ceux que Django donnerait à la saisie, écrits d'un coup : hors d'une faute, les mêmes à chaque rangée."""
    return format_html(' {}="{}"' * len(attributs), *chain.from_iterable(attributs))
