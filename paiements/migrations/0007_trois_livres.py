"""
Les trois livres de l'argent : leurs tables, leurs vues, et les colonnes encore vides des anciennes (docs/adr/0048).

Les gardes qui empêcheraient de les remplir s'éteignent ici, et se rallument en 0010.
"""

import django.core.serializers.json
import django.db.models.deletion
import django.utils.timezone
import pgtrigger.compiler
import pgtrigger.migrations
from django.conf import settings
from django.db import migrations, models

# `paiements.models.vues`, telles qu'elles étaient : une autre définition sera une autre migration.
VUES = """
CREATE OR REPLACE FUNCTION paiements_rang(statut text) RETURNS int LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT CASE WHEN statut = 'CONTRADICTOIRE' THEN 3 WHEN statut = 'AUTHORISED' THEN 1
                WHEN statut IN ('AUTHORISED_TO_VALIDATE', 'WAITING_AUTHORISATION', 'WAITING_AUTHORISATION_TO_VALIDATE', 'UNDER_VERIFICATION', 'INITIAL', 'PRE_AUTHORISED', 'WAITING_FOR_PAYMENT', 'CAPTURE_PENDING', 'PENDING', 'SUSPENDED', 'REFUND_TO_RETRY') THEN 0 ELSE 2 END
$$;
CREATE OR REPLACE FUNCTION paiements_unir(un text, autre text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT CASE WHEN un = autre THEN un
                WHEN paiements_rang(un) > paiements_rang(autre) THEN un
                WHEN paiements_rang(un) < paiements_rang(autre) THEN autre
                WHEN paiements_rang(un) = 2 THEN 'CONTRADICTOIRE'
                ELSE greatest(un COLLATE "C", autre COLLATE "C") END
$$;
CREATE OR REPLACE AGGREGATE paiements_unir_tous(text) (SFUNC = paiements_unir, STYPE = text, PARALLEL = SAFE);
CREATE OR REPLACE VIEW paiements_debit_tenu AS
SELECT d.uuid, d.paiement_id, p.id IS NOT NULL AS is_sien, i.sens > 0 AS is_impaye,
       CASE WHEN (d.statut IN ('AUTHORISED', 'CAPTURED') OR d.verdict = 'TENUE') AND d.devise = 'EUR' AND i.sens = 0 THEN d.montant ELSE 0 END - c.somme AS tenu,
       c.somme AS credite
FROM paiements_transactionpayzen d
LEFT JOIN paiements_paiement p ON p.debit_id = d.uuid
CROSS JOIN LATERAL (
    SELECT coalesce(sum(c.montant), 0) AS somme FROM paiements_transactionpayzen c
    WHERE c.parent_id = d.uuid AND (c.statut IN ('AUTHORISED', 'CAPTURED') OR c.verdict = 'TENUE')
) c
CROSS JOIN LATERAL (SELECT coalesce(sum(sens), 0) AS sens FROM paiements_impaye WHERE debit_id = d.uuid) i
WHERE d.operation = 'DEBIT';
CREATE OR REPLACE VIEW paiements_solde AS
SELECT p.id AS paiement_id, coalesce(d.tenu, 0) AS tenu, i.somme AS impute, coalesce(d.tenu, 0) - i.somme AS a_placer,
       a.somme AS a_rendre, o.somme AS orphelin
FROM paiements_paiement p
LEFT JOIN paiements_debit_tenu d ON d.uuid = p.debit_id
CROSS JOIN LATERAL (
    SELECT coalesce(sum(montant), 0) AS somme FROM paiements_imputation WHERE paiement_id = p.id
) i
CROSS JOIN LATERAL (
    SELECT coalesce(sum(t.tenu), 0) AS somme FROM paiements_debit_tenu t WHERE t.paiement_id = p.id AND NOT t.is_sien
) a
CROSS JOIN LATERAL (
    SELECT coalesce(sum(c.montant), 0) AS somme FROM paiements_transactionpayzen c
    WHERE c.paiement_id = p.id AND c.operation = 'CREDIT' AND c.parent_id IS NULL AND (c.statut IN ('AUTHORISED', 'CAPTURED') OR c.verdict = 'TENUE')
) o;
"""
SANS_VUES = """
DROP VIEW IF EXISTS paiements_solde;
DROP VIEW IF EXISTS paiements_debit_tenu;
DROP AGGREGATE IF EXISTS paiements_unir_tous(text);
DROP FUNCTION IF EXISTS paiements_unir(text, text);
DROP FUNCTION IF EXISTS paiements_rang(text);
"""


