"""
La file des agents, reprise telle que les livres la demandent, et le journal de chaque anomalie (docs/adr/0048).

Ce qu'un agent a écrit garde son motif, son nom et sa date ; ce que le service avait récrit par-dessus se journalise
comme du service. Une anomalie mise de côté le reste si les livres la demandent encore ; sinon elle est sans objet.
"""

from django.db import migrations

# Rendre une anomalie récrivait son issue, et laissait le motif, le nom et la date de l'agent qui l'avait écartée.
ETATS = """
CREATE TEMP TABLE d_avant ON COMMIT DROP AS
SELECT a.id, a.resolue_par_id IS NOT NULL AND (
           (a.issue = 'CADUQUE' AND a.genre <> 'IMPAYE')
           OR (a.issue = 'RESTITUEE' AND NOT EXISTS (SELECT FROM paiements_reprise r WHERE r.anomalie_id = a.id)
               AND NOT EXISTS (SELECT FROM paiements_demanderestitution d
                               WHERE d.anomalie_id = a.id AND d.etat = 'FAITE'))
       ) AS recrite
FROM paiements_anomalie a;
UPDATE paiements_anomalie a
SET etat = CASE WHEN a.resolue_le IS NULL THEN 'OUVERTE' WHEN a.issue = 'ECARTEE' THEN 'ECARTEE'
                WHEN d.recrite OR a.resolue_par_id IS NULL THEN 'SANS_OBJET' ELSE 'CLOSE' END
FROM d_avant d WHERE d.id = a.id;
INSERT INTO paiements_etapeanomalie (anomalie_id, de, vers, situation, motif, auteur, le)
SELECT a.id, '', 'OUVERTE', '', coalesce(nullif(left(a.constat->>'motif', 500), ''), 'ouverte'),
       coalesce(u.identifiant, 'service'), a.ouverte_le
FROM paiements_anomalie a LEFT JOIN paiements_paiement p ON p.id = a.paiement_id
LEFT JOIN paiements_impaye i ON a.genre = 'IMPAYE' AND i.debit_id = p.debit_id AND i.sens = 1 AND i.le = a.ouverte_le
LEFT JOIN comptes_utilisateur u ON u.id = i.auteur_id
ORDER BY a.id;
INSERT INTO paiements_etapeanomalie (anomalie_id, de, vers, situation, motif, auteur, le)
SELECT a.id, 'OUVERTE', CASE WHEN d.recrite THEN 'ECARTEE' ELSE a.etat END, '', a.resolution,
       coalesce(u.identifiant, 'service'), a.resolue_le
FROM paiements_anomalie a JOIN d_avant d ON d.id = a.id LEFT JOIN comptes_utilisateur u ON u.id = a.resolue_par_id
WHERE a.resolue_le IS NOT NULL ORDER BY a.id;
INSERT INTO paiements_etapeanomalie (anomalie_id, de, vers, situation, motif, auteur, le)
SELECT a.id, 'ECARTEE', 'SANS_OBJET', '', 'réglée à la banque depuis, à une date qui n''a pas été gardée', 'service',
       now()
FROM paiements_anomalie a JOIN d_avant d ON d.id = a.id WHERE d.recrite ORDER BY a.id;
"""

# De quoi elle parle : la transaction que la banque avait montrée, ou le débit du paiement.
LIENS = """
UPDATE paiements_anomalie a SET detail = left(coalesce(a.constat->>'motif', ''), 300), transaction_id = t.uuid
FROM paiements_anomalie o LEFT JOIN paiements_paiement p ON p.id = o.paiement_id
LEFT JOIN paiements_transactionpayzen t ON t.uuid = coalesce(
    CASE WHEN jsonb_typeof(o.constat->'vu') = 'object' THEN o.constat->'vu'->>'uuid' END,
    CASE WHEN o.genre IN ('IMPAYE', 'RELIQUAT', 'REMISE_ABSENTE', 'DESACCORD', 'PAIEMENT_TARDIF') THEN p.debit_id END)
WHERE o.id = a.id;
UPDATE paiements_anomalie a SET restitution_id = d.id, transaction_id = d.debit_id
FROM paiements_demanderestitution d WHERE a.genre = 'RESTITUTION_REFUSEE' AND a.cle = d.id::text;
"""

