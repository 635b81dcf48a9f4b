"""
Après chaque écriture, sous le verrou du paiement : il suit ce que la banque tient, puis la file suit les deux.

Tout se décide d'après les livres, et rien d'après l'ordre où les messages sont venus (docs/adr/0048).
"""

from collections import defaultdict
from datetime import datetime
from decimal import Decimal

from django.conf import settings
from django.utils import timezone

from paiements.causes import Cause, par_service
from paiements.file.attendues import is_notre_formulaire
from paiements.file.livres import Livres, get_tenu, lire
from paiements.file.tenue import rapprocher, signaler
from paiements.imputation.reprendre import reprendre_tout
from paiements.models import Anomalie, DemandeRestitution, Paiement, Ticket, TransactionPayzen
from paiements.passages import avancer, faire_interroger
from paiements.payzen import EURO, SANS_ARGENT, Famille
from paiements.statuts import RESTITUABLES, TRANSITIONS, Geste, Statut
from socle.sql import inserer_s_il_manque

# Vérifié, son débit ne change plus.
FIXES = (Statut.VERIFIE, Statut.IMPUTE)
# La banque n'a rien accordé : il attend, ou il est fini tant que rien d'autre ne se dit.
SANS_DEBIT = (Statut.EN_ATTENTE, Statut.REFUSE, Statut.ABANDONNE, Statut.EXPIRE)
LOIN = datetime.max.replace(tzinfo=timezone.get_default_timezone())


def suivre(paiement: Paiement, cause: Cause, *, abandon: bool = False) -> None:
    """
    Fait avancer un paiement tenu sous verrou d'après ses livres, et met la file d'accord.

    :param cause: ce qui vient de changer, et par qui
    :param abandon: la plateforme dit que la session est finie sans rien créer
    """
    livres = lire(paiement)
    _oublier_la_lecture(paiement)  # garde: lecture_oubliee
    if paiement.statut in FIXES:
        _suivre_le_sien(livres, paiement, cause)
    # Son débit parti, un autre que la banque tient peut être le sien, qu'il soit venu avant ou après.
    if paiement.statut not in FIXES:  # garde: autre_debit_deja_connu
        if exacts := _get_exacts(livres, paiement):
            _suivre_les_exacts(livres, paiement, exacts, cause)
        elif paiement.statut in SANS_DEBIT:
            _finir_sans_debit(livres, paiement, cause, abandon=abandon)
    # garde: credit_sans_debit_fait_interroger
    if any(c.parent_id is None and (c.is_vivante or c.is_en_attente) for c in livres.credits):
        faire_interroger(paiement)  # une notification ne nomme pas le débit d'un crédit ; la plateforme, relue, le dit
    rapprocher(_relire(livres, paiement), cause)


def _oublier_la_lecture(paiement: Paiement) -> None:
    """La dernière lecture est d'avant ce changement : elle ne prouve plus rien."""
    if paiement.solde_lu is not None:
        paiement.solde_lu = None
        paiement.save(update_fields=["solde_lu"])


def _relire(livres: Livres, paiement: Paiement) -> Livres:
    """Ce qui a pu être repris des dettes se relit ; le reste est sous nos yeux."""
    return lire(paiement) if livres.impute else livres


def _get_exacts(livres: Livres, paiement: Paiement) -> list[TransactionPayzen]:
    """
    Les débits qui peuvent être celui du paiement : nés de notre formulaire, du bon montant, accordés un jour.

    D'abord ceux que la banque tient, et le premier d'entre eux. Celui qu'un agent fait restituer, ou a fait restituer
    en entier, n'en redevient pas un ; et si c'était celui du paiement, rien ne le rouvre.
    """
    restitues = _get_restitues(livres)
    if paiement.debit_id in restitues:
        if paiement.statut not in RESTITUABLES:  # garde: restitue_par_nous_ne_rouvre_pas
            return []
        restitues.remove(paiement.debit_id)
    exacts = [
        debit
        for debit in livres.debits
        # garde: douteux_n_accepte_pas, non_accorde_n_accepte_pas
        if debit.is_accordee and not debit.is_douteuse and is_exact(paiement, debit) and debit.uuid not in restitues
    ]
    return sorted(exacts, key=lambda debit: (get_tenu(debit) <= 0, debit.creee_le or LOIN, debit.uuid))


