"""La feuille en CSV, qu'un tableur ouvre bien, et en PDF."""

import csv
from io import StringIO

from django.template.loader import render_to_string

from paiements.documents.pdf import render_pdf
from paiements.feuille.calcul import SORTES, Feuille
from paiements.feuille.cloture import get_cloture, lister_les_changements
from socle.tableur import to_texte

ENTETE = ["rubrique", "quoi", "montant", "reference", "proprietaire", "depuis", "jours", "geste"]


def rendre_csv(feuille: Feuille) -> bytes:
    """BOM, « ; », virgule décimale : ce qu'un tableur français attend."""
    flux = StringIO()
    ecrivain = csv.writer(flux, delimiter=";", lineterminator="\r\n")
    ecrivain.writerow(ENTETE)
    for livre in feuille.livres:
        lignes = {"ouverture": livre.ouverture, **livre.journee, "clôture": livre.cloture}
        ecrivain.writerows(
            [livre.titre, SORTES.get(quoi, quoi), _ecrire(montant), "", "", "", "", ""]
            for quoi, montant in lignes.items()
        )
    totaux = {"remis en banque ce jour": feuille.remis, "retenu": feuille.retenu, "à émettre": feuille.a_emettre}
    ecrivain.writerows(["totaux", quoi, _ecrire(montant), "", "", "", "", ""] for quoi, montant in totaux.items())
    for rubrique, ecarts in {"écarts": feuille.ecarts, "journaux en suspens": feuille.suspens}.items():
        ecrivain.writerows(
            [
                rubrique,
                to_texte(ecart.quoi),
                _ecrire(ecart.montant),
                to_texte(ecart.reference),
                ecart.proprietaire,
                f"{ecart.depuis:%d/%m/%Y}",
                ecart.jours,
                to_texte(ecart.geste),
            ]
            for ecart in ecarts
        )
    return flux.getvalue().encode("utf-8-sig")


def rendre_pdf(feuille: Feuille) -> bytes:
    """La preuve d'un jour : ses chiffres, qui l'a clos, ce qui a changé depuis."""
    return render_pdf(render_to_string("feuille/pdf.html", get_contexte(feuille)))


def get_contexte(feuille: Feuille) -> dict[str, object]:
    """Ce qu'il faut aux deux gabarits, la page et le PDF."""
    cloture = get_cloture(feuille.caf, feuille.jour)
    return {
        "feuille": feuille,
        "livres": [
            (livre, [(SORTES[sorte], montant) for sorte, montant in livre.journee.items()]) for livre in feuille.livres
        ],
        "cloture": cloture,
        "changements": lister_les_changements(feuille, cloture),
    }


def _ecrire(montant: object) -> str:
    return f"{montant:.2f}".replace(".", ",")
