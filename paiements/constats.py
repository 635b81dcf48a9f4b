"""
Ce que la plateforme dit d'une transaction, porté sur le paiement.

Une seule fonction décide, que le fait vienne d'une notification ou d'une interrogation REST : même verrou, même clé
d'idempotence, même table (PROTOCOLE §3.8 et §6.7). Aucune valeur n'est recopiée : tout est comparé à notre ligne.
"""

import hashlib
import json
from collections.abc import Mapping
from decimal import Decimal

from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from comptes.models import Caf
from paiements import anomalies
from paiements.credits import porter_un_credit
from paiements.imputation import contrepasser
from paiements.models import Anomalie, AnomalieQuerySet, NotificationPayzen, Paiement, Ticket
from paiements.payzen import Fait, NotificationIncomplete
from paiements.services import avancer
from paiements.statuts import RESTITUABLES, Geste, Statut
from paiements.suites import Sort, Suite, confier, faire_relire, resumer

# La base refuse qu'une transaction serve deux références : redemander n'y changerait rien.
UNE_TRANSACTION_UNE_REFERENCE = ("paiements_paiement_uuid_key", "une_notification_agit_une_fois")


def constater(fait: Fait, *, champs: Mapping[str, object]) -> NotificationPayzen:
    """
    Porte un fait sur son paiement, une seule fois, et le consigne avec son sort.

    :param champs: ce qui a été reçu, déjà débarrassé des données de carte et de personne
    """
    try:
        return _porter(fait, champs)
    except IntegrityError as refus:
        if get_contrainte(refus) not in UNE_TRANSACTION_UNE_REFERENCE:
            raise
        return _consigner_la_reference_changee(fait, champs)


def get_contrainte(refus: IntegrityError) -> str:
    """Le nom de la contrainte que la base a fait respecter."""
    return getattr(getattr(refus.__cause__, "diag", None), "constraint_name", None) or ""


@transaction.atomic
def _porter(fait: Fait, champs: Mapping[str, object]) -> NotificationPayzen:
    paiement = (
        Paiement.objects.select_for_update(of=("self",), no_key=True)
        .select_related("demarche", "caf")
        .filter(reference=fait.reference)
        .first()
    )
    if paiement is None:
        _verrouiller_la_cle(fait.uuid or fait.cle)
    connus = _lire_les_faits_connus(paiement, fait)
    suite = Suite(Sort.DOUBLON) if fait.cle in connus else _decider(paiement, fait, connus)
    if paiement and fait.is_success and paiement.is_encaisse_par(fait.uuid) and paiement.statut not in RESTITUABLES:
        # Nous le disons reparti : `rapprochement` dira si la banque le tient de nouveau, même par un mot déjà entendu.
        faire_relire(paiement)
    return NotificationPayzen.objects.create(
        cle=fait.cle, paiement=paiement, source=fait.source, champs=champs, sort=suite.sort, motif=suite.motif
    )


@transaction.atomic
def _consigner_la_reference_changee(fait: Fait, champs: Mapping[str, object]) -> NotificationPayzen:
    cle = f"ailleurs:{hashlib.sha256(f'{fait.reference}:{fait.cle}'.encode()).hexdigest()}"
    _verrouiller_la_cle(cle)
    paiement = Paiement.objects.filter(reference=fait.reference).first()
    motif = "transaction déjà vue sous une autre référence"
    anomalies.ouvrir(
        Anomalie.Genre.STATUT_INATTENDU, cle=cle, constat={"motif": motif, "vu": resumer(fait)}, paiement=paiement
    )
    deja = NotificationPayzen.objects.filter(cle=cle).exists()
    return NotificationPayzen.objects.create(
        cle=cle,
        paiement=paiement,
        source=fait.source,
        champs=champs,
        sort=Sort.DOUBLON if deja else Sort.ANOMALIE,
        motif=motif,
    )


def _verrouiller_la_cle(cle: str) -> None:
    """Sans paiement à verrouiller, deux copies du même message passent pourtant l'une après l'autre."""
    with connection.cursor() as curseur:
        curseur.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [cle])


