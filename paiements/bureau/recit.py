"""La vie d'un paiement en phrases, pour qui doit l'expliquer. Ni nom, ni courriel, ni carte entière."""

from collections.abc import Iterator
from datetime import datetime
from itertools import chain
from typing import Any

from django.conf import settings
from django.utils.text import capfirst

from paiements.boutiques import is_reglee
from paiements.bureau.conseils import conseiller
from paiements.bureau.faits import dire_ce_qui_s_est_passe, dire_l_heure, dire_la_transaction, ecrire_en_jeu
from paiements.file.en_jeu import avec_en_jeu
from paiements.imputation.imputer import is_a_trancher
from paiements.models import DemandeRestitution, Impaye, Paiement
from paiements.statuts import Statut
from socle.euros import ecrire_euros

PARTIS = (Statut.REJETE, Statut.RESTITUE)
Evenements = Iterator[tuple[datetime, str]]


def raconter(paiement: Paiement) -> Iterator[str]:
    """Rend le récit ligne à ligne : l'essentiel, ce qui s'est passé, ce qu'il attend, quoi faire. Heures de Paris."""
    yield from _essentiel(paiement)
    yield "\nCe qui s'est passé"
    for instant, phrase in sorted(_evenements(paiement), key=lambda evenement: evenement[0]):
        yield f"  {dire_l_heure(instant)}  {phrase}"
    yield "\nCe qu'il attend, et quoi faire"
    for phrase in _suites(paiement):
        yield f"  {phrase}"


def raconter_les_faits(paiement: Paiement) -> tuple[list[str], list[tuple[datetime, str]]]:
    """L'essentiel, puis ce qui s'est passé, du plus ancien au plus récent : de quoi l'imprimer."""
    essentiel = [phrase.strip() for phrase in _essentiel(paiement)]
    return essentiel, sorted(_evenements(paiement), key=lambda evenement: evenement[0])


def _essentiel(paiement: Paiement) -> Iterator[str]:
    demarche, solde = paiement.demarche, paiement.solde
    yield f"Paiement {paiement.reference}, {ecrire_euros(paiement.montant)}, {paiement.get_statut_display()}"
    yield f"  Démarche {demarche.reference}, {demarche.get_mode_display()} : {demarche.get_etat_display()}"
    yield f"  Allocataire n° {demarche.allocataire.numero}"
    yield f"  {paiement.caf}, boutique {paiement.boutique}, mode {paiement.mode}"
    yield f"  Numéro de transaction {paiement.trans_id} du {paiement.jour_utc:%d/%m/%Y} (UTC)"
    if debit := paiement.debit:
        yield f"  Débit {debit.uuid}, payé le {dire_l_heure(paiement.paye_le or debit.apprise_le)}"
        yield f"  Carte {debit.marque} {debit.carte_masquee}, autorisation {debit.autorisation or 'inconnue'}"
    tenus = f"{ecrire_euros(solde.tenu)} de son débit, {ecrire_euros(solde.a_rendre)} d'autres débits"
    yield f"  La banque tient {tenus} ; imputés aux dettes : {ecrire_euros(solde.impute)}"


def _evenements(paiement: Paiement) -> Evenements:
    for etape in paiement.etapes.all():
        yield etape.le, f"{etape.get_de_display()} → {etape.get_vers_display()}, par {etape.auteur} : {etape.motif}"
    if paiement.confirme_le:
        yield paiement.confirme_le, "la plateforme confirme le montant, la devise, la boutique et le mode"
    ticket = getattr(paiement, "ticket", None)
    if ticket and ticket.envoye_le:
        yield ticket.envoye_le, f"ticket envoyé, au {ticket.essais}{'er' if ticket.essais == 1 else 'e'} essai"
    yield from chain(
        _evenements_de_la_banque(paiement),
        _evenements_des_dettes(paiement),
        _evenements_des_anomalies(paiement),
        _evenements_des_demandes(paiement),
    )


def _evenements_de_la_banque(paiement: Paiement) -> Evenements:
    for vue in paiement.transactions.select_related("compte"):
        yield vue.creee_le or vue.apprise_le, f"à la banque : {dire_la_transaction(vue)}, transaction {vue.uuid}"
        if vue.remise_le:
            yield vue.remise_le, f"remis en banque : transaction {vue.uuid}"
    for message in paiement.messages.all():
        dit = " ".join(filter(None, (message.operation, message.statut, message.transaction_id)))
        combien = f" de {ecrire_euros(message.montant)}" if message.montant is not None else ""
        suite = f" : {message.motif}" if message.motif else ""
        yield (
            message.recu_le,
            f"PayZen dit ({message.source or 'sans source'}) {dit}{combien} ; {message.get_sort_display()}{suite}",
        )
    for impaye in Impaye.objects.filter(debit__paiement=paiement).select_related("auteur"):
        combien = ecrire_euros(impaye.montant)
        yield impaye.le, f"impayé de {combien} {impaye.get_sens_display()}, noté par {impaye.auteur} : {impaye.motif}"


