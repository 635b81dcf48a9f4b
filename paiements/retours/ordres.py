"""
L'ordre de restituer : l'envoyer une seule fois, et porter ce que la plateforme en dit.

La plateforme n'a pas de clé d'idempotence (PROTOCOLE §6.5) : l'ordre est d'abord noté « envoyé », puis donné ; si la
réponse se perd, on regarde ce que la plateforme a fait avant d'envoyer de nouveau.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from comptes.models import Utilisateur
from paiements import liaisons
from paiements.boutiques import BoutiqueAbsente
from paiements.causes import Cause, par_service
from paiements.file.livres import lire
from paiements.file.tenue import rapprocher
from paiements.models import DemandeRestitution, TransactionPayzen
from paiements.passages import verrouiller
from paiements.payzen import SANS_ARGENT, Client, ErreurPlateforme, Fait, Famille
from paiements.reception.porter import Recu, porter, resumer
from paiements.reception.suivre import suivre
from paiements.retours.restitution import RestitutionImpossible, is_encore_du
from socle import attente

Etat = DemandeRestitution.Etat
# Entre deux essais : le temps qu'une réponse perdue soit visible, ou que le débit soit remis en banque (PSP_076).
BAIL = timedelta(minutes=15)
# Plus long que ce qu'un ordre demande ; plus court que le bail. Une réponse goutte à goutte peut pourtant durer plus :
# l'ordre ne part que s'il reste de quoi le donner (deux essais de huit secondes, et de la marge).
TENUE, POUR_L_ORDRE = timedelta(minutes=10), timedelta(minutes=2)


class RestitutionPrise(Exception):
    """Un autre worker parle à la plateforme de cette restitution : il la finira, ou son bail la libérera."""


def reserver(combien: int) -> list[int]:
    """Prend à exécuter les restitutions approuvées, et les garde le temps d'un bail."""
    appelables = DemandeRestitution.objects.exclude(paiement__boutique__in=liaisons.get_boutiques_coupees())
    return attente.reserver(appelables, "prochain_essai_le", combien=combien, bail=BAIL)


def executer(demande: DemandeRestitution) -> DemandeRestitution:
    """
    Donne l'ordre à la plateforme, une seule fois, et porte sa réponse : les comptes suivent.

    Rejouable : ce que la plateforme a déjà fait de cet ordre se regarde d'abord.

    :raises RestitutionImpossible: si elle n'est pas approuvée
    :raises RestitutionPrise: si un autre worker l'exécute en ce moment
    :raises EchecRest: si la plateforme n'a pas répondu ; relancer regardera avant d'envoyer
    """
    with _seul_sur(demande) as jusqu_a:
        return _executer(demande, jusqu_a)


@contextmanager
def _seul_sur(demande: DemandeRestitution) -> Iterator[datetime]:
    """
    Regarder puis envoyer ne se fait pas à deux : la plateforme ferait deux remboursements. Rend jusqu'à quand.

    Une ligne et non un verrou de connexion, que PgBouncer prêterait à un autre ; mort, l'ouvrier la rend à son heure.
    """
    maintenant = timezone.now()
    jusqu_a = maintenant + TENUE
    libre = DemandeRestitution.objects.filter(Q(tenue_jusqu_a=None) | Q(tenue_jusqu_a__lt=maintenant), pk=demande.pk)
    if not libre.update(tenue_jusqu_a=jusqu_a):  # garde: un_seul_a_la_fois
        raise RestitutionPrise(f"restitution {demande.pk}")
    try:
        yield jusqu_a
    finally:
        DemandeRestitution.objects.filter(pk=demande.pk, tenue_jusqu_a=jusqu_a).update(tenue_jusqu_a=None)


