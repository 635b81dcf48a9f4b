"""Le constat d'une anomalie, lisible : les faits un par un, et ce qu'on attendait en face de ce qu'on a vu."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal

from django.utils import timezone
from django.utils.formats import localize
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.text import capfirst

from paiements.statuts import Statut
from socle.euros import ecrire_euros

# Ce qu'un agent compare d'abord.
A_COMPARER = ("montant", "devise", "statut", "operation")
LIBELLES = {
    "vu": "vu à la banque",
    "operation": "opération",
    "reference": "référence",
    "trans_id": "numéro de transaction",
    "uuid": "identifiant (uuid)",
    "parent": "débit remboursé (uuid)",
}
MONTANTS = frozenset(
    {
        *("montant", "payé", "imputé", "manque", "demandé"),
        *("la banque tient, crédits déduits", "mis de côté par un agent"),
    }
)


def montrer(constat: Mapping[str, object]) -> SafeString:
    """Les faits, puis ce qu'on attendait et ce qu'on a vu : une colonne pour chacun que l'on a en détail."""
    colonnes = {nom: cote for nom in ("attendu", "vu") if isinstance(cote := constat.get(nom), dict)}
    faits = {nom: valeur for nom, valeur in constat.items() if nom not in colonnes}
    # La base range les clés par longueur : la raison et l'attendu se lisent d'abord.
    avant: dict[str, object] = {nom: faits.pop(nom) for nom in ("motif", "attendu") if nom in faits}
    return _lister(avant) + _comparer(colonnes) + _lister(faits)


def _lister(faits: Mapping[str, object]) -> SafeString:
    lignes = format_html_join("", "<dt>{}</dt><dd>{}</dd>", ((_nommer(nom), _ecrire(nom, faits)) for nom in faits))
    return format_html("<dl>{}</dl>", lignes) if faits else SafeString()


def _comparer(colonnes: Mapping[str, Mapping[str, object]]) -> SafeString:
    if not colonnes:
        return SafeString()
    noms = dict.fromkeys(nom for cote in colonnes.values() for nom in cote)
    rangees = sorted(noms, key=lambda nom: A_COMPARER.index(nom) if nom in A_COMPARER else len(A_COMPARER))
    lignes = [
        (_nommer(nom), format_html_join("", "<td>{}</td>", ((_ecrire(nom, cote),) for cote in colonnes.values())))
        for nom in rangees
    ]
    return format_html(
        "<table><thead><tr><td></td>{}</tr></thead><tbody>{}</tbody></table>",
        format_html_join("", "<th scope='col'>{}</th>", ((_nommer(nom),) for nom in colonnes)),
        format_html_join("", "<tr><th scope='row'>{}</th>{}</tr>", lignes),
    )


def _nommer(nom: str) -> str:
    return capfirst(LIBELLES.get(nom, nom))


def _ecrire(nom: str, faits: Mapping[str, object]) -> str:
    """Une valeur, à la française ; un détail qu'on n'a pas se voit à son tiret."""
    valeur = faits.get(nom)
    if valeur in ("", None):
        return "-"
    if nom in MONTANTS:
        montant = Decimal(str(valeur))
        return ecrire_euros(montant) if faits.get("devise", "EUR") == "EUR" else str(localize(montant))
    if nom == "accepté le":
        return str(localize(timezone.localtime(datetime.fromisoformat(str(valeur)))))
    if nom == "statut" and valeur in Statut.values:
        return str(Statut(valeur).label)
    return str(valeur)
