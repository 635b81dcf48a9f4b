"""Un crédit dont la banque dit deux choses, ou un mot inconnu, retient l'imputation comme un débit douteux."""

from django.db import migrations

CONNUS = """
    'AUTHORISED', 'CAPTURED', 'AUTHORISED_TO_VALIDATE', 'WAITING_AUTHORISATION',
    'WAITING_AUTHORISATION_TO_VALIDATE', 'UNDER_VERIFICATION', 'INITIAL', 'PRE_AUTHORISED',
    'WAITING_FOR_PAYMENT', 'CAPTURE_PENDING', 'PENDING', 'SUSPENDED', 'REFUND_TO_RETRY', 'REFUSED',
    'ABANDONED', 'NOT_CREATED', 'CANCELLED', 'CAPTURE_FAILED', 'EXPIRED', 'ERROR'
"""
# La vue de 0024, et ce qui y change : `is_en_l_air`.
VUE = """
CREATE OR REPLACE VIEW paiements_solde AS
SELECT p.id AS paiement_id, coalesce(d.tenu, 0) AS tenu, i.somme AS impute, coalesce(d.tenu, 0) - i.somme AS a_placer,
       a.somme AS a_rendre, q.somme AS douteux,
       EXISTS (
           SELECT FROM paiements_transactionpayzen c
           WHERE c.paiement_id = p.id AND c.operation = 'CREDIT'
             AND (((c.parent_id IS NULL OR c.devise <> 'EUR')
                   AND (c.statut IN ('AUTHORISED', 'CAPTURED') OR c.verdict = 'TENUE'))
                  OR (c.verdict = '' AND c.statut NOT IN (CONNUS)))
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
      AND t.statut NOT IN (CONNUS)
) q;""".replace("CONNUS", CONNUS)


class Migration(migrations.Migration):
    dependencies = [("paiements", "0039_le_manque_d_une_dette")]

    operations = [migrations.RunSQL(VUE, migrations.RunSQL.noop)]