def _get_restitues(livres: Livres) -> set[str]:
    """Les débits qu'un agent fait restituer, ou dont il ne reste rien ; une part rendue en laisse le reste."""
    faites: defaultdict[str, Decimal] = defaultdict(Decimal)
    for demande in livres.restitutions:
        if demande.etat == DemandeRestitution.Etat.FAITE:
            faites[demande.debit_id] += demande.montant
    # garde: une_part_rendue_n_est_pas_le_tout
    en_entier = {debit.uuid for debit in livres.debits if faites[debit.uuid] >= debit.pris}
    return en_entier | {d.debit_id for d in livres.restitutions if d.etat in DemandeRestitution.EN_COURS}


def _suivre_les_exacts(livres: Livres, paiement: Paiement, exacts: list[TransactionPayzen], cause: Cause) -> None:
    """Accepté si la banque en tient un ; sinon accepté, puis reparti, même si nous apprenons les deux d'un coup."""
    premier = exacts[0]
    if get_tenu(premier) > 0:
        if paiement.statut != Statut.ACCEPTE or premier.uuid != paiement.debit_id:
            _accepter(livres, paiement, premier, cause)
        return
    geste = Geste.RESTITUER if any(_is_rendu(livres, debit) for debit in exacts) else Geste.REJETER
    if paiement.statut != TRANSITIONS[geste].vers:
        if paiement.statut != Statut.ACCEPTE:
            _accepter(livres, paiement, premier, cause)
        # Un remboursement peut encore être défait, un autre débit paraître.
        paiement.prochain_controle_le = timezone.now()
        avancer(geste, paiement, cause)
    if paiement.debit_id != premier.uuid:
        paiement.debit = premier
        paiement.save(update_fields=["debit"])


def _is_rendu(livres: Livres, debit: TransactionPayzen) -> bool:
    """L'argent de ce débit est revenu au porteur par des crédits, ou un ordre de la Caf l'a annulé avant la remise."""
    ordonnes = (DemandeRestitution.Etat.ENVOYEE, DemandeRestitution.Etat.FAITE)
    # garde: annule_par_nous_est_restitue
    annule = any(demande.debit_id == debit.uuid and demande.etat in ordonnes for demande in livres.restitutions)
    return not debit.compte.is_impaye and (debit.is_vivante or annule)


def is_exact(paiement: Paiement, debit: TransactionPayzen) -> bool:
    """
    Le débit que nous attendions, au centime, ou au montant qu'un agent a admis ; il a pu changer depuis.

    Une devise ou un montant effectifs, une hausse, dits avant ou après, ne font pas moins un accord : une anomalie les
    montre, et rien ne se vérifie (`file.attendues.is_certain`).
    """
    # garde: montant_attendu
    montants = any(debit.montant <= attendu <= debit.montant_haut for attendu in paiement.montants_attendus)
    # garde: devise_attendue, formulaire_attendu
    return debit.devise == EURO and montants and is_notre_formulaire(paiement, debit)


def _accepter(livres: Livres, paiement: Paiement, debit: TransactionPayzen, cause: Cause) -> None:
    """Prend pour encaissé un paiement, d'après un débit déjà comparé à notre ligne."""
    if get_tenu(debit) > 0 and _is_inattendu(livres, paiement, cause):  # garde: retard_de_ce_qui_est_tenu
        _signaler_le_retard(paiement, debit)
    paiement.debit = debit
    paiement.confirme_le = None
    paiement.controles = 0
    paiement.prochain_controle_le = timezone.now() + settings.VERIFIER_APRES
    if paiement.statut == Statut.ACCEPTE:
        paiement.save()
        return
    avancer(Geste.ACCEPTER, paiement, cause)
    if paiement.demarche.courriel:
        inserer_s_il_manque(Ticket(paiement=paiement))


