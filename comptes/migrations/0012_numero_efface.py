from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("comptes", "0011_seuil_mise_de_cote_et_export")]

    operations = [
        migrations.RemoveConstraint(model_name="allocataire", name="numero_de_sept_chiffres"),
        migrations.AddConstraint(
            model_name="allocataire",
            constraint=models.CheckConstraint(
                name="numero_de_sept_chiffres", condition=models.Q(numero__regex="^([0-9]{7}|[A-P]{7})$")
            ),
        ),
    ]