# Celles qui racontent un événement : la clé ne dit plus que son objet ; la dernière la prend, les autres gardent la
# leur.
EVENEMENTS = r"""
UPDATE paiements_anomalie a SET genre = 'REPONSE_INATTENDUE'
WHERE a.genre = 'STATUT_INATTENDU' AND (a.cle LIKE 'incomplete:%' OR a.cle LIKE 'ailleurs:%');
UPDATE paiements_anomalie a SET cle = n.cle, situation = n.situation, detail = n.detail FROM (
    SELECT DISTINCT ON (a.genre, v.cle) a.id, v.cle, left(v.situation, 200) AS situation, left(v.detail, 300) AS detail
    FROM paiements_anomalie a LEFT JOIN paiements_paiement p ON p.id = a.paiement_id
    CROSS JOIN LATERAL (
        SELECT a.dette_id::text AS cle, coalesce(a.constat->>'origine', '') AS situation,
               format('il manque %s € à la dette', a.constat->>'manque') AS detail WHERE a.genre = 'SOLDE_NEGATIF'
        UNION ALL
        SELECT a.cle, coalesce(p.debit_id, ''),
               format('accepté par la banque, on le disait %s', a.constat->>'attendu') WHERE a.genre = 'PAIEMENT_TARDIF'
        UNION ALL
        SELECT concat_ws(':', a.constat->'vu'->>'reference', a.constat->'vu'->>'uuid'), '',
               format('%s : %s', a.constat->>'motif', a.constat->'vu'->>'uuid')
        WHERE a.genre = 'REPONSE_INATTENDUE' AND a.cle LIKE 'ailleurs:%'
        UNION ALL
        SELECT regexp_replace(a.cle, ':[^:]*:([^:]*)$', ':\1'), (a.ouverte_le AT TIME ZONE 'Europe/Paris')::date::text,
               format('%s, en interrogeant %s', a.constat->>'dit', a.constat->>'en interrogeant')
        WHERE a.genre = 'REPONSE_INATTENDUE' AND a.constat ? 'dit'
    ) v ORDER BY a.genre, v.cle, a.id DESC
) n WHERE n.id = a.id;
"""

