import django.db.models.deletion
from django.db import migrations, models


# Django les pose pour des LIKE que personne ne fait ; qui revient en arrière n'en a pas davantage besoin.
JAMAIS_LUS = [
    "comptes_allocataire_identite_72d391e6_like",
]


class Migration(migrations.Migration):

    dependencies = [
        ('comptes', '0013_allocataires_radies'),
    ]

    operations = [
        migrations.AlterField(
            model_name='allocataire',
            name='caf',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='allocataires', to='comptes.caf', verbose_name='Caf'),
        ),
        migrations.RunSQL([f"DROP INDEX IF EXISTS {nom}" for nom in JAMAIS_LUS], migrations.RunSQL.noop),
    ]
