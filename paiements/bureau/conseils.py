"""Ce qu'on propose à un agent devant chaque anomalie : à sa fiche, et dans le récit du paiement."""

from paiements.models import Anomalie
from paiements.payzen import SANS_ARGENT, get_famille

Genre = Anomalie.Genre

CONSEILS = {
    Genre.MONTANT_DIFFERENT: "Comparer les deux montants. Plus petit : l'accepter ou le reprendre ; sinon, le rendre.",
    Genre.DOUBLE_PAIEMENT: "Rendre le deuxième débit.",
    Genre.PAIEMENT_TARDIF: "Regarder si l'allocataire a payé de nouveau ; si oui, rendre l'un des deux.",
    Genre.RELIQUAT: "Placer le reste sur une autre dette, avec l'accord de l'allocataire, ou le rendre.",
    Genre.REFERENCE_INCONNUE: "Chercher le paiement au Back Office de PayZen ; il n'est pas né de ce service.",
    Genre.DESACCORD: "Comparer avec le Back Office de PayZen, puis interroger de nouveau le paiement.",
    Genre.STATUT_INATTENDU: "Lire l'état au Back Office : réglage de la boutique, ou débit né ailleurs, à rendre.",
    Genre.IMPAYE: "Les dettes sont rouvertes : prévenir l'allocataire, mettre de côté. Enregistré à tort, l'annuler.",
    Genre.COURRIEL_IMPOSSIBLE: "Rien à rendre : le ticket reste dans Mes démarches. Mettre de côté.",
    Genre.SOLDE_NEGATIF: "L'allocataire a payé plus que ce que la Caf attendait : voir avec la gestion des dettes.",
    Genre.ECART: (
        "Comparer avec le Back Office et traiter les autres anomalies du paiement : il se ferme, ou se rend."
        " Sans bouton pour le rendre, c'est un autre débit que la banque tient : le rendre au Back Office."
    ),
    Genre.REMISE_ABSENTE: "Lire l'état au Back Office : sans remise, l'argent n'arrive pas. On redemande chaque jour.",
    Genre.REPONSE_INATTENDUE: "Prévenir l'exploitant : identifiants, offre ou réponse de PayZen. Rien n'est décidé.",
    Genre.RESTITUTION_REFUSEE: (
        "Lire pourquoi, et le Back Office : l'argent est peut-être déjà rendu, ou en impayé."
        " Rendu autrement, il est encore porté aux dettes : prévenir la gestion des dettes."
    ),
}


def conseiller(anomalie: Anomalie) -> str:
    """Quoi faire de cette anomalie, en une phrase ou deux."""
    genre = Genre(anomalie.genre)
    return _conseiller_l_annulation(anomalie) if genre == Genre.ANNULATION_BANQUE else CONSEILS[genre]


def _conseiller_l_annulation(anomalie: Anomalie) -> str:
    """Un débit annulé, une part rendue, ou un remboursement défait : le constat le dit."""
    if anomalie.vu.get("operation") != "CREDIT":
        return "Le débit est annulé, les dettes sont rouvertes ; prévenir l'allocataire, puis mettre de côté."
    if get_famille(anomalie.vu["statut"]) in SANS_ARGENT and not anomalie.montant:
        return "Un remboursement est défait, et la banque ne tient plus rien de son débit : mettre de côté."
    if anomalie.montant:
        return "Un remboursement est défait, la banque tient de nouveau l'argent : demander la restitution."
    return "La banque a rendu une part : reprendre la part. Si elle l'a rendue d'un autre débit, mettre de côté."
