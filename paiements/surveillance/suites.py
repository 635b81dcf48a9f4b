"""Les invariants des suites : les journaux sans trou, la file d'accord avec les livres, rien d'oublié ni en retard."""

import pgtrigger
from django.conf import settings

from paiements.models.anomalie import PASSAGES as PASSAGES_DE_LA_FILE
from paiements.statuts import ETAT_DE_LA_DEMARCHE, RESTITUABLES, TRANSITIONS
from paiements.surveillance.requetes import A_TRANCHER, Invariant, liste, values

PASSAGES = values(*((avant, t.vers, geste) for geste, t in TRANSITIONS.items() for avant in sorted(t.depuis)))
# Ouverte, une anomalie dont la situation change le redit à son journal.
PASSAGES_DES_ANOMALIES = values(("", "OUVERTE"), ("OUVERTE", "OUVERTE"), *PASSAGES_DE_LA_FILE)
ETATS = values(*ETAT_DE_LA_DEMARCHE.items())
GARDES = values(*((modele._meta.db_table, garde.get_pgid(modele)) for modele, garde in pgtrigger.registered()))

# Ce qu'attend une liaison coupée qui n'a pas répondu depuis n'est pas en retard : c'est elle, l'alerte. Une nuit sans
# courriel ferait sinon une violation par ticket.
PARLE = "NOT EXISTS (SELECT FROM paiements_liaison l WHERE l.coupee_jusqu_a IS NOT NULL AND l.nom {})"
SA_BOUTIQUE_PARLE = PARLE.format("= 'PayZen ' || p.boutique")
# D'une carte d'essai, en production, rien ne s'impute (`paiement.de_ce_mode`) : rien n'y est donc en retard.
DE_CE_MODE = f"p.mode = '{settings.PAYZEN_MODE}'"
LES_TICKETS_PARTENT = PARLE.format("IN ('courriel', 'rendu des PDF')")

