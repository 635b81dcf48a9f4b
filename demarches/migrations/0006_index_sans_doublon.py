import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('comptes', '0014_index_sans_doublon'),
        ('demarches', '0005_langue'),
    ]

    operations = [
        migrations.AlterField(
            model_name='demarche',
            name='allocataire',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='demarches', to='comptes.allocataire'),
        ),
        migrations.AlterField(
            model_name='lignedemarche',
            name='demarche',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='lignes', to='demarches.demarche', verbose_name='démarche'),
        ),
    ]
