"""
Ce que l'ancienne base savait de la banque, porté dans les trois livres (docs/adr/0048).

Une transaction est l'union de tout ce qu'on en a reçu ; ce qu'aucun message gardé ne dit (la réponse à un ordre de
restitution) devient un message qui dit d'où il vient. Rien n'est effacé ici : les anciennes colonnes s'en vont en 0010.
"""

from django.db import migrations

# Une date que PayZen écrit d'un trait, UTC ; ni erreur, ni date si elle n'en est pas une.
OUTILS = """
CREATE FUNCTION pg_temp.lire_date(texte text) RETURNS timestamptz LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    IF texte !~ '^[0-9]{14}$' THEN RETURN NULL; END IF;
    RETURN (substr(texte, 1, 8) || ' ' || substr(texte, 9, 2) || ':' || substr(texte, 11, 2) || ':'
            || substr(texte, 13, 2) || '+00')::timestamptz;
EXCEPTION WHEN OTHERS THEN RETURN NULL;
END $$;
CREATE FUNCTION pg_temp.lire_devise(texte text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN texte = '978' THEN 'EUR' WHEN texte ~ '^([0-9]{3}|[A-Z]{3})$' THEN texte ELSE '' END
$$;
CREATE TEMP TABLE faits (
    notification_id bigint, rang bigserial, vu_le timestamptz, motif text, source text, uuid text, reference text,
    boutique text, mode text, operation text, devise text, statut text, montant numeric, effectif numeric,
    devise_effective text, parent text, trans_id text, trans_date timestamptz, creee_le timestamptz, marque text,
    carte_fin text, autorisation text
) ON COMMIT DROP;
CREATE INDEX ON faits (uuid);
"""

# Une notification garde ses champs ``vads_`` ; une lecture, le résumé de la transaction. Ni l'incomplète, ni celle qui
# nommait une autre référence n'ont été crues.
DITS = """
INSERT INTO faits (notification_id, vu_le, motif, source, uuid, reference, boutique, mode, operation, devise, statut,
                   montant, effectif, devise_effective, parent, trans_id, trans_date, creee_le, marque, carte_fin,
                   autorisation)
SELECT n.id, n.recue_le, n.motif, n.source, lower(coalesce(v->>'vads_trans_uuid', '')), v->>'vads_order_id',
       v->>'vads_site_id', v->>'vads_ctx_mode',
       CASE WHEN coalesce(v->>'vads_operation_type', '') = '' THEN 'DEBIT'
            WHEN v->>'vads_operation_type' ~ '^[A-Z_]{1,20}$' THEN v->>'vads_operation_type' ELSE 'INCONNUE' END,
       pg_temp.lire_devise(v->>'vads_currency'), v->>'vads_trans_status', (v->>'vads_amount')::numeric / 100,
       CASE WHEN v->>'vads_effective_amount' ~ '^[0-9]{1,9}$' THEN (v->>'vads_effective_amount')::numeric / 100 END,
       pg_temp.lire_devise(coalesce(v->>'vads_effective_currency', '')), '',
       CASE WHEN v->>'vads_trans_id' ~ '^[A-Za-z0-9]{6}$' THEN v->>'vads_trans_id' ELSE '' END,
       pg_temp.lire_date(v->>'vads_trans_date'),
       least(pg_temp.lire_date(v->>'vads_effective_creation_date'), n.recue_le),
       left(coalesce(v->>'vads_card_brand', ''), 30), right(coalesce(v->>'vads_card_number', ''), 4),
       left(coalesce(v->>'vads_auth_number', ''), 20)
FROM paiements_notificationpayzen n CROSS JOIN LATERAL (SELECT n.champs AS v) champs
WHERE v ? 'vads_trans_status' AND n.cle NOT LIKE 'incomplete:%' AND n.cle NOT LIKE 'ailleurs:%'
ORDER BY n.id;
INSERT INTO faits (notification_id, vu_le, motif, source, uuid, reference, boutique, mode, operation, devise, statut,
                   montant, devise_effective, parent, trans_id, marque, carte_fin, autorisation)
SELECT n.id, n.recue_le, n.motif, n.source, coalesce(v->>'uuid', ''), v->>'reference', v->>'boutique', v->>'mode',
       v->>'operation', v->>'devise', v->>'statut', (v->>'montant')::numeric, '', coalesce(v->>'parent', ''),
       CASE WHEN n.source = 'REST' THEN nullif(v->>'trans_id', '') ELSE coalesce(v->>'trans_id', '') END, '', '', ''
FROM paiements_notificationpayzen n CROSS JOIN LATERAL (SELECT n.champs AS v) champs
WHERE v ? 'statut' AND n.cle NOT LIKE 'incomplete:%' AND n.cle NOT LIKE 'ailleurs:%'
ORDER BY n.id;
"""

