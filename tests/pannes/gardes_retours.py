"""Les gardes de l'argent qui repart : ordres, restitutions, impayés, reprises, clôtures."""

from tests.pannes.retraits import Retrait, faux, oter, remplacer, sans_verrou, vrai

_SANS_CLES = "paiements/test_sans_cles::test_"

GARDES: dict[str, tuple[str, Retrait]] = {
    "reste_sans_remboursement_en_l_air": (
        "paiements/test_reste::test_un_reste_ne_se_place_pas_tant_qu_un_remboursement_est_en_l_air",
        faux,
    ),
    "rattacher_une_fois": (
        "paiements/test_credits_orphelins::test_un_credit_ne_se_rattache_qu_une_fois_et_a_un_debit_de_son_paiement",
        faux,
    ),
    "rattacher_a_un_debit_du_paiement": (
        "paiements/test_credits_orphelins::test_un_credit_ne_se_rattache_qu_une_fois_et_a_un_debit_de_son_paiement",
        faux,
    ),
    "impaye_une_fois": ("pannes/test_rencontres_agents::test_deux_comptables_enregistrent_le_meme_impaye", faux),
    "impaye_a_la_main_du_debit": (
        "paiements/test_impaye::test_un_impaye_est_du_debit_entier_ou_de_ce_qu_il_en_reste",
        faux,
    ),
    "impaye_pas_pendant_une_restitution": (
        "paiements/test_impaye::test_un_impaye_ne_s_enregistre_pas_pendant_une_restitution",
        faux,
    ),
    "impaye_relu_avant_d_annuler": (
        "pannes/test_rencontres_agents::test_deux_comptables_annulent_le_meme_impaye",
        oter,
    ),
    "ordre_donne_pendant_qu_on_le_tient": (
        "paiements/test_ordres::test_un_ordre_que_l_on_ne_tient_plus_ne_part_pas",
        faux,
    ),
    "regarder_avant_d_envoyer": ("paiements/test_ordres::test_une_reponse_perdue_ne_rembourse_pas_deux_fois", faux),
    "tenu_au_moins_le_montant": (
        "pannes/test_histoires_doubles::test_un_ordre_ne_part_pas_sur_un_debit_devenu_contradictoire",
        faux,
    ),
    "rembourser_une_part_sans_annuler": (
        "paiements/test_ordres::test_un_reliquat_se_rend_sans_toucher_aux_dettes",
        remplacer("demande.montant < demande.debit.montant", "False"),
    ),
    "refus_definitif": ("paiements/test_ordres::test_ce_que_la_plateforme_refuse_pour_toujours_va_a_un_agent", vrai),
    "regarder_avant_de_renoncer": (
        "paiements/test_ordres::test_un_deja_rendu_se_relit_avant_de_renoncer",
        remplacer("_regarder(demande, client) or ", ""),
    ),
    "credit_refuse_en_reponse": ("paiements/test_ordres::test_un_credit_refuse_en_reponse_n_a_rien_rendu", faux),
    "trancher_a_deux": (
        "paiements/test_verdict_a_deux::test_au_seuil_une_personne_ne_dit_pas_seule_que_la_banque_ne_tient_rien",
        faux,
    ),
    "revoir_ce_qui_est_tranche": (
        "paiements/test_verdict_a_deux::test_ce_qui_n_est_pas_tranche_ne_se_revoit_pas",
        remplacer("tranchee is None", "False"),
    ),
    "arreter_sans_regarder_a_deux": (
        "paiements/test_arreter_sans_cles::test_un_ordre_parti_s_arrete_a_deux_et_dit_quoi_verifier",
        faux,
    ),
    "ordre_execute_ne_s_arrete_plus": (
        "pannes/test_histoires_restitutions::test_un_ordre_deja_execute_ne_s_arrete_plus",
        faux,
    ),
    "rien_ne_part_sans_approbation": ("paiements/test_restitution::test_rien_ne_part_sans_approbation", faux),
    "credit_appris_depuis_la_demande": (
        "pannes/test_histoires_restitutions::test_un_remboursement_deja_repris_n_est_pas_la_reponse_a_notre_ordre",
        remplacer("apprise_le__gte=demande.demandee_le,", ""),
    ),
    "credit_de_ce_debit": (
        "pannes/test_histoires_restitutions::test_le_credit_d_un_double_n_est_pas_la_reponse_a_notre_ordre",
        remplacer(" if credit.parent_id in (None, demande.debit_id)", ""),
    ),
    "credit_mort": (
        "paiements/test_ordres::test_un_credit_mort_ne_tient_pas_lieu_de_restitution",
        remplacer(" if credit.is_vivante or credit.is_en_attente or credit.is_douteuse", ""),
    ),
    "credit_en_attente_n_a_rien_rendu": (
        "paiements/test_ordres::test_un_credit_en_attente_se_regarde_de_nouveau",
        faux,
    ),
    "restitution_faite_se_revoit": (
        "paiements/test_restitution_partielle::test_une_part_se_rend_et_ses_dettes_remontent_d_autant",
        oter,
    ),
    "ordre_sans_effet_se_revoit": (
        "pannes/test_histoires_restitutions::test_un_ordre_arrete_puis_execute_en_retard_se_voit",
        oter,
    ),
    "une_restitution_a_la_fois": ("paiements/test_restitution::test_une_seule_restitution_a_la_fois", faux),
    "part_rendue_d_abord": (
        "paiements/test_reprise::test_une_restitution_attend_que_la_part_rendue_soit_reprise",
        remplacer(" or paiement.a_placer < 0", ""),
    ),
    "debit_de_notre_boutique": (
        "paiements/test_restitution::test_un_debit_que_notre_boutique_ne_peut_rendre_en_euros_ne_se_demande_pas",
        remplacer(" and a_nous", ""),
    ),
    "debit_en_euros": ("paiements/test_restitution", remplacer(" and debit.is_en_euros", "")),
    "montant_encore_tenu": (
        "pannes/test_histoires_restitutions::test_un_debit_dont_la_banque_dit_deux_choses_ne_se_rend_qu_une_fois_tranche",
        remplacer("montant > 0 and ", ""),
    ),
    "verrou_de_qui_decide": ("pannes/test_rencontres_agents::test_deux_agents_decident_ensemble", sans_verrou),
    "decider_une_fois": ("pannes/test_rencontres_agents::test_deux_agents_decident_ensemble", faux),
    "restituer_a_deux": ("paiements/test_restitution::test_celui_qui_demande_n_approuve_pas", faux),
    "clore_ce_qui_attend_la_banque": ("paiements/test_cloture::test_on_ne_clot_que_ce_qui_attend_la_banque", faux),
    "approuver_ce_qui_est_encore_du": (
        "paiements/test_journaux::test_un_impaye_lu_avant_l_accord_arrete_la_restitution",
        faux,
    ),
    "clore_sans_debit_a_regler": (
        "paiements/test_cloture::test_un_debit_annonce_apres_la_demande_arrete_l_accord",
        faux,
    ),
    "decider_une_cloture_une_fois": (
        "pannes/test_rencontres_agents::test_deux_agents_decident_ensemble_d_une_cloture",
        faux,
    ),
    "confirmer_sans_cles_seulement": (
        f"{_SANS_CLES}avec_ses_cles_on_interroge_payzen",
        remplacer(" or is_reglee(paiement.boutique, paiement.mode)", ""),
    ),
    "confirmer_ce_qui_ne_se_verifie_plus": (f"{_SANS_CLES}avec_ses_cles_on_interroge_payzen", faux),
    "essai_ne_se_confirme_pas_a_deux": (
        f"{_SANS_CLES}une_carte_d_essai_ne_se_confirme_pas_en_production",
        remplacer("not paiement.is_d_un_autre_mode and ", ""),
    ),
    "confirmer_a_deux_ce_qui_est_juste": (f"{_SANS_CLES}ce_que_la_banque_a_rendu_ne_se_confirme_pas", faux),
    "cles_revenues_on_demande": (f"{_SANS_CLES}les_cles_revenues_entre_la_demande_et_l_accord", faux),
    "clore_a_deux": ("paiements/test_cloture::test_la_meme_personne_ne_suffit_pas", faux),
    "la_banque_a_repondu_depuis": ("paiements/test_cloture::test_la_banque_repond_entre_la_demande_et_l_accord", faux),
    "anomalie_relue_sous_verrou": ("pannes/test_rencontres_agents::test_deux_agents_reprennent_la_meme_part", oter),
    "anomalie_encore_a_trancher": ("pannes/test_rencontres_agents::test_deux_agents_reprennent_la_meme_part", faux),
    "rien_pendant_une_restitution": ("paiements/test_reprise::test_rien_ne_se_reprend_pendant_une_restitution", faux),
    "pas_plus_que_l_impute": ("paiements/test_reprise::test_des_parts_qui_ne_vont_pas_ne_changent_rien", faux),
    "toute_la_part": ("paiements/test_reprise::test_des_parts_qui_ne_vont_pas_ne_changent_rien", faux),
    "admettre_moins_que_demande": (
        "paiements/test_montant_admis::test_seul_un_debit_plus_petit_ne_de_notre_formulaire_s_admet",
        faux,
    ),
    "admettre_avant_d_imputer": (
        "paiements/test_montant_admis::test_rien_ne_s_admet_d_un_paiement_deja_impute",
        faux,
    ),
    "trancher_ce_qui_est_douteux": ("paiements/test_trancher::test_un_debit_certain_ne_se_tranche_pas", faux),
    "part_qu_aucune_dette_n_a_recue": (
        "paiements/test_relectures::test_une_part_que_des_dettes_gardent_ne_se_restitue_pas",
        remplacer("paiement.a_placer >= demande.montant", "True"),
    ),
    "reprise_du_dernier_debit": (
        "paiements/test_relectures::test_une_reprise_dit_le_debit_qu_elle_reprend",
        remplacer('order_by("pk")', 'order_by("-pk")'),
    ),
    "douteux_ne_se_reprend_pas": (
        "paiements/test_relectures::test_rien_ne_se_reprend_tant_que_la_banque_dit_deux_choses",
        faux,
    ),
    "une_part_a_la_fois": ("paiements/test_restitution_partielle::test_une_seule_restitution_a_la_fois", faux),
    "part_d_un_paiement_juste": (
        "paiements/test_restitution_partielle::test_un_paiement_pas_encore_impute_n_a_pas_de_part",
        faux,
    ),
    "part_que_la_dette_a_recue": (
        "paiements/test_restitution_partielle::test_une_dette_d_un_autre_ne_rend_rien",
        faux,
    ),
    "une_part_n_est_pas_le_tout": (
        "paiements/test_restitution_partielle"
        "::test_une_part_est_moins_que_le_tout_et_pas_plus_que_ce_que_la_dette_a_recu",
        faux,
    ),
    "parts_relues_avant_d_approuver": (
        "paiements/test_restitution_partielle::test_une_part_qui_ne_va_plus_ne_s_approuve_pas",
        oter,
    ),
    "seuil_de_mise_de_cote": (
        "paiements/test_mise_de_cote::test_au_dessus_du_seuil_une_personne_ne_suffit_pas",
        remplacer("somme >= seuil", "False"),
    ),
    "somme_inconnue_a_deux": (
        "paiements/test_mise_de_cote::test_une_somme_qui_ne_se_compte_pas_en_euros_demande_deux_personnes",
        remplacer("somme is None or somme", "(somme or 0)"),
    ),
    "mettre_de_cote_a_deux": (
        "paiements/test_mise_de_cote::test_au_dessus_du_seuil_une_personne_ne_suffit_pas",
        faux,
    ),
    "un_evenement_se_clot": (
        "paiements/test_mise_de_cote::test_ce_qui_raconte_un_evenement_se_clot_et_ne_se_met_pas_de_cote",
        faux,
    ),
    "demander_ce_qui_se_fait_a_deux": (
        "paiements/test_mise_de_cote::test_ce_qu_une_personne_peut_faire_ne_se_demande_pas",
        faux,
    ),
    "une_ligne_se_clot_par_un_comptable": (
        "paiements/test_journaux_clos::test_seul_un_comptable_clot_une_ligne_d_impaye",
        faux,
    ),
    "l_argent_ne_se_clot_pas": (
        "paiements/test_mise_de_cote::test_une_anomalie_d_argent_ne_se_clot_pas",
        faux,
    ),
    "demander_une_mise_de_cote_une_fois": (
        "paiements/test_mise_de_cote::test_une_demande_ne_se_fait_pas_deux_fois",
        faux,
    ),
    "decider_une_mise_de_cote_une_fois": (
        "paiements/test_mise_de_cote::test_une_demande_se_decide_une_fois",
        faux,
    ),
    "mise_de_cote_par_un_autre": ("paiements/test_mise_de_cote::test_celui_qui_demande_n_approuve_pas", faux),
    "mise_de_cote_du_meme_etat": (
        "paiements/test_mise_de_cote::test_si_les_comptes_changent_il_n_y_a_plus_rien_a_approuver",
        faux,
    ),
}
