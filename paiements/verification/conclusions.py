"""Ce qu'une lecture fraîche de la plateforme permet de conclure d'un paiement tenu sous verrou."""

from datetime import datetime, timedelta
from decimal import Decimal

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from comptes.models import Utilisateur
from paiements.causes import par_agent, par_allocataire, par_service
from paiements.file.attendues import is_juste
from paiements.file.livres import ZERO, Livres, is_debit_a_regler, lire
from paiements.file.tenue import rapprocher
from paiements.models import Anomalie, Paiement, TransactionPayzen
from paiements.passages import TransitionImpossible, avancer, get_libre_le, verrouiller
from paiements.payzen import Fait
from paiements.statuts import RESTITUABLES, Geste, Statut

# Passé le dernier rendez-vous, ce que la banque ou un agent n'a pas tranché se redemande une fois par jour.
CHAQUE_JOUR = timedelta(days=1)
# Un ordre dont la réponse s'est perdue peut paraître plus tard.
DELAI_D_UN_ORDRE = timedelta(minutes=15)


def conclure_la_lecture(paiement: Paiement, faits: list[Fait]) -> Livres:
    """
    Vérifie, fait expirer, ou attend ; note ce que la plateforme ne montre plus, et le prochain rendez-vous.

    :returns: ses livres, tels qu'ils sont après
    """
    depart = paiement.statut
    paiement.controles += 1
    livres, manquantes = _lire_et_noter(paiement, {fait.uuid for fait in faits})
    # garde: lecture_pendant_un_ordre
    paiement.solde_lu = None if manquantes or _is_ordre_en_cours(livres) else _get_solde_lu(livres, faits)
    paiement.prochain_controle_le = _prochain_controle(paiement, livres, manquantes)
    if paiement.statut == Statut.ACCEPTE:
        _verifier(paiement, livres, manquantes)
    # garde: debit_en_suspens_n_expire_pas
    elif paiement.statut == Statut.EN_ATTENTE and not _is_en_suspens(paiement, livres):
        a_part = any(debit.is_vivante for debit in livres.debits)
        motif = "un agent a réglé ce débit à part" if a_part else "la plateforme n'a rien encaissé"
        avancer(Geste.EXPIRER, paiement, par_service(motif))
    if paiement.statut == depart:  # avancer a déjà tout enregistré
        paiement.save()
    return livres


def _lire_et_noter(paiement: Paiement, lues: set[str]) -> tuple[Livres, list[TransactionPayzen]]:
    """Les livres, à jour de ce que la plateforme ne montre pas, ou plus, ou de nouveau ; et ce qu'elle tait."""
    livres = lire(paiement)
    manquantes = _noter_les_absentes(paiement, livres, lues)
    if manquantes or any(transaction.absente_le for transaction in livres.transactions):
        livres = lire(paiement)
    return livres, manquantes


def _noter_les_absentes(paiement: Paiement, livres: Livres, lues: set[str]) -> list[TransactionPayzen]:
    """
    Celles que la plateforme ne montre pas, ou plus, et qui portent de l'argent.

    Le délai de publication d'une transaction n'est pas documenté (PROTOCOLE §12) : avant lui, elle n'a pas disparu.
    """
    if revues := [t.uuid for t in livres.transactions if t.absente_le and t.uuid in lues]:
        TransactionPayzen.objects.filter(pk__in=revues).update(absente_le=None)
    manquantes = [t for t in livres.transactions if t.is_vivante and t.uuid not in lues]
    maintenant = timezone.now()
    is_relancee = paiement.controles > len(settings.VERIFICATION_RELANCES)
    disparues = [
        t.uuid
        for t in manquantes
        if (t == livres.sien and paiement.statut == Statut.ACCEPTE and is_relancee)
        or t.apprise_le <= maintenant - CHAQUE_JOUR  # garde: delai_de_publication
    ]
    if disparues:
        TransactionPayzen.objects.filter(pk__in=disparues, absente_le=None).update(absente_le=maintenant)
    return manquantes


def _is_ordre_en_cours(livres: Livres) -> bool:
    return any(demande.etat == demande.Etat.ENVOYEE for demande in livres.restitutions)


def _get_solde_lu(livres: Livres, faits: list[Fait]) -> Decimal:
    """Ce que dit la lecture, en euros, hors de ce qu'elle ne montre pas (un impayé) et de ce qu'un agent tranche."""
    ecartes = {t.uuid for t in livres.transactions if not livres.is_comparable(t)}
    comptes = [fait for fait in faits if not ecartes & {fait.uuid, fait.parent}]
    debits = sum((fait.pris for fait in comptes if fait.is_success), ZERO)
    return debits - sum((fait.montant for fait in comptes if fait.is_credit and fait.is_parti), ZERO)


def renoncer(paiement: Paiement) -> None:
    """
    La personne dit ne pas avoir payé : ses montants se libèrent, si la plateforme qui vient d'être lue n'en sait rien.

    Un succès appris plus tard, d'une page restée ouverte, s'accepte et se dit comme tout autre (PROTOCOLE §3.8).
    """
    # garde: renoncer_quand_rien_n_est_en_suspens
    if paiement.statut == Statut.EN_ATTENTE and not _is_debit_en_suspens(paiement, lire(paiement)):
        avancer(Geste.ABANDONNER, paiement, par_allocataire("la personne dit ne pas avoir payé"))


