"""
Ce qui doit être vrai à tout instant, en SQL de lecture seule.

Chaque requête rend une ligne par violation : l'objet en cause, et ce qui ne va pas. Aucune ligne : l'invariant tient.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import pgtrigger
from django.conf import settings
from django.db import OperationalError, connection, transaction

from paiements.models import Anomalie
from paiements.models.anomalie import PASSAGES as PASSAGES_DE_LA_FILE
from paiements.payzen import ACCORDES, CONTRADICTOIRE
from paiements.statuts import ETAT_DE_LA_DEMARCHE, RESTITUABLES, TRANSITIONS


class Invariant(NamedTuple):
    nom: str
    phrase: str
    sql: str


class Violation(NamedTuple):
    invariant: Invariant
    objet: str
    detail: str


def _values(*lignes: tuple[str, ...]) -> str:
    """Une table SQL constante, faite de nos énumérations : aucun texte venu d'ailleurs."""
    return ", ".join("(" + ", ".join(f"'{valeur}'" for valeur in ligne) + ")" for ligne in lignes)


def _liste(mots: Iterable[str]) -> str:
    return "(" + ", ".join(f"'{mot}'" for mot in mots) + ")"


PASSAGES = _values(*((avant, t.vers, geste) for geste, t in TRANSITIONS.items() for avant in sorted(t.depuis)))
# Ouverte, une anomalie dont la situation change le redit à son journal.
PASSAGES_DES_ANOMALIES = _values(("", "OUVERTE"), ("OUVERTE", "OUVERTE"), *PASSAGES_DE_LA_FILE)
ETATS = _values(*ETAT_DE_LA_DEMARCHE.items())
GARDES = _values(*((modele._meta.db_table, garde.get_pgid(modele)) for modele, garde in pgtrigger.registered()))
A_TRANCHER = _liste([Anomalie.Etat.OUVERTE, Anomalie.Etat.ECARTEE])

# À huit millions de dettes, la plus longue prend une minute ; les délais du web n'y suffisent pas.
DELAI = "20min"

