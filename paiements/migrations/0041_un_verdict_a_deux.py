"""Ce qui sort une grosse somme des comptes en tranchant d'un doute se décide à deux, comme une mise de côté."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("paiements", "0040_un_credit_douteux_est_en_l_air")]

    operations = [
        migrations.AddField(
            "demandemisedecote",
            "verdict",
            models.CharField(
                max_length=7,
                choices=[("TENUE", "la banque tient cet argent"), ("DEFAITE", "la banque ne le tient pas")],
                blank=True,
                default="",
            ),
            preserve_default=False,
        ),
    ]
