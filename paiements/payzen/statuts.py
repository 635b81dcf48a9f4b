"""
Ce que veut dire chaque ``vads_trans_status``, ou ``detailedStatus`` en REST : la table du PROTOCOLE §3.4.

Et comment deux mots dits d'une même transaction n'en font qu'un, dans quelque ordre qu'on les entende.
"""

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


# Deux mots qui ne peuvent être vrais ensemble (annulé et remis) : la machine ne tranche pas.
CONTRADICTOIRE = "CONTRADICTOIRE"
ACCORD = "AUTHORISED"
# L'argent est pris, ou le sera ce soir.
VIVANTS = tuple(statut for statut, famille in FAMILLES.items() if famille is Famille.SUCCES)
ATTENTES = tuple(statut for statut, famille in FAMILLES.items() if famille is Famille.ATTENTE)
# La banque avait dit oui : l'accord, la remise, et ce qui ne peut que les suivre.
ACCORDES = (*VIVANTS, *(statut for statut, famille in FAMILLES.items() if famille is Famille.ANNULATION))
# Ni pris, ni défait : un agent dit ce que la banque tient.
DOUTEUSES = frozenset({Famille.INATTENDU, Famille.INCONNU})


def get_rang(statut: str) -> int:
    """L'avancement d'un état : attente, accord, fin, contradiction. Une valeur inconnue est une fin."""
    if statut == CONTRADICTOIRE:
        return 3
    if statut == ACCORD:
        return 1
    return 0 if statut in ATTENTES else 2


def unir(un: str, autre: str) -> str:
    """
    L'état d'une transaction dont on a dit ces deux mots : le plus avancé, ou la contradiction (PROTOCOLE §3.8, §5).

    Commutatif, associatif, idempotent : l'ordre et les répétitions ne comptent pas. La base fait de même
    (``paiements_unir``) ; un essai compare les deux sur tous les couples.
    """
    if un == autre:
        return un
    rangs = get_rang(un), get_rang(autre)
    if rangs[0] != rangs[1]:
        return un if rangs[0] > rangs[1] else autre
    return CONTRADICTOIRE if rangs[0] == 2 else max(un, autre)
