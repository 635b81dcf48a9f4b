"""Une personne effacée emporte l'empreinte de sa ligne : sinon elle la trahirait, et la Caf ne pourrait la rendre."""

from importlib import import_module

from django.db import migrations

AVANT = import_module("paiements.migrations.0035_dossiers_clos").EFFACER.replace(
    "CREATE FUNCTION", "CREATE OR REPLACE FUNCTION", 1
)
# La purge tait toutes les gardes, donc aussi celles qui ôtent l'empreinte d'un dossier ou d'une dette changés.
EFFACER = AVANT.replace("identite = '',", "identite = '', empreinte = NULL,", 1).replace(
    "code = '', motif = '' WHERE", "code = '', motif = '', empreinte = NULL, solde_recu = NULL WHERE", 1
)
DEJA_EFFACES = """
UPDATE comptes_allocataire SET empreinte = NULL WHERE numero !~ '^[0-9]' AND empreinte IS NOT NULL;
UPDATE dettes_dette SET empreinte = NULL, solde_recu = NULL WHERE reference LIKE 'EFFACEE-%' AND empreinte IS NOT NULL;
SET CONSTRAINTS ALL IMMEDIATE;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("paiements", "0041_un_verdict_a_deux"),
        ("comptes", "0017_empreinte_du_dossier"),
        ("dettes", "0008_empreinte_de_la_ligne"),
    ]

    operations = [
        migrations.RunSQL(EFFACER, AVANT),
        migrations.RunSQL(DEJA_EFFACES, migrations.RunSQL.noop),
    ]