# Ce qu'aucun message gardé ne dit : la réponse à nos ordres, ce qu'une anomalie montrait, un débit sans sa preuve.
DEDUITS = """
INSERT INTO faits (vu_le, motif, source, uuid, reference, boutique, mode, operation, devise, statut, montant,
                   devise_effective, parent, marque, carte_fin, autorisation)
SELECT d.faite_le, format('réponse à la restitution n° %s', d.id), 'REST', d.uuid, p.reference, p.boutique, p.mode,
       CASE WHEN d.uuid = d.debit_uuid THEN 'DEBIT' ELSE 'CREDIT' END, 'EUR',
       CASE WHEN d.uuid = d.debit_uuid THEN 'CANCELLED' ELSE 'AUTHORISED' END,
       CASE WHEN d.uuid = d.debit_uuid THEN coalesce(
           (SELECT min(f.montant) FROM faits f WHERE f.uuid = d.uuid), d.montant) ELSE d.montant END,
       '', CASE WHEN d.uuid = d.debit_uuid THEN '' ELSE d.debit_uuid END, '', '', ''
FROM paiements_demanderestitution d JOIN paiements_paiement p ON p.id = d.paiement_id
WHERE d.etat = 'FAITE' AND d.uuid <> '' ORDER BY d.id;
INSERT INTO faits (vu_le, motif, source, uuid, reference, boutique, mode, operation, devise, statut, montant,
                   devise_effective, parent, marque, carte_fin, autorisation)
SELECT a.ouverte_le, format('montré par l''anomalie n° %s', a.id), 'REST', v->>'uuid', v->>'reference',
       v->>'boutique', v->>'mode', v->>'operation', v->>'devise', v->>'statut', (v->>'montant')::numeric, '',
       coalesce(v->>'parent', ''), '', '', ''
FROM paiements_anomalie a CROSS JOIN LATERAL (SELECT a.constat->'vu' AS v) vu
WHERE jsonb_typeof(v) = 'object' AND v ?& ARRAY['uuid', 'reference', 'statut', 'montant', 'boutique', 'mode']
  AND v->>'uuid' <> '' AND a.cle NOT LIKE 'ailleurs:%' AND NOT EXISTS (SELECT FROM faits f WHERE f.uuid = v->>'uuid')
ORDER BY a.id;
INSERT INTO faits (vu_le, motif, source, uuid, reference, boutique, mode, operation, devise, statut, montant,
                   devise_effective, parent, trans_id, marque, carte_fin, autorisation)
SELECT p.accepte_le, 'repris du paiement', 'REST', p.uuid, p.reference, p.boutique, p.mode, 'DEBIT', 'EUR',
       CASE WHEN p.remis_le IS NULL THEN 'AUTHORISED' ELSE 'CAPTURED' END, p.montant, '', '', p.trans_id, '', '', ''
FROM paiements_paiement p
WHERE p.accepte_le IS NOT NULL AND NOT EXISTS (SELECT FROM faits f WHERE f.uuid = p.uuid AND f.operation = 'DEBIT')
ORDER BY p.id;
"""