# `paiements.file.attendues`, telle qu'elle était à cette migration : un essai compare les deux sur une base d'avant.
ATTENDUES = """
CREATE TEMP TABLE attendues ON COMMIT DROP AS
WITH t AS (
    SELECT t.*, c.tenu, c.credite, c.is_impaye, t.uuid = p.debit_id AS is_sien, p.statut AS du_paiement,
           p.montant AS demande, p.montant_admis, p.reference AS du_formulaire,
           (t.boutique, t.mode) = (p.boutique, p.mode) AS is_d_ici,
           (t.boutique, t.mode) = (p.boutique, p.mode)
               AND coalesce(lower(t.trans_id) = p.trans_id, true)
               AND coalesce(t.trans_date = date_trunc('second', p.cree_le), true) AS is_notre_formulaire,
           t.statut IN ('AUTHORISED', 'CAPTURED') AS is_vivante,
           t.statut NOT IN (
               'AUTHORISED', 'CAPTURED', 'AUTHORISED_TO_VALIDATE', 'WAITING_AUTHORISATION',
               'WAITING_AUTHORISATION_TO_VALIDATE', 'UNDER_VERIFICATION', 'INITIAL', 'PRE_AUTHORISED',
               'WAITING_FOR_PAYMENT', 'CAPTURE_PENDING', 'PENDING', 'SUSPENDED', 'REFUND_TO_RETRY', 'REFUSED',
               'ABANDONED', 'NOT_CREATED', 'CANCELLED', 'CAPTURE_FAILED', 'EXPIRED', 'ERROR') AS is_douteuse,
           t.devise = 'EUR' AND t.devise_effective IN ('', 'EUR') AS is_en_euros
    FROM paiements_transactionpayzen t
    LEFT JOIN paiements_debit_tenu c ON c.uuid = t.uuid
    LEFT JOIN paiements_paiement p ON p.id = t.paiement_id
), debits AS (
    SELECT t.*, is_douteuse OR statut IN ('EXPIRED', 'ERROR', 'AUTHORISED_TO_VALIDATE') AS a_regarder,
           is_vivante AND (NOT is_en_euros OR coalesce(effectif <> montant, false)) AS autre_somme,
           t.tenu - s.impute AS a_placer
    FROM t JOIN paiements_solde s USING (paiement_id) WHERE operation = 'DEBIT'
), siens AS (
    SELECT *, CASE WHEN credite <> 0 THEN 'ANNULATION_BANQUE' ELSE 'MONTANT_DIFFERENT' END AS nom_de_la_part
    FROM debits WHERE is_sien AND NOT a_regarder AND NOT autre_somme
), soldes AS (
    SELECT p.id, p.reference, p.solde_lu, (
        SELECT coalesce(sum(tenu), 0) FROM t
        WHERE t.paiement_id = p.id AND operation = 'DEBIT' AND is_en_euros AND NOT is_impaye AND NOT is_douteuse
    ) - (
        SELECT coalesce(sum(montant), 0) FROM t
        WHERE t.paiement_id = p.id AND operation = 'CREDIT' AND is_vivante AND parent_id IS NULL
    ) AS solde
    FROM paiements_paiement p WHERE p.solde_lu IS NOT NULL
)
SELECT paiement_id, boutique, genre, cle, situation, transaction_id, NULL::bigint AS restitution_id FROM (
    SELECT t.paiement_id, t.boutique, 'REFERENCE_INCONNUE' AS genre, uuid AS cle, uuid AS transaction_id,
           format('%s %s %s', statut, CASE WHEN operation = 'DEBIT' AND tenu <> 0 THEN tenu ELSE montant END, devise)
               AS situation
    FROM t WHERE paiement_id IS NULL AND (
        (operation = 'DEBIT' AND tenu <> 0) OR (operation = 'CREDIT' AND is_vivante AND parent_id IS NULL)
        OR is_douteuse OR operation NOT IN ('DEBIT', 'CREDIT') OR (is_vivante AND NOT is_en_euros))
    UNION ALL
    SELECT paiement_id, boutique, 'STATUT_INATTENDU', uuid, uuid, statut FROM debits WHERE a_regarder
    UNION ALL
    SELECT paiement_id, boutique, 'IMPAYE', uuid, uuid, 'impayé' FROM debits WHERE is_impaye AND NOT a_regarder
    UNION ALL
    SELECT paiement_id, boutique, 'MONTANT_DIFFERENT', uuid, uuid, format(
        '%s %s, effectif %s %s', montant, devise, coalesce(effectif::text, 'None'), devise_effective)
    FROM debits WHERE autre_somme AND NOT a_regarder
    UNION ALL
    SELECT paiement_id, boutique, 'ANNULATION_BANQUE', uuid, uuid, statut FROM siens
    WHERE statut IN ('CANCELLED', 'CAPTURE_FAILED') AND du_paiement = 'REJETE'
    UNION ALL
    SELECT paiement_id, boutique, nom_de_la_part, uuid, uuid, tenu::text FROM siens
    WHERE du_paiement IN ('ACCEPTE', 'VERIFIE') AND tenu > 0 AND tenu <> demande
      AND tenu IS DISTINCT FROM montant_admis
    UNION ALL
    SELECT paiement_id, boutique, CASE WHEN a_placer > 0 THEN 'RELIQUAT' ELSE nom_de_la_part END, uuid, uuid,
           a_placer::text FROM siens WHERE du_paiement = 'IMPUTE' AND a_placer <> 0
    UNION ALL
    SELECT paiement_id, boutique, 'ECART', uuid, uuid, tenu::text FROM siens
    WHERE du_paiement NOT IN ('ACCEPTE', 'VERIFIE', 'IMPUTE') AND tenu <> 0 AND NOT is_impaye
    UNION ALL
    SELECT paiement_id, boutique,
           CASE WHEN tenu < 0 THEN 'ECART' WHEN NOT is_d_ici THEN 'STATUT_INATTENDU'
                WHEN du_paiement IN ('ACCEPTE', 'VERIFIE', 'IMPUTE', 'REJETE', 'RESTITUE') THEN 'DOUBLE_PAIEMENT'
                WHEN is_notre_formulaire THEN 'MONTANT_DIFFERENT' ELSE 'STATUT_INATTENDU' END, uuid, uuid, tenu::text
    FROM debits WHERE is_sien IS NOT TRUE AND NOT a_regarder AND NOT autre_somme AND tenu <> 0
    UNION ALL
    SELECT paiement_id, boutique, CASE WHEN is_douteuse THEN 'STATUT_INATTENDU' ELSE 'ANNULATION_BANQUE' END, uuid,
           uuid, CASE WHEN is_douteuse THEN statut ELSE montant::text END
    FROM t WHERE paiement_id IS NOT NULL AND operation = 'CREDIT'
      AND (is_douteuse OR (is_vivante AND parent_id IS NULL))
    UNION ALL
    SELECT paiement_id, boutique, 'STATUT_INATTENDU', uuid, uuid, statut
    FROM t WHERE paiement_id IS NOT NULL AND operation NOT IN ('DEBIT', 'CREDIT')
    UNION ALL
    SELECT paiement_id, boutique, CASE WHEN is_sien AND du_paiement = 'ACCEPTE' THEN 'DESACCORD' ELSE 'ECART' END,
           uuid || ':absente', uuid, 'la plateforme ne la montre pas'
    FROM t WHERE paiement_id IS NOT NULL AND absente_le IS NOT NULL AND is_vivante
    UNION ALL
    SELECT id, NULL, 'ECART', reference, NULL, format('lu %s, su %s', solde_lu, solde) FROM soldes
    WHERE solde_lu <> solde
    UNION ALL
    SELECT t.paiement_id, t.boutique, 'REMISE_ABSENTE', t.du_formulaire, t.uuid, '' FROM t
    JOIN paiements_paiement p ON p.id = t.paiement_id
    WHERE is_sien AND du_paiement IN ('ACCEPTE', 'VERIFIE', 'IMPUTE') AND t.statut <> 'CAPTURED'
      AND t.remise_le IS NULL AND now() >= p.cree_le + interval '72 hours'
) des_livres
UNION ALL
SELECT paiement_id, NULL, 'RESTITUTION_REFUSEE', id::text, cause, debit_id, id
FROM paiements_demanderestitution WHERE etat = 'ECHOUEE';
CREATE TEMP TABLE retrouvees (anomalie_id bigint PRIMARY KEY, genre text, cle text, UNIQUE (genre, cle))
ON COMMIT DROP;
"""

