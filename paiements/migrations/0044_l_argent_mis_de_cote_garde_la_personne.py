"""L'argent que la banque tient hors des dettes, même mis de côté, garde la personne à qui il est."""

from importlib import import_module

from django.db import migrations

AVANT = import_module("paiements.migrations.0042_oublier_l_empreinte").EFFACER
OUVERTES = "WHERE n.etat = 'OUVERTE' AND a.id IN (s.allocataire_id, d.allocataire_id))"
# Comme `conservation._dossiers_clos`.
EFFACER = AVANT.replace(
    OUVERTES,
    f"""{OUVERTES}
        AND NOT EXISTS (SELECT FROM paiements_solde v JOIN paiements_paiement p ON p.id = v.paiement_id
                        JOIN demarches_demarche s ON s.id = p.demarche_id
                        WHERE s.allocataire_id = a.id AND p.mode = 'PRODUCTION'
                        AND (v.tenu > v.impute OR v.a_rendre > 0 OR v.douteux > 0 OR v.is_en_l_air AND EXISTS (
                            SELECT FROM paiements_transactionpayzen c
                            WHERE c.paiement_id = p.id AND c.operation = 'CREDIT' AND c.devise = 'EUR')))""",
    1,
)  # fmt: skip


class Migration(migrations.Migration):
    dependencies = [("paiements", "0043_impaye_a_son_montant")]

    operations = [migrations.RunSQL(EFFACER, AVANT)]
