"""
Interroger la plateforme : vérifier ce qui est accepté, retrouver ce dont aucune notification n'a parlé.

La même interrogation sert aux deux (PROTOCOLE §6.7) : demander `Order/Get`, porter chaque fait, puis conclure sous
verrou. La plateforme est appelée hors de toute transaction.
"""

import logging
from datetime import datetime, timedelta
from typing import NamedTuple

from django.db import transaction
from django.utils import timezone

from paiements import liaisons
from paiements.boutiques import BoutiqueAbsente
from paiements.causes import par_service
from paiements.file.tenue import rapprocher, signaler
from paiements.malades import Travail, exiger_la_base, guerir, reporter
from paiements.models import Anomalie, DemandeRestitution, Paiement
from paiements.passages import faire_interroger, verrouiller
from paiements.payzen import EchecRest, ErreurPlateforme, Fait, PlateformeInjoignable
from paiements.reception.porter import porter_sur
from paiements.verification.absence import signaler_l_absence
from paiements.verification.conclusions import CHAQUE_JOUR, conclure_la_lecture, renoncer
from socle import attente
from socle.attente import is_verrou_tenu
from socle.sql import Colonnes, batir, executer

logger = logging.getLogger(__name__)

# Le temps qu'un worker garde un paiement : plus long que l'attente dans la file et que tout appel, assez court pour
# qu'un autre reprenne vite le travail de celui qui est mort.
BAIL = timedelta(minutes=1)
RELANCE_APRES_PANNE = timedelta(minutes=2)

LU = Colonnes(Paiement, "p")
# Le dernier message reçu d'un paiement, et combien de nos ordres nous y avons vus finir.
REPERE = f"""
(SELECT coalesce(max(id), 0) FROM paiements_messagepayzen WHERE paiement_id = p.id),
(SELECT count(*) FROM paiements_demanderestitution
 WHERE paiement_id = p.id AND etat IN ('{DemandeRestitution.Etat.FAITE}', '{DemandeRestitution.Etat.ECHOUEE}'))
"""  # noqa: S608 (composé de nos seuls mots)
LIRE_LE_REPERE = f"SELECT {REPERE} FROM paiements_paiement p WHERE p.id = %s"  # noqa: S608 (idem)
LIRE_AVANT = f"""
SELECT {LU}, l.coupee_jusqu_a, {REPERE} FROM paiements_paiement p
LEFT JOIN paiements_liaison l
    ON l.nom = '{liaisons.get_nom("")}' || p.boutique AND l.coupee_jusqu_a > %(maintenant)s
WHERE p.id = %(paiement)s
"""  # noqa: S608 (idem)


class Avant(NamedTuple):
    """Un paiement à interroger, quand rappeler si sa boutique est coupée, et où nous en étions avant de demander."""

    paiement: Paiement
    reprise: datetime | None
    repere: tuple[int, int]


class Lecture(NamedTuple):
    """Ce que la plateforme dit d'un paiement, et où nous en étions avant de demander."""

    faits: list[Fait]
    repere: tuple[int, int]


def reserver(combien: int) -> list[int]:
    """Prend à interroger ce dont l'heure est venue, et le garde le temps d'un bail ; hors boutiques coupées."""
    appelables = Paiement.objects.exclude(boutique__in=liaisons.get_boutiques_coupees())  # garde: boutique_coupee
    return attente.reserver(appelables, "prochain_controle_le", combien=combien, bail=BAIL)


def interroger(paiement_id: int) -> Paiement:
    """
    Interroge la plateforme sur un paiement et porte ce qu'elle en dit.

    :returns: le paiement dans son nouvel état ; inchangé, à reprendre plus tard, si la plateforme n'a pas répondu
    """
    avant = _lire_avant(paiement_id)
    paiement = avant.paiement
    if avant.reprise:
        # Réservé juste avant que sa boutique se taise : il rend l'ouvrier aussitôt.
        Paiement.objects.filter(pk=paiement_id).update(prochain_controle_le=avant.reprise)
        return paiement
    try:
        lecture = _appeler(avant, liaisons.DELAI)
    except BoutiqueAbsente as absence:
        return _attendre_les_cles(paiement_id, absence)
    except EchecRest as echec:
        # Aucune réponse n'est pas une réponse : rien n'est décidé, on redemandera.
        signaler_l_echec(paiement, echec)
        _remettre(paiement, RELANCE_APRES_PANNE)
        return paiement
    return _conclure_ou_reporter(paiement, lecture)


def _conclure_ou_reporter(paiement: Paiement, lecture: Lecture) -> Paiement:
    try:
        return conclure(paiement.pk, lecture) or paiement
    except Exception as echec:  # garde: une_interrogation_malade  (quoi qu'il lève, les autres passent)
        exiger_la_base(echec)
        if is_verrou_tenu(echec):  # un import tient ses dettes : rien n'est cassé
            logger.warning("interrogation remise : un autre tient ses dettes", extra={"paiement": paiement.reference})
            _remettre(paiement, RELANCE_APRES_PANNE)
        else:
            reporter(paiement, Travail.INTERROGATION, echec)
        return paiement


