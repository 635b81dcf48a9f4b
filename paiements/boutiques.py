"""Les boutiques PayZen : une par Caf, leurs clés hors de la base."""

from collections.abc import Mapping

from django.conf import settings

from paiements.payzen import Boutique, Mode


def read_boutiques(
    cles: Mapping[str, Mapping[str, Mapping[str, str]]], *, mode: Mode, url_formulaire: str, url_api: str
) -> dict[str, Boutique]:
    """
    Lit les clés des boutiques pour le mode choisi, et lui seul.

    :param cles: ``{"12345678": {"TEST": {"cle": "…", "mot_de_passe": "testpassword_…"}, "PRODUCTION": {…}}}``,
        et « cle_precedente » pendant une rotation
    :raises ValueError: si une boutique n'a pas de clés pour ce mode, ou les a mal écrites
    """
    boutiques = {}
    for site, par_mode in cles.items():
        secrets = par_mode.get(mode)
        if secrets is None:
            raise ValueError(f"la boutique {site} n'a pas de clés pour le mode {mode}")
        if set(secrets) - {"cle_precedente"} != {"cle", "mot_de_passe"}:
            raise ValueError(
                f"la boutique {site} doit donner « cle » et « mot_de_passe », avec « cle_precedente » pendant une"
                " rotation, rien d'autre"
            )
        boutiques[site] = Boutique(
            site=site,
            mode=mode,
            cle=secrets["cle"],
            cle_precedente=secrets.get("cle_precedente", ""),
            mot_de_passe=secrets["mot_de_passe"],
            url_formulaire=url_formulaire,
            url_api=url_api,
        )
    return boutiques


class BoutiqueAbsente(Exception):
    """La Caf n'a pas de boutique PayZen, ou ses clés ne sont pas dans les réglages."""


def is_reglee(numero: str, mode: str) -> bool:
    """Vrai si l'on peut interroger la plateforme sur un paiement de cette boutique et de ce mode."""
    boutique: Boutique | None = settings.PAYZEN_BOUTIQUES.get(numero)
    return boutique is not None and boutique.mode == mode


def get_boutique(numero: str, mode: str | None = None) -> Boutique:
    """
    La boutique d'une Caf, avec ses clés.

    :param mode: celui du paiement dont on parle ; rien de ce que dit l'autre mode ne le concerne
    :raises BoutiqueAbsente: si les réglages n'en disent rien, ou sont d'un autre mode
    """
    try:
        boutique: Boutique = settings.PAYZEN_BOUTIQUES[numero]
    except KeyError:
        raise BoutiqueAbsente(f"aucune clé PayZen pour la boutique « {numero} »") from None
    if mode is not None and mode != boutique.mode:  # garde: mode_du_paiement
        raise BoutiqueAbsente(f"la boutique « {numero} » est réglée en {boutique.mode}, ce paiement est en {mode}")
    return boutique
