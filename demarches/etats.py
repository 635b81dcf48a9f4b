"""Les états d'une démarche : ce que l'allocataire voit des dix statuts d'un paiement (PARCOURS §6)."""

from django.db.models import TextChoices


class Etat(TextChoices):
    """
    BROUILLON : les quatre étapes ; tout se modifie.
    A_LA_BANQUE : « Payer » a été pressé ; plus rien ne se modifie.
    ENREGISTREE : la banque a dit oui, la Caf vérifie.
    PRISE_EN_COMPTE : les dettes ont baissé.
    NON_REALISEE, REFUSEE : aucun débit à notre connaissance ; on peut recommencer.
    ANNULEE_PAR_LA_BANQUE : l'argent a été repris après coup ; les dettes sont rouvertes.
    RESTITUEE : la Caf a rendu l'argent.
    ABANDONNEE : l'allocataire a quitté le parcours ; rien n'est gardé de sa saisie.
    """

    BROUILLON = "BROUILLON", "à terminer"
    A_LA_BANQUE = "A_LA_BANQUE", "en cours"
    ENREGISTREE = "ENREGISTREE", "enregistrée, en cours de vérification"
    PRISE_EN_COMPTE = "PRISE_EN_COMPTE", "prise en compte"
    NON_REALISEE = "NON_REALISEE", "non réalisée"
    REFUSEE = "REFUSEE", "refusée"
    ANNULEE_PAR_LA_BANQUE = "ANNULEE_PAR_LA_BANQUE", "annulée par la banque"
    RESTITUEE = "RESTITUEE", "restituée"
    ABANDONNEE = "ABANDONNEE", "abandonnée"


# Leurs montants sont en route : ils ne sont plus disponibles pour une autre démarche.
ENGAGES = (Etat.A_LA_BANQUE, Etat.ENREGISTREE)
# L'argent a été accepté, puis il est reparti.
REPARTIS = (Etat.ANNULEE_PAR_LA_BANQUE, Etat.RESTITUEE)
# L'allocataire peut repartir de là avec tout déjà rempli.
A_RECOMMENCER = (Etat.NON_REALISEE, Etat.REFUSEE)
