"""
Ce qui doit être vrai à tout instant, en SQL de lecture seule.

Chaque requête rend une ligne par violation : l'objet en cause, et ce qui ne va pas. Aucune ligne : l'invariant tient.
"""

from collections.abc import Iterator
from typing import NamedTuple

from django.db import connection, transaction

from paiements.statuts import ETAT_DE_LA_DEMARCHE, TRANSITIONS


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


PASSAGES = _values(*((avant, t.vers, geste) for geste, t in TRANSITIONS.items() for avant in sorted(t.depuis)))
ETATS = _values(*ETAT_DE_LA_DEMARCHE.items())
DECLENCHEURS = _values(
    ("dettes_mouvement", "mouvement_ajout_seul"),
    ("dettes_mouvement", "mouvement_porte_au_solde"),
    ("dettes_dette", "solde_ecrit_par_les_seuls_mouvements"),
    ("dettes_dette", "solde_initial_au_constat"),
    ("dettes_dette", "dette_reste_a_son_dossier"),
    ("dettes_dette", "dette_jamais_effacee"),
    ("dettes_ligneemise", "ligne_emise_ajout_seul"),
    ("demarches_lignedemarche", "lignes_figees_avec_la_demarche"),
    ("demarches_demarche", "total_egal_somme_des_lignes"),
    ("demarches_demarche", "demarche_figee_apres_payer"),
    ("paiements_paiement", "passages_de_la_table"),
    ("paiements_paiement", "chaque_passage_a_son_etape"),
    ("paiements_paiement", "paiement_nait_initie"),
    ("paiements_paiement", "paiement_immuable_sur_l_essentiel"),
    ("paiements_paiement", "paiement_jamais_efface"),
    ("paiements_etapepaiement", "etape_ajout_seul"),
    ("paiements_notificationpayzen", "notification_ajout_seul"),
    ("paiements_imputation", "imputation_ajout_seul"),
    ("paiements_anomalie", "anomalie_jamais_effacee"),
    ("paiements_demanderestitution", "passages_de_la_restitution"),
    ("paiements_demanderestitution", "restitution_approuvee_telle_que_demandee"),
    ("paiements_demanderestitution", "restitution_jamais_effacee"),
    ("paiements_reprise", "reprise_jamais_au_dela"),
    ("paiements_reprise", "reprise_ajout_seul"),
)