# L'identité d'une transaction est la première dite. Le débit d'un crédit : la plateforme l'a nommé, ou un agent l'a
# compté sur celui du paiement. Les données de carte sont celles du paiement, effacées à leur heure.
TRANSACTIONS = """
CREATE TEMP TABLE identites ON COMMIT DROP AS
SELECT DISTINCT ON (uuid) uuid, reference, boutique, mode, operation, devise FROM faits
WHERE uuid <> '' ORDER BY uuid, rang;
CREATE TEMP TABLE parents ON COMMIT DROP AS
SELECT DISTINCT ON (nommes.uuid) nommes.uuid, nommes.parent FROM (
    SELECT uuid, parent, 1 AS rang FROM faits WHERE operation = 'CREDIT'
    UNION ALL
    SELECT constat->'vu'->>'uuid', constat->'vu'->>'parent', 2 FROM paiements_anomalie
    WHERE constat->'vu'->>'operation' = 'CREDIT'
    UNION ALL
    SELECT a.constat->'vu'->>'uuid', p.uuid, 3 FROM paiements_anomalie a JOIN paiements_paiement p ON p.id = a.paiement_id
    WHERE a.genre = 'ANNULATION_BANQUE' AND a.issue = 'RESTITUEE' AND a.constat->'vu'->>'operation' = 'CREDIT'
) nommes JOIN identites debit ON debit.uuid = nommes.parent AND debit.operation = 'DEBIT'
ORDER BY nommes.uuid, rang;
INSERT INTO paiements_transactionpayzen (
    uuid, paiement_id, reference, boutique, mode, operation, devise, parent_id, statut, verdict, montant, montant_haut,
    effectif, devise_effective, trans_id, trans_date, creee_le, apprise_le, remise_le, marque, carte_fin, autorisation)
SELECT u.uuid, p.id, u.reference, u.boutique, u.mode, u.operation, u.devise, parents.parent, u.statut, '', u.montant,
       u.montant_haut, u.effectif, u.devise_effective, u.trans_id, u.trans_date, u.creee_le,
       CASE WHEN p.uuid = u.uuid THEN least(u.apprise_le, p.accepte_le) ELSE u.apprise_le END,
       CASE WHEN p.uuid = u.uuid THEN p.remis_le END, CASE WHEN p.uuid = u.uuid THEN p.marque ELSE u.marque END,
       CASE WHEN p.uuid = u.uuid THEN p.carte_fin ELSE u.carte_fin END,
       CASE WHEN p.uuid = u.uuid THEN p.autorisation ELSE u.autorisation END
FROM (
    SELECT uuid, reference, boutique, mode, operation, devise, paiements_unir_tous(statut) AS statut,
           min(montant) AS montant, max(montant) AS montant_haut, min(effectif) AS effectif,
           coalesce(max(devise_effective) FILTER (WHERE devise_effective NOT IN ('', 'EUR')),
                    max(devise_effective)) AS devise_effective,
           min(trans_id) AS trans_id, min(trans_date) AS trans_date, min(creee_le) AS creee_le,
           min(vu_le) AS apprise_le, coalesce(max(marque) FILTER (WHERE recent), '') AS marque,
           coalesce(max(carte_fin) FILTER (WHERE recent), '') AS carte_fin, max(autorisation) AS autorisation
    FROM faits JOIN identites USING (uuid, reference, boutique, mode, operation, devise)
    CROSS JOIN LATERAL (SELECT vu_le > now() - interval '456 days' AS recent) age
    GROUP BY uuid, reference, boutique, mode, operation, devise
) u
LEFT JOIN paiements_paiement p ON p.reference = u.reference
LEFT JOIN parents ON parents.uuid = u.uuid AND u.operation = 'CREDIT';
"""

# La preuve, sans la carte. Ce qu'on n'avait pas cru reste écarté.
MESSAGES = """
INSERT INTO paiements_messagepayzen (
    transaction_id, paiement_id, source, operation, statut, montant, champs, sort, motif, recu_le)
SELECT t.uuid, n.paiement_id, n.source, coalesce(f.operation, ''), coalesce(f.statut, ''), f.montant,
       n.champs - ARRAY['vads_card_number', 'vads_card_brand', 'vads_auth_number'],
       CASE WHEN f.rang IS NULL OR (f.uuid <> '' AND i.uuid IS NULL) THEN 'ECARTE' WHEN n.sort = 'DOUBLON' THEN 'DEJA_SU'
            ELSE 'NEUF' END, n.motif, n.recue_le
FROM paiements_notificationpayzen n
LEFT JOIN faits f ON f.notification_id = n.id
LEFT JOIN identites i USING (uuid, reference, boutique, mode, operation, devise)
LEFT JOIN paiements_transactionpayzen t
       ON t.uuid = coalesce(f.uuid, lower(n.champs->>'vads_trans_uuid'), n.champs->>'uuid')
ORDER BY n.id;
INSERT INTO paiements_messagepayzen (
    transaction_id, paiement_id, source, operation, statut, montant, champs, sort, motif, recu_le)
SELECT f.uuid, p.id, f.source, f.operation, f.statut, f.montant, jsonb_build_object('repris', f.motif),
       CASE WHEN i.uuid IS NULL THEN 'ECARTE' ELSE 'NEUF' END, f.motif, f.vu_le
FROM faits f LEFT JOIN identites i USING (uuid, reference, boutique, mode, operation, devise)
LEFT JOIN paiements_paiement p ON p.reference = f.reference
WHERE f.notification_id IS NULL ORDER BY f.rang;
"""

