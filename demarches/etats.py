"""Les états d'une démarche : ce que l'allocataire voit des dix statuts d'un paiement (PARCOURS §6)."""

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy


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

    BROUILLON = "BROUILLON", gettext_lazy("à terminer")
    A_LA_BANQUE = "A_LA_BANQUE", gettext_lazy("en cours")
    ENREGISTREE = "ENREGISTREE", gettext_lazy("enregistrée, en cours de vérification")
    PRISE_EN_COMPTE = "PRISE_EN_COMPTE", gettext_lazy("prise en compte")
    NON_REALISEE = "NON_REALISEE", gettext_lazy("non réalisée")
    REFUSEE = "REFUSEE", gettext_lazy("refusée")
    ANNULEE_PAR_LA_BANQUE = "ANNULEE_PAR_LA_BANQUE", gettext_lazy("annulée par la banque")
    RESTITUEE = "RESTITUEE", gettext_lazy("restituée")
    ABANDONNEE = "ABANDONNEE", gettext_lazy("abandonnée")


# Leurs montants sont en route : ils ne sont plus disponibles pour une autre démarche.
ENGAGES = (Etat.A_LA_BANQUE, Etat.ENREGISTREE)
# L'argent a été accepté, puis il est reparti.
REPARTIS = (Etat.ANNULEE_PAR_LA_BANQUE, Etat.RESTITUEE)
# L'allocataire peut repartir de là avec tout déjà rempli.
A_RECOMMENCER = (Etat.NON_REALISEE, Etat.REFUSEE)
