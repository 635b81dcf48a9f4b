"""Les gardes du matin : les journaux, la feuille, le désastre, et une livraison plausible."""

from tests.pannes.retraits import Retrait, faux, oter, remplacer

_REFAIT = (
    "paiements/test_reconstruction::test_un_debit_publie_impute_l_est_de_nouveau_avant_ce_que_la_banque_en_a_defait"
)
_ADMIS = "paiements/test_reconstruction_admis::test_"
_JRI = "paiements/test_journaux::test_"
_JRI_MONTANT = "paiements/test_journaux_montants::test_"
_SUSPENS = "paiements/test_journaux_en_suspens::test_"
_CLOS = "paiements/test_journaux_clos::test_"
_PLAUSIBLE = "dettes/test_plausibilite::test_"

GARDES: dict[str, tuple[str, Retrait]] = {
    "impayes_du_journal": (f"{_JRI}un_impaye_remonte_les_dettes_sans_main", oter),
    "impaye_du_journal_du_debit": (
        "paiements/test_journaux_montants::test_un_impaye_qui_ne_tient_pas_au_debit_est_pour_un_agent",
        faux,
    ),
    "impaye_redit_du_meme_montant": (
        "paiements/test_journaux_montants::test_un_impaye_redit_ou_rendu_d_un_autre_montant_est_pour_un_agent",
        faux,
    ),
    "impaye_du_journal_une_fois": (f"{_JRI}un_impaye_deja_enregistre_a_la_main_ne_se_double_pas", faux),
    "la_derniere_ligne_vaut": (f"{_JRI}la_derniere_ligne_vaut_quel_que_soit_l_ordre_des_journaux", faux),
    "second_impaye_d_une_part": (f"{_JRI_MONTANT}un_second_impaye_d_une_part_n_est_pas_avale", faux),
    "second_meme_apres_un_remboursement": (
        "paiements/test_journaux_seconds",
        remplacer("debit.pris - prise", "debit.compte.tenu"),
    ),
    "jumelles_d_un_journal": (
        "paiements/test_journaux_seconds::test_deux_lignes_jumelles_d_un_meme_journal_sont_deux_impayes",
        faux,
    ),
    "operation_connue_d_un_impaye": (
        "paiements/test_journaux_montants::test_une_operation_inconnue_du_journal_des_impayes_ne_rend_rien",
        oter,
    ),
    "journal_sans_nul": ("paiements/test_journaux_bornes::test_un_caractere_nul_fait_refuser_son_journal", faux),
    "devise_lisible": (
        "paiements/test_journaux_bornes::test_une_devise_qui_n_en_est_pas_une_fait_refuser_son_journal",
        faux,
    ),
    "second_lu_en_retard": (
        "paiements/test_journaux_seconds::test_un_second_lu_apres_la_fin_du_premier_se_voit_comme_lu_avant",
        remplacer(" or is_depassee", ""),
    ),
    "second_qu_un_agent_regarde": (
        "paiements/test_journaux_seconds::test_un_montant_impossible_qu_un_agent_regarde_ne_se_tient_pas_pour_depasse",
        faux,
    ),
    "rendu_entre_deux_prises": (
        "paiements/test_journaux_seconds::test_pris_rendu_pris_dans_quelque_ordre_qu_on_le_lise_finit_pris_sans_agent",
        remplacer("prises and ", ""),
    ),
    "impaye_de_quelque_chose": (
        f"{_JRI_MONTANT}un_impaye_de_rien_se_dit_et_n_arrete_pas_les_autres",
        remplacer("montant > 0 and ", ""),
    ),
    "une_ligne_malade": (
        f"{_SUSPENS}une_ligne_malade_n_arrete_pas_les_autres_et_se_nomme",
        remplacer("except Exception as echec:", "except ZeroDivisionError as echec:"),
    ),
    "ligne_corrigee_n_attend_plus": (
        f"{_SUSPENS}une_remise_que_la_banque_rapproche_le_lendemain_n_attend_plus",
        remplacer('.exclude(~Q(genre="JRI") & Exists(plus_recentes))', ""),
    ),
    "ligne_close_n_attend_plus": (
        f"{_CLOS}clos_tant_qu_il_est_inconnu_l_impaye_se_porte_quand_sa_transaction_arrive",
        remplacer(".exclude(CLOSE)", ""),
    ),
    "close_se_retente": (
        f"{_CLOS}clos_pendant_une_restitution_l_impaye_se_porte_quand_elle_finit",
        remplacer("Q(is_a_decider=True) & ", ""),
    ),
    "decidee_ne_se_retente_plus": (
        f"{_CLOS}ce_qu_un_agent_a_decide_ne_se_porte_plus",
        remplacer(".exclude(Q(is_a_decider=True) & CLOSE)", ""),
    ),
    "decidee_quand_elle_l_est": (
        f"{_CLOS}ce_qu_un_agent_a_decide_ne_se_porte_plus",
        remplacer("= pourquoi, attente.is_a_decider", "= pourquoi, False"),
    ),
    "malade_n_est_pas_decidee": (f"{_CLOS}malade_elle_n_est_plus_decidee", oter),
    "refus_qui_passera": (
        f"{_CLOS}clos_tant_que_la_banque_ne_tient_pas_le_debit_l_impaye_se_porte_quand_elle_le_tient",
        remplacer("transaction=debit)", "transaction=debit, is_a_decider=True)"),
    ),
    "autre_montant_se_redit": (
        f"{_CLOS}close_inconnue_puis_d_un_autre_montant_elle_revient_a_l_agent",
        remplacer("sa transaction est d'un autre montant", "aucune transaction connue n'a ce numéro, ce jour-là"),
    ),
    "anomalie_d_avant_fermee": (
        f"{_CLOS}l_anomalie_d_une_version_d_avant_se_ferme_la_ligne_ayant_la_sienne",
        remplacer("_lister_celles_d_avant()", "()"),
    ),
    "suspens_du_jour_de_lecture": (
        f"{_SUSPENS}la_feuille_d_un_jour_ne_dit_rien_de_ce_qui_est_venu_apres",
        remplacer(" if depuis[ligne] <= jour", ""),
    ),
    "etat_lisible": (
        "paiements/test_journaux_formes::test_un_format_inconnu_est_refuse_entier_et_dit_ce_qui_etait_attendu",
        faux,
    ),
    "impaye_de_ce_qui_est_tenu": (f"{_JRI}l_impaye_d_un_debit_que_la_banque_ne_tient_plus_attend", faux),
    "impaye_du_journal_pas_pendant_un_ordre": (f"{_JRI}un_impaye_attend_la_fin_d_un_ordre_de_restitution", faux),
    "remise_rapprochee": (f"{_JRI}une_remise_que_la_banque_n_a_pas_rapprochee_attend", faux),
    "operation_connue": (f"{_JRI}une_operation_que_nous_ne_connaissons_pas_attend", faux),
    "operation_du_meme_montant": (
        f"{_JRI}une_operation_d_un_autre_montant_fait_interroger",
        remplacer(" and connue.montant <= ligne.montant <= connue.montant_haut", ""),
    ),
    "le_paiement_revient_d_abord": (
        "paiements/test_reconstruction::test_ce_que_la_banque_a_repris_d_un_paiement_oublie_attend_qu_il_soit_revenu",
        faux,
    ),
    "accord_d_alors": (_REFAIT, remplacer("fait.statut if fait.is_parti else ACCORD", "fait.statut")),
    "montant_d_alors": (_REFAIT, remplacer("max(fait.montant, impute)", "fait.montant")),
    "admis_d_alors": (f"{_ADMIS}un_montant_baisse_puis_admis_revient_admis", faux),
    "pas_plus_que_le_publie": (
        f"{_ADMIS}un_montant_admis_apres_un_remboursement_revient_admis",
        remplacer("min(tenu, publies.get(paiement.pk, tenu))", "tenu"),
    ),
    "publie_avant_ce_qui_l_a_suivi": (
        "paiements/test_reconstruction_publies::test_la_dette_livree_apres_l_imputation_publiee_revient_avant_sa_suite",
        remplacer("manque.is_definitive or not publie", "True"),
    ),
    "impute_ou_rien": (
        "paiements/test_reconstruction_publies::test_une_imputation_manquee_ne_laisse_pas_passer_sa_suite_et_se_nomme",
        faux,
    ),
    "refaire_une_fois": (
        "paiements/test_reconstruction::test_ce_qu_un_fichier_publie_dit_impute_ne_l_est_pas_deux_fois",
        faux,
    ),
    "publie_impute_d_abord": (
        "paiements/test_reconstruction::test_un_paiement_que_la_sauvegarde_tenait_en_vol_s_impute_d_abord",
        remplacer("sorted(set(publies) - imputes)", "[]"),
    ),
    "ne_reviendra_jamais": (
        "paiements/test_reconstruction::test_l_impaye_d_un_paiement_qui_ne_reviendra_jamais_va_a_son_debit",
        faux,
    ),
    "ligne_publiee_a_son_mouvement": (
        "dettes/test_encaissements::test_un_fichier_publie_dont_un_paiement_manque_encore_le_nomme",
        faux,
    ),
    "publie_n_a_pas_change": (
        "dettes/test_encaissements::test_un_fichier_publie_qui_a_change_depuis_ne_se_reprend_pas",
        faux,
    ),
    "mouvement_une_fois": (
        "dettes/test_encaissements::test_deux_fichiers_publies_ne_reprennent_pas_le_meme_mouvement"
        "_et_le_premier_reste_repris",
        remplacer("ligne_emise=None,", ""),
    ),
    "fichier_publie_inconnu": (
        "dettes/test_encaissements::test_un_fichier_publie_que_la_base_a_oublie_ne_s_ecrase_pas",
        faux,
    ),
    "marque_du_dernier_publie": (
        "dettes/test_encaissements::test_meme_partis_ailleurs_les_numeros_publies_ne_se_reprennent_pas",
        faux,
    ),
    "publie_ne_s_ecrase_pas": (
        "dettes/test_encaissements::test_un_fichier_d_un_autre_contenu_ne_s_ecrase_pas",
        faux,
    ),
    "droit_de_clore": ("paiements/test_feuille::test_seuls_le_comptable_et_le_responsable_closent", faux),
    "jour_fini": ("paiements/test_feuille::test_un_jour_qui_n_est_pas_fini_ne_se_clot_pas", faux),
    "barriere_de_l_import": (f"{_PLAUSIBLE}une_livraison_complete_et_vide_ne_solde_rien", faux),
    "dettes_qui_disparaissent": (f"{_PLAUSIBLE}toutes_les_dettes_a_zero_disparaissent_aussi", faux),
    "total_qui_change": (f"{_PLAUSIBLE}le_total_qui_change_trop_refuse", faux),
    "mediane_qui_change": (f"{_PLAUSIBLE}des_euros_pris_pour_des_centimes_se_voient_au_solde_median", faux),
    "trop_percus_en_nombre": (
        f"{_PLAUSIBLE}un_export_qui_dirait_trop_percu_tout_ce_qui_est_paye_ne_reprend_aucun_paiement",
        faux,
    ),
    "personnes_qui_manquent": (f"{_PLAUSIBLE}la_moitie_des_personnes_manque", faux),
    "photo_plus_vieille": (f"{_PLAUSIBLE}une_photo_plus_vieille_que_la_derniere_refuse", faux),
    "photo_a_venir": (f"{_PLAUSIBLE}une_photo_a_venir_refuse", faux),
    "numero_deduit_qui_recule": (f"{_PLAUSIBLE}un_numero_d_encaissements_qui_recule_ne_deduit_rien_deux_fois", faux),
    "rejet_meconnaissable": (
        "dettes/test_absentes::test_complet_une_ligne_rejetee_meconnaissable_ne_solde_aucune_absente",
        remplacer(" and not meconnaissables", ""),
    ),
    "seuil_des_rejets": ("dettes/test_livraisons_refusees", faux),
    "somme_annoncee": ("dettes/test_livraisons_refusees", faux),
    "solde_de_la_ligne": (
        "dettes/test_reconnues::test_la_meme_ligne_apres_un_paiement_deduit_dit_que_la_caf_reclame_encore_tout",
        remplacer("AND d.solde = d.solde_recu", ""),
    ),
    "rien_a_deduire": (
        "dettes/test_reconnues::test_la_meme_ligne_avant_qu_un_rejet_soit_deduit_laisse_remonter_la_dette",
        remplacer("AND NOT EXISTS (SELECT FROM dettes_mouvement m WHERE m.dette_id = d.id AND {PAS_DEDUITES})", ""),
    ),
    "trop_paye_a_reprendre": (
        "dettes/test_trop_paye_interrompu::test_la_version_1_qui_ne_sait_plus_le_dire_ne_l_oublie_pas",
        remplacer("WHEN c.muette AND c.reste = 0 THEN d.a_reprendre ", ""),
    ),
    "reprise_une_fois": (
        "dettes/test_trop_paye_interrompu::test_deux_reprises_a_la_fois_n_en_font_qu_une",
        remplacer("(dette.a_reprendre - part) or None", "dette.a_reprendre"),
    ),
    "trop_paye_retenu_ne_remonte_pas": (
        "dettes/test_trop_paye_retenu::test_la_dette_dont_le_trop_est_retenu_reste_a_zero",
        remplacer("r.somme - r.retenu", "r.somme"),
    ),
    "solde_crediteur": (
        "dettes/test_version_2::test_un_solde_crediteur_devient_de_l_argent_a_rendre_avec_son_paiement",
        remplacer(" - l.crediteur", ""),
    ),
}