# Le montant qu'un agent avait admis est celui d'avant l'imputation : le demandé, moins ce qu'il en avait repris.
PAIEMENTS = """
UPDATE paiements_paiement p SET debit_id = p.uuid
WHERE p.statut IN ('ACCEPTE', 'VERIFIE', 'IMPUTE', 'REJETE', 'RESTITUE');
UPDATE paiements_paiement p SET montant_admis = p.montant - r.somme
FROM (
    SELECT r.paiement_id, sum(r.montant) AS somme
    FROM paiements_reprise r JOIN paiements_anomalie a ON a.id = r.anomalie_id
    WHERE r.imputation_id IS NULL AND a.genre IN ('MONTANT_DIFFERENT', 'ANNULATION_BANQUE') AND NOT EXISTS (
        SELECT FROM paiements_etapepaiement e
        WHERE e.paiement_id = r.paiement_id AND e.geste = 'imputer' AND e.le < r.le)
    GROUP BY r.paiement_id
) r WHERE r.paiement_id = p.id AND r.somme < p.montant;
UPDATE paiements_paiement p SET imputer_le = coalesce(
    (SELECT max(e.le) FROM paiements_etapepaiement e WHERE e.paiement_id = p.id AND e.vers = 'VERIFIE'), now())
WHERE p.statut = 'VERIFIE';
-- La dernière lecture, quand elle ne s'accordait pas.
UPDATE paiements_paiement p SET solde_lu = e.banque FROM (
    SELECT DISTINCT ON (paiement_id) paiement_id, issue, (constat->'vu'->>'montant')::numeric AS banque
    FROM paiements_anomalie WHERE genre = 'ECART' AND paiement_id IS NOT NULL ORDER BY paiement_id, id DESC
) e WHERE e.paiement_id = p.id AND e.issue IN ('', 'ECARTEE');
UPDATE paiements_transactionpayzen t SET absente_le = d.ouverte_le FROM (
    SELECT DISTINCT ON (a.paiement_id) p.debit_id, a.ouverte_le, a.issue, a.constat
    FROM paiements_anomalie a JOIN paiements_paiement p ON p.id = a.paiement_id
    WHERE a.genre = 'DESACCORD' AND p.statut = 'ACCEPTE' ORDER BY a.paiement_id, a.id DESC
) d WHERE d.debit_id = t.uuid AND d.issue IN ('', 'ECARTEE') AND jsonb_typeof(d.constat->'vu') = 'string';
-- Une notification ne nomme pas le débit d'un crédit ; la plateforme, relue, le dira.
UPDATE paiements_paiement p SET prochain_controle_le = now() WHERE EXISTS (
    SELECT FROM paiements_transactionpayzen c WHERE c.paiement_id = p.id AND c.operation = 'CREDIT'
      AND c.parent_id IS NULL AND c.statut IN ('AUTHORISED', 'CAPTURED'));
"""

# Un impayé, et son annulation : deux écritures. Réenregistré, le journal n'avait pas gardé par qui.
IMPAYES = """
INSERT INTO paiements_impaye (debit_id, sens, motif, auteur_id, le)
SELECT p.uuid, e.sens, e.motif, e.auteur_id, e.le
FROM paiements_anomalie a JOIN paiements_paiement p ON p.id = a.paiement_id
CROSS JOIN LATERAL (
    SELECT 1 AS sens, left(coalesce(a.constat->>'motif', ''), 200) AS motif, a.ouverte_le AS le, (
        SELECT u.id FROM paiements_etapepaiement e JOIN comptes_utilisateur u ON u.identifiant = e.auteur
        WHERE e.paiement_id = p.id AND e.geste = 'rejeter'
          AND e.le BETWEEN a.ouverte_le - interval '1 minute' AND a.ouverte_le + interval '1 minute' LIMIT 1
    ) AS auteur_id
    UNION ALL
    SELECT -1, left(a.resolution, 200), a.resolue_le, a.resolue_par_id WHERE a.issue = 'CADUQUE'
) e
WHERE a.genre = 'IMPAYE' ORDER BY a.id, e.sens DESC;
"""