def _is_en_suspens(paiement: Paiement, livres: Livres) -> bool:
    """La personne est peut-être sur la page de la banque, ou un débit n'a pas encore sa réponse."""
    # garde: encore_sur_la_page_de_la_banque
    return timezone.now() < get_libre_le(paiement) or _is_debit_en_suspens(paiement, livres)


def _is_debit_en_suspens(paiement: Paiement, livres: Livres) -> bool:
    """La banque hésite, ou un agent n'a pas réglé son débit."""
    if any(debit.is_en_attente or debit.is_douteuse for debit in livres.debits):
        return True
    return is_debit_a_regler(paiement, livres)


def _prochain_controle(paiement: Paiement, livres: Livres, manquantes: list[TransactionPayzen]) -> datetime | None:
    """
    Le prochain rendez-vous : T+25 min, T+75 min, T+24 h, T+72 h.

    Puis chaque jour, tant que la banque hésite, qu'un débit accepté n'est pas remis, ou qu'un crédit peut encore être
    défait sans que personne l'annonce ; sinon plus rien.
    """
    demain = timezone.now() + CHAQUE_JOUR
    attendus = _get_rendez_vous(paiement)
    # garde: attente_redemandee_chaque_jour
    if (paiement.statut == Statut.EN_ATTENTE or _is_a_remettre(paiement, livres)) and not attendus:
        attendus.append(demain)
    a_suivre = [c for c in livres.credits if c.is_en_attente or (c.is_vivante and not c.is_remise)]
    if a_suivre or manquantes:  # garde: credit_qui_peut_etre_defait
        attendus.append(demain)
    if livres.has_file:
        attendus += _get_ordres_a_revoir(paiement)  # garde: ordre_arrete_peut_paraitre
    return min(attendus, default=None)


def _get_rendez_vous(paiement: Paiement) -> list[datetime]:
    """Encaissé, il n'y a plus à voir que la remise en banque et ce que le Back Office en aurait fait."""
    delais = settings.PAIEMENT_CONTROLES[-2:] if paiement.is_encaisse else settings.PAIEMENT_CONTROLES
    return [instant for delai in delais if (instant := paiement.cree_le + delai) > timezone.now()]


def _is_a_remettre(paiement: Paiement, livres: Livres) -> bool:
    return paiement.statut in RESTITUABLES and livres.sien is not None and not livres.sien.is_remise


def _get_ordres_a_revoir(paiement: Paiement) -> list[datetime]:
    """Une lecture faite entre-temps ne dispense pas de revoir un ordre arrêté ou refusé."""
    sans_effet = paiement.anomalies.filter(genre=Anomalie.Genre.RESTITUTION_REFUSEE)
    recentes = sans_effet.filter(ouverte_le__gt=timezone.now() - DELAI_D_UN_ORDRE)
    return [ouverte_le + DELAI_D_UN_ORDRE for ouverte_le in recentes.values_list("ouverte_le", flat=True)]


def _verifier(paiement: Paiement, livres: Livres, manquantes: list[TransactionPayzen]) -> None:
    """
    La deuxième source : elle montre ce débit, et en tient ce que nous attendons, en euros, sans crédit sans origine.

    Au-dessus du seuil de la Caf, un agent confirme encore. Tout désaccord est déjà une anomalie, jamais un silence.
    """
    sien = livres.sien
    if sien is None:
        return
    if sien in manquantes and paiement.controles <= len(settings.VERIFICATION_RELANCES):
        paiement.prochain_controle_le = timezone.now() + settings.VERIFICATION_RELANCES[paiement.controles - 1]
    # garde: deuxieme_source_montre_le_debit, deuxieme_source_d_accord
    elif sien in manquantes or not is_juste(paiement, livres):
        paiement.confirme_le = None  # garde: desaccord_reprend_la_confirmation
        # Un paiement accepté ne s'oublie pas.
        paiement.prochain_controle_le = timezone.now() + CHAQUE_JOUR
    else:
        paiement.confirme_le = timezone.now()
        if not is_a_confirmer_par_un_agent(paiement):
            avancer(Geste.VERIFIER, paiement, par_service("confirmé par la plateforme"))


def is_a_confirmer_par_un_agent(paiement: Paiement) -> bool:
    seuil = paiement.caf.seuil_controle
    return seuil is not None and paiement.montant >= seuil  # garde: seuil_de_la_caf


@transaction.atomic
def confirmer(paiement: Paiement, *, motif: str, agent: Utilisateur) -> Paiement:
    """
    Un agent confirme un paiement au-dessus du seuil de sa Caf, que la plateforme a déjà confirmé.

    :raises TransitionImpossible: si la plateforme n'a pas encore confirmé ce paiement, si la banque n'en tient plus ce
        qui était demandé, s'il est d'une carte d'essai en production, ou s'il n'est plus accepté
    """
    paiement = verrouiller(paiement.pk)
    if paiement.confirme_le is None:  # garde: pas_avant_la_plateforme
        raise TransitionImpossible("la plateforme n'a pas encore confirmé ce paiement")
    if paiement.is_d_un_autre_mode:  # garde: essai_ne_se_confirme_pas
        raise TransitionImpossible(f"ce paiement est en {paiement.mode} : ce n'est pas de l'argent")
    livres = lire(paiement)
    if not is_juste(paiement, livres):  # garde: confirmer_ce_qui_est_juste
        raise TransitionImpossible("la banque n'en tient plus ce qui était demandé : réglez d'abord son anomalie")
    cause = par_agent(agent, motif)
    avancer(Geste.VERIFIER, paiement, cause)
    rapprocher(livres, cause)
    return paiement