def _executer(demande: DemandeRestitution, jusqu_a: datetime) -> DemandeRestitution:
    client = _get_client(demande)  # d'abord : sans ses clés, l'ordre n'est pas parti, et ne se note pas envoyé
    demande = _noter_l_envoi(demande)
    if demande.etat != Etat.ENVOYEE:
        return demande
    if regardee := _regarder(demande, client):  # garde: regarder_avant_d_envoyer
        return regardee
    demande = _lire(demande.pk)  # ce que la plateforme vient de dire a pu changer ce qui reste
    if not is_encore_du(demande):  # garde: tenu_au_moins_le_montant
        return _renoncer(demande, "la banque ne tient plus ce montant de ce débit, ou une dette l'a reçu")
    if timezone.now() > jusqu_a - POUR_L_ORDRE:  # garde: ordre_donne_pendant_qu_on_le_tient
        raise RestitutionPrise(f"restitution {demande.pk}")
    try:
        # Annuler le débit entier priverait de leur argent les dettes qui en gardent une part.
        partielle = demande.montant < demande.debit.montant  # garde: rembourser_une_part_sans_annuler
        fait = client.cancel_or_refund(
            demande.debit_id, demande.montant, f"restitution {demande.pk}", rembourser_seulement=partielle
        )
    except ErreurPlateforme as erreur:
        if not erreur.is_definitive:  # garde: refus_definitif
            raise
        # « Déjà rendu » peut vouloir dire : à l'instant, par nous (§6.5).
        return _regarder(demande, client) or _renoncer(demande, erreur.code)  # garde: regarder_avant_de_renoncer
    reponse = _porter_la_reponse(demande, [fait])
    if reponse is None and fait.famille in SANS_ARGENT:  # garde: credit_refuse_en_reponse
        return _renoncer(demande, f"remboursement {fait.statut}")
    return reponse or demande


def abandonner(demande: DemandeRestitution, *, motif: str, agent: Utilisateur) -> DemandeRestitution:
    """
    Arrête un ordre que la plateforme n'exécute pas : l'argent se restitue autrement, et ne doit pas partir deux fois.

    Jamais parti, il s'arrête sans rien demander à personne. Parti d'une boutique qui n'a plus ses clés, on ne peut pas
    regarder : un autre que celui qui l'a approuvé l'arrête, et l'anomalie dit quoi vérifier.

    :raises RestitutionImpossible: si l'ordre n'est pas en route, si la plateforme l'a exécuté (c'est alors noté), ou
        s'il faut qu'un autre l'arrête
    :raises RestitutionPrise: si un worker lui en parle à cet instant
    :raises EchecRest: si la plateforme ne répond pas : rien ne dit que l'ordre n'est pas parti
    """
    with _seul_sur(demande):
        is_jamais_parti = _lire(demande.pk).etat == Etat.APPROUVEE
        demande = _noter_l_envoi(demande)
        if demande.etat != Etat.ENVOYEE:
            raise RestitutionImpossible(f"la demande est {demande.get_etat_display()}")
        vu = "" if is_jamais_parti else _regarder_avant_d_arreter(demande, agent)
        return _renoncer(demande, f"{vu}arrêtée par {agent.identifiant} : {motif}")


def _regarder_avant_d_arreter(demande: DemandeRestitution, agent: Utilisateur) -> str:
    """Rend ce qu'il reste à vérifier d'un ordre parti, si l'on ne peut plus demander à la plateforme ce qu'il est."""
    try:
        client = _get_client(demande)
    except BoutiqueAbsente:
        if agent.pk == demande.approbateur_id:  # garde: arreter_sans_regarder_a_deux
            raise RestitutionImpossible(
                "les clés de cette boutique ne sont plus réglées, on ne peut pas regarder si l'ordre est exécuté : un"
                " autre que celui qui l'a approuvé doit l'arrêter, après avoir lu le Back Office"
            ) from None
        return "vérifier au Back Office qu'aucun remboursement n'est parti, la boutique n'a plus ses clés ; "
    regardee = _regarder(demande, client)
    if regardee is not None and regardee.etat == Etat.FAITE:  # garde: ordre_execute_ne_s_arrete_plus
        raise RestitutionImpossible("la plateforme a déjà exécuté cet ordre")
    return ""


def _get_client(demande: DemandeRestitution) -> Client:
    return liaisons.get_client(demande.paiement.boutique, demande.paiement.mode)


@transaction.atomic
def _noter_l_envoi(demande: DemandeRestitution) -> DemandeRestitution:
    demande = _verrouiller(demande.pk)
    if demande.etat in (Etat.DEMANDEE, Etat.REFUSEE):  # garde: rien_ne_part_sans_approbation
        raise RestitutionImpossible(f"la demande est {demande.get_etat_display()}")
    if demande.etat == Etat.APPROUVEE:
        demande.etat = Etat.ENVOYEE
        demande.save(update_fields=["etat"])
    return demande


def _lire(demande_id: int) -> DemandeRestitution:
    demandes = DemandeRestitution.objects.select_related("paiement__solde", "debit__compte", "approbateur")
    return demandes.get(pk=demande_id)