def _evenements_des_dettes(paiement: Paiement) -> Evenements:
    for imputation in paiement.imputations.select_related("dette", "mouvement__ligne_emise__fichier").order_by("pk"):
        mouvement = imputation.mouvement
        geste = "imputés à" if imputation.montant > 0 else "repris à"
        fait = f"{ecrire_euros(abs(imputation.montant))} {geste} la dette {imputation.dette}"
        solde = ecrire_euros(mouvement.solde_apres)
        yield mouvement.le, f"{fait}, solde {solde}, par {imputation.auteur} : {imputation.motif}"
        if emise := getattr(mouvement, "ligne_emise", None):
            yield emise.fichier.emis_le, f"rendu à la Caf dans {emise.fichier} : {fait}"


def _evenements_des_anomalies(paiement: Paiement) -> Evenements:
    for anomalie in paiement.anomalies.prefetch_related("etapes"):
        nom = f"anomalie n° {anomalie.pk} ({anomalie})"
        for etape in anomalie.etapes.all():
            yield etape.le, f"{nom}, {etape.get_vers_display()}, par {etape.auteur} : {etape.motif}"


def _evenements_des_demandes(paiement: Paiement) -> Evenements:
    for demande in paiement.restitutions.select_related("demandeur", "approbateur"):
        nom = f"restitution n° {demande.pk} de {ecrire_euros(demande.montant)}"
        yield demande.demandee_le, f"{nom} demandée par {demande.demandeur} : {demande.motif}"
        if demande.decidee_le:
            accord = "refusée" if demande.etat == demande.Etat.REFUSEE else "approuvée"
            yield demande.decidee_le, f"{nom} {accord} par {demande.approbateur}"
        if demande.faite_le:
            par = demande.credit_id or f"débit {demande.debit_id} annulé"
            yield demande.faite_le, f"{nom} faite par la plateforme, transaction {par}"
    for cloture in paiement.clotures.select_related("demandeur", "approbateur"):
        nom = f"{cloture.quoi} n° {cloture.pk}"
        yield cloture.demandee_le, f"{nom} demandée par {cloture.demandeur} : {cloture.motif}"
        if cloture.decidee_le:
            yield cloture.decidee_le, f"{nom} {'approuvée' if cloture.accord else 'refusée'} par {cloture.approbateur}"


def _suites(paiement: Paiement) -> Iterator[str]:
    a_faire = list(_reste_a_faire(paiement))
    remis = paiement.debit is not None and paiement.debit.is_remise
    fini = remis if paiement.statut == Statut.IMPUTE else paiement.statut in PARTIS
    rien = " Rien de plus à faire." if fini and not (a_faire or paiement.retenu) else ""
    yield f"{_suite_du_statut(paiement)}{rien}"
    yield from a_faire


def _reste_a_faire(paiement: Paiement) -> Iterator[str]:
    for anomalie in avec_en_jeu(paiement.anomalies.ouvertes()).select_related("paiement", "transaction__compte"):
        yield _decrire(anomalie)
        yield from (f"  {phrase}" for phrase in dire_ce_qui_s_est_passe(anomalie))
    for demande in paiement.restitutions.filter(etat__in=DemandeRestitution.EN_COURS):
        yield _suite_de_la_restitution(demande)
    for cloture in paiement.clotures.filter(accord=None):
        yield f"{capfirst(cloture.quoi)} n° {cloture.pk} : un comptable l'approuve ou la refuse sous /agents/."
    ticket = getattr(paiement, "ticket", None)
    if ticket and ticket.etat == ticket.Etat.A_ENVOYER:
        echec = f", après {ticket.essais} échec(s) : {ticket.dernier_motif}" if ticket.essais else ""
        yield f"Ticket à envoyer, prochain essai le {dire_l_heure(ticket.prochain_essai_le)}{echec}."
    if ticket and ticket.etat == ticket.Etat.IMPOSSIBLE:
        yield f"Le ticket ne partira pas ({ticket.dernier_motif}) ; l'allocataire le trouve dans Mes démarches."


