"""Aucun message ne garde de texte libre : les références de dettes d'une personne effacée s'y lisaient encore."""

from importlib import import_module

from django.db import migrations

AVANT = import_module("paiements.migrations.0044_l_argent_mis_de_cote_garde_la_personne").EFFACER
IMPUTATIONS = "UPDATE paiements_imputation SET motif = 'effacé' WHERE paiement_id = ANY(payes);"
# La version d'avant en écrit encore jusqu'à ce que chaque ouvrier soit relancé.
EFFACER = AVANT.replace(
    IMPUTATIONS,
    f"""{IMPUTATIONS}
    UPDATE paiements_messagepayzen SET champs = champs - 'contexte'
    WHERE paiement_id = ANY(payes) AND champs ? 'contexte';""",
    1,
)
# La garde ne se tait que pour cette session : l'éteindre prendrait la table, et les notifications attendraient.
OUBLIER = """
SET LOCAL statement_timeout = 0;
SELECT set_config('pgtrigger.ignore', '{pgtrigger_message_ajout_seul_1b5a7}', true);
UPDATE paiements_messagepayzen SET champs = champs - 'contexte' WHERE champs ? 'contexte';
SELECT set_config('pgtrigger.ignore', '', true);
"""


class Migration(migrations.Migration):
    dependencies = [("paiements", "0045_somme_inconnue")]

    # On en revient sans les références : elles ne servaient à rien, la plateforme les rend (docs/adr/0055).
    operations = [migrations.RunSQL(EFFACER, AVANT), migrations.RunSQL(OUBLIER, migrations.RunSQL.noop)]
