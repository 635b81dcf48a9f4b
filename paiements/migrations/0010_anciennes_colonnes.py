"""Les anciennes colonnes et tables s'en vont, les gardes se rallument : les trois livres font foi (docs/adr/0048)."""

import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models


class Migration(migrations.Migration):
    """On n'en revient pas : à rebours, elle ne rendrait que des colonnes vides. Restaurez la sauvegarde d'avant."""

    dependencies = [
        ('paiements', '0009_reprise_de_la_file'),
    ]

    operations = [
        migrations.RunPython(migrations.RunPython.noop),  # sans retour : refuse d'en défaire une part
        migrations.DeleteModel(
            name='Reprise',
        ),
        migrations.DeleteModel(
            name='NotificationPayzen',
        ),
        migrations.RemoveConstraint(
            model_name='anomalie',
            name='anomalie_montant_positif_ou_nul',
        ),
        migrations.RemoveConstraint(
            model_name='anomalie',
            name='anomalie_resolue_dit_comment',
        ),
        migrations.RemoveConstraint(
            model_name='paiement',
            name='paiement_encaisse_a_date_et_uuid',
        ),
        migrations.RemoveIndex(
            model_name='anomalie',
            name='anomalies_ouvertes',
        ),
        migrations.RemoveIndex(
            model_name='paiement',
            name='paiements_a_imputer',
        ),
        migrations.RemoveField(
            model_name='anomalie',
            name='constat',
        ),
        migrations.RemoveField(
            model_name='anomalie',
            name='issue',
        ),
        migrations.RemoveField(
            model_name='anomalie',
            name='montant',
        ),
        migrations.RemoveField(
            model_name='anomalie',
            name='resolue_le',
        ),
        migrations.RemoveField(
            model_name='anomalie',
            name='resolue_par',
        ),
        migrations.RemoveField(
            model_name='anomalie',
            name='resolution',
        ),
        migrations.RemoveField(
            model_name='demanderestitution',
            name='anomalie',
        ),
        migrations.RemoveField(
            model_name='demanderestitution',
            name='uuid',
        ),
        migrations.RemoveField(
            model_name='paiement',
            name='accepte_le',
        ),
        migrations.RemoveField(
            model_name='paiement',
            name='autorisation',
        ),
        migrations.RemoveField(
            model_name='paiement',
            name='carte_expiration',
        ),
        migrations.RemoveField(
            model_name='paiement',
            name='carte_fin',
        ),
        migrations.RemoveField(
            model_name='paiement',
            name='marque',
        ),
        migrations.RemoveField(
            model_name='paiement',
            name='remis_le',
        ),
        migrations.RemoveField(
            model_name='paiement',
            name='uuid',
        ),
        migrations.RemoveField(
            model_name='demanderestitution',
            name='debit_uuid',
        ),
        migrations.AlterField(
            model_name='imputation',
            name='auteur',
            field=models.CharField(max_length=60),
        ),
        migrations.AlterField(
            model_name='imputation',
            name='motif',
            field=models.CharField(max_length=200),
        ),
        migrations.AlterField(
            model_name='imputation',
            name='paye_le',
            field=models.DateTimeField(help_text="l'heure du débit, dite à la Caf : elle ne change plus", verbose_name='payé le'),
        ),
        migrations.AlterField(
            model_name='imputation',
            name='debit',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='imputations', to='paiements.transactionpayzen', verbose_name='débit'),
        ),
        migrations.AlterField(
            model_name='demanderestitution',
            name='debit',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='restitutions', to='paiements.transactionpayzen', verbose_name='débit à restituer'),
        ),
        migrations.AddIndex(
            model_name='anomalie',
            index=models.Index(condition=models.Q(('etat', 'OUVERTE')), fields=['ouverte_le'], name='anomalies_ouvertes'),
        ),
        migrations.AddIndex(
            model_name='paiement',
            index=models.Index(condition=models.Q(('statut', 'VERIFIE')), fields=['imputer_le'], name='paiements_verifies_par_heure'),
        ),
        migrations.AddConstraint(
            model_name='anomalie',
            constraint=models.UniqueConstraint(fields=('genre', 'cle'), name='une_anomalie_par_objet'),
        ),
        migrations.AddConstraint(
            model_name='imputation',
            constraint=models.CheckConstraint(condition=models.Q(('montant', 0), _negated=True), name='imputation_jamais_nulle'),
        ),
        migrations.AddConstraint(
            model_name='paiement',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('debit__isnull', False), ('statut__in', ('ACCEPTE', 'VERIFIE', 'IMPUTE', 'REJETE', 'RESTITUE'))), models.Q(models.Q(('statut__in', ('ACCEPTE', 'VERIFIE', 'IMPUTE', 'REJETE', 'RESTITUE')), _negated=True), ('debit', None)), _connector='OR'), name='paiement_encaisse_a_son_debit', violation_error_message="Le débit va avec l'accord de la banque."),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='anomalie',
            trigger=pgtrigger.compiler.Trigger(name='passages_de_l_anomalie', sql=pgtrigger.compiler.UpsertTriggerSql(declare='DECLARE _is_valid_transition BOOLEAN;', func='SELECT CONCAT(OLD."etat", \':\', NEW."etat") = ANY(\'{OUVERTE:ECARTEE,OUVERTE:CLOSE,OUVERTE:SANS_OBJET,ECARTEE:OUVERTE,ECARTEE:CLOSE,ECARTEE:SANS_OBJET,CLOSE:OUVERTE,SANS_OBJET:OUVERTE}\'::text[]) INTO _is_valid_transition; IF (_is_valid_transition IS FALSE AND OLD."etat" IS DISTINCT FROM NEW."etat") THEN RAISE EXCEPTION \'pgtrigger: Invalid transition of field "etat" from "%" to "%" on table %\', OLD."etat", NEW."etat", TG_TABLE_NAME; ELSE RETURN NEW; END IF;', hash='86d728e75d84b6d6f4f691a5b9763f46fe493384', operation='UPDATE', pgid='pgtrigger_passages_de_l_anomalie_a0d8a', table='paiements_anomalie', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='anomalie',
            trigger=pgtrigger.compiler.Trigger(name='anomalie_change_avec_son_journal', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."etat" IS DISTINCT FROM (NEW."etat"))', func="\n                    IF NOT EXISTS (\n                        SELECT FROM (\n                            SELECT de, vers FROM paiements_etapeanomalie\n                            WHERE anomalie_id = NEW.id ORDER BY id DESC LIMIT 1\n                        ) derniere WHERE (de, vers) = (OLD.etat, NEW.etat)\n                    ) THEN\n                        RAISE EXCEPTION 'Une anomalie ne change pas d''état sans le dire à son journal.';\n                    END IF;\n                    RETURN NEW;\n                ", hash='fb9e8e9c2275f91d4d47de7052fe98c1fef79b22', operation='UPDATE', pgid='pgtrigger_anomalie_change_avec_son_journal_5c774', table='paiements_anomalie', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='demanderestitution',
            trigger=pgtrigger.compiler.Trigger(name='restitution_approuvee_telle_que_demandee', sql=pgtrigger.compiler.UpsertTriggerSql(func="\n                    IF (NEW.paiement_id, NEW.debit_id, NEW.montant, NEW.motif, NEW.demandeur_id)\n                       IS DISTINCT FROM\n                       (OLD.paiement_id, OLD.debit_id, OLD.montant, OLD.motif, OLD.demandeur_id)\n                       OR (OLD.approbateur_id IS NOT NULL AND NEW.approbateur_id IS DISTINCT FROM OLD.approbateur_id)\n                    THEN\n                        RAISE EXCEPTION 'Ce qui est demandé est ce qui s''approuve et ce qui part.';\n                    END IF;\n                    RETURN NEW;\n                ", hash='b0224c590804648139a071451826d275e284d306', operation='UPDATE', pgid='pgtrigger_restitution_approuvee_telle_que_demandee_f2cbc', table='paiements_demanderestitution', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='imputation',
            trigger=pgtrigger.compiler.Trigger(name='imputation_dans_ses_bornes', sql=pgtrigger.compiler.UpsertTriggerSql(func="\n                    IF NEW.montant + (\n                           SELECT coalesce(sum(montant), 0) FROM paiements_imputation\n                           WHERE paiement_id = NEW.paiement_id AND dette_id = NEW.dette_id\n                       ) < 0 THEN\n                        RAISE EXCEPTION 'On ne reprend d''une dette que ce que ce paiement y a imputé.';\n                    END IF;\n                    IF NEW.montant > 0 AND NEW.montant + (\n                           SELECT coalesce(sum(montant), 0) FROM paiements_imputation\n                           WHERE paiement_id = NEW.paiement_id\n                       ) > (SELECT tenu FROM paiements_debit_tenu WHERE uuid = NEW.debit_id) THEN\n                        RAISE EXCEPTION 'On n''impute pas plus que ce que la banque tient.';\n                    END IF;\n                    RETURN NEW;\n                ", hash='a942cc46c83c5d15bcda76a146f31343ca9cbcaf', operation='INSERT', pgid='pgtrigger_imputation_dans_ses_bornes_7c778', table='paiements_imputation', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='paiement',
            trigger=pgtrigger.compiler.Trigger(name='passages_de_la_table', sql=pgtrigger.compiler.UpsertTriggerSql(declare='DECLARE _is_valid_transition BOOLEAN;', func='SELECT CONCAT(OLD."statut", \':\', NEW."statut") = ANY(\'{ABANDONNE:ACCEPTE,ACCEPTE:REJETE,ACCEPTE:RESTITUE,ACCEPTE:VERIFIE,EN_ATTENTE:ABANDONNE,EN_ATTENTE:ACCEPTE,EN_ATTENTE:EXPIRE,EN_ATTENTE:REFUSE,EXPIRE:ACCEPTE,IMPUTE:REJETE,IMPUTE:RESTITUE,INITIE:ABANDONNE,INITIE:EN_ATTENTE,INITIE:EXPIRE,REFUSE:ACCEPTE,REJETE:ACCEPTE,RESTITUE:ACCEPTE,VERIFIE:IMPUTE,VERIFIE:REJETE,VERIFIE:RESTITUE}\'::text[]) INTO _is_valid_transition; IF (_is_valid_transition IS FALSE AND OLD."statut" IS DISTINCT FROM NEW."statut") THEN RAISE EXCEPTION \'pgtrigger: Invalid transition of field "statut" from "%" to "%" on table %\', OLD."statut", NEW."statut", TG_TABLE_NAME; ELSE RETURN NEW; END IF;', hash='a999bf791d1767c68501cc9a4d8df356ce5ecf3f', operation='UPDATE', pgid='pgtrigger_passages_de_la_table_53ca8', table='paiements_paiement', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='paiement',
            trigger=pgtrigger.compiler.Trigger(name='paiement_immuable_sur_l_essentiel', sql=pgtrigger.compiler.UpsertTriggerSql(func="\n                    IF (NEW.montant, NEW.reference, NEW.demarche_id, NEW.caf_id, NEW.trans_id, NEW.cree_le,\n                        NEW.boutique, NEW.mode)\n                       IS DISTINCT FROM\n                       (OLD.montant, OLD.reference, OLD.demarche_id, OLD.caf_id, OLD.trans_id, OLD.cree_le,\n                        OLD.boutique, OLD.mode)\n                       OR (OLD.statut IN ('VERIFIE', 'IMPUTE') AND NEW.debit_id IS DISTINCT FROM OLD.debit_id) THEN\n                        RAISE EXCEPTION 'Montant et références ne changent pas ; ni le débit, une fois vérifié.';\n                    END IF;\n                    RETURN NEW;\n                ", hash='7fe641e9ab5feb019c93741aa6e54de66303dfa5', operation='UPDATE', pgid='pgtrigger_paiement_immuable_sur_l_essentiel_af8b1', table='paiements_paiement', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='imputation',
            trigger=pgtrigger.compiler.Trigger(name='imputation_ajout_seul', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='3036c516ef64985aba25550dc165aba5b5a82cb3', operation='UPDATE OR DELETE', pgid='pgtrigger_imputation_ajout_seul_32fbc', table='paiements_imputation', when='BEFORE')),
        ),
    ]
