"""La vie d'un paiement en phrases, pour qui doit l'expliquer. Ni nom, ni courriel, ni carte entière."""

from collections.abc import Iterator
from datetime import datetime

from django.conf import settings
from django.utils import timezone
from django.utils.formats import date_format

from dettes.models import Mouvement
from paiements.conseils import conseiller
from paiements.models import Anomalie, DemandeRestitution, Paiement
from paiements.reprise import get_a_reprendre
from paiements.statuts import Statut
from socle.euros import ecrire_euros

PARTIS = (Statut.REJETE, Statut.RESTITUE)


def raconter(paiement: Paiement) -> Iterator[str]:
    """Rend le récit ligne à ligne : l'essentiel, ce qui s'est passé, ce qu'il attend, quoi faire. Heures de Paris."""
    yield from _essentiel(paiement)
    yield "\nCe qui s'est passé"
    for instant, phrase in sorted(_evenements(paiement), key=lambda evenement: evenement[0]):
        yield f"  {_dire(instant)}  {phrase}"
    yield "\nCe qu'il attend, et quoi faire"
    for phrase in _suites(paiement):
        yield f"  {phrase}"


def _dire(instant: datetime) -> str:
    return date_format(timezone.localtime(instant), "d/m/Y H:i:s")


def _essentiel(paiement: Paiement) -> Iterator[str]:
    demarche = paiement.demarche
    yield f"Paiement {paiement.reference}, {ecrire_euros(paiement.montant)}, {paiement.get_statut_display()}"
    yield f"  Démarche {demarche.reference}, {demarche.get_mode_display()} : {demarche.get_etat_display()}"
    yield f"  {paiement.caf}, boutique {paiement.boutique}, mode {paiement.mode}"
    yield f"  Transaction {paiement.uuid or 'inconnue'}, numéro {paiement.trans_id} du {paiement.jour_utc} (UTC)"
    if paiement.carte_fin:
        yield f"  Carte {paiement.marque} {paiement.carte_masquee}, autorisation {paiement.autorisation or 'inconnue'}"


def _evenements(paiement: Paiement) -> Iterator[tuple[datetime, str]]:
    for etape in paiement.etapes.all():
        yield etape.le, f"{etape.get_de_display()} → {etape.get_vers_display()}, par {etape.auteur} : {etape.motif}"
    for recue in paiement.notifications.all():
        suite = f" : {recue.motif}" if recue.motif else ""
        yield (
            recue.recue_le,
            f"PayZen dit ({recue.source or 'sans source'}) {recue.cle} ; {recue.get_sort_display()}{suite}",
        )
    if paiement.confirme_le:
        yield paiement.confirme_le, "la plateforme confirme le montant, la devise, la boutique et le mode"
    if paiement.remis_le:
        yield paiement.remis_le, "remis en banque"
    ticket = getattr(paiement, "ticket", None)
    if ticket and ticket.envoye_le:
        yield ticket.envoye_le, f"ticket envoyé, au {ticket.essais}{'er' if ticket.essais == 1 else 'e'} essai"
    yield from _evenements_des_dettes(paiement)
    yield from _evenements_des_anomalies(paiement)
    yield from _evenements_des_restitutions(paiement)


def _evenements_des_dettes(paiement: Paiement) -> Iterator[tuple[datetime, str]]:
    siens = Mouvement.objects.filter(dette__imputations__paiement=paiement, origine=paiement.reference)
    for mouvement in siens.select_related("dette", "ligne_emise__fichier"):
        geste = "portés sur" if mouvement.montant < 0 else "repris à"
        fait = f"{ecrire_euros(abs(mouvement.montant))} {geste} la dette {mouvement.dette}"
        yield mouvement.le, f"{fait}, solde {ecrire_euros(mouvement.solde_apres)}"
        if emise := getattr(mouvement, "ligne_emise", None):
            yield (
                emise.fichier.emis_le,
                f"rendu à la Caf dans {emise.fichier} : {fait}",
            )


def _evenements_des_anomalies(paiement: Paiement) -> Iterator[tuple[datetime, str]]:
    for anomalie in paiement.anomalies.select_related("resolue_par"):
        if refus := anomalie.constat.get("refus"):
            # PayZen l'a refusée, ou un comptable l'a arrêtée.
            sort = refus if refus.startswith("arrêtée") else f"refusée par PayZen : {refus}"
            yield anomalie.ouverte_le, f"restitution n° {anomalie.cle} {sort}"
        yield anomalie.ouverte_le, f"anomalie n° {anomalie.pk} : {_decrire(anomalie)}"
        if anomalie.resolue_le:
            yield (
                anomalie.resolue_le,
                f"anomalie n° {anomalie.pk} close par {anomalie.resolue_par or 'le service'},"
                f" {anomalie.get_issue_display()} : {anomalie.resolution}",
            )
    for reprise in paiement.reprises.filter(imputation=None):
        montant = ecrire_euros(reprise.montant)
        yield reprise.le, f"{montant} repris sans toucher à une dette (anomalie n° {reprise.anomalie_id})"