class Migration(migrations.Migration):

    dependencies = [
        ('comptes', '0002_codes_d_activation'),
        ('demarches', '0002_choix_sans_je'),
        ('dettes', '0003_dossier_et_origine'),
        ('paiements', '0006_essentiel_et_mots'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        pgtrigger.migrations.RemoveTrigger(
            model_name='demanderestitution',
            name='restitution_approuvee_telle_que_demandee',
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name='paiement',
            name='passages_de_la_table',
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name='paiement',
            name='paiement_immuable_sur_l_essentiel',
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name='imputation',
            name='imputation_ajout_seul',
        ),
        migrations.RemoveConstraint(
            model_name='anomalie',
            name='une_anomalie_par_fait',
        ),
        migrations.RemoveConstraint(
            model_name='imputation',
            name='une_imputation_par_paiement_et_dette',
        ),
        migrations.RemoveConstraint(
            model_name='imputation',
            name='imputation_montant_positif',
        ),
        migrations.CreateModel(
            name='TransactionPayzen',
            fields=[
                ('uuid', models.CharField(max_length=32, primary_key=True, serialize=False)),
                ('reference', models.CharField(max_length=64, verbose_name='référence')),
                ('boutique', models.CharField(max_length=8)),
                ('mode', models.CharField(max_length=10, verbose_name='mode PayZen')),
                ('operation', models.CharField(max_length=20, verbose_name='opération')),
                ('statut', models.CharField(max_length=40)),
                ('verdict', models.CharField(blank=True, choices=[('TENUE', 'la banque tient cet argent'), ('DEFAITE', 'la banque ne le tient pas')], max_length=7)),
                ('montant', models.DecimalField(decimal_places=2, max_digits=9, verbose_name='montant, le plus petit dit')),
                ('montant_haut', models.DecimalField(decimal_places=2, max_digits=9, verbose_name='montant, le plus grand dit')),
                ('devise', models.CharField(max_length=3)),
                ('effectif', models.DecimalField(blank=True, decimal_places=2, max_digits=9, null=True, verbose_name='montant effectif')),
                ('devise_effective', models.CharField(blank=True, max_length=3)),
                ('trans_id', models.CharField(blank=True, max_length=6, null=True, verbose_name='numéro de transaction')),
                ('trans_date', models.DateTimeField(blank=True, null=True, verbose_name='date du formulaire')),
                ('creee_le', models.DateTimeField(blank=True, null=True, verbose_name='créée à la banque le')),
                ('apprise_le', models.DateTimeField(verbose_name='apprise le')),
                ('remise_le', models.DateTimeField(blank=True, null=True, verbose_name='remise en banque le')),
                ('absente_le', models.DateTimeField(blank=True, help_text='la plateforme ne la montre plus', null=True, verbose_name='absente de la dernière lecture depuis le')),
                ('marque', models.CharField(blank=True, max_length=30)),
                ('carte_fin', models.CharField(blank=True, max_length=4, verbose_name='quatre derniers chiffres')),
                ('autorisation', models.CharField(blank=True, max_length=20, verbose_name="numéro d'autorisation")),
            ],
            options={
                'verbose_name': 'transaction PayZen',
                'verbose_name_plural': 'transactions PayZen',
            },
        ),
        migrations.CreateModel(
            name='SoldePaiement',
            fields=[
                ('paiement', models.OneToOneField(on_delete=django.db.models.deletion.DO_NOTHING, primary_key=True, related_name='solde', serialize=False, to='paiements.paiement')),
                ('tenu', models.DecimalField(decimal_places=2, max_digits=10)),
                ('impute', models.DecimalField(decimal_places=2, max_digits=10)),
                ('a_placer', models.DecimalField(decimal_places=2, max_digits=10)),
                ('a_rendre', models.DecimalField(decimal_places=2, max_digits=10)),
                ('orphelin', models.DecimalField(decimal_places=2, max_digits=10)),
            ],
            options={
                'db_table': 'paiements_solde',
                'managed': False,
            },
        ),
        migrations.CreateModel(
            name='DemandeCloture',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('motif', models.CharField(max_length=200)),
                ('demandee_le', models.DateTimeField(default=django.utils.timezone.now, verbose_name='demandée le')),
                ('decidee_le', models.DateTimeField(blank=True, null=True, verbose_name='décidée le')),
                ('accord', models.BooleanField(blank=True, null=True)),
            ],
            options={
                'verbose_name': 'demande de clôture sans débit',
                'verbose_name_plural': 'demandes de clôture sans débit',
            },
        ),
        migrations.CreateModel(
            name='EtapeAnomalie',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('de', models.CharField(blank=True, choices=[('OUVERTE', 'à traiter'), ('ECARTEE', 'mise de côté'), ('CLOSE', 'réglée par un agent'), ('SANS_OBJET', 'sans objet depuis')], max_length=10)),
                ('vers', models.CharField(choices=[('OUVERTE', 'à traiter'), ('ECARTEE', 'mise de côté'), ('CLOSE', 'réglée par un agent'), ('SANS_OBJET', 'sans objet depuis')], max_length=10)),
                ('situation', models.CharField(blank=True, max_length=200)),
                ('motif', models.CharField(max_length=500)),
                ('auteur', models.CharField(max_length=60)),
                ('le', models.DateTimeField(default=django.utils.timezone.now)),
            ],
            options={
                'verbose_name': "étape d'une anomalie",
                'verbose_name_plural': "étapes d'une anomalie",
                'ordering': ['pk'],
            },
        ),
        migrations.CreateModel(
            name='Impaye',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('sens', models.SmallIntegerField(choices=[(1, 'pris par la banque'), (-1, 'rendu par la banque, ou enregistré à tort')])),
                ('motif', models.CharField(max_length=200)),
                ('le', models.DateTimeField(auto_now_add=True)),
            ],
            options={
                'verbose_name': 'impayé',
                'verbose_name_plural': 'impayés',
            },
        ),
        migrations.CreateModel(
            name='MessagePayzen',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('source', models.CharField(blank=True, max_length=20)),
                ('operation', models.CharField(blank=True, max_length=20, verbose_name='opération')),
                ('statut', models.CharField(blank=True, max_length=40)),
                ('montant', models.DecimalField(blank=True, decimal_places=2, max_digits=9, null=True)),
                ('champs', models.JSONField(encoder=django.core.serializers.json.DjangoJSONEncoder)),
                ('sort', models.CharField(choices=[('NEUF', 'a appris quelque chose'), ('DEJA_SU', 'déjà su'), ('ECARTE', 'confié à un agent, sans rien changer')], max_length=7)),
                ('motif', models.CharField(blank=True, max_length=200)),
                ('recu_le', models.DateTimeField(default=django.utils.timezone.now, verbose_name='reçu le')),
            ],
            options={
                'verbose_name': 'message PayZen',
                'verbose_name_plural': 'messages PayZen',
            },
        ),
        migrations.CreateModel(
            name='DebitTenu',
            fields=[
                ('transaction', models.OneToOneField(db_column='uuid', on_delete=django.db.models.deletion.DO_NOTHING, primary_key=True, related_name='compte', serialize=False, to='paiements.transactionpayzen')),
                ('is_sien', models.BooleanField(verbose_name='le débit du paiement')),
                ('is_impaye', models.BooleanField(verbose_name='impayé')),
                ('tenu', models.DecimalField(decimal_places=2, max_digits=9)),
                ('credite', models.DecimalField(decimal_places=2, max_digits=9, verbose_name='rendu par des crédits')),
            ],
            options={
                'db_table': 'paiements_debit_tenu',
                'managed': False,
            },
        ),
        migrations.AddField(
            model_name='transactionpayzen',
            name='paiement',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='transactions', to='paiements.paiement'),
        ),
        migrations.AddField(
            model_name='transactionpayzen',
            name='parent',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='credits', to='paiements.transactionpayzen', verbose_name='débit remboursé'),
        ),
        migrations.AddField(
            model_name='demandecloture',
            name='approbateur',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='clotures_decidees', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='demandecloture',
            name='demandeur',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='clotures_demandees', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='demandecloture',
            name='paiement',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='clotures', to='paiements.paiement'),
        ),
        migrations.AddField(
            model_name='etapeanomalie',
            name='anomalie',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='etapes', to='paiements.anomalie'),
        ),
        migrations.AddField(
            model_name='impaye',
            name='auteur',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='impaye',
            name='debit',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='impayes', to='paiements.transactionpayzen', verbose_name='débit'),
        ),
        migrations.AddField(
            model_name='messagepayzen',
            name='paiement',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='messages', to='paiements.paiement'),
        ),
        migrations.AddField(
            model_name='messagepayzen',
            name='transaction',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='messages', to='paiements.transactionpayzen'),
        ),
        migrations.AddIndex(
            model_name='transactionpayzen',
            index=models.Index(condition=models.Q(('carte_fin', ''), _negated=True), fields=['carte_fin'], name='transactions_de_la_carte'),
        ),
        migrations.AddConstraint(
            model_name='transactionpayzen',
            constraint=models.CheckConstraint(condition=models.Q(('montant__lte', models.F('montant_haut'))), name='transaction_montants_ordonnes'),
        ),
        migrations.AddConstraint(
            model_name='transactionpayzen',
            constraint=models.CheckConstraint(condition=models.Q(('parent', None), ('operation', 'CREDIT'), _connector='OR'), name='transaction_parent_d_un_credit'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='transactionpayzen',
            trigger=pgtrigger.compiler.Trigger(name='transaction_ne_recule_pas', sql=pgtrigger.compiler.UpsertTriggerSql(func="\n                    IF (NEW.uuid, NEW.reference, NEW.boutique, NEW.mode, NEW.operation, NEW.devise)\n                       IS DISTINCT FROM\n                       (OLD.uuid, OLD.reference, OLD.boutique, OLD.mode, OLD.operation, OLD.devise)\n                       OR (OLD.paiement_id IS NOT NULL AND NEW.paiement_id IS DISTINCT FROM OLD.paiement_id)\n                       OR (OLD.parent_id IS NOT NULL AND NEW.parent_id IS DISTINCT FROM OLD.parent_id) THEN\n                        RAISE EXCEPTION 'Une transaction ne change ni de référence, ni de sens, ni de débit.';\n                    END IF;\n                    IF NEW.statut <> paiements_unir(OLD.statut, NEW.statut) THEN\n                        RAISE EXCEPTION 'Une transaction ne revient pas de % à %.', OLD.statut, NEW.statut;\n                    END IF;\n                    IF NEW.montant > OLD.montant OR NEW.montant_haut < OLD.montant_haut\n                       OR NEW.remise_le > OLD.remise_le\n                       OR (OLD.remise_le IS NOT NULL AND NEW.remise_le IS NULL) THEN\n                        RAISE EXCEPTION 'Le montant d''une transaction ne monte pas, sa remise ne s''oublie pas.';\n                    END IF;\n                    RETURN NEW;\n                ", hash='0481db7bed0790ae51ab65369707b22d6135e3bc', operation='UPDATE', pgid='pgtrigger_transaction_ne_recule_pas_23a49', table='paiements_transactionpayzen', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='transactionpayzen',
            trigger=pgtrigger.compiler.Trigger(name='transaction_jamais_effacee', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='b4cacd11bb6280b6f299e230ba6bf4126827c71d', operation='DELETE', pgid='pgtrigger_transaction_jamais_effacee_57dee', table='paiements_transactionpayzen', when='BEFORE')),
        ),
        migrations.AddConstraint(
            model_name='demandecloture',
            constraint=models.UniqueConstraint(condition=models.Q(('accord', None)), fields=('paiement',), name='une_cloture_a_decider_par_paiement'),
        ),
        migrations.AddConstraint(
            model_name='demandecloture',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('accord', None), ('approbateur', None), ('decidee_le', None)), models.Q(('accord__isnull', False), ('decidee_le__isnull', False), ('approbateur__isnull', False), models.Q(('approbateur', models.F('demandeur')), _negated=True)), _connector='OR'), name='cloture_demandee_et_decidee_a_deux', violation_error_message="Celui qui approuve n'est pas celui qui demande."),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='demandecloture',
            trigger=pgtrigger.compiler.Trigger(name='cloture_jamais_effacee', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='5c69769f79f4a8b9a5e0681655848c59e1a889df', operation='DELETE', pgid='pgtrigger_cloture_jamais_effacee_ae60f', table='paiements_demandecloture', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='etapeanomalie',
            trigger=pgtrigger.compiler.Trigger(name='etape_anomalie_ajout_seul', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='54abb930e4578f858219b13933f81248d0307c92', operation='UPDATE OR DELETE', pgid='pgtrigger_etape_anomalie_ajout_seul_5a5e6', table='paiements_etapeanomalie', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='impaye',
            trigger=pgtrigger.compiler.Trigger(name='impaye_pris_puis_rendu', sql=pgtrigger.compiler.UpsertTriggerSql(func="\n                    IF NEW.sens + (\n                        SELECT coalesce(sum(sens), 0) FROM paiements_impaye WHERE debit_id = NEW.debit_id\n                    ) NOT IN (0, 1) THEN\n                        RAISE EXCEPTION 'Un débit n''est impayé qu''une fois à la fois.';\n                    END IF;\n                    RETURN NEW;\n                ", hash='66a5f2ede0d83fdec37a67e3019de45193256e6b', operation='INSERT', pgid='pgtrigger_impaye_pris_puis_rendu_eebac', table='paiements_impaye', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='impaye',
            trigger=pgtrigger.compiler.Trigger(name='impaye_ajout_seul', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='711e1bd7e0f48de1eb5d0d7e4f0f19ca11e62025', operation='UPDATE OR DELETE', pgid='pgtrigger_impaye_ajout_seul_a1026', table='paiements_impaye', when='BEFORE')),
        ),
        migrations.AddConstraint(
            model_name='messagepayzen',
            constraint=models.CheckConstraint(condition=models.Q(('champs__has_any_keys', ['vads_card_number', 'vads_card_brand', 'vads_auth_number']), _negated=True), name='message_sans_carte'),
        ),
        migrations.AddIndex(
            model_name='messagepayzen',
            index=models.Index(fields=['-recu_le'], name='messages_recus'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='messagepayzen',
            trigger=pgtrigger.compiler.Trigger(name='message_ajout_seul', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='c49924c74710fa85ffdf81120ef20504788df571', operation='UPDATE OR DELETE', pgid='pgtrigger_message_ajout_seul_1b5a7', table='paiements_messagepayzen', when='BEFORE')),
        ),
        migrations.RenameField(
            model_name='demanderestitution',
            old_name='debit',
            new_name='debit_uuid',
        ),
        migrations.AddField(
            model_name='anomalie',
            name='detail',
            field=models.CharField(blank=True, max_length=300, verbose_name='détail'),
        ),
        migrations.AddField(
            model_name='anomalie',
            name='etat',
            field=models.CharField(choices=[('OUVERTE', 'à traiter'), ('ECARTEE', 'mise de côté'), ('CLOSE', 'réglée par un agent'), ('SANS_OBJET', 'sans objet depuis')], default='OUVERTE', max_length=10, verbose_name='état'),
        ),
        migrations.AddField(
            model_name='anomalie',
            name='restitution',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='refus', to='paiements.demanderestitution', verbose_name='restitution'),
        ),
        migrations.AddField(
            model_name='anomalie',
            name='situation',
            field=models.CharField(blank=True, help_text="l'état des comptes dont elle parle", max_length=200),
        ),
        migrations.AddField(
            model_name='demanderestitution',
            name='cause',
            field=models.CharField(blank=True, max_length=200, verbose_name='pourquoi elle est restée sans effet'),
        ),
        migrations.AddField(
            model_name='imputation',
            name='auteur',
            field=models.CharField(null=True, max_length=60),
        ),
        migrations.AddField(
            model_name='imputation',
            name='motif',
            field=models.CharField(null=True, max_length=200),
        ),
        migrations.AddField(
            model_name='imputation',
            name='paye_le',
            field=models.DateTimeField(null=True, help_text="l'heure du débit, dite à la Caf : elle ne change plus", verbose_name='payé le'),
        ),
        migrations.AddField(
            model_name='paiement',
            name='echecs',
            field=models.PositiveSmallIntegerField(default=0, verbose_name='imputations échouées'),
        ),
        migrations.AddField(
            model_name='paiement',
            name='imputer_le',
            field=models.DateTimeField(blank=True, null=True, verbose_name='à imputer le'),
        ),
        migrations.AddField(
            model_name='paiement',
            name='montant_admis',
            field=models.DecimalField(blank=True, decimal_places=2, max_digits=9, null=True, verbose_name='montant admis par un agent'),
        ),
        migrations.AddField(
            model_name='paiement',
            name='solde_lu',
            field=models.DecimalField(blank=True, decimal_places=2, max_digits=10, null=True, verbose_name="tenu d'après la dernière lecture"),
        ),
        migrations.AlterField(
            model_name='anomalie',
            name='cle',
            field=models.CharField(help_text='ce dont elle parle, toujours le même', max_length=170, verbose_name='clé'),
        ),
        migrations.AlterField(
            model_name='anomalie',
            name='genre',
            field=models.CharField(choices=[('MONTANT_DIFFERENT', 'la banque annonce un autre montant'), ('DOUBLE_PAIEMENT', 'deux débits pour une démarche'), ('PAIEMENT_TARDIF', "accepté alors qu'on le croyait sans suite"), ('RELIQUAT', 'reste qui ne tient plus sur les dettes'), ('REFERENCE_INCONNUE', "paiement d'une référence inconnue"), ('DESACCORD', 'la deuxième source ne confirme pas'), ('STATUT_INATTENDU', 'état inattendu à la banque'), ('ANNULATION_BANQUE', 'annulé ou remboursé à la banque'), ('IMPAYE', 'impayé'), ('COURRIEL_IMPOSSIBLE', 'courriel impossible à remettre'), ('SOLDE_NEGATIF', 'le fichier de la Caf mène sous zéro'), ('RESTITUTION_REFUSEE', 'une restitution est restée sans effet'), ('REMISE_ABSENTE', 'accepté, mais pas remis en banque'), ('REPONSE_INATTENDUE', "PayZen ne répond pas ce qu'il faut"), ('ECART', 'la banque et nous ne tenons pas la même somme'), ('IMPUTATION_IMPOSSIBLE', "l'imputation échoue")], max_length=21),
        ),
        migrations.AlterField(
            model_name='imputation',
            name='montant',
            field=models.DecimalField(decimal_places=2, max_digits=9, verbose_name='montant signé'),
        ),
        migrations.AlterField(
            model_name='paiement',
            name='controles',
            field=models.PositiveSmallIntegerField(default=0, verbose_name='interrogations sans la trouver'),
        ),
        migrations.AlterField(
            model_name='paiement',
            name='prochain_controle_le',
            field=models.DateTimeField(blank=True, null=True, verbose_name='prochaine interrogation le'),
        ),
        migrations.AddField(
            model_name='anomalie',
            name='transaction',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='anomalies', to='paiements.transactionpayzen', verbose_name='transaction'),
        ),
        migrations.AddField(
            model_name='demanderestitution',
            name='credit',
            field=models.OneToOneField(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='restitution', to='paiements.transactionpayzen', verbose_name='remboursement'),
        ),
        migrations.AddField(
            model_name='imputation',
            name='debit',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='imputations', to='paiements.transactionpayzen', verbose_name='débit'),
        ),
        migrations.AddField(
            model_name='paiement',
            name='debit',
            field=models.OneToOneField(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='paiement_encaisse', to='paiements.transactionpayzen', verbose_name='débit'),
        ),
        migrations.AddField(
            model_name='demanderestitution',
            name='debit',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='restitutions', to='paiements.transactionpayzen', verbose_name='débit à restituer'),
        ),
        migrations.RunSQL(VUES, SANS_VUES),
    ]
