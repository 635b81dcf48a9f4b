"""Les index que suit la recherche du bureau : rien ne s'y lit en entier."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('comptes', '0010_cle_du_nom'),
        ('demarches', '0003_trois_etapes'),
        ('paiements', '0031_jours_clos'),
        ('admin', '0003_logentry_add_action_flag_choices'),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name='paiement',
            name='paiements_de_la_caf',
        ),
        migrations.AddIndex(
            model_name='paiement',
            index=models.Index(fields=['caf', '-cree_le', '-id'], name='paiements_de_la_caf'),
        ),
        migrations.AddIndex(
            model_name='paiement',
            index=models.Index(fields=['caf', 'statut', '-cree_le', '-id'], name='paiements_par_statut'),
        ),
        migrations.AddIndex(
            model_name='paiement',
            index=models.Index(fields=['caf', 'montant', '-cree_le'], name='paiements_par_montant'),
        ),
        migrations.AddIndex(
            model_name='paiement',
            index=models.Index(fields=['trans_id'], name='paiements_par_trans_id'),
        ),
        migrations.AddIndex(
            model_name='paiement',
            index=models.Index(fields=['-cree_le', '-id'], name='paiements_par_date'),
        ),
        migrations.AddIndex(
            model_name='transactionpayzen',
            index=models.Index(condition=models.Q(('autorisation', ''), _negated=True), fields=['autorisation'], name='transactions_autorisees'),
        ),
        migrations.AddIndex(
            model_name='transactionpayzen',
            index=models.Index(fields=['trans_id'], name='transactions_par_trans_id'),
        ),
        migrations.AddIndex(
            model_name='transactionpayzen',
            index=models.Index(condition=models.Q(('paiement', None)), fields=['reference'], name='transactions_inconnues'),
        ),
        # La trace d'un jour (paiements/bureau/trace.py) : la table est à Django, l'index à nous.
        migrations.RunSQL(
            "CREATE INDEX gestes_par_heure ON django_admin_log (action_time)", "DROP INDEX gestes_par_heure"
        ),
    ]