def _verrouiller(demande_id: int) -> DemandeRestitution:
    demandes = DemandeRestitution.objects.select_for_update(of=("self",), no_key=True)
    return demandes.select_related("paiement", "debit__compte", "approbateur").get(pk=demande_id)


def _regarder(demande: DemandeRestitution, client: Client) -> DemandeRestitution | None:
    """Porte ce que la plateforme dit de ce paiement ; rend la demande si elle y est faite ou en route, sinon None."""
    return _porter_la_reponse(demande, client.get_order(demande.paiement.reference))


@transaction.atomic
def _porter_la_reponse(demande: DemandeRestitution, faits: list[Fait]) -> DemandeRestitution | None:
    """Les comptes suivent, au nom de qui a approuvé ; faite si le débit est défait, ou si son crédit est parti."""
    paiement = verrouiller(demande.paiement_id)
    cause = Cause(demande.motif, str(demande.approbateur), is_agent=True)
    if len(faits) == 1 and faits[0].is_credit:
        faits = [replace(faits[0], parent=faits[0].parent or demande.debit_id)]
    porter([Recu(fait, resumer(fait)) for fait in faits], cause)
    demande = _verrouiller(demande.pk)
    if demande.etat != Etat.ENVOYEE:
        return demande
    if demande.debit.famille is Famille.ANNULATION:
        return _noter_faite(demande, None, cause)
    credit = _retrouver_le_credit(demande)
    if credit is None:
        return None
    if not credit.is_vivante:  # garde: credit_en_attente_n_a_rien_rendu
        return demande
    faite = _noter_faite(demande, credit, cause)
    suivre(verrouiller(paiement.pk), cause)
    return faite


def _retrouver_le_credit(demande: DemandeRestitution) -> TransactionPayzen | None:
    """
    Le crédit que cet ordre a fait : de ce débit, du même montant, appris depuis la demande, et à aucune autre.

    Défait avant que nous l'ayons vu partir, il n'en a rien fait ; un crédit vivant l'emporte. Dans le doute, on attend
    qu'un agent tranche : renvoyer l'ordre rendrait peut-être deux fois.
    """
    semblables = TransactionPayzen.objects.credits().filter(
        paiement=demande.paiement,
        montant=demande.montant,
        apprise_le__gte=demande.demandee_le,  # garde: credit_appris_depuis_la_demande
        restitution=None,
    )
    # garde: credit_de_ce_debit
    candidats = [credit for credit in semblables if credit.parent_id in (None, demande.debit_id)]
    # garde: credit_mort
    siens = [credit for credit in candidats if credit.is_vivante or credit.is_en_attente or credit.is_douteuse]
    return min(siens, key=lambda credit: (not credit.is_vivante, credit.apprise_le, credit.uuid), default=None)


def _noter_faite(demande: DemandeRestitution, credit: TransactionPayzen | None, cause: Cause) -> DemandeRestitution:
    demande.etat = Etat.FAITE
    demande.credit = credit
    demande.faite_le = timezone.now()
    demande.prochain_essai_le = None
    demande.save(update_fields=["etat", "credit", "faite_le", "prochain_essai_le"])
    # Un remboursement peut encore être défait sans que rien l'annonce.
    paiement = verrouiller(demande.paiement_id)
    paiement.prochain_controle_le = timezone.now()  # garde: restitution_faite_se_revoit
    paiement.save(update_fields=["prochain_controle_le"])
    return demande


@transaction.atomic
def _renoncer(demande: DemandeRestitution, cause: str) -> DemandeRestitution:
    """La plateforme ne restituera pas cet argent par cet ordre : une anomalie le dit, et il est de nouveau libre."""
    paiement = verrouiller(demande.paiement_id)
    demande = _verrouiller(demande.pk)
    if demande.etat == Etat.ENVOYEE:
        # Un ordre dont la réponse s'est perdue peut paraître plus tard.
        paiement.prochain_controle_le = timezone.now() + BAIL  # garde: ordre_sans_effet_se_revoit
        paiement.save(update_fields=["prochain_controle_le"])
        demande.etat, demande.cause, demande.prochain_essai_le = Etat.ECHOUEE, cause[:200], None
        demande.save(update_fields=["etat", "cause", "prochain_essai_le"])
        rapprocher(lire(paiement), par_service(f"restitution n° {demande.pk} : {cause}"))
    return demande