# Les requêtes composées ne le sont que de nos énumérations et d'un réglage : rien ne vient d'ailleurs.
# ruff: noqa: S608
INVARIANTS = [
    Invariant(
        "total_des_lignes",
        "Le total d'une démarche demandée est la somme de ses lignes.",
        """
        SELECT d.reference, format('total %s, lignes %s', d.montant, coalesce(sum(l.montant), 0))
        FROM demarches_demarche d LEFT JOIN demarches_lignedemarche l ON l.demarche_id = d.id
        WHERE d.etat NOT IN ('BROUILLON', 'ABANDONNEE')
        GROUP BY d.id HAVING d.montant <> coalesce(sum(l.montant), 0)
        """,
    ),
    Invariant(
        "solde_et_mouvements",
        "Un solde est le montant initial plus les mouvements, et n'est jamais négatif.",
        """
        SELECT d.reference, format('solde %s, écritures %s', d.solde, d.montant_initial + coalesce(m.somme, 0))
        FROM dettes_dette d LEFT JOIN (
            SELECT dette_id, sum(montant) AS somme FROM dettes_mouvement WHERE genre <> 'CONSTAT' GROUP BY dette_id
        ) m ON m.dette_id = d.id
        WHERE d.solde <> d.montant_initial + coalesce(m.somme, 0) OR d.solde < 0
        """,
    ),
    Invariant(
        "constat",
        "Toute dette a son constat.",
        """
        SELECT d.reference, 'aucun constat' FROM dettes_dette d
        WHERE NOT EXISTS (SELECT FROM dettes_mouvement m WHERE m.dette_id = d.id AND m.genre = 'CONSTAT')
        """,
    ),
    Invariant(
        "soldes_enchaines",
        "Chaque écriture donne le solde qui suit la précédente.",
        """
        SELECT d.reference, format('mouvement %s : solde %s, attendu %s', m.id, m.solde_apres, m.attendu) FROM (
            SELECT id, dette_id, solde_apres, CASE genre WHEN 'CONSTAT' THEN montant ELSE montant + lag(solde_apres)
                   OVER (PARTITION BY dette_id ORDER BY id) END AS attendu
            FROM dettes_mouvement
        ) m JOIN dettes_dette d ON d.id = m.dette_id WHERE m.solde_apres IS DISTINCT FROM m.attendu
        """,
    ),
    Invariant(
        "argent_a_sa_place",
        "L'argent que la banque tient est sur les dettes ou en route vers elles ; sinon un agent l'a sous les yeux.",
        f"""
        SELECT t.uuid, format('%s : tenu %s, imputé %s, sans anomalie', coalesce(p.statut, 'aucun paiement'), c.tenu,
                              coalesce(s.impute, 0))
        FROM paiements_transactionpayzen t JOIN paiements_debit_tenu c ON c.uuid = t.uuid
        LEFT JOIN paiements_paiement p ON p.debit_id = t.uuid LEFT JOIN paiements_solde s ON s.paiement_id = p.id
        WHERE c.tenu <> 0 AND (
            p.id IS NULL OR p.statut NOT IN {_liste(RESTITUABLES)} OR (p.statut = 'IMPUTE' AND c.tenu <> s.impute)
            OR (p.statut <> 'IMPUTE' AND c.tenu <> p.montant AND c.tenu IS DISTINCT FROM p.montant_admis)
        ) AND NOT EXISTS (
            SELECT FROM paiements_anomalie a WHERE a.transaction_id = t.uuid AND a.etat IN {A_TRANCHER})
        UNION ALL
        SELECT uuid, 'crédit en l''air, sans anomalie' FROM paiements_transactionpayzen t
        WHERE operation = 'CREDIT' AND (parent_id IS NULL OR devise <> 'EUR') AND statut IN ('AUTHORISED', 'CAPTURED')
          AND NOT EXISTS (
            SELECT FROM paiements_anomalie a WHERE a.transaction_id = t.uuid AND a.etat IN {A_TRANCHER})
        UNION ALL
        SELECT p.reference, format('%s, imputé %s de plus que tenu', p.statut, -s.a_placer)
        FROM paiements_paiement p JOIN paiements_solde s ON s.paiement_id = p.id
        WHERE s.a_placer < 0 AND NOT EXISTS (
            SELECT FROM paiements_anomalie a WHERE a.transaction_id = p.debit_id AND a.etat IN {A_TRANCHER})
        """,
    ),
    Invariant(
        "rien_sur_les_dettes_avant_l_heure",
        "Seul un paiement imputé tient des sommes sur les dettes, et jamais moins que rien.",
        """
        SELECT p.reference, format('%s, imputé %s', p.statut, s.impute)
        FROM paiements_paiement p JOIN paiements_solde s ON s.paiement_id = p.id
        WHERE p.statut <> 'IMPUTE' AND s.impute <> 0
        UNION ALL
        SELECT p.reference, format('dette %s : %s', i.dette_id, sum(i.montant))
        FROM paiements_imputation i JOIN paiements_paiement p ON p.id = i.paiement_id
        GROUP BY p.id, i.dette_id HAVING sum(i.montant) < 0
        """,
    ),
    Invariant(
        "imputation_et_mouvement",
        "Une imputation et son mouvement disent la même chose, d'un débit de ce paiement.",
        """
        SELECT p.reference, format('imputation %s, mouvement %s %s', i.montant, m.genre, m.montant)
        FROM paiements_imputation i
        JOIN dettes_mouvement m ON m.id = i.mouvement_id JOIN paiements_paiement p ON p.id = i.paiement_id
        JOIN paiements_transactionpayzen t ON t.uuid = i.debit_id
        WHERE m.montant <> -i.montant OR m.dette_id <> i.dette_id OR m.origine <> p.reference
           OR m.genre <> CASE WHEN i.montant > 0 THEN 'IMPUTATION' ELSE 'REJET' END
           OR t.operation <> 'DEBIT' OR t.paiement_id IS DISTINCT FROM p.id
        """,
    ),
    Invariant(
        "mouvement_sans_imputation",
        "Aucun paiement n'est porté sur une dette, ni repris d'elle, sans imputation.",
        """
        SELECT m.origine, format('mouvement %s de %s', m.id, m.montant) FROM dettes_mouvement m
        WHERE m.genre IN ('IMPUTATION', 'REJET')
          AND NOT EXISTS (SELECT FROM paiements_imputation i WHERE i.mouvement_id = m.id)
        """,
    ),
    Invariant(
        "transaction_prouvee",
        "L'état d'une transaction est l'union de ce qu'on en a reçu.",
        """
        SELECT t.uuid, format('%s %s à %s, reçu %s %s à %s', t.statut, t.montant, t.montant_haut,
                              m.statut, m.bas, m.haut)
        FROM paiements_transactionpayzen t CROSS JOIN LATERAL (
            SELECT paiements_unir_tous(statut) AS statut, min(montant) AS bas, max(montant) AS haut
            FROM paiements_messagepayzen WHERE transaction_id = t.uuid AND sort <> 'ECARTE'
        ) m WHERE (t.statut, t.montant, t.montant_haut) IS DISTINCT FROM (m.statut, m.bas, m.haut)
        """,
    ),
    Invariant(
        "debit_du_paiement",
        "Le débit d'un paiement encaissé est à lui, accordé, en euros, du montant demandé ou admis.",
        f"""
        SELECT p.reference, format('%s : débit %s %s de %s, %s', p.statut, t.operation, t.statut, t.montant,
                                   t.reference)
        FROM paiements_paiement p JOIN paiements_transactionpayzen t ON t.uuid = p.debit_id
        WHERE (
            t.operation, t.devise, t.paiement_id, t.reference, t.boutique, t.mode,
            t.statut IN {_liste((*ACCORDES, CONTRADICTOIRE))} OR t.verdict = 'TENUE',
            p.montant BETWEEN t.montant AND t.montant_haut OR
            coalesce(p.montant_admis BETWEEN t.montant AND t.montant_haut, false)
        ) IS DISTINCT FROM ('DEBIT', 'EUR', p.id, p.reference, p.boutique, p.mode, true, true)
        """,
    ),
    Invariant(
        "restitution_prouvee",
        "Une restitution faite l'est par un débit défait, ou par un crédit de ce débit.",
        f"""
        SELECT p.reference, format('restitution %s faite sans preuve', r.id)
        FROM paiements_demanderestitution r JOIN paiements_paiement p ON p.id = r.paiement_id
        JOIN paiements_transactionpayzen t ON t.uuid = r.debit_id
        LEFT JOIN paiements_transactionpayzen c ON c.uuid = r.credit_id
        WHERE r.etat = 'FAITE' AND NOT CASE
            WHEN c.uuid IS NULL THEN t.statut IN ('CANCELLED', 'CAPTURE_FAILED', '{CONTRADICTOIRE}')
            ELSE c.operation = 'CREDIT' AND coalesce(c.parent_id = t.uuid, true) END
        """,
    ),
    Invariant(
        "un_seul_mode",
        "Aucun paiement d'un autre mode n'est sur une dette, ni dans un fichier rendu à la Caf.",
        f"""
        SELECT p.reference, format('mode %s, imputé %s', p.mode, sum(i.montant))
        FROM paiements_imputation i JOIN paiements_paiement p ON p.id = i.paiement_id
        JOIN paiements_transactionpayzen t ON t.uuid = i.debit_id
        WHERE p.mode <> '{settings.PAYZEN_MODE}' OR t.mode <> '{settings.PAYZEN_MODE}' GROUP BY p.id
        """,
    ),
    Invariant(
        "encaissements_justes",
        "Un fichier d'encaissements dit ses lignes et leur total, et aucune séquence ne manque.",
        """
        SELECT format('%s n° %s', f.caf_id, f.sequence),
               format('dit %s lignes et %s, porte %s et %s', f.lignes, f.total, l.nombre, l.somme)
        FROM dettes_fichieremis f CROSS JOIN LATERAL (
            SELECT count(*) AS nombre, coalesce(-sum(m.montant), 0) AS somme
            FROM dettes_ligneemise e JOIN dettes_mouvement m ON m.id = e.mouvement_id WHERE e.fichier_id = f.id
        ) l WHERE (f.lignes, f.total) <> (l.nombre, l.somme)
        UNION ALL
        SELECT caf_id, format('%s fichiers, dernière séquence %s', count(*), max(sequence))
        FROM dettes_fichieremis GROUP BY caf_id HAVING count(*) <> max(sequence)
        """,
    ),
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
            OR (p.statut IN {_liste(RESTITUABLES)} AND t.statut <> 'CAPTURED' AND t.remise_le IS NULL)
        ))
        """,
    ),
    Invariant(
        "rien_en_retard",
        "Aucun travail en attente n'a plus de cinq minutes de retard, ni un remboursement plus de trois jours.",
        """
        SELECT p.reference, format('interrogation due le %s', p.prochain_controle_le) FROM paiements_paiement p
        WHERE p.prochain_controle_le < now() - interval '5 minutes'
        UNION ALL
        SELECT p.reference, format('à imputer le %s', p.imputer_le) FROM paiements_paiement p
        WHERE p.statut = 'VERIFIE' AND p.imputer_le < now() - interval '5 minutes'
        UNION ALL
        SELECT p.reference, format('ticket dû le %s', t.prochain_essai_le)
        FROM paiements_ticket t JOIN paiements_paiement p ON p.id = t.paiement_id
        WHERE t.etat = 'A_ENVOYER' AND t.prochain_essai_le < now() - interval '5 minutes'
        UNION ALL
        SELECT p.reference, format('restitution %s %s depuis le %s', d.id, d.etat, d.decidee_le)
        FROM paiements_demanderestitution d JOIN paiements_paiement p ON p.id = d.paiement_id
        WHERE d.etat IN ('APPROUVEE', 'ENVOYEE') AND (
            d.prochain_essai_le IS NULL OR d.prochain_essai_le < now() - interval '5 minutes'
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


def verifier() -> Iterator[Violation]:
    """Rend les violations, dans une transaction en lecture seule : on peut la passer en production."""
    for _, violations in regarder():
        yield from violations


def regarder(pas_vus: dict[str, str] | None = None) -> Iterator[tuple[Invariant, list[Violation]]]:
    """
    Regarde les invariants un à un, en lecture seule : chacun, et ses violations.

    :param pas_vus: reçoit, par nom, pourquoi un invariant n'a pas pu être regardé ; les autres le sont quand même
    :raises OperationalError: si la base ne répond plus, ou, sans `pas_vus`, dès que l'un ne peut pas être regardé
    """
    with transaction.atomic(), connection.cursor() as curseur:
        curseur.execute(f"SET TRANSACTION READ ONLY; SET LOCAL statement_timeout = '{DELAI}'")
        for invariant in INVARIANTS:
            try:
                with transaction.atomic():
                    curseur.execute(invariant.sql)
                    violations = [Violation(invariant, objet, detail) for objet, detail in curseur.fetchall()]
            except OperationalError as echec:
                if pas_vus is None or not connection.is_usable():
                    raise
                pas_vus[invariant.nom] = str(echec).partition("\n")[0]
            else:
                yield invariant, violations
