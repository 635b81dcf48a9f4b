"""Les statuts d'un paiement, la table des passages, et ce que l'allocataire en voit. Aucun modèle n'entre ici."""

from typing import NamedTuple

from django.db.models import TextChoices

from demarches.etats import Etat


class Statut(TextChoices):
    """
    INITIE : l'allocataire a validé son récapitulatif, rien n'est parti.
    EN_ATTENTE : il est sur la page de la banque ; nous ne savons rien de plus.
    ACCEPTE : la banque a dit oui ; la Caf n'a pas encore vérifié.
    VERIFIE : une deuxième source confirme ; reste à l'imputer aux dettes.
    IMPUTE : les dettes ont baissé.
    REFUSE, ABANDONNE, EXPIRE : aucun débit à notre connaissance.
    REJETE : accepté, puis repris par la banque, parfois des mois plus tard.
    RESTITUE : la Caf a rendu l'argent.
    """

    INITIE = "INITIE", "initié"
    EN_ATTENTE = "EN_ATTENTE", "en attente de la banque"
    ACCEPTE = "ACCEPTE", "accepté par la banque"
    VERIFIE = "VERIFIE", "vérifié"
    IMPUTE = "IMPUTE", "imputé"
    REFUSE = "REFUSE", "refusé"
    ABANDONNE = "ABANDONNE", "abandonné"
    EXPIRE = "EXPIRE", "expiré"
    REJETE = "REJETE", "rejeté par la banque"
    RESTITUE = "RESTITUE", "restitué"


class Geste(TextChoices):
    SOUMETTRE = "soumettre", "soumettre à la banque"
    ACCEPTER = "accepter", "accepter"
    ATTENDRE = "attendre", "attendre de nouveau la banque"
    REFUSER = "refuser", "refuser"
    ABANDONNER = "abandonner", "abandonner"
    EXPIRER = "expirer", "expirer"
    VERIFIER = "verifier", "vérifier"
    IMPUTER = "imputer", "imputer aux dettes"
    REJETER = "rejeter", "rejeter"
    RESTITUER = "restituer", "restituer"


class Transition(NamedTuple):
    depuis: frozenset[Statut]
    vers: Statut


def depuis(*statuts: Statut) -> frozenset[Statut]:
    return frozenset(statuts)


TRANSITIONS: dict[Geste, Transition] = {
    Geste.SOUMETTRE: Transition(depuis(Statut.INITIE), Statut.EN_ATTENTE),
    # La banque a raison contre notre horloge, contre un premier refus, et quand elle tient de nouveau l'argent.
    Geste.ACCEPTER: Transition(
        depuis(Statut.EN_ATTENTE, Statut.REFUSE, Statut.ABANDONNE, Statut.EXPIRE, Statut.REJETE, Statut.RESTITUE),
        Statut.ACCEPTE,
    ),
    # Une carte refusée ou quittée, une autre peut encore être en route, ou dite deux fois : ce n'est pas fini.
    Geste.ATTENDRE: Transition(depuis(Statut.REFUSE, Statut.ABANDONNE, Statut.EXPIRE), Statut.EN_ATTENTE),
    # « Refusé » dit plus qu'« abandonné » : entendus dans un ordre ou dans l'autre, c'est lui qui reste.
    Geste.REFUSER: Transition(depuis(Statut.EN_ATTENTE, Statut.ABANDONNE), Statut.REFUSE),
    Geste.ABANDONNER: Transition(depuis(Statut.INITIE, Statut.EN_ATTENTE), Statut.ABANDONNE),
    Geste.EXPIRER: Transition(depuis(Statut.INITIE, Statut.EN_ATTENTE), Statut.EXPIRE),
    Geste.VERIFIER: Transition(depuis(Statut.ACCEPTE), Statut.VERIFIE),
    Geste.IMPUTER: Transition(depuis(Statut.VERIFIE), Statut.IMPUTE),
    Geste.REJETER: Transition(depuis(Statut.ACCEPTE, Statut.VERIFIE, Statut.IMPUTE), Statut.REJETE),
    Geste.RESTITUER: Transition(depuis(Statut.ACCEPTE, Statut.VERIFIE, Statut.IMPUTE), Statut.RESTITUE),
}


def is_possible(geste: Geste, statut: str) -> bool:
    """Dit si la table permet ce geste depuis ce statut ; les boutons du bureau n'en savent pas plus."""
    return statut in TRANSITIONS[geste].depuis


# Encaissé, et l'argent n'est pas encore reparti.
RESTITUABLES = TRANSITIONS[Geste.RESTITUER].depuis

# La banque a dit oui un jour : le paiement a son débit, et une date.
ENCAISSES = (Statut.ACCEPTE, Statut.VERIFIE, Statut.IMPUTE, Statut.REJETE, Statut.RESTITUE)

# Ce que l'allocataire voit de chaque statut (PARCOURS §6).
ETAT_DE_LA_DEMARCHE: dict[Statut, Etat] = {
    Statut.INITIE: Etat.A_LA_BANQUE,
    Statut.EN_ATTENTE: Etat.A_LA_BANQUE,
    Statut.ACCEPTE: Etat.ENREGISTREE,
    Statut.VERIFIE: Etat.ENREGISTREE,
    Statut.IMPUTE: Etat.PRISE_EN_COMPTE,
    Statut.REFUSE: Etat.REFUSEE,
    Statut.ABANDONNE: Etat.NON_REALISEE,
    Statut.EXPIRE: Etat.NON_REALISEE,
    Statut.REJETE: Etat.ANNULEE_PAR_LA_BANQUE,
    Statut.RESTITUE: Etat.RESTITUEE,
}
