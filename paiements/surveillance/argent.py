"""Les invariants de l'argent : chaque euro à sa place, sur les dettes, à la banque, et dans les fichiers de la Caf."""

from django.conf import settings

from paiements.payzen import ACCORDES, CONTRADICTOIRE
from paiements.statuts import RESTITUABLES
from paiements.surveillance.requetes import A_TRANCHER, Invariant, liste

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
    # Le solde de chaque paiement coûte cher : lu une fois (MATERIALIZED), ou de ceux-là seuls (OFFSET 0).
    Invariant(
        "argent_a_sa_place",
        "L'argent que la banque tient est sur les dettes ou en route vers elles ; sinon un agent l'a sous les yeux.",
        f"""
        WITH soldes AS MATERIALIZED (SELECT paiement_id, impute, a_placer FROM paiements_solde)
        SELECT t.uuid, format('%s : tenu %s, imputé %s, sans anomalie', coalesce(p.statut, 'aucun paiement'), c.tenu,
                              coalesce(s.impute, 0))
        FROM paiements_transactionpayzen t JOIN paiements_debit_tenu c ON c.uuid = t.uuid
        LEFT JOIN paiements_paiement p ON p.debit_id = t.uuid LEFT JOIN soldes s ON s.paiement_id = p.id
        WHERE c.tenu <> 0 AND (
            p.id IS NULL OR p.statut NOT IN {liste(RESTITUABLES)} OR (p.statut = 'IMPUTE' AND c.tenu <> s.impute)
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
        FROM paiements_paiement p JOIN soldes s ON s.paiement_id = p.id
        WHERE s.a_placer < 0 AND NOT EXISTS (
            SELECT FROM paiements_anomalie a WHERE a.transaction_id = p.debit_id AND a.etat IN {A_TRANCHER})
        """,
    ),
    Invariant(
        "rien_sur_les_dettes_avant_l_heure",
        "Seul un paiement imputé tient des sommes sur les dettes, et jamais moins que rien.",
        """
        SELECT p.reference, format('%s, imputé %s', p.statut, s.impute)
        FROM paiements_paiement p
        CROSS JOIN LATERAL (SELECT impute FROM paiements_solde WHERE paiement_id = p.id OFFSET 0) s
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
        "mouvement_a_rendre",
        "Tout ce qu'un paiement porte sur une dette, ou en reprend, part à la Caf de cette dette, ou l'attend.",
        """
        SELECT m.origine, format('mouvement %s de %s : parti à %s, à rendre à %s', m.id, m.montant,
                                 coalesce(f.caf_id, 'personne'), coalesce(r.caf_id, 'personne'))
        FROM dettes_mouvement m JOIN dettes_dette d ON d.id = m.dette_id
        LEFT JOIN dettes_ligneemise e ON e.mouvement_id = m.id LEFT JOIN dettes_fichieremis f ON f.id = e.fichier_id
        LEFT JOIN dettes_mouvementarendre r ON r.mouvement_id = m.id
        WHERE m.genre IN ('IMPUTATION', 'REJET')
          AND concat(f.caf_id, r.caf_id) <> d.caf_id
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
            t.statut IN {liste((*ACCORDES, CONTRADICTOIRE))} OR t.verdict = 'TENUE',
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
        "Un fichier d'encaissements dit ses lignes et leur total, et aucune séquence ne manque sans qu'on l'ait dit.",
        """
        SELECT format('%s n° %s', f.caf_id, f.sequence),
               format('dit %s lignes et %s, porte %s et %s', f.lignes, f.total, l.nombre, l.somme)
        FROM dettes_fichieremis f CROSS JOIN LATERAL (
            SELECT count(*) AS nombre, coalesce(-sum(m.montant), 0) AS somme
            FROM dettes_ligneemise e JOIN dettes_mouvement m ON m.id = e.mouvement_id WHERE e.fichier_id = f.id
        ) l WHERE (f.lignes, f.total) <> (l.nombre, l.somme)
        UNION ALL
        SELECT caf_id, format('le n° %s suit le n° %s', sequence, avant) FROM (
            SELECT caf_id, sequence, plancher,
                   coalesce(lag(sequence) OVER (PARTITION BY caf_id ORDER BY sequence), 0) AS avant
            FROM dettes_fichieremis
        ) suite WHERE sequence <> greatest(avant, plancher) + 1
        """,
    ),
]