def _decrire(anomalie: Any) -> str:
    en_jeu = f", argent en jeu : {ecrire_en_jeu(anomalie, anomalie.en_jeu)}" if anomalie.en_jeu else ""
    return f"Anomalie n° {anomalie.pk}, à traiter sous /agents/ : {anomalie}{en_jeu}. {conseiller(anomalie)}"


def _suite_de_la_restitution(demande: DemandeRestitution) -> str:
    if demande.etat == demande.Etat.DEMANDEE:
        return f"Restitution n° {demande.pk} : un comptable l'approuve ou la refuse sous /agents/."
    quand = f", prochain essai le {dire_l_heure(demande.prochain_essai_le)}" if demande.prochain_essai_le else ""
    suite = "le service vérifie d'abord qu'elle n'est pas déjà faite, puis l'envoie"
    return f"Restitution n° {demande.pk}, {demande.get_etat_display()}{quand} : {suite}."


def _suite_du_statut(paiement: Paiement) -> str:
    quand = f" le {dire_l_heure(paiement.prochain_controle_le)}" if paiement.prochain_controle_le else ""
    demander = f"Pour ne pas attendre : manage.py interroger_payzen --reference {paiement.reference} --appliquer."
    match paiement.statut:
        case Statut.INITIE | Statut.EN_ATTENTE if paiement.retenu:
            return f"{ecrire_euros(paiement.retenu)} débités à part : un agent décide."
        case Statut.INITIE | Statut.EN_ATTENTE:
            return f"La réponse de la banque. Sans elle, PayZen est interrogé{quand}. {demander}"
        case Statut.ACCEPTE if paiement.confirme_le:
            seuil = paiement.caf.seuil_controle
            return "La confirmation d'un agent" + (f", à partir de {ecrire_euros(seuil)}." if seuil else ".")
        case Statut.ACCEPTE if not is_reglee(paiement.boutique, paiement.mode):
            cles = "Les clés de sa boutique, que l'exploitant remet"
            return f"{cles} ; sinon, sa confirmation d'après le Back Office, à deux personnes, sur sa fiche."
        case Statut.ACCEPTE:
            return f"La vérification auprès de PayZen{quand}. {demander}"
        case Statut.VERIFIE:
            return _suite_de_l_imputation(paiement)
        case Statut.IMPUTE | Statut.REJETE | Statut.RESTITUE:
            return _ou_est_l_argent(paiement, quand)
    return _suite_d_une_fin_sans_debit(paiement, quand, demander)


def _suite_d_une_fin_sans_debit(paiement: Paiement, quand: str, demander: str) -> str:
    if paiement.retenu:
        retenu = ecrire_euros(paiement.retenu)
        return f"{retenu} débités à part : un agent les a en main, l'allocataire ne peut pas recommencer."
    jours = settings.PAIEMENT_CONTROLES[-1].days
    suivi = f"PayZen sera réinterrogé{quand}, jusqu'à {jours} jours après le clic. " if quand else ""
    return f"{suivi}L'allocataire peut recommencer. {demander}"


def _suite_de_l_imputation(paiement: Paiement) -> str:
    if paiement.echecs and paiement.imputer_le:
        quand = dire_l_heure(paiement.imputer_le)
        return f"L'imputation, qui a échoué {paiement.echecs} fois : prochain essai le {quand}."
    if paiement.is_d_un_autre_mode:
        rien = f"Rien : ce paiement est en {paiement.mode}, ce n'est pas de l'argent et il ne s'impute pas."
        return f"{rien} Ses dettes restent réservées jusqu'à « Enregistrer un impayé », à sa fiche."
    if is_a_trancher(paiement):
        return "L'imputation, dès que la banque parle clairement ou qu'un agent a tranché son anomalie."
    return "L'imputation, au prochain balayage. Si elle tarde, vérifier que worker et beat tournent."


def _ou_est_l_argent(paiement: Paiement, quand: str) -> str:
    """Une fois imputé aux dettes, ou reparti."""
    if paiement.statut == Statut.IMPUTE:
        tenu = f"la banque en tient {ecrire_euros(paiement.solde.tenu)}."
        if paiement.debit and paiement.debit.is_remise:
            return f"Imputé aux dettes et remis en banque ; {tenu}"
        return f"Imputé aux dettes ; {tenu} PayZen dira s'il est remis en banque{quand}."
    if retenu := paiement.retenu:
        return f"Les dettes sont remontées, mais {ecrire_euros(retenu)} ne sont pas repartis : un agent les a."
    return "L'argent est reparti, les dettes sont remontées d'autant."
