"""Les gardes de ce qu'une lecture de la plateforme permet de conclure."""

from tests.pannes.retraits import Retrait, faux, oter, remplacer, vrai

GARDES: dict[str, tuple[str, Retrait]] = {
    "lecture_pendant_un_ordre": (
        "pannes/test_histoires_restitutions",
        remplacer(" or _is_ordre_en_cours(livres)", ""),
    ),
    "debit_en_suspens_n_expire_pas": (
        "paiements/test_interroger::test_un_montant_inattendu_n_expire_pas",
        remplacer(" and not _is_en_suspens(paiement, livres)", ""),
    ),
    "encore_sur_la_page_de_la_banque": (
        "paiements/test_interroger::test_qui_est_encore_sur_la_page_de_la_banque_n_est_pas_interrompu",
        remplacer("timezone.now() < get_libre_le(paiement)", "False"),
    ),
    "renoncer_quand_rien_n_est_en_suspens": (
        "paiements/test_reponse::test_rien_ne_se_libere_tant_que_la_banque_hesite",
        remplacer(" and not _is_debit_en_suspens(paiement, lire(paiement))", ""),
    ),
    "delai_de_publication": (
        "pannes/test_histoires_restitutions::test_un_ordre_fait_et_pas_encore_publie_n_est_pas_un_ecart",
        remplacer("t.apprise_le <= maintenant - CHAQUE_JOUR", "True"),
    ),
    "attente_redemandee_chaque_jour": (
        "pannes/test_histoires_controles::test_une_banque_qui_hesite_trois_jours_est_encore_interrogee",
        remplacer("paiement.statut == Statut.EN_ATTENTE or ", ""),
    ),
    "credit_qui_peut_etre_defait": (
        "pannes/test_histoires_restitutions::test_une_restitution_defaite_en_silence_se_voit",
        remplacer("a_suivre or ", ""),
    ),
    "ordre_arrete_peut_paraitre": (
        "pannes/test_histoires_restitutions::test_un_ordre_arrete_puis_execute_en_retard_se_voit",
        oter,
    ),
    "deuxieme_source_montre_le_debit": (
        "paiements/test_verifier::test_un_desaccord_va_a_un_agent_et_rien_ne_se_verifie",
        remplacer("sien in manquantes or ", ""),
    ),
    "deuxieme_source_d_accord": (
        "paiements/test_verifier::test_un_remboursement_partiel_avant_l_imputation_attend_un_agent",
        remplacer(" or not is_juste(paiement, livres)", ""),
    ),
    "desaccord_reprend_la_confirmation": (
        "pannes/test_histoires_controles::test_une_baisse_reprend_la_confirmation",
        oter,
    ),
    "essai_ne_s_impute_pas": (
        "paiements/test_essai_en_production::test_verifie_il_ne_s_impute_pas_en_production",
        remplacer("Q(mode=settings.PAYZEN_MODE)", "Q()"),
    ),
    "essai_ne_se_place_pas": (
        "paiements/test_essai_en_production::test_son_reste_ne_se_place_pas_en_production",
        faux,
    ),
    "essai_ne_se_confirme_pas": (
        "paiements/test_essai_en_production::test_il_ne_se_confirme_pas_en_production",
        faux,
    ),
    "credit_douteux_est_en_l_air": (
        "paiements/test_credits_douteux::test_rien_ne_se_verifie_sous_un_credit_douteux",
        remplacer("(is_sans_compte or self.is_douteuse)", "is_sans_compte"),
    ),
    "credit_sans_debit_bloque": (
        "paiements/test_credits_orphelins::test_tant_qu_un_credit_n_a_pas_son_debit_rien_ne_se_verifie",
        remplacer(" or livres.is_en_l_air", ""),
    ),
    "montants_qui_se_contredisent": (
        "paiements/test_montants_dits::test_rien_ne_se_verifie_d_un_debit_dont_les_montants_se_contredisent",
        remplacer(" or not is_certain(paiement, sien)", ""),
    ),
    "tenu_attendu": (
        "paiements/test_verifier::test_un_remboursement_partiel_avant_l_imputation_attend_un_agent",
        remplacer("get_tenu(sien) in paiement.montants_attendus", "True"),
    ),
    "seuil_de_la_caf": (
        "paiements/test_verifier::test_au_dessus_du_seuil_un_agent_confirme",
        remplacer("seuil is not None and paiement.montant >= seuil", "False"),
    ),
    "pas_avant_la_plateforme": (
        "paiements/test_verifier::test_un_agent_ne_confirme_pas_ce_que_la_plateforme_n_a_pas_confirme",
        faux,
    ),
    "confirmer_ce_qui_est_juste": (
        "paiements/test_montant_admis::test_un_agent_ne_confirme_pas_ce_dont_la_banque_a_rendu_une_part",
        faux,
    ),
    "lecture_depassee": (
        "pannes/test_histoires_controles::test_une_lecture_depassee_par_une_notification_ne_conclut_rien",
        remplacer("get_repere(paiement) == lecture.repere", "True"),
    ),
    "sans_cles_rien_ne_s_efface": (
        "paiements/test_sans_cles_du",
        remplacer("timezone.now() + CHAQUE_JOUR", "None"),
    ),
    "sans_cles_rien_de_neuf_n_est_du": (
        "paiements/test_sans_cles_du::test_ce_que_rien_n_attendait_n_attend_rien_de_plus",
        vrai,
    ),
    "une_interrogation_malade": (
        "paiements/test_interrogation_malade::test_la_tache_reessaie_de_plus_en_plus_tard_et_un_agent_le_voit",
        remplacer("except Exception as echec:", "except ZeroDivisionError as echec:"),
    ),
    "un_paiement_qui_ne_se_conclut_pas": (
        "paiements/test_interrogation_malade::test_la_commande_passe_aux_autres_et_nomme_ce_qui_reste",
        remplacer("except Exception as echec:", "except ZeroDivisionError as echec:"),
    ),
}
