"""Les gardes de ce qui entoure l'argent : payer, le protocole, le travail en attente, l'export."""

from tests.pannes.retraits import Retrait, faux, oter, remplacer, sans_verrou, vrai

GARDES: dict[str, tuple[str, Retrait]] = {
    "verrou_de_la_demarche_payee": (
        "paiements/test_courses::test_quatre_clics_simultanes_n_ouvrent_qu_un_paiement",
        sans_verrou,
    ),
    "verrou_des_dettes_payees": (
        "paiements/test_courses::test_deux_conjoints_ne_depassent_jamais_le_disponible",
        sans_verrou,
    ),
    "empreinte_du_recapitulatif": (
        "paiements/test_payer::test_on_ne_paie_que_ce_qui_etait_montre",
        faux,
    ),
    "etape_du_recapitulatif": (
        "paiements/test_payer::test_ce_qui_n_a_pas_atteint_le_recapitulatif_ne_se_paie_pas",
        faux,
    ),
    "disponible_recalcule": (
        "paiements/test_payer::test_l_argent_deja_en_route_n_est_plus_disponible",
        faux,
    ),
    "recommencer_une_fois": (
        "demarches/test_recommencer::test_recommencer_deux_fois_rend_la_meme_demarche",
        faux,
    ),
    "deja_demandees_lues": (
        "paiements/test_payer::test_un_autre_paiement_parti_depuis_se_relit_avant_de_payer",
        remplacer("in autres", "in ()"),
    ),
    "caf_suspendue": ("paiements/test_payer::test_une_caf_suspendue_n_encaisse_pas", faux),
    "verrou_de_qui_ecrit": (
        "pannes/test_rencontres_payer::test_un_onglet_ecrit_pendant_que_l_autre_paie",
        sans_verrou,
    ),
    "verrou_du_paiement": ("pannes/test_rencontres_agents::test_deux_agents_confirment_ensemble", sans_verrou),
    "table_des_passages": ("paiements/test_statuts::test_seuls_les_chemins_de_la_table_sont_ouverts", faux),
    "signature": ("paiements/payzen/test_alterations", faux),
    "mode_du_message": ("paiements/payzen/test_notification_refusee", faux),
    "formulaire_du_payeur": (
        "paiements/test_notification_refusee::test_le_formulaire_du_payeur_n_est_pas_une_notification",
        faux,
    ),
    "parametre_repete": ("paiements/payzen/test_notification_refusee", faux),
    "mode_du_paiement": (
        "paiements/test_interroger::test_un_paiement_d_un_autre_mode_n_est_ni_interroge_ni_repris",
        faux,
    ),
    "une_commande_a_la_fois": (
        "socle/test_commandes::test_deux_a_la_fois_la_seconde_est_refusee_d_une_phrase",
        faux,
    ),
    "mode_de_l_export": (
        "paiements/test_essai_en_production::test_un_paiement_d_essai_ne_part_pas_a_la_caf_en_production",
        remplacer("p.mode <> %s", "p.mode = 'JAMAIS' || %s"),
    ),
    "verrou_de_l_import": (
        "pannes/test_rencontres_imputation::test_imputer_entre_le_calcul_et_l_ajustement_de_la_caf",
        remplacer(" FOR NO KEY UPDATE", ""),
    ),
    "verrou_de_qui_reserve": (
        "pannes/test_rencontres_workers::test_deux_workers_ne_prennent_pas_le_meme_ticket",
        sans_verrou,
    ),
    "bail": ("paiements/test_interroger::test_une_interrogation_reservee_n_est_pas_prise_deux_fois", oter),
    "un_seul_a_la_fois": ("pannes/test_rencontres_workers::test_deux_workers_executent_la_meme_restitution", faux),
    "balayer_les_interrogations": (
        "paiements/test_tasks::test_le_balayage_mene_un_accord_jusqu_a_la_dette",
        remplacer("verification.reserver(PAR_BALAYAGE)", "[]"),
    ),
    "boutique_coupee": (
        "paiements/test_liaisons::test_ses_paiements_attendent_et_ceux_des_autres_boutiques_passent",
        remplacer(".exclude(boutique__in=liaisons.get_boutiques_coupees())", ".all()"),
    ),
    "courriel_coupe": (
        "paiements/test_courriel_en_panne::test_serveur_eteint_un_seul_ticket_va_voir_s_il_est_revenu",
        faux,
    ),
    "seule_une_adresse_refusee_est_definitive": (
        "paiements/test_courriel_en_panne::test_un_relais_interdit_n_est_pas_la_faute_de_l_adresse",
        vrai,
    ),
    "adresse_effacee_entre_temps": (
        "paiements/test_conservation::test_un_ticket_sans_adresse_n_est_jamais_dit_parti",
        faux,
    ),
    "pdf_impossible": (
        "paiements/test_tickets::test_un_pdf_impossible_se_retente_sans_fin",
        remplacer("except Exception:", "except ZeroDivisionError:"),
    ),
}
