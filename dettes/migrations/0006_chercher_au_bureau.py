"""Les index que suit la recherche du bureau : rien ne s'y lit en entier."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('comptes', '0010_cle_du_nom'),
        ('dettes', '0005_fichier_emis_fige'),
    ]

    operations = [
        migrations.AddIndex(
            model_name='dette',
            index=models.Index(fields=['caf', 'reference'], name='dettes_par_reference', opclasses=['', 'varchar_pattern_ops']),
        ),
        migrations.AddIndex(
            model_name='dette',
            index=models.Index(condition=models.Q(('situation__in', ['RECOURS', 'PLAN', 'TRANSMISE', 'ANNULEE'])), fields=['caf', 'situation', 'reference'], name='dettes_par_situation'),
        ),
    ]
