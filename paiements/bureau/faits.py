"""Ce qui s'est passé : une transaction de la banque en français, et la différence du moment entre elle et nous."""

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal

from django.utils import timezone
from django.utils.formats import date_format

from paiements.file.livres import lire
from paiements.models import Anomalie, DemandeRestitution, Paiement, TransactionPayzen
from paiements.payzen import CONTRADICTOIRE, EURO, Famille
from socle.euros import ecrire_euros

SENS = {TransactionPayzen.DEBIT: "Débit", TransactionPayzen.CREDIT: "Remboursement"}
MOTS = {
    Famille.SUCCES: "accordé",
    Famille.ATTENTE: "en attente à la banque",
    Famille.REFUS: "refusé",
    Famille.ABANDON: "abandonné",
    Famille.ANNULATION: "défait après coup",
    Famille.ECHEC: "fini sans argent",
    Famille.INATTENDU: "dans un état qui n'est pas celui d'un paiement par carte",
    Famille.INCONNU: "dans un état que nous ne connaissons pas",
}


def dire_l_heure(instant: datetime) -> str:
    return date_format(timezone.localtime(instant), "d/m/Y H:i:s")


def dire_ce_qui_s_est_passe(anomalie: Anomalie) -> list[str]:
    """Les faits d'une anomalie, une phrase chacun : ce que la banque a fait, puis ce qui nous en sépare."""
    vue = anomalie.transaction
    phrases = [f"{anomalie.detail[0].upper()}{anomalie.detail[1:]}."] if anomalie.detail else []
    if vue:
        phrases += [f"{dire_la_transaction(vue)}.", *_dire_ses_suites(vue)]
    if anomalie.restitution:
        phrases.append(_dire_l_ordre(anomalie.restitution))
    if anomalie.paiement and anomalie.genre in Anomalie.D_ARGENT:
        phrases += _dire_la_difference(anomalie.paiement, vue)
    elif vue and not anomalie.paiement:
        phrases.append(f"Aucun de nos paiements ne porte la référence {vue.reference}.")
    return phrases


def dire_la_transaction(vue: TransactionPayzen) -> str:
    """Sens, montant, heure et état d'une transaction, avec le mot de la plateforme."""
    sens = SENS.get(vue.operation, f"Opération {vue.operation}")
    quand = f"du {dire_l_heure(vue.creee_le)}" if vue.creee_le else f"appris le {dire_l_heure(vue.apprise_le)}"
    return f"{sens} de {ecrire_montant(vue.montant, vue.devise)} {quand}, {dire_l_etat(vue)}"


def dire_l_etat(vue: TransactionPayzen) -> str:
    """L'état d'une transaction, ce qu'un agent en a tranché, et si la banque l'a repris."""
    contraires = vue.statut == CONTRADICTOIRE
    mot = "dont la banque a dit deux choses contraires" if contraires else f"{MOTS[vue.famille]} ({vue.statut})"
    verdict = f", un agent a tranché : {vue.get_verdict_display()}" if vue.verdict else ""
    return f"{mot}{verdict}{_dire_l_impaye(vue)}"


def _dire_l_impaye(vue: TransactionPayzen) -> str:
    if not vue.is_debit or not vue.compte.is_impaye:
        return ""
    part = f" de {ecrire_euros(vue.compte.impaye)}" if vue.compte.impaye < vue.pris else ""
    return f", repris par la banque : impayé{part}"


def ecrire_montant(montant: Decimal, devise: str) -> str:
    """Un montant dans sa devise : « 1 234,56 € », « 1 234,56 USD »."""
    return ecrire_euros(montant) if devise == EURO else f"{ecrire_euros(montant)[:-1]}{devise}"


def _dire_ses_suites(vue: TransactionPayzen) -> Iterator[str]:
    carte = f", carte {vue.carte_masquee}" if vue.carte_fin else ""
    yield f"Boutique {vue.boutique}, mode {vue.mode}, numéro {vue.trans_id or 'tu'}, identifiant {vue.uuid}{carte}."
    yield from _dire_ses_autres_montants(vue)
    if vue.is_debit and vue.compte.credite:
        yield f"{ecrire_euros(vue.compte.credite)} en ont été remboursés au porteur."
    if vue.is_credit:
        yield (
            f"Il rembourse le débit {vue.parent_id}."
            if vue.parent_id
            else "PayZen n'a pas encore dit quel débit il rembourse."
        )
    if vue.absente_le:
        yield f"La plateforme ne la montre plus depuis le {dire_l_heure(vue.absente_le)}."


def _dire_ses_autres_montants(vue: TransactionPayzen) -> Iterator[str]:
    if vue.montant_haut > vue.montant:
        haut = ecrire_montant(vue.montant_haut, vue.devise)
        yield f"La banque en a aussi dit {haut} : le plus petit montant fait foi."
    if vue.effectif not in (None, vue.montant) or not vue.is_en_euros:
        effectif = ecrire_montant(vue.effectif or vue.montant, vue.devise_effective or vue.devise)
        yield f"Montant réellement débité d'après PayZen : {effectif}."


def _dire_l_ordre(demande: DemandeRestitution) -> str:
    return (
        f"La restitution n° {demande.pk} de {ecrire_euros(demande.montant)} est restée sans effet : {demande.cause}."
    )


def _dire_la_difference(paiement: Paiement, vue: TransactionPayzen | None) -> Iterator[str]:
    """Ce que nous attendions, ce que la banque tient, ce qui est aux dettes."""
    if vue is None:
        yield _dire_la_lecture(paiement)
        return
    if vue.is_debit and vue.uuid != paiement.debit_id:
        ailleurs = " Un autre débit est déjà celui de ce paiement." if paiement.is_encaisse else ""
        yield (
            f"Le paiement {paiement} attendait {ecrire_euros(paiement.montant)}, boutique {paiement.boutique},"
            f" numéro {paiement.trans_id}.{ailleurs}"
        )
        yield f"De ce débit, la banque tient {ecrire_euros(vue.compte.tenu)}, qui ne sont sur aucune dette."
        return
    solde = paiement.solde
    yield (
        f"Demandés : {ecrire_euros(paiement.montant)} ; tenus par la banque : {ecrire_euros(solde.tenu)} ;"
        f" imputés aux dettes : {ecrire_euros(solde.impute)}."
    )
    if paiement.a_placer > 0:
        yield f"Il reste {ecrire_euros(paiement.a_placer)} qui ne sont sur aucune dette."
    if paiement.a_placer < 0:
        yield f"{ecrire_euros(-paiement.a_placer)} sont encore sur les dettes, et ne sont plus à la banque."


def _dire_la_lecture(paiement: Paiement) -> str:
    if paiement.solde_lu is None:
        return "Les comptes ont changé depuis la dernière lecture de PayZen."
    return (
        f"PayZen, interrogé, tient {ecrire_euros(paiement.solde_lu)} de ce paiement ;"
        f" d'après ce qu'il nous a dit jusque-là, ce devrait être {ecrire_euros(lire(paiement).solde)}."
    )


def ecrire_en_jeu(anomalie: Anomalie, en_jeu: Decimal | None) -> str:
    """L'argent en jeu, tel qu'un agent le lit ; un tiret s'il n'y en a pas à compter."""
    vue = anomalie.transaction
    if en_jeu is None:
        return ecrire_montant(vue.montant, vue.devise) if vue and anomalie.is_a_trancher else "-"
    return ecrire_euros(en_jeu) if en_jeu >= 0 else f"{ecrire_euros(-en_jeu)} en moins à la banque"
