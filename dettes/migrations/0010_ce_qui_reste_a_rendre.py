"""Ce qu'il reste à rendre à la Caf se lit d'un coup : le mouvement l'ouvre, son départ l'efface."""

import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models


# Le service paie pendant que l'on migre : ce qui s'écrirait entre le remplissage et ses déclencheurs ne partirait jamais,
# ou serait dit à rendre une fois parti. Une livraison ou une émission tient ces tables plus que les 4 s d'ordinaire.
SEUL = """
SET LOCAL statement_timeout = 0;
SET LOCAL lock_timeout = '60s';
LOCK TABLE dettes_mouvement, dettes_ligneemise IN SHARE ROW EXCLUSIVE MODE;
"""
A_RENDRE = """
INSERT INTO dettes_mouvementarendre (mouvement_id, caf_id)
SELECT m.id, d.caf_id FROM dettes_mouvement m JOIN dettes_dette d ON d.id = m.dette_id
WHERE m.genre IN ('IMPUTATION', 'REJET') AND NOT EXISTS (SELECT FROM dettes_ligneemise e WHERE e.mouvement_id = m.id)
"""
# Dès que la table existe, chaque imputation l'écrit : `droits.sql` ne vient qu'après toutes les migrations.
DROITS = """
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'rembourser_service') THEN
        GRANT SELECT, INSERT, DELETE ON dettes_mouvementarendre TO rembourser_service;
    END IF;
END $$;
"""


class Migration(migrations.Migration):

    dependencies = [
        ('comptes', '0017_empreinte_du_dossier'),
        ('dettes', '0009_trop_percus_plausibles'),
    ]

    operations = [
        migrations.RunSQL(SEUL, migrations.RunSQL.noop),
        migrations.CreateModel(
            name='MouvementARendre',
            fields=[
                ('mouvement', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, primary_key=True, related_name='a_rendre', serialize=False, to='dettes.mouvement')),
                ('caf', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='a_rendre', to='comptes.caf', verbose_name='Caf')),
            ],
            options={
                'verbose_name': 'mouvement à rendre',
                'verbose_name_plural': 'mouvements à rendre',
                'indexes': [models.Index(fields=['caf'], name='mouvements_a_rendre')],
            },
        ),
        migrations.RunSQL(A_RENDRE, migrations.RunSQL.noop),
        migrations.RunSQL(DROITS, migrations.RunSQL.noop),
        pgtrigger.migrations.AddTrigger(
            model_name='ligneemise',
            trigger=pgtrigger.compiler.Trigger(name='ligne_emise_etait_a_rendre', sql=pgtrigger.compiler.UpsertTriggerSql(declare='DECLARE rendus bigint;', func="\n                    DELETE FROM dettes_mouvementarendre r\n                    USING nouvelles n JOIN dettes_fichieremis f ON f.id = n.fichier_id\n                    WHERE r.mouvement_id = n.mouvement_id AND r.caf_id = f.caf_id;\n                    GET DIAGNOSTICS rendus = ROW_COUNT;\n                    IF rendus <> (SELECT count(*) FROM nouvelles) THEN\n                        RAISE EXCEPTION 'Un mouvement de paiement part une fois, dans un fichier de sa Caf.';\n                    END IF;\n                    RETURN NULL;\n                ", hash='24850b23f0f06c1e2e461cd54998e1ba8e330f54', level='STATEMENT', operation='INSERT', pgid='pgtrigger_ligne_emise_etait_a_rendre_02651', referencing='REFERENCING NEW TABLE AS nouvelles ', table='dettes_ligneemise', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='mouvement',
            trigger=pgtrigger.compiler.Trigger(name='mouvement_de_paiement_a_rendre', sql=pgtrigger.compiler.UpsertTriggerSql(condition="WHEN (NEW.genre IN ('IMPUTATION', 'REJET'))", func='\n                    INSERT INTO dettes_mouvementarendre (mouvement_id, caf_id)\n                    SELECT NEW.id, caf_id FROM dettes_dette WHERE id = NEW.dette_id;\n                    RETURN NULL;\n                ', hash='747a7726550b3c26376da2f596f5b65a2713aa79', operation='INSERT', pgid='pgtrigger_mouvement_de_paiement_a_rendre_c141d', table='dettes_mouvement', when='AFTER')),
        ),
    ]
