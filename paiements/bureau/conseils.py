"""Ce qu'on propose à un agent devant chaque anomalie, d'après l'état du moment : à la liste, à la fiche, au récit."""

from collections.abc import Callable

from paiements.file.attendues import A_VALIDER
from paiements.models import Anomalie
from paiements.payzen import Famille
from paiements.retours.reprise import get_part, is_a_admettre
from paiements.retours.restitution import get_a_restituer_d_une
from paiements.statuts import Statut

Genre = Anomalie.Genre

A_REPRENDRE = "Reprendre des dettes ce que la banque ne tient plus."
AU_BACK_OFFICE = "Ce service ne peut pas le restituer : le faire au Back Office de PayZen, puis mettre de côté."
A_RESTITUER = "Demander la restitution de ce débit."

CONSEILS = {
    Genre.PAIEMENT_TARDIF: "Regarder si l'allocataire a payé de nouveau : si oui, en restituer un. Puis clore.",
    Genre.RELIQUAT: "Placer le reste sur d'autres dettes, avec l'accord de l'allocataire, ou le faire restituer.",
    Genre.REFERENCE_INCONNUE: "Chercher ce paiement au Back Office de PayZen : il n'est pas né de ce service.",
    Genre.DESACCORD: "Comparer avec le Back Office, puis interroger PayZen : dès qu'il la montre, cela se ferme.",
    Genre.COURRIEL_IMPOSSIBLE: (
        "Rien à restituer : le ticket reste dans Mes démarches. Corriger l'adresse avec l'allocataire et le renvoyer,"
        " ou clore."
    ),
    Genre.SOLDE_NEGATIF: (
        "La Caf a reçu plus que cette dette, et aucun paiement en ligne ne l'explique : rien n'est à rendre d'ici."
        " Prévenir la gestion des dettes ; réglé par elle, clore."
    ),
    Genre.RESTITUTION_REFUSEE: (
        "Lire pourquoi, et le Back Office : l'argent est peut-être déjà restitué, ou en impayé. Restitué autrement, il"
        " est encore sur les dettes : prévenir la gestion des dettes."
    ),
    Genre.REMISE_ABSENTE: "Lire l'état au Back Office : sans remise, l'argent n'arrive pas. On redemande chaque jour.",
    Genre.REPONSE_INATTENDUE: "Prévenir l'exploitant : identifiants, offre ou réponse de PayZen. Rien n'est décidé.",
    Genre.CLES_ABSENTES: (
        "Prévenir l'exploitant : remises, tout repart seul, en un jour au plus. Si elles ne doivent pas l'être, lire"
        " chaque paiement au Back Office, et demander sur sa fiche la confirmation s'il est accepté, la clôture sans"
        " débit s'il attend la banque : un comptable approuve."
    ),
    Genre.LIGNE_EN_SUSPENS: (
        "Un comptable lit cette opération au Back Office de PayZen et fait ici ce qu'elle demande (deux impayés d'un"
        " débit : annuler le premier, enregistrer leur somme), puis la clôt en le disant : la ligne n'attend plus, et"
        " ne se portera que si ce qui lui manquait arrive."
    ),
    Genre.LIAISON_MUETTE: "Prévenir l'exploitant : rien n'est perdu, tout repart seul dès qu'elle répond.",
    Genre.IMPUTATION_IMPOSSIBLE: "Prévenir l'exploitant : on réessaie seul, de plus en plus tard, sans rien perdre.",
}


D_ABORD = "D'abord interroger PayZen : si tout s'accorde, cela se ferme seul. Sinon, "
A_RELIRE = (Genre.MONTANT_DIFFERENT, Genre.DOUBLE_PAIEMENT, Genre.STATUT_INATTENDU, Genre.ECART)


def conseiller(anomalie: Anomalie) -> str:
    """Quoi faire de cette anomalie, en une phrase ou deux. Sans requête, si ses comptes sont déjà lus."""
    if anomalie.etat == Anomalie.Etat.ECARTEE:
        return "Mise de côté : elle se rouvre d'elle-même si les comptes changent."
    if not anomalie.is_ouverte:
        return "Rien : elle est réglée."
    if anomalie.genre not in Genre:  # une version plus récente, dont on est revenu, l'a ouverte
        return "Une version plus récente du service l'a ouverte : elle se traite quand celle-ci revient."
    genre = Genre(anomalie.genre)
    conseil = CONSEILS[genre] if genre in CONSEILS else SELON_L_ETAT[genre](anomalie)
    # Ce que la banque a mal dit se règle souvent en la relisant : c'est le premier geste, avant de rendre.
    d_abord = genre in A_RELIRE and anomalie.paiement is not None and "nterroger PayZen" not in conseil
    return f"{D_ABORD}{conseil[0].lower()}{conseil[1:]}" if d_abord else conseil


