"""Un fichier émis garde le numéro que la Caf avait reçu ; ses lignes ne vérifient plus leurs liens une à une."""

import django.db.models.deletion
from django.db import migrations, models

# Ôter une clé étrangère prend les trois tables : d'abord, dans l'ordre d'une émission, et pas plus tard qu'il ne faut.
SEUL = """
SET LOCAL statement_timeout = 0;
SET LOCAL lock_timeout = '60s';
LOCK TABLE dettes_fichieremis, dettes_ligneemise, dettes_mouvement IN ACCESS EXCLUSIVE MODE;
"""
# Un fichier émis ne s'efface pas : un trou vient d'un `--plancher`, donc d'une absence dite. La garde qui tient un
# fichier émis se tait le temps de l'écrire : rien de ce que la Caf a reçu n'y change.
DIRE_LE_PASSE = """
ALTER TABLE dettes_fichieremis DISABLE TRIGGER USER;
UPDATE dettes_fichieremis f SET plancher = f.sequence - 1
FROM (
    SELECT id, coalesce(lag(sequence) OVER (PARTITION BY caf_id ORDER BY sequence), 0) AS avant FROM dettes_fichieremis
) suite WHERE suite.id = f.id AND f.sequence > suite.avant + 1;
ALTER TABLE dettes_fichieremis ENABLE TRIGGER USER;
"""
# La version d'avant, à qui l'on peut revenir, lit et écrit `id` : il reste à la table, sans index, jusqu'à une version
# d'après ; les modèles ne le connaissent plus. La clé est le mouvement : un index de moins à chaque ligne.
CLE_DU_MOUVEMENT = """
ALTER TABLE dettes_ligneemise DROP CONSTRAINT dettes_ligneemise_pkey,
    DROP CONSTRAINT dettes_ligneemise_mouvement_id_key, ADD PRIMARY KEY (mouvement_id);
"""
CLE_D_AVANT = """
ALTER TABLE dettes_ligneemise DROP CONSTRAINT dettes_ligneemise_pkey, ADD PRIMARY KEY (id),
    ADD CONSTRAINT dettes_ligneemise_mouvement_id_key UNIQUE (mouvement_id);
"""


class Migration(migrations.Migration):

    dependencies = [
        ('dettes', '0011_trop_paye_a_reprendre'),
    ]

    operations = [
        migrations.RunSQL(SEUL, migrations.RunSQL.noop),
        migrations.AddField(
            model_name='fichieremis',
            name='plancher',
            field=models.PositiveIntegerField(db_default=0, default=0, editable=False),
        ),
        migrations.RunSQL(DIRE_LE_PASSE, migrations.RunSQL.noop),
        migrations.AlterField(
            model_name='ligneemise',
            name='fichier',
            field=models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.PROTECT, related_name='lignes_emises', to='dettes.fichieremis'),
        ),
        migrations.AlterField(
            model_name='ligneemise',
            name='mouvement',
            field=models.OneToOneField(db_constraint=False, on_delete=django.db.models.deletion.PROTECT, related_name='ligne_emise', to='dettes.mouvement'),
        ),
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunSQL(CLE_DU_MOUVEMENT, CLE_D_AVANT)],
            state_operations=[
                migrations.RemoveField(model_name='ligneemise', name='id'),
                migrations.AlterField(
                    model_name='ligneemise',
                    name='mouvement',
                    field=models.OneToOneField(db_constraint=False, on_delete=django.db.models.deletion.PROTECT, primary_key=True, related_name='ligne_emise', serialize=False, to='dettes.mouvement'),
                ),
            ],
        ),
    ]
