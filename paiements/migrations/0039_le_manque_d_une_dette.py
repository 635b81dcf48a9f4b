"""Ce qu'aucun paiement n'explique d'un solde sous zéro devient une somme, et non plus une phrase à relire."""

from django.db import migrations, models

# Le détail disait déjà le reste, « il manque 1 234,50 € à la dette » (« 12 » avant 0009) ; la situation, tout l'écart.
PORTER = """
    UPDATE paiements_anomalie a
    SET manque = lu.manque, situation = CASE a.situation WHEN '' THEN '' ELSE format('manque %s €', lu.manque) END
    FROM (
        SELECT id, coalesce(
            replace(regexp_replace(substring(detail FROM 'il manque ([^€]*)€'), '[^0-9,.]', '', 'g'), ',', '.')
            ::numeric(9, 2), 0) AS manque
        FROM paiements_anomalie WHERE genre = 'SOLDE_NEGATIF'
    ) lu
    WHERE lu.id = a.id;
    SET CONSTRAINTS ALL IMMEDIATE;
"""


class Migration(migrations.Migration):
    dependencies = [("paiements", "0038_mots_de_la_decision")]

    operations = [
        migrations.AddField(
            "anomalie",
            "manque",
            models.DecimalField(
                max_digits=9,
                decimal_places=2,
                null=True,
                blank=True,
                help_text="ce que la Caf mène sous zéro et qu'aucun paiement n'explique, en euros",
            ),
        ),
        migrations.RunSQL(PORTER, migrations.RunSQL.noop),
        migrations.AddConstraint(
            "anomalie",
            models.CheckConstraint(
                name="solde_negatif_dit_son_manque",
                condition=~models.Q(genre="SOLDE_NEGATIF") | models.Q(manque__isnull=False),
            ),
        ),
    ]