# Les requêtes composées ne le sont que de nos énumérations et d'un réglage : rien ne vient d'ailleurs.
# ruff: noqa: S608
INVARIANTS = [
    Invariant(
        "journal_sans_trou",
        "Le journal d'un paiement mène sans trou de son début à son statut, par des passages de la table.",
        f"""
        WITH suite AS (
            SELECT e.paiement_id, e.geste, e.de, e.vers,
                   lag(e.vers, 1, 'INITIE') OVER (PARTITION BY e.paiement_id ORDER BY e.id) AS avant,
                   lead(e.vers) OVER (PARTITION BY e.paiement_id ORDER BY e.id) IS NULL AS derniere
            FROM paiements_etapepaiement e
        )
        SELECT p.reference, format('étape %s de %s vers %s, paiement %s', s.geste, s.de, s.vers, p.statut)
        FROM paiements_paiement p LEFT JOIN suite s ON s.paiement_id = p.id
        WHERE (s.paiement_id IS NULL AND p.statut <> 'INITIE')
           OR s.de <> s.avant
           OR (s.derniere AND s.vers <> p.statut)
           OR (s.paiement_id IS NOT NULL AND (s.de, s.vers, s.geste) NOT IN (VALUES {PASSAGES}))
        """,
    ),
    Invariant(
        "journal_de_la_file",
        "Le journal d'une anomalie mène sans trou de son ouverture à son état, par des passages permis.",
        f"""
        WITH suite AS (
            SELECT e.anomalie_id, e.de, e.vers,
                   lag(e.vers, 1, '') OVER (PARTITION BY e.anomalie_id ORDER BY e.id) AS avant,
                   lead(e.vers) OVER (PARTITION BY e.anomalie_id ORDER BY e.id) IS NULL AS derniere
            FROM paiements_etapeanomalie e
        )
        SELECT format('anomalie %s', a.id), format('étape de %s vers %s, anomalie %s', s.de, s.vers, a.etat)
        FROM paiements_anomalie a LEFT JOIN suite s ON s.anomalie_id = a.id
        WHERE s.anomalie_id IS NULL OR s.de <> s.avant OR (s.derniere AND s.vers <> a.etat)
           OR (s.de, s.vers) NOT IN (VALUES {PASSAGES_DES_ANOMALIES})
        """,
    ),
    Invariant(
        "file_suit_les_livres",
        "Une anomalie à trancher parle d'un argent qui est bien là, et un ordre sans effet a la sienne.",
        f"""
        SELECT format('anomalie %s', a.id), format('%s, et les livres disent le contraire', a.genre)
        FROM paiements_anomalie a LEFT JOIN paiements_debit_tenu c ON c.uuid = a.transaction_id
        LEFT JOIN paiements_paiement p ON p.id = a.paiement_id LEFT JOIN paiements_solde s ON s.paiement_id = p.id
        WHERE a.etat IN {A_TRANCHER} AND NOT CASE a.genre
            WHEN 'RELIQUAT' THEN p.statut = 'IMPUTE' AND s.a_placer > 0
            WHEN 'DOUBLE_PAIEMENT' THEN c.tenu > 0 AND NOT c.is_sien
            WHEN 'IMPAYE' THEN c.is_impaye ELSE true END
        UNION ALL
        SELECT p.reference, 'impayé, sans anomalie'
        FROM paiements_debit_tenu c JOIN paiements_transactionpayzen t ON t.uuid = c.uuid
        JOIN paiements_paiement p ON p.id = t.paiement_id
        WHERE c.is_impaye AND t.statut IN ('AUTHORISED', 'CAPTURED') AND NOT EXISTS (
            SELECT FROM paiements_anomalie a
            WHERE a.transaction_id = t.uuid AND a.genre = 'IMPAYE' AND a.etat IN {A_TRANCHER})
        UNION ALL
        SELECT p.reference, format('restitution %s sans effet, sans anomalie', r.id)
        FROM paiements_demanderestitution r JOIN paiements_paiement p ON p.id = r.paiement_id
        WHERE r.etat = 'ECHOUEE' AND NOT EXISTS (
            SELECT FROM paiements_anomalie a WHERE a.restitution_id = r.id AND a.etat IN {A_TRANCHER})
        """,
    ),
    Invariant(
        "demarche_suit_le_paiement",
        "L'allocataire voit l'état de son paiement.",
        f"""
        SELECT p.reference, format('paiement %s, démarche %s', p.statut, d.etat)
        FROM paiements_paiement p JOIN demarches_demarche d ON d.id = p.demarche_id
        WHERE (p.statut, d.etat) NOT IN (VALUES {ETATS})
        UNION ALL
        SELECT d.reference, format('démarche %s sans paiement', d.etat) FROM demarches_demarche d
        WHERE d.etat NOT IN ('BROUILLON', 'ABANDONNEE')
          AND NOT EXISTS (SELECT FROM paiements_paiement p WHERE p.demarche_id = d.id)
        """,
    ),
    Invariant(
        "rien_d_oublie",
        "Ce qui reste à faire a son heure.",
        f"""
        SELECT p.reference, format('%s sans suite prévue', p.statut) FROM paiements_paiement p
        LEFT JOIN paiements_transactionpayzen t ON t.uuid = p.debit_id
        WHERE (p.statut = 'VERIFIE' AND p.imputer_le IS NULL) OR (p.prochain_controle_le IS NULL AND (
            p.statut = 'EN_ATTENTE' OR (p.statut = 'ACCEPTE' AND p.confirme_le IS NULL)
            OR (p.statut IN {liste(RESTITUABLES)} AND t.statut <> 'CAPTURED' AND t.remise_le IS NULL)
        ))
        """,
    ),
    Invariant(
        "rien_en_retard",
        "Hors liaison muette, aucun travail n'a cinq minutes de retard, ni un remboursement plus de trois jours.",
        f"""
        SELECT p.reference, format('interrogation due le %s', p.prochain_controle_le) FROM paiements_paiement p
        WHERE p.prochain_controle_le < now() - interval '5 minutes' AND {SA_BOUTIQUE_PARLE}
        UNION ALL
        SELECT p.reference, format('à imputer le %s', p.imputer_le) FROM paiements_paiement p
        WHERE p.statut = 'VERIFIE' AND p.imputer_le < now() - interval '5 minutes' AND {DE_CE_MODE}
        UNION ALL
        SELECT p.reference, format('ticket dû le %s', t.prochain_essai_le)
        FROM paiements_ticket t JOIN paiements_paiement p ON p.id = t.paiement_id
        WHERE t.etat = 'A_ENVOYER' AND t.prochain_essai_le < now() - interval '5 minutes' AND {LES_TICKETS_PARTENT}
        UNION ALL
        SELECT p.reference, format('restitution %s %s depuis le %s', d.id, d.etat, d.decidee_le)
        FROM paiements_demanderestitution d JOIN paiements_paiement p ON p.id = d.paiement_id
        WHERE d.etat IN ('APPROUVEE', 'ENVOYEE') AND (
            d.prochain_essai_le IS NULL
            OR (d.prochain_essai_le < now() - interval '5 minutes' AND {SA_BOUTIQUE_PARLE})
            OR d.decidee_le < now() - interval '3 days'
        )
        """,
    ),
    Invariant(
        "ticket_de_chaque_accord",
        "Chaque paiement accepté dont on a le courriel a son ticket.",
        """
        SELECT p.reference, 'aucun ticket' FROM paiements_paiement p JOIN demarches_demarche d ON d.id = p.demarche_id
        WHERE p.debit_id IS NOT NULL AND d.courriel <> ''
          AND NOT EXISTS (SELECT FROM paiements_ticket t WHERE t.paiement_id = p.id)
        """,
    ),
    Invariant(
        "gardes_en_place",
        "Les déclencheurs qui gardent les écritures sont en place et actifs.",
        f"""
        SELECT g.relation, g.garde || ' : absent ou éteint' FROM (VALUES {GARDES}) AS g (relation, garde)
        WHERE NOT EXISTS (
            SELECT FROM pg_trigger t
            WHERE t.tgrelid = g.relation::regclass AND t.tgenabled = 'O' AND t.tgname = g.garde
        )
        """,
    ),
]
