"""Le compte rendu d'une livraison, en phrases : à l'écran de qui la prend, et sur sa fiche au bureau."""

from collections.abc import Iterator, Mapping
from typing import Any

LUS = "{lus} lus, {crees} créés, {changes} changés, {inchanges} inchangés, {rejetes} rejetés"


def raconter(compte_rendu: Mapping[str, Any]) -> Iterator[str]:
    """Ce qu'a fait une livraison prise, une phrase chacune : les comptes, puis ce qui a surpris."""
    yield f"allocataires : {LUS.format(**compte_rendu['allocataires'])}"
    yield f"dettes : {LUS.format(**compte_rendu['dettes'])}"
    dettes = compte_rendu["dettes"]
    faits = {
        "comptes ouverts": compte_rendu["allocataires"]["comptes_ouverts"],
        "dettes soldées car absentes": dettes["soldees_par_absence"],
        "montants initiaux gardés malgré le fichier": dettes["montants_initiaux_gardes"],
        # Une livraison d'avant ne les comptait pas.
        "lignes rejetées qui ne disent ni dette ni dossier : aucune dette absente n'est soldée": dettes.get(
            "rejets_meconnaissables"
        ),
        "soldes qui seraient négatifs, mis à zéro": dettes["soldes_negatifs"],
    }
    yield from (f"{nombre} {fait}" for fait, nombre in faits.items() if nombre)
    for genre in ("rejet", "avertissement"):
        listes = compte_rendu[f"{genre}s"]
        yield from (f"{genre} : {ligne['fichier']}, ligne {ligne['ligne']} : {ligne['motif']}" for ligne in listes)
    yield from (f"{nombre} avertissements : {champ}" for champ, nombre in compte_rendu["avertis"].items())
    yield from (f"écart accepté : {phrase}" for phrase in compte_rendu["ecarts_acceptes"])
    if compte_rendu["fichier_rejets"]:
        yield f"rejets et avertissements : {compte_rendu['fichier_rejets']}"
    yield f"durée : {compte_rendu['duree_s']} s"