def _lire_les_faits_connus(paiement: Paiement | None, fait: Fait) -> set[str]:
    """Les clés des faits déjà reçus sur la même transaction."""
    meme_transaction = NotificationPayzen.objects.filter(
        paiement=paiement, cle__startswith=f"{fait.uuid or fait.reference}:"
    )
    return set(meme_transaction.values_list("cle", flat=True))


def _decider(paiement: Paiement | None, fait: Fait, connus: set[str]) -> Suite:
    if deja := _deja_regle(paiement, fait, connus):
        return deja
    if paiement is None:
        return _reference_inconnue(fait)
    if (fait.site, fait.mode) != (paiement.boutique, paiement.mode):
        return confier(Anomalie.Genre.STATUT_INATTENDU, paiement, fait, "autre boutique ou autre mode")
    if fait.is_credit:
        return porter_un_credit(paiement, fait, connus)
    if fait.is_success:
        return _succes(paiement, fait)
    if fait.is_cancelled_after:
        return _annulation(paiement, fait)
    if fait.is_refused or fait.is_failed:
        return _refus(paiement, fait)
    if fait.is_abandoned:
        return _fin_sans_debit(Geste.ABANDONNER, paiement, fait)
    if fait.is_pending:
        return _attente(paiement, fait)
    return confier(Anomalie.Genre.STATUT_INATTENDU, paiement, fait, "état que nous ne connaissons pas")


def _deja_regle(paiement: Paiement | None, fait: Fait, connus: set[str]) -> Suite | None:
    """
    Un succès que la banque a annulé depuis, ou qu'un agent tient déjà, n'est ni accepté ni retenu une fois de plus.

    Le montant d'un débit ne fait que baisser à la banque (PROTOCOLE §5) : celui qu'on retient aussi.
    """
    if not (connus and fait.is_success) or (paiement and paiement.is_encaisse_par(fait.uuid)):
        return None
    # L'annulation a pu arriver avant l'accord : l'état de la plateforme est le dernier, pas le dernier reçu.
    if any(cle.startswith((f"{fait.uuid}:CANCELLED:", f"{fait.uuid}:CAPTURE_FAILED:")) for cle in connus):
        return Suite(Sort.SANS_EFFET, "la banque a déjà annulé cette transaction")
    retenues = _ajuster_les_retenues(paiement, fait)
    return Suite(Sort.SANS_EFFET, "déjà confié à un agent") if retenues.exists() else None


def _ajuster_les_retenues(paiement: Paiement | None, fait: Fait) -> AnomalieQuerySet:
    """Ce qui retient déjà ce débit : jamais plus que la banque n'en dit, et plus rien si elle dit le bon montant."""
    retenues = Anomalie.objects.for_debit(paiement, fait.uuid)
    if paiement and not paiement.is_encaisse and _is_exact(paiement, fait):
        autres = retenues.filter(genre=Anomalie.Genre.MONTANT_DIFFERENT, montant__gt=fait.montant)
        anomalies.clore_par_la_banque(autres, motif="la banque dit le bon montant", issue=Anomalie.Issue.CADUQUE)
        retenues = retenues.exclude(issue=Anomalie.Issue.CADUQUE)
    retenues.ouvertes().filter(montant__gt=fait.montant).update(montant=fait.montant)
    return retenues


def _reference_inconnue(fait: Fait) -> Suite:
    if fait.is_cancelled_after and _liberer(None, fait):
        return Suite(Sort.APPLIQUEE, "référence inconnue, débit annulé")
    if not (fait.is_success or fait.is_credit):
        return Suite(Sort.SANS_EFFET, "référence inconnue, aucun argent en jeu")
    anomalies.ouvrir(
        Anomalie.Genre.REFERENCE_INCONNUE,
        cle=fait.uuid or fait.cle,
        constat={"vu": resumer(fait)},
        montant=fait.montant if fait.is_success else Decimal(0),
        caf=Caf.objects.filter(boutique=fait.site).first(),
    )
    return Suite(Sort.ANOMALIE, "référence inconnue")


