import django.db.models.deletion
from django.db import migrations, models


# Django les pose pour des LIKE que personne ne fait ; qui revient en arrière n'en a pas davantage besoin.
JAMAIS_LUS = [
    "paiements_transactionpayzen_uuid_f1d08a43_like",
    "paiements_transactionpayzen_parent_id_86cbaad9_like",
    "paiements_messagepayzen_transaction_id_65cdf05b_like",
    "paiements_paiement_debit_id_07b562f9_like",
    "paiements_imputation_debit_id_ca881ca8_like",
    "paiements_lignejournal_cle_b9df84da_like",
    "paiements_lignejournal_transaction_id_77f19488_like",
]


class Migration(migrations.Migration):

    dependencies = [
        ('comptes', '0014_index_sans_doublon'),
        ('paiements', '0036_demandes_a_deux'),
    ]

    operations = [
        migrations.AlterField(
            model_name='jourclos',
            name='caf',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='jours_clos', to='comptes.caf', verbose_name='Caf'),
        ),
        migrations.AlterField(
            model_name='paiement',
            name='caf',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='paiements', to='comptes.caf', verbose_name='Caf'),
        ),
        migrations.AlterField(
            model_name='partrestituee',
            name='demande',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='parts', to='paiements.demanderestitution'),
        ),
        migrations.RunSQL([f"DROP INDEX IF EXISTS {nom}" for nom in JAMAIS_LUS], migrations.RunSQL.noop),
    ]
