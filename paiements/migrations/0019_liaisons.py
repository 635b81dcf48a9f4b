"""Les liaisons avec le dehors : depuis quand chacune se tait, et quand la rappeler."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('paiements', '0015_rapport_de_purge'),
    ]

    operations = [
        migrations.CreateModel(
            name='Liaison',
            fields=[
                ('nom', models.CharField(max_length=40, primary_key=True, serialize=False)),
                ('repondue_le', models.DateTimeField(blank=True, null=True, verbose_name='dernière réponse, à la minute près')),
                ('muette_depuis', models.DateTimeField(blank=True, null=True)),
                ('echecs', models.PositiveIntegerField(default=0, verbose_name='échecs de suite')),
                ('coupee_jusqu_a', models.DateTimeField(blank=True, null=True, verbose_name="coupée jusqu'à")),
                ('dernier_motif', models.CharField(blank=True, max_length=200, verbose_name='dernier échec')),
            ],
            options={
                'verbose_name': 'liaison',
            },
        ),
        migrations.AlterField(
            model_name='anomalie',
            name='genre',
            field=models.CharField(choices=[('MONTANT_DIFFERENT', 'la banque annonce un autre montant'), ('DOUBLE_PAIEMENT', 'deux débits pour une démarche'), ('PAIEMENT_TARDIF', "accepté alors qu'on le croyait sans suite"), ('RELIQUAT', 'reste qui ne tient plus sur les dettes'), ('REFERENCE_INCONNUE', "paiement d'une référence inconnue"), ('DESACCORD', 'la deuxième source ne confirme pas'), ('STATUT_INATTENDU', 'état inattendu à la banque'), ('ANNULATION_BANQUE', 'annulé ou remboursé à la banque'), ('IMPAYE', 'impayé'), ('COURRIEL_IMPOSSIBLE', 'courriel impossible à remettre'), ('SOLDE_NEGATIF', 'le fichier de la Caf mène sous zéro'), ('RESTITUTION_REFUSEE', 'une restitution est restée sans effet'), ('REMISE_ABSENTE', 'accepté, mais pas remis en banque'), ('REPONSE_INATTENDUE', "PayZen ne répond pas ce qu'il faut"), ('ECART', 'la banque et nous ne tenons pas la même somme'), ('IMPUTATION_IMPOSSIBLE', "l'imputation échoue"), ('LIAISON_MUETTE', 'une liaison ne répond plus')], max_length=21),
        ),
    ]