def _succes(paiement: Paiement, fait: Fait) -> Suite:
    if paiement.is_encaisse_par(fait.uuid):
        return _deja_encaisse(paiement, fait)
    if paiement.is_encaisse:
        return confier(Anomalie.Genre.DOUBLE_PAIEMENT, paiement, fait, "un autre débit est déjà encaissé")
    if not fait.uuid or not _is_notre_formulaire(paiement, fait):
        return confier(Anomalie.Genre.STATUT_INATTENDU, paiement, fait, "transaction qui n'est pas la nôtre")
    if not _is_exact(paiement, fait):
        return confier(Anomalie.Genre.MONTANT_DIFFERENT, paiement, fait, "montant ou devise inattendus")
    accepter(paiement, fait)
    return Suite(Sort.APPLIQUEE)


def accepter(paiement: Paiement, fait: Fait, *, auteur: str = "PayZen") -> None:
    """Prend pour encaissé un paiement que l'appelant tient sous verrou, d'après un fait déjà comparé à notre ligne."""
    if paiement.statut in (Statut.EXPIRE, Statut.ABANDONNE) or _is_repaye(paiement):
        _signaler_le_retard(paiement)
    paiement.uuid = fait.uuid
    paiement.accepte_le = paiement.prochain_controle_le = timezone.now()
    paiement.controles = 0
    paiement.remis_le = fait.remise_le or (timezone.now() if fait.statut == "CAPTURED" else None)
    paiement.marque = fait.marque
    paiement.carte_fin = fait.carte_fin
    paiement.carte_expiration = fait.expiration
    paiement.autorisation = fait.autorisation
    avancer(Geste.ACCEPTER, paiement, motif=f"transaction {fait.statut}", auteur=auteur)
    if paiement.demarche.courriel:
        Ticket.objects.bulk_create([Ticket(paiement=paiement)], ignore_conflicts=True)


def _is_repaye(paiement: Paiement) -> bool:
    """Refusé une première fois, il attendait une autre carte ; l'allocataire en a depuis ouvert un autre."""
    autres = Paiement.objects.filter(
        demarche__allocataire=paiement.demarche.allocataire_id, cree_le__gt=paiement.cree_le
    )
    return paiement.statut == Statut.REFUSE and autres.exists()


def _signaler_le_retard(paiement: Paiement) -> None:
    """L'argent suit son cours ; mais l'allocataire, à qui l'on avait dit non, a pu payer une deuxième fois."""
    anomalies.ouvrir(
        Anomalie.Genre.PAIEMENT_TARDIF,
        cle=paiement.reference,
        constat={"attendu": paiement.get_statut_display(), "vu": "accepté par la banque"},
        paiement=paiement,
    )


def _deja_encaisse(paiement: Paiement, fait: Fait) -> Suite:
    remis = fait.statut == "CAPTURED" and paiement.remis_le is None
    if remis:
        _noter_la_remise(paiement, fait)
    debite = paiement.montant_debite
    if fait.montant < debite or fait.montant > paiement.montant:
        return confier(Anomalie.Genre.MONTANT_DIFFERENT, paiement, fait, "le montant a changé à la banque")
    if fait.montant > debite:
        return Suite(Sort.SANS_EFFET, "montant baissé depuis")
    return Suite(Sort.APPLIQUEE, "remis en banque") if remis else Suite(Sort.SANS_EFFET, "déjà encaissé")


def _noter_la_remise(paiement: Paiement, fait: Fait) -> None:
    paiement.remis_le = fait.remise_le or timezone.now()
    paiement.save(update_fields=["remis_le"])
    absentes = paiement.anomalies.filter(genre=Anomalie.Genre.REMISE_ABSENTE)
    anomalies.clore_par_la_banque(absentes, motif="remis en banque", issue=Anomalie.Issue.CADUQUE)


def _is_exact(paiement: Paiement, fait: Fait) -> bool:
    """Le débit que nous attendions, au centime."""
    juste = (fait.montant, fait.devise) == (paiement.montant, "EUR")
    return juste and _is_notre_formulaire(paiement, fait)


