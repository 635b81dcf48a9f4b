"""Une ligne de journal dit si un agent en décide : close, elle ne se porte plus ; les autres se retentent."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('paiements', '0047_especes_de_l_exploitant'),
    ]

    operations = [
        migrations.AddField(
            model_name='lignejournal',
            name='is_a_decider',
            field=models.BooleanField(db_default=False, default=False, verbose_name='nulle commande ne la portera'),
        ),
    ]
