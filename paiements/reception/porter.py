"""
Porter des faits en base : une instruction sur un ensemble, la même pour une notification, une lecture, un journal.

C'est une union : l'état le plus avancé, le montant le plus petit, la première date. Ni l'ordre ni les répétitions n'y
changent rien (docs/adr/0048). Aucune valeur n'est crue ici : `suivre` compare chaque transaction à notre ligne.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from itertools import chain
from typing import NamedTuple

from django.core.serializers.json import DjangoJSONEncoder
from django.db import transaction
from django.utils import timezone

from comptes.models import Caf
from paiements.causes import Cause, par_payzen
from paiements.file.livres import lire_sans_paiement
from paiements.file.tenue import rapprocher, signaler
from paiements.models import LUES, Anomalie, MessagePayzen, Paiement, TransactionPayzen
from paiements.passages import verrouiller_les_references
from paiements.payzen import Fait, Famille, NotificationIncomplete
from paiements.reception.suivre import suivre
from socle.sql import executer

Sort = MessagePayzen.Sort

# Ce que deviennent une colonne connue (t) et ce qu'on en dit de plus (EXCLUDED) : toujours une union.
UNIONS = {
    "statut": "paiements_unir(t.statut, EXCLUDED.statut)",  # garde: union_statut
    # garde: union_verdict
    "verdict": "CASE WHEN paiements_unir(t.statut, EXCLUDED.statut) = t.statut THEN t.verdict ELSE '' END",
    "montant": "least(t.montant, EXCLUDED.montant)",  # garde: union_montant
    "montant_haut": "greatest(t.montant_haut, EXCLUDED.montant_haut)",  # garde: union_montant_haut
    "effectif": "least(t.effectif, EXCLUDED.effectif)",  # garde: union_effectif
    # Une autre devise que l'euro, dite une fois, ne s'oublie pas.
    # garde: union_devise_effective
    "devise_effective": "CASE WHEN EXCLUDED.devise_effective IN ('', 'EUR') AND t.devise_effective <> ''"
    " THEN t.devise_effective ELSE EXCLUDED.devise_effective END",
    "paiement_id": "coalesce(t.paiement_id, EXCLUDED.paiement_id)",
    "parent_id": "coalesce(t.parent_id, EXCLUDED.parent_id)",  # garde: union_parent_id
    "trans_id": "least(t.trans_id, EXCLUDED.trans_id)",  # garde: union_trans_id
    "trans_date": "least(t.trans_date, EXCLUDED.trans_date)",  # garde: union_trans_date
    "creee_le": "least(t.creee_le, EXCLUDED.creee_le)",  # garde: union_creee_le
    "remise_le": "least(t.remise_le, EXCLUDED.remise_le)",  # garde: union_remise_le
    "marque": "greatest(t.marque, EXCLUDED.marque)",  # garde: union_marque
    "carte_fin": "greatest(t.carte_fin, EXCLUDED.carte_fin)",  # garde: union_carte_fin
    "autorisation": "greatest(t.autorisation, EXCLUDED.autorisation)",  # garde: union_autorisation
}
# Liste blanche : un message ne se retouche pas. Le contexte, texte libre d'une commande, nomme nos dettes, ou
# n'importe qui si elle n'est pas de nous ; il ne sert que le temps d'une lecture (`verification.reconstruction`).
A_GARDER = (
    *("reference", "statut", "montant", "devise", "site", "mode", "operation", "uuid", "parent", "trans_id"),
    *("trans_date", "source", "effectif", "devise_effective", "creee_le", "remise_le"),
)
# Une transaction ne change ni de référence, ni de sens, ni de devise : qui le dit n'est pas cru.
IDENTITE = ("reference", "boutique", "mode", "operation", "devise")

PORTER = f"""
WITH dits AS (
    SELECT * FROM jsonb_to_recordset(%(faits)s::jsonb) AS d(
        rang int, uuid text, reference text, boutique text, mode text, operation text, parent text, statut text,
        montant numeric, devise text, effectif numeric, devise_effective text, trans_id text, trans_date timestamptz,
        creee_le timestamptz, remise_le timestamptz, marque text, carte_fin text, autorisation text, source text,
        champs jsonb)
), identites AS (
    SELECT DISTINCT ON (uuid) uuid, {", ".join(IDENTITE)} FROM dits WHERE uuid <> '' ORDER BY uuid, rang
), unies AS (
    SELECT uuid, {", ".join(IDENTITE)}, paiements_unir_tous(statut) AS statut, min(montant) AS montant,
           max(montant) AS montant_haut, min(effectif) AS effectif,
           coalesce(max(devise_effective) FILTER (WHERE devise_effective NOT IN ('', 'EUR')),
                    max(devise_effective)) AS devise_effective,
           max(parent) AS parent, min(trans_id) AS trans_id, min(trans_date) AS trans_date,
           -- Jamais dite, elle reste nulle : least l'oublierait.
           -- garde: date_jamais_a_venir
           CASE WHEN min(creee_le) > %(maintenant)s THEN %(maintenant)s ELSE min(creee_le) END AS creee_le,
           min(remise_le) AS remise_le, max(marque) AS marque,
           max(carte_fin) AS carte_fin, max(autorisation) AS autorisation
    FROM dits JOIN identites USING (uuid, {", ".join(IDENTITE)}) GROUP BY uuid, {", ".join(IDENTITE)}
), portees AS (
    INSERT INTO paiements_transactionpayzen AS t (
        uuid, paiement_id, {", ".join(IDENTITE)}, parent_id, statut, verdict, montant, montant_haut, effectif,
        devise_effective, trans_id, trans_date, creee_le, apprise_le, remise_le, marque, carte_fin, autorisation)
    SELECT u.uuid, p.id, {", ".join(f"u.{nom}" for nom in IDENTITE)}, coalesce(connu.uuid, voisin.uuid), u.statut, '',
           u.montant, u.montant_haut, u.effectif, u.devise_effective, u.trans_id, u.trans_date, u.creee_le,
           %(maintenant)s, u.remise_le, u.marque, u.carte_fin, u.autorisation
    FROM unies u
    LEFT JOIN paiements_paiement p ON p.reference = u.reference
    LEFT JOIN paiements_transactionpayzen connu ON connu.uuid = u.parent AND u.operation = 'CREDIT'
    LEFT JOIN identites voisin ON voisin.uuid = u.parent AND u.operation = 'CREDIT'
    ORDER BY u.uuid
    ON CONFLICT (uuid) DO UPDATE SET {", ".join(f"{nom} = {union}" for nom, union in UNIONS.items())}
    -- garde: identite_de_la_transaction
    WHERE ({", ".join(f"t.{nom}" for nom in IDENTITE)}) = ({", ".join(f"EXCLUDED.{nom}" for nom in IDENTITE)})
      -- garde: redire_n_apprend_rien
      AND ({", ".join(f"t.{nom}" for nom in UNIONS)}) IS DISTINCT FROM ({", ".join(UNIONS.values())})
    RETURNING t.uuid
), sorts AS (
    SELECT d.*, CASE
               WHEN d.uuid = '' OR neuve.uuid IS NOT NULL AND i.reference IS NOT NULL THEN 'NEUF'
               WHEN i.reference IS NULL OR (
                   -- Cherchées une à une, par leur clé : de combien de faits il s'agit, le plan ne le sait pas.
                   SELECT ({", ".join(f"t.{nom}" for nom in IDENTITE)})
                       <> ({", ".join(f"d.{nom}" for nom in IDENTITE)})
                   FROM paiements_transactionpayzen t WHERE t.uuid = d.uuid)
               THEN 'ECARTE' ELSE 'DEJA_SU' END AS sort
    FROM dits d
    LEFT JOIN portees neuve USING (uuid)
    LEFT JOIN identites i USING (uuid, {", ".join(IDENTITE)})
), messages AS (
    INSERT INTO paiements_messagepayzen (
        transaction_id, paiement_id, source, operation, statut, montant, champs, sort, motif, recu_le)
    SELECT nullif(s.uuid, ''), (SELECT p.id FROM paiements_paiement p WHERE p.reference = s.reference),
           s.source, s.operation, s.statut, s.montant, s.champs, s.sort,
           CASE s.sort WHEN 'ECARTE' THEN 'transaction déjà vue sous une autre référence' ELSE '' END, %(maintenant)s
    FROM sorts s
    -- Une lecture qui n'apprend rien n'est pas un message.
    WHERE s.source NOT IN {LUES} OR s.sort <> 'DEJA_SU' ORDER BY s.rang -- garde: lecture_sans_nouvelle
)
SELECT rang, sort FROM sorts ORDER BY rang
"""  # noqa: S608 (composé de nos seules colonnes)


class Recu(NamedTuple):
    """Un fait, et ce qui a été reçu, déjà débarrassé des données de carte et de personne."""

    fait: Fait
    champs: Mapping[str, object]


@transaction.atomic
def porter(recus: Iterable[Recu], cause: Cause | None = None) -> list[MessagePayzen.Sort]:
    """
    Porte des faits authentiques, puis fait suivre les paiements et la file ; rend le sort de chacun, dans l'ordre.

    Les paiements nommés sont verrouillés d'abord, dans l'ordre de leur clé.

    :param cause: qui l'a voulu, quand les faits répondent à un ordre ; sinon, c'est PayZen
    """
    recus = list(recus)
    return _porter(recus, verrouiller_les_references({recu.fait.reference for recu in recus}), cause)


def porter_sur(paiement: Paiement, faits: Iterable[Fait]) -> None:
    """
    Porte de même ce qu'on vient de lire d'un paiement que l'on tient déjà sous verrou, et qui reste à jour.

    :param faits: tous de sa référence (`Client.get_order` refuse les autres)
    """
    _porter([Recu(fait, resumer(fait)) for fait in faits], {paiement.reference: paiement}, None)


def _porter(recus: list[Recu], paiements: dict[str, Paiement], cause: Cause | None) -> list[MessagePayzen.Sort]:
    sorts = [Sort(sort) for sort in _ecrire(recus)]
    ranges = _ranger(recus, sorts)
    for reference, paiement in paiements.items():
        if neufs := ranges[Sort.NEUF].pop(reference, []):
            suivre(paiement, cause or _dire(neufs), abandon=any(is_abandon(fait) for fait in neufs))
    _montrer_les_inconnus(ranges[Sort.NEUF])
    _signaler_les_ecartes(ranges[Sort.ECARTE], paiements)
    return sorts


def _ranger(recus: list[Recu], sorts: list[MessagePayzen.Sort]) -> dict[MessagePayzen.Sort, dict[str, list[Fait]]]:
    """Les faits par sort, puis par référence, chacun dans son ordre : en une fois, si nombreux qu'ils soient."""
    ranges: dict[MessagePayzen.Sort, dict[str, list[Fait]]] = {sort: {} for sort in Sort}
    for recu, sort in zip(recus, sorts, strict=True):
        ranges[sort].setdefault(recu.fait.reference, []).append(recu.fait)
    return ranges