# Quelle anomalie d'avant parle de la même chose, de la plus sûre à la moins sûre ; à juger égal, celle qui attend.
RETROUVER = """
INSERT INTO retrouvees (anomalie_id, genre, cle)
SELECT DISTINCT ON (genre, cle) id, genre, cle FROM (
    SELECT DISTINCT ON (a.id) a.id, a.etat, e.genre, e.cle FROM attendues e
    JOIN paiements_anomalie a ON {meme}
    WHERE NOT EXISTS (SELECT FROM retrouvees r WHERE r.anomalie_id = a.id OR (r.genre, r.cle) = (e.genre, e.cle))
    ORDER BY a.id, a.transaction_id = e.transaction_id DESC, e.cle
) proches ORDER BY genre, cle, etat = 'OUVERTE' DESC, id DESC;
"""
D_ARGENT = """(
    'MONTANT_DIFFERENT', 'DOUBLE_PAIEMENT', 'RELIQUAT', 'REFERENCE_INCONNUE', 'DESACCORD', 'STATUT_INATTENDU',
    'ANNULATION_BANQUE', 'IMPAYE', 'RESTITUTION_REFUSEE', 'REMISE_ABSENTE', 'ECART')"""
DE_SOMMES = """(
    'MONTANT_DIFFERENT', 'DOUBLE_PAIEMENT', 'RELIQUAT', 'REFERENCE_INCONNUE', 'STATUT_INATTENDU', 'ANNULATION_BANQUE',
    'ECART')"""
