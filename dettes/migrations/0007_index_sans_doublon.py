import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('comptes', '0014_index_sans_doublon'),
        ('dettes', '0006_chercher_au_bureau'),
    ]

    operations = [
        migrations.AlterField(
            model_name='dette',
            name='caf',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='dettes', to='comptes.caf', verbose_name='Caf'),
        ),
    ]