def _montrer_les_inconnus(par_reference: dict[str, list[Fait]]) -> None:
    """Ce qui est venu d'une référence que nous n'avons jamais donnée."""
    faits = list(chain.from_iterable(par_reference.values()))
    if uuids := {uuid for fait in faits for uuid in (fait.uuid, fait.parent) if uuid}:
        rapprocher(lire_sans_paiement(uuids), _dire(faits))


def _signaler_les_ecartes(par_reference: dict[str, list[Fait]], paiements: dict[str, Paiement]) -> None:
    for reference, faits in par_reference.items():
        for fait in faits:
            _signaler_la_reference_changee(fait, paiements.get(reference))


def is_abandon(fait: Fait) -> bool:
    """Rien n'a été créé : aucune transaction à porter, mais la tentative est finie (PROTOCOLE §3.3)."""
    return not fait.uuid and fait.famille is Famille.ABANDON


def _ecrire(recus: list[Recu]) -> list[str]:
    faits = [_decrire(rang, recu) for rang, recu in enumerate(recus)]
    dits = {"faits": json.dumps(faits, cls=DjangoJSONEncoder), "maintenant": timezone.now()}
    return [sort for _, sort in executer(PORTER, dits)]


def _decrire(rang: int, recu: Recu) -> dict[str, object]:
    fait = recu.fait
    # Lue, la plateforme peut taire le numéro ; une notification qui le tait n'est pas née de notre formulaire.
    trans_id = fait.trans_id or (None if fait.source in LUES else "")
    return vars(fait) | {"rang": rang, "boutique": fait.site, "trans_id": trans_id, "champs": recu.champs}