# Les trois requêtes composées ne le sont que de nos énumérations : rien ne vient d'ailleurs.
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
        "aucun_euro_sans_case",
        "L'argent accepté est imputé, restitué, en anomalie, ou en cours de vérification.",
        """
        SELECT p.reference, format('%s : payé %s, imputé %s, reliquat %s, repris d''aucune dette %s', p.statut,
                                   p.montant, i.somme, a.somme, r.somme)
        FROM paiements_paiement p
        CROSS JOIN LATERAL (
            SELECT coalesce(sum(montant), 0) AS somme FROM paiements_imputation WHERE paiement_id = p.id
        ) i
        CROSS JOIN LATERAL (
            SELECT coalesce(sum(montant), 0) AS somme FROM paiements_anomalie
            WHERE paiement_id = p.id AND genre = 'RELIQUAT' AND issue NOT IN ('IMPUTEE', 'RESTITUEE')
        ) a
        CROSS JOIN LATERAL (
            SELECT coalesce(sum(montant), 0) AS somme FROM paiements_reprise
            WHERE paiement_id = p.id AND imputation_id IS NULL
        ) r
        WHERE (p.statut = 'IMPUTE' AND p.montant <> i.somme + a.somme + r.somme)
           OR (p.statut NOT IN ('IMPUTE', 'REJETE', 'RESTITUE') AND i.somme > 0)
        """,
    ),
    Invariant(
        "argent_repris_des_dettes",
        "Ce que la banque a repris est repris des dettes, au centime.",
        """
        SELECT p.reference, format('%s : imputé %s, repris %s, dont %s par part', p.statut, i.somme, r.somme, a.somme)
        FROM paiements_paiement p
        CROSS JOIN LATERAL (
            SELECT coalesce(sum(montant), 0) AS somme FROM paiements_imputation WHERE paiement_id = p.id
        ) i
        LEFT JOIN (
            SELECT origine, sum(montant) AS total FROM dettes_mouvement WHERE genre = 'REJET' GROUP BY origine
        ) m ON m.origine = p.reference
        CROSS JOIN LATERAL (SELECT coalesce(m.total, 0) AS somme) r
        CROSS JOIN LATERAL (
            SELECT coalesce(sum(montant), 0) AS somme FROM paiements_reprise
            WHERE paiement_id = p.id AND imputation_id IS NOT NULL
        ) a
        WHERE (p.statut IN ('REJETE', 'RESTITUE') AND i.somme <> r.somme)
           OR (p.statut NOT IN ('REJETE', 'RESTITUE') AND r.somme <> a.somme)
        """,
    ),
    Invariant(
        "argent_reparti_prouve",
        "Un paiement restitué ou rejeté l'a été par la banque ou par un ordre exécuté, et un ordre exécuté a rendu.",
        """
        SELECT p.reference, format('%s sans preuve', p.statut) FROM paiements_paiement p
        WHERE p.statut IN ('RESTITUE', 'REJETE') AND NOT EXISTS (
            SELECT FROM paiements_notificationpayzen n
            WHERE n.paiement_id = p.id AND (
                (n.sort = 'APPLIQUEE' AND n.cle ~ ('^' || p.uuid || ':(CANCELLED|CAPTURE_FAILED):'))
                OR (n.sort = 'ANOMALIE' AND n.cle ~ ':(AUTHORISED|CAPTURED):CREDIT:')
            )
        ) AND NOT EXISTS (
            SELECT FROM paiements_demanderestitution d
            WHERE d.paiement_id = p.id AND d.etat = 'FAITE' AND d.debit = p.uuid
        ) AND NOT EXISTS (
            SELECT FROM paiements_anomalie a WHERE a.paiement_id = p.id AND a.genre = 'IMPAYE'
        ) AND p.montant <> (
            SELECT coalesce(sum(montant), 0) FROM paiements_reprise r WHERE r.paiement_id = p.id
        )
        UNION ALL
        SELECT p.reference, format('restitution %s faite, paiement %s', d.id, p.statut)
        FROM paiements_demanderestitution d JOIN paiements_paiement p ON p.id = d.paiement_id
        WHERE d.etat = 'FAITE' AND d.anomalie_id IS NULL AND p.statut NOT IN ('RESTITUE', 'REJETE')
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
        "imputation_et_mouvement",
        "Une imputation et son mouvement disent la même chose.",
        """
        SELECT p.reference, format('imputation %s, mouvement %s', i.montant, m.montant)
        FROM paiements_imputation i
        JOIN dettes_mouvement m ON m.id = i.mouvement_id JOIN paiements_paiement p ON p.id = i.paiement_id
        WHERE m.montant <> -i.montant OR m.dette_id <> i.dette_id OR m.genre <> 'IMPUTATION'
           OR m.origine <> p.reference
        """,
    ),
    Invariant(
        "reprise_et_mouvement",
        "Une reprise et son mouvement disent la même chose.",
        """
        SELECT p.reference, format('reprise %s, mouvement %s', r.montant, m.montant)
        FROM paiements_reprise r
        JOIN dettes_mouvement m ON m.id = r.mouvement_id JOIN paiements_paiement p ON p.id = r.paiement_id
        JOIN paiements_imputation i ON i.id = r.imputation_id
        WHERE m.montant <> r.montant OR m.dette_id <> i.dette_id OR m.genre <> 'REJET' OR m.origine <> p.reference
           OR i.paiement_id <> p.id
        """,
    ),
    Invariant(
        "mouvement_sans_imputation",
        "Aucun paiement n'est porté sur une dette sans imputation.",
        """
        SELECT m.origine, format('mouvement %s de %s', m.id, m.montant) FROM dettes_mouvement m
        WHERE m.genre = 'IMPUTATION' AND NOT EXISTS (SELECT FROM paiements_imputation i WHERE i.mouvement_id = m.id)
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
        "accord_prouve",
        "Tout paiement accepté l'a été par un fait authentique, consigné.",
        """
        SELECT p.reference, format('%s sans notification', p.statut) FROM paiements_paiement p
        WHERE p.accepte_le IS NOT NULL AND NOT EXISTS (
            SELECT FROM paiements_notificationpayzen n
            WHERE n.paiement_id = p.id AND n.sort IN ('APPLIQUEE', 'ANOMALIE') AND n.cle LIKE p.uuid || ':%'
        )
        """,
    ),
    Invariant(
        "rien_d_oublie",
        "Ce qui reste à faire a son heure.",
        """
        SELECT p.reference, format('%s sans suite prévue', p.statut) FROM paiements_paiement p
        WHERE p.prochain_controle_le IS NULL AND (
            p.statut = 'EN_ATTENTE' OR (p.statut = 'ACCEPTE' AND p.confirme_le IS NULL)
            OR (p.statut IN ('ACCEPTE', 'VERIFIE', 'IMPUTE') AND p.remis_le IS NULL)
        )
        """,
    ),
    Invariant(
        "rien_en_retard",
        "Aucun travail en attente n'a plus de cinq minutes de retard, ni un remboursement plus de trois jours.",
        """
        SELECT p.reference, format('contrôle dû le %s', p.prochain_controle_le) FROM paiements_paiement p
        WHERE p.prochain_controle_le < now() - interval '5 minutes'
        UNION ALL
        SELECT p.reference, 'vérifié et pas imputé' FROM paiements_paiement p
        WHERE p.statut = 'VERIFIE' AND (
            SELECT max(e.le) FROM paiements_etapepaiement e WHERE e.paiement_id = p.id
        ) < now() - interval '5 minutes'
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
        WHERE p.accepte_le IS NOT NULL AND d.courriel <> ''
          AND NOT EXISTS (SELECT FROM paiements_ticket t WHERE t.paiement_id = p.id)
        """,
    ),
    Invariant(
        "gardes_en_place",
        "Les déclencheurs qui gardent les écritures sont en place et actifs.",
        f"""
        SELECT g.relation, g.garde || ' : absent ou éteint' FROM (VALUES {DECLENCHEURS}) AS g (relation, garde)
        WHERE NOT EXISTS (
            SELECT FROM pg_trigger t
            WHERE t.tgrelid = g.relation::regclass AND t.tgenabled = 'O'
              AND t.tgname LIKE 'pgtrigger\\_' || g.garde || '\\_%'
        )
        """,
    ),
]


def verifier() -> Iterator[Violation]:
    """Rend les violations, dans une transaction en lecture seule : on peut la passer en production."""
    with transaction.atomic(), connection.cursor() as curseur:
        curseur.execute("SET TRANSACTION READ ONLY")
        for invariant in INVARIANTS:
            curseur.execute(invariant.sql)
            for objet, detail in curseur.fetchall():
                yield Violation(invariant, objet, detail)
