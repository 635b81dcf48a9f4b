"""La frise d'une démarche : ce qui est fait, ce qui est en cours, ce qui viendra."""

from collections.abc import Iterable
from datetime import datetime
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
    Etat.ANNULEE_PAR_LA_BANQUE: Fin("Annulée par la banque", "echec", "Votre banque a repris l’argent."),
    Etat.RESTITUEE: Fin("Restituée", "fait", "La Caf vous a rendu l’argent."),
}
ATTENTES = {
    "accepter": "Nous attendons la réponse de votre banque.",
    "verifier": "La Caf vérifie votre paiement. Vous n’avez rien à faire.",
    "imputer": "La Caf met vos dettes à jour. Vous n’avez rien à faire.",
}


class Etape(Protocol):
    """Une ligne du journal d'un paiement."""

    geste: str
    le: datetime


def raconter(etat: str, etapes: Iterable[Etape]) -> list[dict[str, object]]:
    """
    Rend les événements d'une démarche payée, du premier au dernier, pour `composants/frise.html`.

    :param etapes: le journal du paiement, du plus ancien au plus récent
    """
    dates = {etape.geste: etape.le for etape in etapes}
    derniere = max(dates.values(), default=None)
    frise: list[dict[str, object]] = [
        {"titre": titre, "etat": "fait", "le": dates[geste]} for geste, titre in CHEMIN if geste in dates
    ]
    if fin := FINS.get(Etat(etat)):
        return [*frise, {"titre": fin.titre, "etat": fin.etat, "le": derniere, "texte": fin.texte}]
    a_venir = [(geste, titre) for geste, titre in CHEMIN if geste not in dates]
    for rang, (geste, titre) in enumerate(a_venir):
        en_cours = rang == 0
        texte = ATTENTES.get(geste) if en_cours else None
        frise.append({"titre": titre, "etat": "en_cours" if en_cours else "a_venir", "texte": texte})
    return frise
