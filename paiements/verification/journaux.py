"""
Les journaux de la plateforme, chaque matin : chaque ligne portée comme un fait (PROTOCOLE §8).

C'est le sens inverse de l'interrogation : ici la plateforme parle la première. Un débit dont rien ne nous avait parlé,
un remboursement fait ailleurs, une remise, un impayé et sa fin se voient sans main. Une ligne dont nous n'avons pas la
transaction reste en suspens : chaque lecture la reprend, et `interroger_payzen --journaux` va la chercher.
"""

import logging
from typing import NamedTuple

from django.db import transaction

from paiements.causes import par_payzen
from paiements.file.suspens import dans_l_ordre, lister_ce_qui_se_retente
from paiements.malades import exiger_la_base
from paiements.models import JournalPayzen, LigneJournal
from paiements.payzen import Fait, Journal
from paiements.reception.porter import Recu, porter, resumer
from paiements.verification.impayes import porter_un_impaye
from paiements.verification.lignes import confirmer, finir, to_fait
from paiements.verification.suspens import EnSuspens, attendre, fermer_les_anomalies

logger = logging.getLogger(__name__)

LOT = 500
# Les transactions d'abord : les autres journaux en parlent.
ORDRE = ("JT", "JO", "JRB", "JRI")


@transaction.atomic
def consigner(journal: Journal) -> int | None:
    """Garde un journal et ses lignes ; rend le nombre de celles qu'aucun autre n'avait dites, ou rien s'il est lu."""
    fiche, is_neuf = JournalPayzen.objects.get_or_create(
        empreinte=journal.empreinte,
        defaults={
            "nom": journal.nom,
            "genre": journal.genre,
            "boutique": journal.boutique,
            "mode": journal.mode,
            "jour": journal.jour,
            "modele": journal.modele[:40],
            "lignes": len(journal.lignes),
            "inconnues": list(journal.inconnues),
        },
    )
    if not is_neuf:
        return None
    communs = {"journal": fiche, "genre": journal.genre, "boutique": journal.boutique, "mode": journal.mode}
    avant = LigneJournal.objects.filter(cle__in={ligne.cle for ligne in journal.lignes}).count()
    distinctes = {ligne.cle: ligne for ligne in journal.lignes}
    LigneJournal.objects.bulk_create(
        (LigneJournal(**communs, **vars(ligne)) for ligne in distinctes.values()), LOT, ignore_conflicts=True
    )
    return len(distinctes) - avant


class Reprise(NamedTuple):
    """Ce qui est porté, par genre ; et, chacune par un mot, les lignes que la base n'a pas pu écrire."""

    portees: dict[str, int]
    malades: list[str]


def reprendre() -> Reprise:
    """Porte tout ce qui peut l'être, dans l'ordre des journaux ; une ligne qui échoue n'arrête pas les autres."""
    malades: list[str] = []
    portees = {genre: _reprendre_un_genre(genre, malades) for genre in ORDRE}
    fermer_les_anomalies()
    return Reprise(portees, malades)


def _reprendre_un_genre(genre: str, malades: list[str]) -> int:
    taille = LOT if genre in ("JT", "JRB") else 1
    cles = list(dans_l_ordre(lister_ce_qui_se_retente().filter(genre=genre)).values_list("pk", flat=True))
    lots = (cles[debut : debut + taille] for debut in range(0, len(cles), taille))
    return sum(_porter_a_part(genre, lot, malades) for lot in lots)


def _porter_a_part(genre: str, cles: list[int], malades: list[str]) -> int:
    """Porte ces lignes ensemble ; si l'une fait échouer les autres, une à une. Rend combien le sont."""
    porter_les_lignes = _porter_des_faits if genre in ("JT", "JRB") else _porter_une_ligne
    try:
        with transaction.atomic():
            return porter_les_lignes(genre, cles)
    except Exception as echec:  # garde: une_ligne_malade  (quoi qu'elle lève, les autres passent)
        exiger_la_base(echec)
        if len(cles) > 1:
            return sum(_porter_a_part(genre, [cle], malades) for cle in cles)
        malades.append(_dire_le_mal(cles[0], echec))
        return 0


def _dire_le_mal(cle: int, echec: Exception) -> str:
    ligne = LigneJournal.objects.get(pk=cle)
    logger.error("ligne de journal non portée", exc_info=echec, extra={"ligne": cle, "genre": ligne.genre})
    ligne.pourquoi = f"l'écriture échoue ({type(echec).__name__}) : relancer lire_journaux, prévenir l'exploitant"
    ligne.is_a_decider = False  # garde: malade_n_est_pas_decidee
    ligne.save(update_fields=["pourquoi", "is_a_decider"])
    return f"{ligne.genre} {ligne.reference or ligne.trans_id}"


def _porter_des_faits(genre: str, cles: list[int]) -> int:
    """Les lignes d'un JT ou d'un JRB sont des faits : `porter` les unit à ce que nous savions."""
    lignes = LigneJournal.objects.filter(pk__in=cles).order_by("pk").select_for_update(of=("self",))
    a_porter: list[tuple[LigneJournal, Fait]] = []
    for ligne in lignes.select_related("journal"):
        try:
            a_porter.append((ligne, to_fait(ligne)))
        except EnSuspens as attente:
            attendre(ligne, attente)
    porter([Recu(fait, resumer(fait)) for _, fait in a_porter], par_payzen(f"journal {genre}"))
    for ligne, fait in a_porter:
        finir(ligne, fait.uuid)
    return len(a_porter)


def _porter_une_ligne(genre: str, cles: list[int]) -> int:
    (cle,) = cles
    traiter = confirmer if genre == "JO" else porter_un_impaye
    ligne = LigneJournal.objects.select_for_update(of=("self",)).select_related("journal").get(pk=cle)
    try:
        finir(ligne, traiter(ligne).uuid)
    except EnSuspens as attente:
        attendre(ligne, attente)
        return 0
    return 1