A_TRANCHER = "a.etat IN ('OUVERTE', 'ECARTEE')"
MEME_PAIEMENT = "a.paiement_id IS NOT DISTINCT FROM e.paiement_id"
MEME_GENRE = f"a.genre = e.genre AND {MEME_PAIEMENT}"
MEME_OBJET = "a.transaction_id = e.transaction_id AND a.restitution_id IS NOT DISTINCT FROM e.restitution_id"
MEMES = (
    f"{MEME_GENRE} AND {MEME_OBJET} AND {A_TRANCHER}",
    f"{MEME_GENRE} AND e.paiement_id IS NOT NULL AND e.restitution_id IS NULL AND {A_TRANCHER}",
    # Sous un autre nom : le même argent, ou celui que son crédit rembourse.
    f"{MEME_PAIEMENT} AND {A_TRANCHER} AND a.genre IN {DE_SOMMES} AND e.genre IN {DE_SOMMES}"
    " AND (a.transaction_id = e.transaction_id OR e.transaction_id = ("
    "SELECT c.parent_id FROM paiements_transactionpayzen c WHERE c.uuid = a.transaction_id))",
    f"{MEME_GENRE} AND {MEME_OBJET}",
)

RAPPROCHER = f"""
CREATE TEMP TABLE passages ON COMMIT DROP AS
SELECT a.id, a.etat AS de, CASE WHEN r.anomalie_id IS NULL THEN 'SANS_OBJET' ELSE 'OUVERTE' END AS vers
FROM paiements_anomalie a LEFT JOIN retrouvees r ON r.anomalie_id = a.id
WHERE CASE WHEN r.anomalie_id IS NULL THEN {A_TRANCHER} AND a.genre IN {D_ARGENT} ELSE NOT {A_TRANCHER} END;
UPDATE paiements_anomalie a
SET genre = e.genre, cle = e.cle, situation = e.situation, transaction_id = e.transaction_id,
    restitution_id = e.restitution_id
FROM retrouvees r JOIN attendues e ON (e.genre, e.cle) = (r.genre, r.cle) WHERE r.anomalie_id = a.id;
UPDATE paiements_anomalie a SET etat = p.vers, ouverte_le = CASE p.vers WHEN 'OUVERTE' THEN now() ELSE a.ouverte_le END
FROM passages p WHERE p.id = a.id;
INSERT INTO paiements_etapeanomalie (anomalie_id, de, vers, situation, motif, auteur, le)
SELECT a.id, p.de, p.vers, a.situation, 'les comptes ont été repris dans les trois livres', 'service', now()
FROM passages p JOIN paiements_anomalie a ON a.id = p.id ORDER BY a.id;
WITH nouvelles AS (
    INSERT INTO paiements_anomalie (
        genre, cle, situation, etat, caf_id, paiement_id, transaction_id, restitution_id, detail, ouverte_le, montant,
        constat, issue, resolution)
    SELECT e.genre, e.cle, e.situation, 'OUVERTE', coalesce(p.caf_id, c.code), e.paiement_id, e.transaction_id,
           e.restitution_id, '', now(), 0, '{{}}', '', ''
    FROM attendues e LEFT JOIN paiements_paiement p ON p.id = e.paiement_id
    LEFT JOIN comptes_caf c ON c.boutique = e.boutique
    WHERE NOT EXISTS (SELECT FROM retrouvees r WHERE (r.genre, r.cle) = (e.genre, e.cle))
    ORDER BY e.paiement_id, e.genre, e.cle RETURNING id, situation
)
INSERT INTO paiements_etapeanomalie (anomalie_id, de, vers, situation, motif, auteur, le)
SELECT id, '', 'OUVERTE', situation, 'les comptes ont été repris dans les trois livres', 'service', now()
FROM nouvelles ORDER BY id;
"""


class Migration(migrations.Migration):
    """On ne revient pas de celle-ci : les genres et les clés d'avant ne se refont pas ; restaurez la sauvegarde."""

    dependencies = [("paiements", "0008_reprise_des_livres")]

    operations = [
        migrations.RunSQL(ETATS),
        migrations.RunSQL(LIENS),
        migrations.RunSQL(EVENEMENTS),
        migrations.RunSQL(ATTENDUES),
        *(migrations.RunSQL(RETROUVER.format(meme=meme)) for meme in MEMES),
        migrations.RunSQL(RAPPROCHER),
    ]
