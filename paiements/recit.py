"""La vie d'un paiement en phrases, pour qui doit l'expliquer. Ni nom, ni courriel, ni carte entière."""

from collections.abc import Iterator
from datetime import datetime

from django.conf import settings
from django.utils import timezone
from django.utils.formats import date_format

from paiements.models import Paiement
from paiements.statuts import Statut


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
    yield f"Paiement {paiement.reference}, {paiement.montant} €, {paiement.get_statut_display()}"
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
    for imputation in paiement.imputations.select_related("dette", "mouvement"):
        mouvement = imputation.mouvement
        yield mouvement.le, f"{imputation.montant} € sur la dette {imputation.dette}, solde {mouvement.solde_apres} €"
    for reprise in paiement.reprises.select_related("imputation__dette", "anomalie"):
        ou = f"à la dette {reprise.imputation.dette}" if reprise.imputation else "sans toucher à une dette"
        yield reprise.le, f"{reprise.montant} € repris {ou} (anomalie n° {reprise.anomalie_id})"
    for anomalie in paiement.anomalies.all():
        yield anomalie.ouverte_le, f"anomalie n° {anomalie.pk} : {anomalie}, {anomalie.montant} €"
        if anomalie.resolue_le:
            yield anomalie.resolue_le, f"anomalie n° {anomalie.pk} close : {anomalie.resolution}"
    ticket = getattr(paiement, "ticket", None)
    if ticket and ticket.envoye_le:
        yield ticket.envoye_le, f"ticket envoyé, au {ticket.essais}e essai"


def _suites(paiement: Paiement) -> Iterator[str]:
    yield _suite_du_statut(paiement)
    for anomalie in paiement.anomalies.ouvertes():
        yield f"Anomalie n° {anomalie.pk} ouverte ({anomalie}) : un agent la traite sous /agents/."
    ticket = getattr(paiement, "ticket", None)
    if ticket and ticket.etat == ticket.Etat.A_ENVOYER:
        yield f"Ticket à envoyer, prochain essai le {_dire(ticket.prochain_essai_le)}."


def _suite_du_statut(paiement: Paiement) -> str:
    quand = f" le {_dire(paiement.prochain_controle_le)}" if paiement.prochain_controle_le else ""
    demander = f"Pour ne pas attendre : manage.py rapprocher --reference {paiement.reference}."
    match paiement.statut:
        case Statut.INITIE | Statut.EN_ATTENTE:
            return f"La réponse de la banque. Sans elle, PayZen est interrogé{quand}. {demander}"
        case Statut.ACCEPTE if paiement.confirme_le:
            return f"La confirmation d'un agent : le seuil de la Caf est de {paiement.caf.seuil_controle} €."
        case Statut.ACCEPTE if paiement.prochain_controle_le:
            return f"La vérification auprès de PayZen{quand}. {demander}"
        case Statut.ACCEPTE:
            return "La décision d'un agent sur l'anomalie ouverte."
        case Statut.VERIFIE:
            return "L'imputation, au prochain balayage. S'il tarde, vérifier que worker et beat tournent."
        case Statut.IMPUTE if paiement.remis_le is None:
            return f"Rien : l'argent est sur les dettes. PayZen dira s'il est remis en banque{quand}."
        case Statut.IMPUTE:
            return "Rien : l'argent est sur les dettes, et remis en banque."
        case Statut.REJETE | Statut.RESTITUE:
            return "Rien : l'argent est reparti, les dettes sont rouvertes d'autant."
    jours = settings.PAIEMENT_CONTROLES[-1].days
    suivi = f"PayZen sera réinterrogé{quand}, jusqu'à {jours} jours après le clic." if quand else "Rien."
    return f"{suivi} L'allocataire peut recommencer. {demander}"