@transaction.atomic
def _attendre_les_cles(paiement_id: int, absence: BoutiqueAbsente) -> Paiement:
    """Ce qui était dû n'a pas eu lieu : cela reste dû, une fois par jour, tant que les clés peuvent revenir."""
    paiement = verrouiller(paiement_id)
    if paiement.prochain_controle_le:  # garde: sans_cles_rien_de_neuf_n_est_du
        paiement.prochain_controle_le = timezone.now() + CHAQUE_JOUR  # garde: sans_cles_rien_ne_s_efface
        paiement.save(update_fields=["prochain_controle_le"])
    signaler_l_absence(paiement, absence)
    return paiement


def _remettre(paiement: Paiement, delai: timedelta) -> None:
    Paiement.objects.filter(pk=paiement.pk).update(prochain_controle_le=timezone.now() + delai)


def lire_la_plateforme(paiement: Paiement, delai: float = liaisons.DELAI) -> Lecture:
    """
    Ce que la plateforme dit d'un paiement, sans rien en décider.

    :param delai: l'attente, en secondes, d'un appel
    :raises EchecRest: si elle n'a pas répondu
    :raises BoutiqueAbsente: si les clés de sa boutique ne sont pas réglées, ou le sont pour un autre mode
    """
    return _appeler(_lire_avant(paiement.pk), delai)


def _lire_avant(paiement_id: int) -> Avant:
    (ligne,) = executer(LIRE_AVANT, {"paiement": paiement_id, "maintenant": timezone.now()})
    paiement, reprise, dernier, finis = batir(ligne, LU)
    return Avant(paiement, reprise, (dernier, finis))


def _appeler(avant: Avant, delai: float) -> Lecture:
    client = liaisons.get_client(avant.paiement.boutique, avant.paiement.mode, delai)
    return Lecture(client.get_order(avant.paiement.reference), avant.repere)


def get_repere(paiement: Paiement) -> tuple[int, int]:
    """Où nous en sommes d'un paiement : son dernier message reçu, et combien de nos ordres y ont fini."""
    ((dernier, finis),) = executer(LIRE_LE_REPERE, [paiement.pk])
    return dernier, finis


@transaction.atomic
def conclure(paiement_id: int, lecture: Lecture, *, renonce: bool = False) -> Paiement | None:
    """
    Porte ce que la plateforme vient de dire d'un paiement, et décide de la suite ; rend son nouvel état.

    Les faits se portent toujours : une vieille lecture ne fait rien reculer. Mais si la banque a parlé, ou restitué,
    pendant qu'on lisait, ce que la lecture tait ne prouve rien : on relira aussitôt, et None est rendu.

    :param renonce: la personne dit ne pas avoir payé
    """
    paiement = verrouiller(paiement_id)
    is_fraiche = get_repere(paiement) == lecture.repere  # garde: lecture_depassee
    porter_sur(paiement, lecture.faits)
    if not is_fraiche:
        faire_interroger(paiement)
        return None
    livres = conclure_la_lecture(paiement, lecture.faits)
    if renonce:
        renoncer(paiement)
    cause = par_service("la plateforme a été interrogée")
    if livres.has_file:
        guerir(paiement, Travail.INTERROGATION, cause)
    rapprocher(livres, cause)
    return paiement


def signaler_l_echec(paiement: Paiement, echec: EchecRest | BoutiqueAbsente) -> None:
    """Consigne un appel sans suite ; ce qu'attendre ne réparera pas devient une anomalie (PROTOCOLE §6.7, §11.7)."""
    if isinstance(echec, BoutiqueAbsente):
        signaler_l_absence(paiement, echec)
        return
    logger.error("PayZen : appel sans suite", extra={"paiement": paiement.reference, "motif": str(echec)})
    if isinstance(echec, PlateformeInjoignable) or (isinstance(echec, ErreurPlateforme) and echec.is_passagere):
        return
    # Un réglage faux touche tous les paiements de la boutique : une anomalie, et non une par paiement.
    seul = isinstance(echec, ErreurPlateforme) and not echec.is_de_la_boutique
    quoi = echec.code if isinstance(echec, ErreurPlateforme) else type(echec).__name__
    signaler(
        Anomalie.Genre.REPONSE_INATTENDUE,
        f"{paiement.reference if seul else paiement.boutique}:{quoi}",
        # Réglée puis revenue, elle se redit une fois par jour.
        situation=str(timezone.localdate()),
        detail=f"{echec}, en interrogeant {paiement.reference}",
        paiement=paiement if seul else None,
        caf=paiement.caf,
        cause=par_service(str(echec)),
    )
