from django.db import migrations, models

# Le compte du service n'efface aucun journal. Ces deux fonctions le font pour lui, avec les droits de qui possède les
# tables, et n'effacent que ce dont la durée est passée : l'appelant ne choisit rien.
EFFACER = """
CREATE FUNCTION effacer_le_journal_de_securite() RETURNS bigint
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    WITH effacees AS (DELETE FROM comptes_evenement WHERE le <= now() - interval '1 year' RETURNING 1)
    SELECT count(*) FROM effacees
$$;
CREATE FUNCTION effacer_les_gestes_du_bureau() RETURNS bigint
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    WITH effaces AS (DELETE FROM django_admin_log WHERE action_time <= now() - interval '15 months' RETURNING 1)
    SELECT count(*) FROM effaces
$$;
REVOKE EXECUTE ON FUNCTION effacer_le_journal_de_securite(), effacer_les_gestes_du_bureau() FROM PUBLIC;
"""
NE_PLUS_EFFACER = "DROP FUNCTION effacer_le_journal_de_securite(), effacer_les_gestes_du_bureau();"

# La table est celle de Django : son déclencheur ne peut se déclarer sur un modèle à nous.
GARDER_LES_GESTES = """
CREATE FUNCTION garder_les_gestes_du_bureau() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' OR OLD.action_time > now() - interval '15 months' THEN
        RAISE EXCEPTION 'Le journal du bureau ne se retouche pas, et se garde quinze mois.';
    END IF;
    RETURN OLD;
END $$;
CREATE TRIGGER gestes_du_bureau_gardes BEFORE UPDATE OR DELETE ON django_admin_log
FOR EACH ROW EXECUTE FUNCTION garder_les_gestes_du_bureau();
"""
NE_PLUS_GARDER = """
DROP TRIGGER gestes_du_bureau_gardes ON django_admin_log;
DROP FUNCTION garder_les_gestes_du_bureau();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("admin", "0003_logentry_add_action_flag_choices"),
        ("comptes", "0007_journal_de_securite"),
    ]

    operations = [
        migrations.RemoveField(model_name="allocataire", name="courriel"),
        migrations.AddField(
            model_name="allocataire",
            name="identite",
            field=models.CharField(
                blank=True,
                db_default="",
                db_index=True,
                max_length=64,
                verbose_name="empreinte de l'identité",
            ),
        ),
        migrations.RunSQL(EFFACER, NE_PLUS_EFFACER),
        migrations.RunSQL(GARDER_LES_GESTES, NE_PLUS_GARDER),
    ]