def _dire(faits: list[Fait]) -> Cause:
    return par_payzen("transaction " + ", ".join(dict.fromkeys(fait.statut for fait in faits)))


def _signaler_la_reference_changee(fait: Fait, paiement: Paiement | None) -> None:
    motif = "transaction déjà vue sous une autre référence"
    signaler(
        Anomalie.Genre.REPONSE_INATTENDUE,
        f"{fait.reference}:{fait.uuid}",
        detail=f"{motif} : {fait.uuid}",
        paiement=paiement,
        transaction_payzen=TransactionPayzen.objects.filter(uuid=fait.uuid).first(),
        cause=par_payzen(motif),
    )


def resumer(fait: Fait) -> dict[str, object]:
    """Ce qu'un fait dit, à garder au message ; rien de la carte, de la personne, ni de texte libre."""
    return {nom: valeur for nom in A_GARDER if (valeur := getattr(fait, nom))}


@transaction.atomic
def consigner_incomplete(message: NotificationIncomplete) -> None:
    """Garde pour un agent un message authentique mais illisible, une seule fois : le redire n'apprend rien."""
    empreinte = hashlib.sha256(json.dumps(message.champs, sort_keys=True).encode()).hexdigest()
    paiement = Paiement.objects.filter(reference=message.champs.get("vads_order_id")).first()
    deja = Anomalie.objects.filter(genre=Anomalie.Genre.REPONSE_INATTENDUE, cle=f"incomplete:{empreinte}")
    if deja.exists():
        return
    MessagePayzen.objects.create(
        paiement=paiement,
        source=message.champs.get("vads_url_check_src", "")[:20],
        champs=message.champs,
        sort=Sort.ECARTE,
        motif=str(message)[:200],
    )
    signaler(
        Anomalie.Genre.REPONSE_INATTENDUE,
        f"incomplete:{empreinte}",
        detail=str(message),
        paiement=paiement,
        caf=Caf.objects.filter(boutique=message.champs.get("vads_site_id")).first(),
        cause=par_payzen(str(message)),
    )
