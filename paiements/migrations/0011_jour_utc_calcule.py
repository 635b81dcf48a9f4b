"""Le jour UTC d'un paiement se calcule : plus de déclencheur, ni de ligne à relire pour le connaître."""

import pgtrigger.migrations
from django.db import migrations, models
from django.db.models import Func


class Migration(migrations.Migration):

    dependencies = [
        ('paiements', '0010_anciennes_colonnes'),
    ]

    operations = [
        pgtrigger.migrations.RemoveTrigger(
            model_name='paiement',
            name='jour_utc_de_la_creation',
        ),
        migrations.RemoveConstraint(
            model_name='paiement',
            name='un_trans_id_par_boutique_et_par_jour',
        ),
        migrations.RemoveField(
            model_name='paiement',
            name='jour_utc',
        ),
        migrations.AddField(
            model_name='paiement',
            name='jour_utc',
            field=models.GeneratedField(db_persist=True, expression=Func('cree_le', template="(%(expressions)s AT TIME ZONE 'UTC')::date"), output_field=models.DateField(), verbose_name='jour UTC'),
        ),
        migrations.AddConstraint(
            model_name='paiement',
            constraint=models.UniqueConstraint(fields=('boutique', 'jour_utc', 'trans_id'), name='un_trans_id_par_boutique_et_par_jour'),
        ),
        # Pas de retour : 0010, juste avant, n'en a pas non plus.
        migrations.RunPython(migrations.RunPython.noop),
    ]
