from django.db import migrations, models

# Le choix et les montants ne font plus qu'une étape : (avant, après).
NUMEROS = [(3, 2), (4, 3)]


def renumeroter(apps, schema_editor):
    Demarche = apps.get_model("demarches", "Demarche")
    for avant, apres in NUMEROS:
        Demarche.objects.filter(etape=avant).update(etape=apres)


def remettre(apps, schema_editor):
    Demarche = apps.get_model("demarches", "Demarche")
    for avant, apres in reversed(NUMEROS):
        Demarche.objects.filter(etape=apres).update(etape=avant)


class Migration(migrations.Migration):
    dependencies = [("demarches", "0002_choix_sans_je")]

    operations = [
        migrations.AlterField(
            model_name="demarche",
            name="etape",
            field=models.PositiveSmallIntegerField(
                choices=[(1, "Informations"), (2, "Montants"), (3, "Récapitulatif")],
                default=1,
                verbose_name="étape atteinte",
            ),
        ),
        migrations.RunPython(renumeroter, remettre),
    ]