def _is_notre_formulaire(paiement: Paiement, fait: Fait) -> bool:
    """
    Le débit est né de notre formulaire : même `trans_id`, même date (PROTOCOLE §11.4).

    Un débit dupliqué au Back Office, ou un crédit dont le genre serait maquillé (les noms ne sont pas signés, §2.4),
    en a d'autres. REST peut taire l'un ou l'autre ; une notification, jamais le premier.
    """
    if fait.trans_id != paiement.trans_id and not (fait.source == "REST" and not fait.trans_id):
        return False
    return fait.trans_date in (None, paiement.cree_le.replace(microsecond=0))


def _liberer(paiement: Paiement | None, fait: Fait) -> int:
    """Le débit est défait : l'anomalie qui en retenait l'argent ne retient plus rien."""
    retenues = Anomalie.objects.for_debit(paiement, fait.uuid)
    return anomalies.rendre(retenues, motif=f"transaction {fait.statut} à la banque")


def _annulation(paiement: Paiement, fait: Fait) -> Suite:
    liberees = _liberer(paiement, fait)
    if not paiement.is_encaisse:
        return _fin_sans_debit(Geste.ABANDONNER, paiement, fait)
    if paiement.uuid != fait.uuid:
        return Suite(Sort.APPLIQUEE if liberees else Sort.SANS_EFFET, "annulation d'un autre débit")
    if paiement.statut in (Statut.REJETE, Statut.RESTITUE):
        return Suite(Sort.SANS_EFFET, "argent déjà rendu")
    contrepasser(paiement, motif=f"transaction {fait.statut}")
    paiement.prochain_controle_le = timezone.now()  # la banque tient-elle encore quelque chose ?
    avancer(Geste.REJETER, paiement, motif=f"transaction {fait.statut}", auteur="PayZen")
    confier(Anomalie.Genre.ANNULATION_BANQUE, paiement, fait, "annulé à la banque")
    return Suite(Sort.APPLIQUEE, "annulé à la banque")


def _attente(paiement: Paiement, fait: Fait) -> Suite:
    """La banque hésite : on attend. Une validation manuelle ne viendrait de personne : c'est un réglage à revoir."""
    if fait.statut == "AUTHORISED_TO_VALIDATE":
        return confier(Anomalie.Genre.STATUT_INATTENDU, paiement, fait, "la boutique attend une validation manuelle")
    return Suite(Sort.SANS_EFFET, "attente de la banque")


def _refus(paiement: Paiement, fait: Fait) -> Suite:
    """Un refus de la banque est ordinaire ; un échec de la plateforme (EXPIRED, ERROR) se montre (PROTOCOLE §3.4)."""
    suite = _fin_sans_debit(Geste.REFUSER, paiement, fait)
    if fait.is_failed:
        confier(Anomalie.Genre.STATUT_INATTENDU, paiement, fait, "échec que la banque n'a pas décidé")
    return suite


def _fin_sans_debit(geste: Geste, paiement: Paiement, fait: Fait) -> Suite:
    if paiement.statut != Statut.EN_ATTENTE:
        return Suite(Sort.SANS_EFFET, f"déjà {paiement.get_statut_display()}")
    avancer(geste, paiement, motif=f"transaction {fait.statut}", auteur="PayZen")
    return Suite(Sort.APPLIQUEE)


@transaction.atomic
def consigner_incomplete(message: NotificationIncomplete) -> None:
    """Garde pour un agent un message authentique mais illisible : redemander n'y changerait rien."""
    empreinte = hashlib.sha256(json.dumps(message.champs, sort_keys=True).encode()).hexdigest()
    cle = f"incomplete:{empreinte}"
    _verrouiller_la_cle(cle)
    deja = NotificationPayzen.objects.filter(cle=cle).exists()
    NotificationPayzen.objects.create(
        cle=cle, champs=message.champs, sort=Sort.DOUBLON if deja else Sort.ANOMALIE, motif=str(message)
    )
    anomalies.ouvrir(
        Anomalie.Genre.STATUT_INATTENDU,
        cle=cle,
        constat={"motif": str(message), "vu": message.champs},
        paiement=Paiement.objects.filter(reference=message.champs.get("vads_order_id")).first(),
        caf=Caf.objects.filter(boutique=message.champs.get("vads_site_id")).first(),
    )
