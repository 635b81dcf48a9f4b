from django.db import migrations

# Un reliquat déjà rendu compte désormais comme une reprise sans dette.
RELIQUATS_RENDUS = """
    INSERT INTO paiements_reprise (paiement_id, anomalie_id, montant, le)
    SELECT d.paiement_id, d.anomalie_id, d.montant, d.faite_le FROM paiements_demanderestitution d
    JOIN paiements_anomalie a ON a.id = d.anomalie_id JOIN paiements_paiement p ON p.id = d.paiement_id
    WHERE d.etat = 'FAITE' AND a.genre = 'RELIQUAT' AND p.statut = 'IMPUTE'
"""

# La remise en banque se suit désormais jusqu'au bout ; étalé, l'arriéré ne fait pas attendre les paiements du jour.
REMISES_A_SUIVRE = """
    UPDATE paiements_paiement SET prochain_controle_le = now() + random() * interval '3 days'
    WHERE statut IN ('ACCEPTE', 'VERIFIE', 'IMPUTE') AND remis_le IS NULL AND prochain_controle_le IS NULL
"""


class Migration(migrations.Migration):

    dependencies = [
        ('paiements', '0004_journal_obligatoire'),
    ]

    operations = [
        migrations.RunSQL(RELIQUATS_RENDUS, migrations.RunSQL.noop),
        migrations.RunSQL(REMISES_A_SUIVRE, migrations.RunSQL.noop),
    ]
