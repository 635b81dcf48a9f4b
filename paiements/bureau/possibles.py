"""Quels gestes proposer devant une anomalie, d'après l'état du moment ; le service refuse les autres."""

from paiements.bureau.formulaires import get_dettes_d_accueil, get_reste
from paiements.documents import envois
from paiements.models import Anomalie, TransactionPayzen
from paiements.retours import mise_de_cote, reprise, restitution, seuil

Verdict = TransactionPayzen.Verdict


def is_d_une_ligne(anomalie: Anomalie) -> bool:
    return anomalie.genre == Anomalie.Genre.LIGNE_EN_SUSPENS


def is_a_clore(anomalie: Anomalie, *, de_comptable: bool) -> bool:
    return anomalie.is_a_trancher and not is_d_argent(anomalie) and is_d_une_ligne(anomalie) is de_comptable


def is_d_argent(anomalie: Anomalie) -> bool:
    return anomalie.genre in Anomalie.D_ARGENT


def is_a_trancher(anomalie: Anomalie, *, verdict: Verdict) -> bool:
    return reprise.is_douteuse(anomalie) and not reprise.is_verdict_a_deux(anomalie, verdict)


def is_a_demander(anomalie: Anomalie, *, verdict: Verdict | str = "") -> bool:
    if not anomalie.is_ouverte or mise_de_cote.is_demandee(anomalie):
        return False
    return mise_de_cote.is_a_demander(anomalie, verdict)


def is_a_renvoyer(anomalie: Anomalie) -> bool:
    paiement = anomalie.paiement
    non_remis = anomalie.genre == Anomalie.Genre.COURRIEL_IMPOSSIBLE and anomalie.is_a_trancher
    return non_remis and paiement is not None and envois.is_renvoyable(paiement)


def is_a_ecarter(anomalie: Anomalie) -> bool:
    return anomalie.is_ouverte and is_d_argent(anomalie) and not seuil.is_a_deux(anomalie)


def is_a_restituer(anomalie: Anomalie) -> bool:
    paiement = anomalie.paiement
    return paiement is not None and bool(restitution.get_a_restituer_d_une(paiement, anomalie)) and is_libre(anomalie)


def is_a_placer(anomalie: Anomalie) -> bool:
    return get_reste(anomalie) > 0 and is_libre(anomalie) and bool(get_dettes_d_accueil(anomalie))


def is_a_reprendre(anomalie: Anomalie) -> bool:
    return bool(reprise.get_part(anomalie)) and is_libre(anomalie)


def is_a_admettre(anomalie: Anomalie) -> bool:
    return reprise.is_a_admettre(anomalie) and is_libre(anomalie)


def is_libre(anomalie: Anomalie) -> bool:
    """Aucune restitution de son paiement n'est en cours : elle se finit d'abord, ou s'abandonne."""
    return anomalie.paiement is None or not restitution.is_en_cours(anomalie.paiement)
