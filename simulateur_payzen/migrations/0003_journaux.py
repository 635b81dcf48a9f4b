from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('simulateur_payzen', '0002_numero_par_boutique'),
    ]

    operations = [
        migrations.AddField(
            model_name='boutique',
            name='journaux_du',
            field=models.DateField(help_text='le dernier jour dont les journaux sont déposés', null=True),
        ),
        migrations.AddField(
            model_name='transaction',
            name='impaye_fini_le',
            field=models.DateTimeField(help_text="la banque a rendu l'argent de l'impayé", null=True),
        ),
    ]
