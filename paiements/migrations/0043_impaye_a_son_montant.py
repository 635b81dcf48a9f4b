"""Un impayé a son montant : pour ceux d'avant, le débit entier, comme ils comptaient."""

import importlib

import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models

# L'ajout seul se tait le temps de remplir la colonne : aucun mot, ni aucun compte, ne change.
REMPLIR = """
ALTER TABLE paiements_impaye DISABLE TRIGGER USER;
UPDATE paiements_impaye i SET montant = d.montant FROM paiements_transactionpayzen d WHERE d.uuid = i.debit_id;
ALTER TABLE paiements_impaye ENABLE TRIGGER USER;
"""
_PRIS = """
    SELECT least(d.montant, CASE WHEN d.effectif > 0 AND d.devise_effective IN ('', 'EUR') THEN d.effectif END) AS pris
"""
_LIVRES = """
FROM paiements_transactionpayzen d
LEFT JOIN paiements_paiement p ON p.debit_id = d.uuid
CROSS JOIN LATERAL (
    SELECT coalesce(sum(c.montant), 0) AS somme FROM paiements_transactionpayzen c
    WHERE c.parent_id = d.uuid AND c.devise = 'EUR'
      AND (c.statut IN ('AUTHORISED', 'CAPTURED') OR c.verdict = 'TENUE')
) c
"""
_VIT = "(d.statut IN ('AUTHORISED', 'CAPTURED') OR d.verdict = 'TENUE') AND d.devise = 'EUR'"
# La vue de 0024, et ce qui y change : l'impayé ôte son montant, et pas plus que ce que la banque avait pris.
VUE = f"""
CREATE OR REPLACE VIEW paiements_debit_tenu AS
SELECT d.uuid, d.paiement_id, p.id IS NOT NULL AS is_sien, i.somme > 0 AS is_impaye,
       CASE WHEN {_VIT} THEN m.pris - least(i.somme, m.pris) ELSE 0 END - c.somme AS tenu,
       c.somme AS credite, least(i.somme, m.pris) AS impaye
{_LIVRES}
CROSS JOIN LATERAL ({_PRIS}) m
CROSS JOIN LATERAL (
    SELECT coalesce(sum(sens * montant), 0) AS somme FROM paiements_impaye WHERE debit_id = d.uuid
) i
WHERE d.operation = 'DEBIT';
"""  # noqa: S608 (que nos constantes)
# Une colonne ne s'ôte pas d'une vue : celle de 0024 se refait, et `paiements_solde` (0040) qui la lit.
D_AVANT = f"""
DROP VIEW paiements_solde;
DROP VIEW paiements_debit_tenu;
CREATE VIEW paiements_debit_tenu AS
SELECT d.uuid, d.paiement_id, p.id IS NOT NULL AS is_sien, i.sens > 0 AS is_impaye,
       CASE WHEN {_VIT} AND i.sens = 0 THEN m.pris ELSE 0 END - c.somme AS tenu, c.somme AS credite
{_LIVRES}
CROSS JOIN LATERAL ({_PRIS}) m
CROSS JOIN LATERAL (SELECT coalesce(sum(sens), 0) AS sens FROM paiements_impaye WHERE debit_id = d.uuid) i
WHERE d.operation = 'DEBIT';
{importlib.import_module("paiements.migrations.0040_un_credit_douteux_est_en_l_air").VUE}
"""  # noqa: S608 (idem)


class Migration(migrations.Migration):
    dependencies = [("paiements", "0042_oublier_l_empreinte")]

    operations = [
        pgtrigger.migrations.RemoveTrigger(model_name="impaye", name="impaye_pris_puis_rendu"),
        migrations.AddField("impaye", "montant", models.DecimalField(decimal_places=2, max_digits=9, null=True)),
        migrations.RunSQL(REMPLIR, migrations.RunSQL.noop),
        migrations.AlterField("impaye", "montant", models.DecimalField(decimal_places=2, max_digits=9)),
        migrations.AddConstraint(
            "impaye", models.CheckConstraint(condition=models.Q(("montant__gt", 0)), name="impaye_montant_positif")
        ),
        migrations.RunSQL(VUE, D_AVANT),
        pgtrigger.migrations.AddTrigger(
            model_name='impaye',
            trigger=pgtrigger.compiler.Trigger(name='impaye_entier_si_tu', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (NEW.montant IS NULL)', func='\n                    SELECT coalesce(nullif(sum(i.sens * i.montant), 0), d.montant) INTO NEW.montant\n                    FROM paiements_transactionpayzen d LEFT JOIN paiements_impaye i ON i.debit_id = d.uuid\n                    WHERE d.uuid = NEW.debit_id GROUP BY d.uuid;\n                    RETURN NEW;\n                ', hash='83196117c62cadc1520a3f3241d63dd1699607f2', operation='INSERT', pgid='pgtrigger_impaye_entier_si_tu_30f7a', table='paiements_impaye', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='impaye',
            trigger=pgtrigger.compiler.Trigger(name='impaye_pris_puis_rendu', sql=pgtrigger.compiler.UpsertTriggerSql(func="\n                    IF (\n                        SELECT coalesce(sum(sens * montant), 0) FROM paiements_impaye WHERE debit_id = NEW.debit_id\n                    ) <> (CASE NEW.sens WHEN 1 THEN 0 ELSE NEW.montant END) THEN\n                        RAISE EXCEPTION 'Un débit n''est impayé qu''une fois à la fois, et se rend en entier.';\n                    END IF;\n                    RETURN NEW;\n                ", hash='07670b8ee857001096f53b711c9c22aa3a062598', operation='INSERT', pgid='pgtrigger_impaye_pris_puis_rendu_eebac', table='paiements_impaye', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='impaye',
            trigger=pgtrigger.compiler.Trigger(name='impaye_qui_tient_au_debit', sql=pgtrigger.compiler.UpsertTriggerSql(func="\n                    IF NEW.sens = 1 AND NOT EXISTS (\n                        SELECT FROM paiements_transactionpayzen d JOIN paiements_debit_tenu c ON c.uuid = d.uuid\n                        WHERE d.uuid = NEW.debit_id\n                          AND (NEW.montant = d.montant OR NEW.montant + c.credite <= d.montant)\n                    ) THEN\n                        RAISE EXCEPTION 'Un impayé est du débit entier, ou pas plus que ce qu''il en reste.';\n                    END IF;\n                    RETURN NEW;\n                ", hash='f7ff710aca10ed79078e7755e5c032e02c9e2d08', operation='INSERT', pgid='pgtrigger_impaye_qui_tient_au_debit_ad115', table='paiements_impaye', when='BEFORE')),
        ),
    ]