# L'heure que la Caf a lue ne change pas. Reprendre est une imputation négative, au mouvement déjà écrit.
IMPUTATIONS = """
UPDATE paiements_imputation i
SET debit_id = p.debit_id, paye_le = p.accepte_le, motif = coalesce(reste.motif, etape.motif, 'imputé'),
    auteur = coalesce(reste.auteur, etape.auteur, 'service')
FROM paiements_paiement p, dettes_mouvement m
LEFT JOIN LATERAL (
    SELECT left(e.motif, 200) AS motif, e.auteur, e.le FROM paiements_etapepaiement e
    JOIN paiements_paiement q ON q.id = e.paiement_id
    WHERE q.reference = m.origine AND e.geste = 'imputer' ORDER BY e.id LIMIT 1
) etape ON true
LEFT JOIN LATERAL (
    SELECT left(a.resolution, 200) AS motif, u.identifiant AS auteur FROM paiements_anomalie a
    JOIN paiements_paiement q ON q.id = a.paiement_id JOIN comptes_utilisateur u ON u.id = a.resolue_par_id
    WHERE q.reference = m.origine AND a.genre = 'RELIQUAT' AND a.issue = 'IMPUTEE' AND m.le > etape.le LIMIT 1
) reste ON true
WHERE p.id = i.paiement_id AND m.id = i.mouvement_id;
INSERT INTO paiements_imputation (paiement_id, debit_id, dette_id, montant, mouvement_id, paye_le, motif, auteur)
SELECT i.paiement_id, i.debit_id, i.dette_id, -m.montant, m.id, i.paye_le, m.motif,
       coalesce(u.identifiant, etape.auteur, 'service')
FROM dettes_mouvement m
JOIN paiements_paiement p ON p.reference = m.origine
JOIN paiements_imputation i ON i.paiement_id = p.id AND i.dette_id = m.dette_id AND i.montant > 0
LEFT JOIN paiements_reprise r ON r.mouvement_id = m.id
LEFT JOIN paiements_anomalie a ON a.id = r.anomalie_id
LEFT JOIN comptes_utilisateur u ON u.id = a.resolue_par_id
LEFT JOIN LATERAL (
    SELECT e.auteur FROM paiements_etapepaiement e
    WHERE r.id IS NULL AND e.paiement_id = p.id AND e.geste IN ('rejeter', 'restituer') AND e.le >= m.le
    ORDER BY e.id LIMIT 1
) etape ON true
WHERE m.genre = 'REJET' ORDER BY m.id;
"""

RESTITUTIONS = """
UPDATE paiements_demanderestitution d
SET debit_id = d.debit_uuid,
    credit_id = (SELECT t.uuid FROM paiements_transactionpayzen t WHERE t.uuid = d.uuid AND t.operation = 'CREDIT'),
    cause = left(coalesce((
        SELECT a.constat->>'refus' FROM paiements_anomalie a
        WHERE a.genre = 'RESTITUTION_REFUSEE' AND a.cle = d.id::text), ''), 200);
"""


class Migration(migrations.Migration):
    """Revenir n'ôte que les imputations négatives : 0007, à rebours, fait le reste, et rien d'ancien n'a changé."""

    dependencies = [("paiements", "0007_trois_livres")]

    operations = [
        *(
            migrations.RunSQL(sql, migrations.RunSQL.noop)
            for sql in (OUTILS, DITS, DEDUITS, TRANSACTIONS, MESSAGES, PAIEMENTS, IMPAYES, RESTITUTIONS)
        ),
        migrations.RunSQL(IMPUTATIONS, "DELETE FROM paiements_imputation WHERE montant < 0"),
    ]
