"""Les gardes de l'union : ce que devient chaque colonne d'une transaction quand on en dit plus."""

from tests.pannes.retraits import Retrait, remplacer

GARDES: dict[str, tuple[str, Retrait]] = {
    "union_statut": (
        "pannes/test_unions::test_dit_avant_ou_apres_le_plus_avance_reste[statut]",
        remplacer("paiements_unir(t.statut, EXCLUDED.statut)", "EXCLUDED.statut"),
    ),
    "union_montant": (
        "pannes/test_unions::test_dit_avant_ou_apres_le_plus_avance_reste[montant]",
        remplacer("least(t.montant, EXCLUDED.montant)", "EXCLUDED.montant"),
    ),
    "union_montant_haut": (
        "pannes/test_unions::test_dit_avant_ou_apres_le_plus_avance_reste[montant_haut]",
        remplacer("greatest(t.montant_haut, EXCLUDED.montant_haut)", "EXCLUDED.montant_haut"),
    ),
    "union_effectif": (
        "pannes/test_unions::test_dit_avant_ou_apres_le_plus_avance_reste[effectif]",
        remplacer("least(t.effectif, EXCLUDED.effectif)", "EXCLUDED.effectif"),
    ),
    "union_parent_id": (
        "pannes/test_unions::test_dit_avant_ou_apres_le_plus_avance_reste[parent_id]",
        remplacer("coalesce(t.parent_id, EXCLUDED.parent_id)", "EXCLUDED.parent_id"),
    ),
    "union_trans_id": (
        "pannes/test_unions::test_dit_avant_ou_apres_le_plus_avance_reste[trans_id]",
        remplacer("least(t.trans_id, EXCLUDED.trans_id)", "EXCLUDED.trans_id"),
    ),
    "union_trans_date": (
        "pannes/test_unions::test_dit_avant_ou_apres_le_plus_avance_reste[trans_date]",
        remplacer("least(t.trans_date, EXCLUDED.trans_date)", "EXCLUDED.trans_date"),
    ),
    "union_creee_le": (
        "pannes/test_unions::test_dit_avant_ou_apres_le_plus_avance_reste[creee_le]",
        remplacer("least(t.creee_le, EXCLUDED.creee_le)", "EXCLUDED.creee_le"),
    ),
    "union_remise_le": (
        "pannes/test_unions::test_dit_avant_ou_apres_le_plus_avance_reste[remise_le]",
        remplacer("least(t.remise_le, EXCLUDED.remise_le)", "EXCLUDED.remise_le"),
    ),
    "union_marque": (
        "pannes/test_unions::test_dit_avant_ou_apres_le_plus_avance_reste[marque]",
        remplacer("greatest(t.marque, EXCLUDED.marque)", "EXCLUDED.marque"),
    ),
    "union_carte_fin": (
        "pannes/test_unions::test_dit_avant_ou_apres_le_plus_avance_reste[carte_fin]",
        remplacer("greatest(t.carte_fin, EXCLUDED.carte_fin)", "EXCLUDED.carte_fin"),
    ),
    "union_autorisation": (
        "pannes/test_unions::test_dit_avant_ou_apres_le_plus_avance_reste[autorisation]",
        remplacer("greatest(t.autorisation, EXCLUDED.autorisation)", "EXCLUDED.autorisation"),
    ),
    "union_devise_effective": (
        "pannes/test_unions::test_dit_avant_ou_apres_le_plus_avance_reste[devise_effective]",
        remplacer("EXCLUDED.devise_effective IN ('', 'EUR') AND t.devise_effective <> ''", "false"),
    ),
    "union_verdict": (
        "paiements/test_trancher::test_un_verdict_tombe_si_la_banque_dit_autre_chose_depuis",
        remplacer(
            "CASE WHEN paiements_unir(t.statut, EXCLUDED.statut) = t.statut THEN t.verdict ELSE '' END", "t.verdict"
        ),
    ),
}
