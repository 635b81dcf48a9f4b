"""Ce que veut dire chaque ``vads_trans_status``, ou ``detailedStatus`` en REST : la table du PROTOCOLE §3.4."""

from enum import StrEnum


class Famille(StrEnum):
    """
    SUCCES : l'argent est pris, ou le sera ce soir.
    ATTENTE : la plateforme ne sait pas encore.
    REFUS : cette tentative de carte a échoué ; une autre peut encore réussir.
    ABANDON : rien n'a été créé.
    ANNULATION : défait après coup par le marchand, ou par un échec de remise.
    ECHEC : état final sans argent, à regarder.
    INATTENDU : la plateforme le range parmi les succès, mais ce n'est pas l'argent d'une dette.
    INCONNU : valeur absente de la table ; ni succès, ni échec.
    """

    SUCCES = "succes"
    ATTENTE = "attente"
    REFUS = "refus"
    ABANDON = "abandon"
    ANNULATION = "annulation"
    ECHEC = "echec"
    INATTENDU = "inattendu"
    INCONNU = "inconnu"


FAMILLES = {
    "AUTHORISED": Famille.SUCCES,
    "CAPTURED": Famille.SUCCES,
    "ACCEPTED": Famille.INATTENDU,
    "PARTIALLY_AUTHORISED": Famille.INATTENDU,
    "AUTHORISED_TO_VALIDATE": Famille.ATTENTE,
    "WAITING_AUTHORISATION": Famille.ATTENTE,
    "WAITING_AUTHORISATION_TO_VALIDATE": Famille.ATTENTE,
    "UNDER_VERIFICATION": Famille.ATTENTE,
    "INITIAL": Famille.ATTENTE,
    "PRE_AUTHORISED": Famille.ATTENTE,
    "WAITING_FOR_PAYMENT": Famille.ATTENTE,
    "CAPTURE_PENDING": Famille.ATTENTE,
    "PENDING": Famille.ATTENTE,
    "SUSPENDED": Famille.ATTENTE,
    "REFUND_TO_RETRY": Famille.ATTENTE,
    "REFUSED": Famille.REFUS,
    "ABANDONED": Famille.ABANDON,
    "NOT_CREATED": Famille.ABANDON,
    "CANCELLED": Famille.ANNULATION,
    "CAPTURE_FAILED": Famille.ANNULATION,
    "EXPIRED": Famille.ECHEC,
    "ERROR": Famille.ECHEC,
}


# Un crédit dans un de ces états n'est pas parti, ou il est revenu.
SANS_ARGENT = frozenset({Famille.REFUS, Famille.ABANDON, Famille.ANNULATION, Famille.ECHEC})


def get_famille(statut: str) -> Famille:
    return FAMILLES.get(statut, Famille.INCONNU)