def _is_inattendu(livres: Livres, paiement: Paiement, cause: Cause) -> bool:
    """
    On avait dit à l'allocataire que cet argent n'était pas pris, ou qu'il était rendu ; il a pu payer de nouveau.

    Refusé, ou rouvert, il attendait une autre carte : seulement si l'allocataire a ouvert un autre paiement depuis. Ce
    qu'un agent fait revenir, un impayé annulé, il le sait.
    """
    if paiement.statut in (Statut.REJETE, Statut.RESTITUE):
        return not cause.is_agent  # garde: retour_voulu_par_un_agent
    rouvert = paiement.statut == Statut.EN_ATTENTE and livres.is_rouvert
    if paiement.statut == Statut.REFUSE or rouvert:  # garde: repaye_apres_un_refus
        autres = Paiement.objects.filter(
            demarche__allocataire=paiement.demarche.allocataire_id, cree_le__gt=paiement.cree_le
        )
        return autres.exists()
    return paiement.statut in (Statut.EXPIRE, Statut.ABANDONNE)


def _signaler_le_retard(paiement: Paiement, debit: TransactionPayzen) -> None:
    """L'argent suit son cours ; mais l'allocataire, à qui l'on avait dit non, a pu payer une deuxième fois."""
    signaler(
        Anomalie.Genre.PAIEMENT_TARDIF,
        paiement.reference,
        situation=debit.uuid,
        detail=f"accepté par la banque, on le disait {paiement.get_statut_display()}",
        paiement=paiement,
        transaction_payzen=debit,
        cause=par_service("accord de la banque après une fin sans débit"),
    )


def _suivre_le_sien(livres: Livres, paiement: Paiement, cause: Cause) -> None:
    """
    Vérifié, il ne change plus de débit : si la banque n'en tient plus rien, les dettes remontent.

    Pour une part, un agent dit desquelles.
    """
    sien = livres.sien
    if sien is None or sien.is_douteuse or get_tenu(sien) > 0:  # garde: douteux_ne_reprend_rien
        return
    reprendre_tout(paiement, cause)  # garde: reprendre_ce_qui_n_est_plus_tenu
    geste = Geste.RESTITUER if _is_rendu(livres, sien) else Geste.REJETER
    paiement.prochain_controle_le = timezone.now()
    avancer(geste, paiement, cause)


def _finir_sans_debit(livres: Livres, paiement: Paiement, cause: Cause, *, abandon: bool) -> None:
    """
    Un refus, une annulation, un abandon, quand plus rien n'est en route (PROTOCOLE §3.8).

    Le mot de la fin est le plus fort de ceux qu'on a dits, quel que soit leur ordre : encore en route, puis refusé,
    puis abandonné. Un débit d'un autre montant n'y change rien : un agent en décide, et la page le dit.
    """
    familles = {debit.famille for debit in livres.debits}
    if any(debit.is_en_attente or debit.is_douteuse for debit in livres.debits):
        _attendre_de_nouveau(paiement, cause)
    elif paiement.statut == Statut.EXPIRE:
        return  # sans nouvelles à notre heure, ou clos par deux agents
    elif familles & {Famille.REFUS, Famille.ECHEC}:
        avancer(Geste.REFUSER, paiement, cause)
    elif paiement.statut == Statut.EN_ATTENTE and (abandon or familles & SANS_ARGENT):
        avancer(Geste.ABANDONNER, paiement, cause)


def _attendre_de_nouveau(paiement: Paiement, cause: Cause) -> None:
    """Dit fini, il ne l'est pas : ses montants ne sont plus libres. Ce que deux agents ont clos le reste."""
    # garde: clos_a_deux_reste_clos
    if paiement.statut == Statut.EN_ATTENTE or paiement.clotures.filter(accord=True).exists():
        return
    paiement.prochain_controle_le = timezone.now()
    avancer(Geste.ATTENDRE, paiement, cause)
