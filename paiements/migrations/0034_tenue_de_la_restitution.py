"""Qui exécute une restitution, jusqu'à quand : une ligne, et non un verrou de connexion (docs/adr/0058)."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('paiements', '0033_mises_de_cote_et_parts'),
    ]

    operations = [
        migrations.AddField(
            model_name='demanderestitution',
            name='tenue_jusqu_a',
            field=models.DateTimeField(blank=True, null=True, verbose_name="tenue par un ouvrier jusqu'à"),
        ),
    ]
