"""La frise d'une démarche : ce qui est fait, ce qui est en cours, ce qui viendra."""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple, Protocol

from demarches.etats import Etat


class Fin(NamedTuple):
    titre: str
    etat: str
    texte: str


# Les gestes du journal d'un paiement, dans les mots de l'allocataire.
CHEMIN = (
    ("soumettre", "Demandée"),
    ("accepter", "Enregistrée"),
    ("verifier", "Vérifiée par la Caf"),
    ("imputer", "Dettes mises à jour"),
)
FINS = {
    Etat.NON_REALISEE: Fin("Non réalisée", "echec", "Aucun débit à notre connaissance."),
    Etat.REFUSEE: Fin("Refusée par la banque", "echec", "Aucun débit à notre connaissance."),
    Etat.ANNULEE_PAR_LA_BANQUE: Fin(
        "Annulée par la banque", "echec", "La banque a annulé ce paiement, ou en a repris l’argent."
    ),
    Etat.RESTITUEE: Fin("Restituée", "fait", "La Caf vous a rendu l’argent."),
}
DEBIT_EXAMINE = "Un débit annoncé par la banque est examiné par un agent."
# Ce qui change quand un agent a en main l'argent d'un débit.
FINS_RETENUES = FINS | {
    Etat.NON_REALISEE: FINS[Etat.NON_REALISEE]._replace(texte=DEBIT_EXAMINE),
    Etat.REFUSEE: FINS[Etat.REFUSEE]._replace(texte=DEBIT_EXAMINE),
    Etat.RESTITUEE: Fin("Restitution en cours", "en_cours", "Une somme reste à vous rendre."),
}
# Ce qu'elle avait débité d'une demande sans suite, la Caf l'a fait rendre.
DEBIT_RENDU = "Ce que la banque avait débité vous est rendu."
FINS_RENDUES = FINS | {
    Etat.NON_REALISEE: FINS[Etat.NON_REALISEE]._replace(texte=DEBIT_RENDU),
    Etat.REFUSEE: FINS[Etat.REFUSEE]._replace(texte=DEBIT_RENDU),
}
ATTENTES = {
    "accepter": "Nous attendons la réponse de votre banque.",
    "verifier": "La Caf vérifie votre paiement. Vous n’avez rien à faire.",
    "imputer": "La Caf met vos dettes à jour. Vous n’avez rien à faire.",
}
ATTENTES_RETENUES = ATTENTES | {"accepter": DEBIT_EXAMINE}


class Etape(Protocol):
    """Une ligne du journal d'un paiement."""

    geste: str
    le: datetime


def raconter(etat: str, etapes: Iterable[Etape], *, retenu: Decimal, rendu: Decimal) -> list[dict[str, object]]:
    """
    Rend les événements d'une démarche payée, du premier au dernier, pour `composants/frise.html`.

    :param etapes: le journal du paiement, du plus ancien au plus récent
    :param retenu: ce qu'un agent a en main, en euros
    :param rendu: ce que la Caf a rendu de débits en trop, en euros
    """
    fins = FINS_RETENUES if retenu else FINS_RENDUES if rendu else FINS
    attentes = ATTENTES_RETENUES if retenu else ATTENTES
    dates = {etape.geste: etape.le for etape in etapes}
    derniere = max(dates.values(), default=None)
    frise: list[dict[str, object]] = [
        {"titre": titre, "etat": "fait", "le": dates[geste]} for geste, titre in CHEMIN if geste in dates
    ]
    if fin := fins.get(Etat(etat)):
        return [*frise, {"titre": fin.titre, "etat": fin.etat, "le": derniere, "texte": fin.texte}]
    a_venir = [(geste, titre) for geste, titre in CHEMIN if geste not in dates]
    for rang, (geste, titre) in enumerate(a_venir):
        en_cours = rang == 0
        texte = attentes.get(geste) if en_cours else None
        frise.append({"titre": titre, "etat": "en_cours" if en_cours else "a_venir", "texte": texte})
    return frise
