"""
Ce que la banque tient, dit plus juste : un crédit d'une autre devise ne pèse pas, un montant effectif baissé compte.

Un paiement dit fini attend de nouveau si la banque en reparle, et « refusé » l'emporte sur « abandonné ».
"""

import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models

# Les deux vues de 0007, et ce qui y change : une autre définition sera une autre migration.
VUES = """
DROP VIEW paiements_solde;
CREATE OR REPLACE VIEW paiements_debit_tenu AS
SELECT d.uuid, d.paiement_id, p.id IS NOT NULL AS is_sien, i.sens > 0 AS is_impaye,
       CASE WHEN (d.statut IN ('AUTHORISED', 'CAPTURED') OR d.verdict = 'TENUE') AND d.devise = 'EUR' AND i.sens = 0
            THEN least(d.montant, CASE WHEN d.effectif > 0 AND d.devise_effective IN ('', 'EUR') THEN d.effectif END)
            ELSE 0 END - c.somme AS tenu,
       c.somme AS credite
FROM paiements_transactionpayzen d
LEFT JOIN paiements_paiement p ON p.debit_id = d.uuid
CROSS JOIN LATERAL (
    SELECT coalesce(sum(c.montant), 0) AS somme FROM paiements_transactionpayzen c
    WHERE c.parent_id = d.uuid AND c.devise = 'EUR'
      AND (c.statut IN ('AUTHORISED', 'CAPTURED') OR c.verdict = 'TENUE')
) c
CROSS JOIN LATERAL (SELECT coalesce(sum(sens), 0) AS sens FROM paiements_impaye WHERE debit_id = d.uuid) i
WHERE d.operation = 'DEBIT';
CREATE VIEW paiements_solde AS
SELECT p.id AS paiement_id, coalesce(d.tenu, 0) AS tenu, i.somme AS impute, coalesce(d.tenu, 0) - i.somme AS a_placer,
       a.somme AS a_rendre, q.somme AS douteux,
       EXISTS (
           SELECT FROM paiements_transactionpayzen c
           WHERE c.paiement_id = p.id AND c.operation = 'CREDIT' AND (c.parent_id IS NULL OR c.devise <> 'EUR')
             AND (c.statut IN ('AUTHORISED', 'CAPTURED') OR c.verdict = 'TENUE')
       ) AS is_en_l_air
FROM paiements_paiement p
LEFT JOIN paiements_debit_tenu d ON d.uuid = p.debit_id
CROSS JOIN LATERAL (
    SELECT coalesce(sum(montant), 0) AS somme FROM paiements_imputation WHERE paiement_id = p.id
) i
CROSS JOIN LATERAL (
    SELECT coalesce(sum(t.tenu), 0) AS somme FROM paiements_debit_tenu t WHERE t.paiement_id = p.id AND NOT t.is_sien
) a
CROSS JOIN LATERAL (
    SELECT coalesce(sum(t.montant), 0) AS somme FROM paiements_transactionpayzen t
    WHERE t.paiement_id = p.id AND t.operation = 'DEBIT' AND t.verdict = ''
      AND (t.uuid IS DISTINCT FROM p.debit_id OR p.statut IN ('REJETE', 'RESTITUE'))
      AND t.statut NOT IN ('AUTHORISED', 'CAPTURED', 'AUTHORISED_TO_VALIDATE', 'WAITING_AUTHORISATION', 'WAITING_AUTHORISATION_TO_VALIDATE', 'UNDER_VERIFICATION', 'INITIAL', 'PRE_AUTHORISED', 'WAITING_FOR_PAYMENT', 'CAPTURE_PENDING', 'PENDING', 'SUSPENDED', 'REFUND_TO_RETRY', 'REFUSED', 'ABANDONED', 'NOT_CREATED', 'CANCELLED', 'CAPTURE_FAILED', 'EXPIRED', 'ERROR')
) q;
"""


class Migration(migrations.Migration):

    dependencies = [
        ('paiements', '0023_renvois_du_ticket'),
    ]

    operations = [
        pgtrigger.migrations.RemoveTrigger(
            model_name='paiement',
            name='passages_de_la_table',
        ),
        migrations.AlterField(
            model_name='etapepaiement',
            name='geste',
            field=models.CharField(choices=[('soumettre', 'soumettre à la banque'), ('accepter', 'accepter'), ('attendre', 'attendre de nouveau la banque'), ('refuser', 'refuser'), ('abandonner', 'abandonner'), ('expirer', 'expirer'), ('verifier', 'vérifier'), ('imputer', 'imputer aux dettes'), ('rejeter', 'rejeter'), ('restituer', 'restituer')], max_length=10),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='paiement',
            trigger=pgtrigger.compiler.Trigger(name='passages_de_la_table', sql=pgtrigger.compiler.UpsertTriggerSql(declare='DECLARE _is_valid_transition BOOLEAN;', func='SELECT CONCAT(OLD."statut", \':\', NEW."statut") = ANY(\'{ABANDONNE:ACCEPTE,ABANDONNE:EN_ATTENTE,ABANDONNE:REFUSE,ACCEPTE:REJETE,ACCEPTE:RESTITUE,ACCEPTE:VERIFIE,EN_ATTENTE:ABANDONNE,EN_ATTENTE:ACCEPTE,EN_ATTENTE:EXPIRE,EN_ATTENTE:REFUSE,EXPIRE:ACCEPTE,EXPIRE:EN_ATTENTE,IMPUTE:REJETE,IMPUTE:RESTITUE,INITIE:ABANDONNE,INITIE:EN_ATTENTE,INITIE:EXPIRE,REFUSE:ACCEPTE,REFUSE:EN_ATTENTE,REJETE:ACCEPTE,RESTITUE:ACCEPTE,VERIFIE:IMPUTE,VERIFIE:REJETE,VERIFIE:RESTITUE}\'::text[]) INTO _is_valid_transition; IF (_is_valid_transition IS FALSE AND OLD."statut" IS DISTINCT FROM NEW."statut") THEN RAISE EXCEPTION \'pgtrigger: Invalid transition of field "statut" from "%" to "%" on table %\', OLD."statut", NEW."statut", TG_TABLE_NAME; ELSE RETURN NEW; END IF;', hash='111138858aed2c3c8525fa693807134e9eccd9d2', operation='UPDATE', pgid='pgtrigger_passages_de_la_table_53ca8', table='paiements_paiement', when='BEFORE')),
        ),
        # Pas de retour : 0010, avant elle, n'en a pas non plus.
        migrations.RunSQL(VUES),
    ]
