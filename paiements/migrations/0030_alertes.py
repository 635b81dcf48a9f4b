"""Les alertes dites aux opérateurs : une ouverte par clé, datée à la fin."""

import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('paiements', '0024_ce_qui_ne_pese_pas'),
    ]

    operations = [
        migrations.CreateModel(
            name='Alerte',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('cle', models.CharField(max_length=80, verbose_name='clé')),
                ('phrase', models.CharField(max_length=300)),
                ('commande', models.CharField(max_length=200)),
                ('ouverte_le', models.DateTimeField(default=django.utils.timezone.now, verbose_name='ouverte le')),
                ('finie_le', models.DateTimeField(blank=True, null=True, verbose_name='finie le')),
            ],
            options={
                'verbose_name': 'alerte',
                'constraints': [models.UniqueConstraint(condition=models.Q(('finie_le', None)), fields=('cle',), name='une_alerte_ouverte_par_cle')],
            },
        ),
    ]
