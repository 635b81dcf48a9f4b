"""Faire avancer un paiement : le verrouiller, le relire, et ne passer que par la table des passages."""

import logging
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

from django.conf import settings
from django.utils import timezone

from comptes.models import Caf
from demarches.models import Demarche
from paiements.causes import Cause
from paiements.models import Paiement, TransactionPayzen
from paiements.statuts import ETAT_DE_LA_DEMARCHE, TRANSITIONS, Geste, Statut
from socle.sql import Colonnes, batir, executer, executer_chacun

logger = logging.getLogger(__name__)

LUES = (Colonnes(Paiement, "p"), Colonnes(Demarche, "d"), Colonnes(Caf, "c"), Colonnes(TransactionPayzen, "t"))
LIRE = f"""
SELECT {", ".join(map(str, LUES))} FROM paiements_paiement p
JOIN demarches_demarche d ON d.id = p.demarche_id
JOIN comptes_caf c ON c.code = p.caf_id
LEFT JOIN paiements_transactionpayzen t ON t.uuid = p.debit_id
"""  # noqa: S608 (composé de nos seules colonnes)
VERROUILLER = f"{LIRE} WHERE p.id = %s FOR NO KEY UPDATE OF p"  # garde: verrou_du_paiement
VERROUILLER_LES_REFERENCES = (
    # garde: verrou_de_qui_porte
    f"{LIRE} WHERE p.reference = ANY(%s) ORDER BY p.id FOR NO KEY UPDATE OF p"
)

# Ce qu'un passage enregistre d'un paiement ; le reste ne change jamais (`paiement_immuable_sur_l_essentiel`).
CHANGEANTS = (
    "statut", "debit_id", "montant_admis", "confirme_le", "solde_lu", "prochain_controle_le", "controles",
    "imputer_le", "echecs",
)  # fmt: skip
# L'étape d'abord : la base refuse un passage dont le journal ne dit rien.
AVANCER = f"""
WITH etape AS (
    INSERT INTO paiements_etapepaiement (paiement_id, geste, de, vers, motif, auteur, le)
    VALUES (%(paiement)s, %(geste)s, %(de)s, %(statut)s, %(motif)s, %(auteur)s, %(le)s) RETURNING paiement_id
), demarche AS (
    UPDATE demarches_demarche SET etat = %(etat)s WHERE id = %(demarche)s AND etat <> %(etat)s
)
UPDATE paiements_paiement SET {", ".join(f"{nom} = %({nom})s" for nom in CHANGEANTS)}
FROM etape WHERE id = etape.paiement_id RETURNING id
"""  # noqa: S608 (idem)


class TransitionImpossible(Exception):
    """La table des passages ne permet pas ce geste depuis le statut actuel."""


def verrouiller(paiement_id: int) -> Paiement:
    """Relit un paiement, sa démarche, sa Caf et son débit sous verrou. À appeler dans une transaction."""
    (paiement,) = _lire(VERROUILLER, paiement_id)
    return paiement


def verrouiller_les_references(references: Iterable[str]) -> dict[str, Paiement]:
    """Les paiements qui portent ces références, de même, dans l'ordre de leur clé : nul ne s'attend en cercle."""
    return {paiement.reference: paiement for paiement in _lire(VERROUILLER_LES_REFERENCES, list(references))}


def _lire(ordre: str, cherche: object) -> Iterator[Paiement]:
    for ligne in executer(ordre, [cherche]):
        paiement, demarche, caf, debit = batir(ligne, *LUES)
        paiement.demarche, paiement.caf = demarche, caf
        if debit or not paiement.debit_id:
            paiement.debit = debit
        yield paiement


def avancer(geste: Geste, paiement: Paiement, cause: Cause) -> Paiement:
    """
    Fait avancer un paiement tenu sous verrou, l'écrit au journal, met sa démarche à jour, enregistre ses champs.

    Rejouer un geste déjà fait ne change rien : la banque répète ses notifications.

    :raises TransitionImpossible: si la table ne permet pas ce geste depuis l'état actuel
    """
    avancer_ensemble(geste, {paiement: cause})
    return paiement


def avancer_ensemble(geste: Geste, causes: Mapping[Paiement, Cause]) -> None:
    """
    Fait avancer de même plusieurs paiements tenus sous verrou, chacun avec sa cause.

    :raises TransitionImpossible: pour l'un d'eux ; aucun n'est enregistré
    """
    passages = [_passer(geste, paiement, cause) for paiement, cause in causes.items() if not _is_fait(geste, paiement)]
    executer_chacun(AVANCER, passages)
    for passage in passages:
        logger.info("paiement : %s", geste, extra={"paiement": passage["reference"], "vers": passage["statut"]})


def _is_fait(geste: Geste, paiement: Paiement) -> bool:
    return paiement.statut == TRANSITIONS[geste].vers


def _passer(geste: Geste, paiement: Paiement, cause: Cause) -> dict[str, object]:
    """Fait passer le paiement en mémoire ; rend ce que la base enregistre de ce passage."""
    depuis, vers = TRANSITIONS[geste]
    if paiement.statut not in depuis:  # garde: table_des_passages
        raise TransitionImpossible(f"{geste} : {paiement} est {paiement.get_statut_display()}")
    de, paiement.statut = paiement.statut, vers
    if vers == Statut.VERIFIE:
        paiement.imputer_le = timezone.now()
    paiement.demarche.etat = ETAT_DE_LA_DEMARCHE[vers]
    passage = {"paiement": paiement.pk, "geste": geste, "de": de, "le": timezone.now()}
    passage |= {"motif": cause.motif[:200], "auteur": cause.auteur, "reference": paiement.reference}
    passage |= {"demarche": paiement.demarche_id, "etat": paiement.demarche.etat}
    return passage | {nom: getattr(paiement, nom) for nom in CHANGEANTS}


def faire_interroger(paiement: Paiement) -> None:
    """La plateforme est interrogée dès que possible. À appeler sous le verrou du paiement."""
    paiement.prochain_controle_le = timezone.now()
    paiement.save(update_fields=["prochain_controle_le"])


def avancer_l_interrogation(paiement: Paiement) -> None:
    """
    Qui revient de la banque n'attend pas vingt-cinq minutes une notification perdue : on interroge aussitôt, une fois.

    Rien n'en est cru ; sans nouvelle, le rendez-vous ordinaire reste.
    """
    a_avancer = Paiement.objects.filter(pk=paiement.pk, statut=Statut.EN_ATTENTE, controles=0)
    a_avancer.filter(prochain_controle_le=get_libre_le(paiement)).update(prochain_controle_le=timezone.now())


def get_libre_le(paiement: Paiement) -> datetime:
    """L'heure à laquelle, sans nouvelle de la banque, nous l'interrogeons et libérons les montants engagés."""
    return paiement.cree_le + settings.PAIEMENT_CONTROLES[0]