def _evenements_des_restitutions(paiement: Paiement) -> Iterator[tuple[datetime, str]]:
    for demande in paiement.restitutions.select_related("demandeur", "approbateur"):
        nom = f"restitution n° {demande.pk} de {ecrire_euros(demande.montant)}"
        yield demande.demandee_le, f"{nom} demandée par {demande.demandeur} : {demande.motif}"
        if demande.decidee_le:
            accord = "refusée" if demande.etat == demande.Etat.REFUSEE else "approuvée"
            yield demande.decidee_le, f"{nom} {accord} par {demande.approbateur}"
        if demande.faite_le:
            yield demande.faite_le, f"{nom} faite par la plateforme, transaction {demande.uuid}"


def _decrire(anomalie: Anomalie) -> str:
    """Ce qu'elle est, pourquoi, l'argent qu'elle retient et celui que la banque annonce."""
    motif = anomalie.constat.get("motif")
    return ", ".join(
        [
            f"{anomalie} ({motif})" if motif else str(anomalie),
            *([f"argent retenu : {ecrire_euros(anomalie.montant)}"] if anomalie.montant else []),
            *([f"annoncé par la banque : {ecrire_euros(anomalie.annonce)}"] if anomalie.annonce is not None else []),
        ]
    )


def _suites(paiement: Paiement) -> Iterator[str]:
    a_faire = list(_reste_a_faire(paiement))
    fini = paiement.remis_le if paiement.statut == Statut.IMPUTE else paiement.statut in PARTIS
    rien = " Rien de plus à faire." if fini and not (a_faire or paiement.retenu) else ""
    yield f"{_suite_du_statut(paiement)}{rien}"
    yield from a_faire


def _reste_a_faire(paiement: Paiement) -> Iterator[str]:
    for anomalie in paiement.anomalies.ouvertes():
        yield f"Anomalie n° {anomalie.pk}, à traiter sous /agents/ : {_decrire(anomalie)}. {conseiller(anomalie)}"
    for demande in paiement.restitutions.filter(etat__in=DemandeRestitution.EN_COURS):
        yield _suite_de_la_restitution(demande)
    ticket = getattr(paiement, "ticket", None)
    if ticket and ticket.etat == ticket.Etat.A_ENVOYER:
        echec = f", après {ticket.essais} échec(s) : {ticket.dernier_motif}" if ticket.essais else ""
        yield f"Ticket à envoyer, prochain essai le {_dire(ticket.prochain_essai_le)}{echec}."
    if ticket and ticket.etat == ticket.Etat.IMPOSSIBLE:
        yield f"Le ticket ne partira pas ({ticket.dernier_motif}) ; l'allocataire le trouve dans Mes démarches."


def _suite_de_la_restitution(demande: DemandeRestitution) -> str:
    if demande.etat == demande.Etat.DEMANDEE:
        return f"Restitution n° {demande.pk} : un comptable l'approuve ou la refuse sous /agents/."
    quand = f", prochain essai le {_dire(demande.prochain_essai_le)}" if demande.prochain_essai_le else ""
    suite = "le service vérifie d'abord qu'elle n'est pas déjà faite, puis l'envoie"
    return f"Restitution n° {demande.pk}, {demande.get_etat_display()}{quand} : {suite}."


def _suite_du_statut(paiement: Paiement) -> str:
    quand = f" le {_dire(paiement.prochain_controle_le)}" if paiement.prochain_controle_le else ""
    demander = f"Pour ne pas attendre : manage.py rapprocher --reference {paiement.reference}."
    match paiement.statut:
        case Statut.INITIE | Statut.EN_ATTENTE if paiement.retenu:
            return f"{ecrire_euros(paiement.retenu)} débités à part : un agent décide."
        case Statut.INITIE | Statut.EN_ATTENTE:
            return f"La réponse de la banque. Sans elle, PayZen est interrogé{quand}. {demander}"
        case Statut.ACCEPTE if paiement.confirme_le:
            seuil = paiement.caf.seuil_controle
            return "La confirmation d'un agent" + (f", à partir de {ecrire_euros(seuil)}." if seuil else ".")
        case Statut.ACCEPTE:
            return f"La vérification auprès de PayZen{quand}. {demander}"
        case Statut.VERIFIE:
            return "L'imputation, au prochain balayage. S'il tarde, vérifier que worker et beat tournent."
        case Statut.IMPUTE | Statut.REJETE | Statut.RESTITUE:
            return _ou_est_l_argent(paiement, quand)
    if paiement.retenu:
        retenu = ecrire_euros(paiement.retenu)
        return f"{retenu} débités à part : un agent les a en main, l'allocataire ne peut pas recommencer."
    jours = settings.PAIEMENT_CONTROLES[-1].days
    suivi = f"PayZen sera réinterrogé{quand}, jusqu'à {jours} jours après le clic. " if quand else ""
    return f"{suivi}L'allocataire peut recommencer. {demander}"


def _ou_est_l_argent(paiement: Paiement, quand: str) -> str:
    """Une fois porté aux dettes, ou reparti."""
    if paiement.statut == Statut.IMPUTE:
        tenu = f"la banque en tient {ecrire_euros(paiement.net - get_a_reprendre(paiement))}."
        if paiement.remis_le:
            return f"Porté aux dettes et remis en banque ; {tenu}"
        return f"Porté aux dettes ; {tenu} PayZen dira s'il est remis en banque{quand}."
    if retenu := paiement.retenu:
        return f"Les dettes sont rouvertes, mais {ecrire_euros(retenu)} ne sont pas repartis : un agent les a."
    return "L'argent est reparti, les dettes sont rouvertes d'autant."