def _conseiller_le_montant(anomalie: Anomalie) -> str:
    vue = anomalie.transaction
    if get_part(anomalie):
        return A_REPRENDRE
    if is_a_admettre(anomalie):
        return "Admettre ce montant, plus petit que demandé, ou le faire restituer."
    if vue and (not vue.is_en_euros or vue.effectif not in (None, vue.montant)):
        return "Lire au Back Office ce qui a été débité, en quelle devise : ce débit s'y rembourse, pas d'ici."
    return _conseiller_la_restitution(anomalie)


def _conseiller_la_restitution(anomalie: Anomalie) -> str:
    paiement = anomalie.paiement
    if paiement and paiement.debit_id == anomalie.transaction_id and paiement.statut != Statut.IMPUTE:
        return "Faire restituer ce que la banque en tient, depuis la fiche du paiement."
    return A_RESTITUER if _is_restituable(anomalie) else AU_BACK_OFFICE


def _is_restituable(anomalie: Anomalie) -> bool:
    paiement = anomalie.paiement
    return paiement is not None and get_a_restituer_d_une(paiement, anomalie) is not None


def _conseiller_l_etat(anomalie: Anomalie) -> str:
    vue = anomalie.transaction
    if vue is None:
        return AU_BACK_OFFICE
    if vue.statut == A_VALIDER:
        return "La valider ou l'annuler au Back Office ; prévenir l'exploitant : la boutique valide à la main."
    if vue.famille is Famille.ECHEC:
        return "La banque n'en tient rien : lire pourquoi au Back Office, et mettre de côté."
    if vue.is_douteuse:
        return "Lire son état au Back Office, puis dire ici si la banque tient cet argent, ou ne le tient pas."
    return _conseiller_la_restitution(anomalie)


def _conseiller_l_annulation(anomalie: Anomalie) -> str:
    """Un remboursement sans débit, un débit annulé, ou une part remboursée."""
    vue, paiement = anomalie.transaction, anomalie.paiement
    if get_part(anomalie):
        return A_REPRENDRE
    if vue and not vue.is_en_euros:
        return "Lire au Back Office combien d'euros il a rendus ; faire restituer le reste, ici ou là-bas."
    if vue and vue.is_credit:
        return "Interroger PayZen, qui dit quel débit est remboursé. Sinon, le lire au Back Office, et le dire ici."
    if paiement and paiement.statut == Statut.REJETE:
        return "Le débit est annulé, les dettes sont remontées : prévenir l'allocataire, puis mettre de côté."
    return "Une part est remboursée avant l'imputation : admettre ce qui reste, ou le faire restituer."


def _conseiller_l_impaye(anomalie: Anomalie) -> str:
    a_tort = " Enregistré à tort, l'annuler."
    if get_part(anomalie):
        return f"{A_REPRENDRE}{a_tort}"
    if anomalie.transaction and anomalie.transaction.compte.tenu > 0:
        return f"Une part est reprise, la banque tient le reste : prévenir l'allocataire, mettre de côté.{a_tort}"
    return f"Les dettes sont remontées : prévenir l'allocataire, mettre de côté.{a_tort}"


def _conseiller_l_ecart(anomalie: Anomalie) -> str:
    vue, paiement = anomalie.transaction, anomalie.paiement
    if vue is None:
        return "Comparer avec le Back Office, et traiter d'abord les autres anomalies du paiement : il se ferme alors."
    if vue.absente_le:
        return "Comparer avec le Back Office, puis interroger PayZen : dès qu'il la montre, cela se ferme."
    if vue.is_debit and vue.compte.tenu < 0:
        return "Plus a été remboursé que débité : comparer avec le Back Office, prévenir la comptabilité."
    if paiement and paiement.debit_id == vue.uuid:
        return "Le paiement est fini, et la banque tient de nouveau cet argent : demander la restitution."
    return _conseiller_la_restitution(anomalie)


SELON_L_ETAT: dict[Anomalie.Genre, Callable[[Anomalie], str]] = {
    Genre.MONTANT_DIFFERENT: _conseiller_le_montant,
    Genre.DOUBLE_PAIEMENT: _conseiller_la_restitution,
    Genre.STATUT_INATTENDU: _conseiller_l_etat,
    Genre.ANNULATION_BANQUE: _conseiller_l_annulation,
    Genre.IMPAYE: _conseiller_l_impaye,
    Genre.ECART: _conseiller_l_ecart,
}
