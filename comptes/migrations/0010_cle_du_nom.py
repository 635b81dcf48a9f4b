"""Chercher un allocataire par son nom : la fonction qui ôte accents et majuscules, et l'index qui la suit."""

from django.db import migrations

FONCTION = r"""
CREATE FUNCTION comptes_cle_du_nom(nom text, prenom text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN btrim(regexp_replace(
    lower(regexp_replace(normalize(
        replace(replace(replace(nom || ' ' || prenom, 'œ', 'oe'), 'Œ', 'OE'), 'ß', 'ss'), NFKD
    ), '[\u0300-\u036f]', '', 'g')),
    '[[:space:][:punct:]’]+', ' ', 'g'
));
"""
INDEX = """
CREATE INDEX allocataires_par_nom ON comptes_allocataire
    (caf_id, comptes_cle_du_nom(nom::text, prenom::text) text_pattern_ops);
"""


class Migration(migrations.Migration):
    dependencies = [("comptes", "0009_journal_complet")]
    operations = [
        migrations.RunSQL(FONCTION, "DROP FUNCTION comptes_cle_du_nom(text, text)"),
        migrations.RunSQL(INDEX, "DROP INDEX allocataires_par_nom"),
    ]
