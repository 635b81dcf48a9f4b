"""Les gardes de la réception, de la file et de l'imputation."""

from tests.pannes.retraits import Retrait, faux, oter, remplacer, sans_verrou

GARDES: dict[str, tuple[str, Retrait]] = {
    "restitution_defaite_ne_se_compte_pas": (
        "pannes/test_histoires_restitutions::test_ce_que_la_caf_a_rendu_ne_se_compte_ni_defait_ni_deux_fois",
        remplacer(".filter(Q(credit=None) | Q(credit__in=TransactionPayzen.objects.vivantes()))", ""),
    ),
    "date_jamais_avant_le_clic": (
        "paiements/test_dates::test_elle_est_bornee_entre_le_clic_et_maintenant",
        remplacer(
            "max(self.cree_le, self.debit.creee_le or self.debit.apprise_le)",
            "self.debit.creee_le or self.debit.apprise_le",
        ),
    ),
    "identite_de_la_transaction": (
        "paiements/test_notification_inattendue::test_une_transaction_dite_sous_une_autre_reference_ne_change_rien_et_va_a_un_agent",
        remplacer(
            '({", ".join(f"t.{nom}" for nom in IDENTITE)}) = ({", ".join(f"EXCLUDED.{nom}" for nom in IDENTITE)})',
            "true",
        ),
    ),
    "redire_n_apprend_rien": (
        "paiements/test_notification::test_une_notification_repetee_ne_compte_qu_une_fois",
        remplacer(
            'AND ({", ".join(f"t.{nom}" for nom in UNIONS)}) IS DISTINCT FROM ({", ".join(UNIONS.values())})', ""
        ),
    ),
    "lecture_sans_nouvelle": (
        "paiements/test_porter::test_une_lecture_qui_n_apprend_rien_n_ecrit_aucun_message",
        remplacer("WHERE s.source NOT IN {LUES} OR s.sort <> 'DEJA_SU'", ""),
    ),
    "date_jamais_a_venir": (
        "paiements/test_dates::test_elle_est_bornee_entre_le_clic_et_maintenant",
        remplacer("> %(maintenant)s THEN", "> 'infinity' THEN"),
    ),
    "verrou_de_qui_porte": (
        "pannes/test_rencontres_payer::test_deux_debits_au_meme_instant_le_second_est_un_double",
        sans_verrou,
    ),
    "lecture_oubliee": (
        "pannes/test_histoires_controles::test_ce_qui_est_mis_de_cote_le_reste_tant_que_les_comptes_ne_changent_pas",
        oter,
    ),
    "credit_sans_debit_fait_interroger": (
        "pannes/test_histoires_credits::test_un_credit_en_attente_connu_tard_se_revoit",
        faux,
    ),
    "douteux_n_accepte_pas": ("paiements/test_douteux", remplacer(" and not debit.is_douteuse", "")),
    "non_accorde_n_accepte_pas": ("paiements/test_notification", remplacer("debit.is_accordee and ", "")),
    "une_part_rendue_n_est_pas_le_tout": (
        "paiements/test_impaye::test_un_impaye_annule_apres_une_part_restituee_revient",
        remplacer(" if faites[debit.uuid] >= debit.pris", ""),
    ),
    "restitue_par_nous_ne_rouvre_pas": (
        "pannes/test_histoires_restitutions::test_une_restitution_defaite_en_silence_se_voit",
        faux,
    ),
    "montant_attendu": (
        "paiements/test_notification_inattendue::test_un_debit_d_un_autre_montant_est_tenu_et_montre",
        remplacer("debit.montant <= attendu <= debit.montant_haut", "True"),
    ),
    "devise_attendue": (
        "paiements/test_notification_inattendue::test_un_message_authentique_mais_inattendu_devient_une_anomalie",
        remplacer("debit.devise == EURO and ", ""),
    ),
    "formulaire_attendu": (
        "paiements/test_notification_inattendue::test_un_message_authentique_mais_inattendu_devient_une_anomalie",
        remplacer(" and is_notre_formulaire(paiement, debit)", ""),
    ),
    "repaye_apres_un_refus": (
        "pannes/test_histoires_controles::test_un_premier_refus_puis_deux_paiements_se_disent",
        faux,
    ),
    "douteux_ne_reprend_rien": (
        "paiements/test_douteux",
        remplacer(" or sien.is_douteuse", ""),
    ),
    "reprendre_ce_qui_n_est_plus_tenu": (
        "paiements/test_notification::test_une_annulation_a_la_banque_fait_remonter_la_dette",
        oter,
    ),
    "boutique_du_formulaire": ("pannes/test_gardes::test_une_autre_de_nos_boutiques_n_accepte_pas_un_paiement", faux),
    "numero_du_formulaire": (
        "paiements/test_notification_inattendue::test_un_message_authentique_mais_inattendu_devient_une_anomalie",
        faux,
    ),
    "date_du_formulaire": (
        "paiements/test_notification_inattendue::test_un_message_authentique_mais_inattendu_devient_une_anomalie",
        remplacer("debit.trans_date in (None, paiement.cree_le.replace(microsecond=0))", "True"),
    ),
    "montant_qui_monte": (
        "paiements/test_montants_dits",
        remplacer("debit.uuid == paiement.debit_id and debit.montant_haut > paiement.montant", "False"),
    ),
    "montant_effectif": (
        "paiements/test_montants_dits",
        remplacer("debit.effectif is None or 0 < debit.effectif <= debit.montant", "True"),
    ),
    "effectif_le_plus_petit": ("paiements/test_montants_dits", remplacer("min(montant, effectif)", "montant")),
    "credit_d_une_autre_devise": (
        "paiements/test_autre_devise",
        remplacer("credit.is_en_l_air or (credit.is_vivante and not credit.is_en_euros)", "not credit.parent_id"),
    ),
    "retard_de_ce_qui_est_tenu": ("paiements/test_notification", remplacer("get_tenu(debit) > 0 and ", "")),
    "retour_voulu_par_un_agent": ("paiements/test_impaye", remplacer("not cause.is_agent", "True")),
    "clos_a_deux_reste_clos": (
        "paiements/test_douteux",
        remplacer(" or paiement.clotures.filter(accord=True).exists()", ""),
    ),
    "credit_en_l_air_ne_s_impute_pas": (
        "paiements/test_credits_orphelins::test_un_credit_appris_apres_la_verification_empeche_d_imputer",
        remplacer(" or paiement.solde.is_en_l_air", ""),
    ),
    "douteux_ne_se_recommence_pas": ("paiements/test_douteux", remplacer(" + self.solde.douteux", "")),
    "devise_effective": ("paiements/test_montants_dits", remplacer("debit.is_en_euros and ", "")),
    "la_banque_et_nous": (
        "paiements/test_faits::test_un_ecart_dit_ce_que_payzen_tient_et_ce_qui_devrait_l_etre",
        faux,
    ),
    "remise_absente": (
        "paiements/test_remise::test_un_debit_jamais_remis_en_banque_va_a_un_agent_jusqu_a_ce_qu_il_le_soit",
        faux,
    ),
    "tenu_d_un_paiement_reparti": (
        "pannes/test_histoires_restitutions::test_une_restitution_defaite_en_silence_se_voit",
        remplacer("Genre.ECART if is_a_part else None", "None"),
    ),
    "transaction_disparue": ("paiements/test_verifier::test_un_desaccord_va_a_un_agent_et_rien_ne_se_verifie", faux),
    "impaye_que_la_banque_ne_montre_pas": (
        "pannes/test_histoires_impayes::test_un_impaye_que_la_banque_ne_montre_pas_n_est_pas_un_ecart",
        remplacer("transaction.is_debit and transaction.compte.is_impaye", "False"),
    ),
    "rouvrir_ce_qui_revient": (
        "pannes/test_histoires_credits::test_deux_remboursements_du_meme_montant_se_disent_chacun",
        remplacer("anomalie.etat in REGLEES or ", ""),
    ),
    "rouvrir_ce_qui_change": (
        "paiements/test_file::test_elle_se_rouvre_si_sa_situation_change_et_garde_les_deux_voix",
        remplacer(" or anomalie.situation != attendue.situation", ""),
    ),
    "fermer_ce_qui_n_a_plus_lieu": (
        "paiements/test_file::test_un_deuxieme_debit_annule_ferme_son_anomalie_au_nom_de_la_banque",
        faux,
    ),
    "verrou_de_qui_met_de_cote": (
        "pannes/test_rencontres_agents::test_deux_agents_mettent_de_cote_la_meme_anomalie",
        sans_verrou,
    ),
    "mettre_de_cote_une_fois": ("paiements/test_file::test_une_anomalie_reglee_ne_se_met_pas_de_cote_deux_fois", faux),
    "verrou_du_lot": (
        "pannes/test_rencontres_imputation::test_un_lot_saute_le_paiement_qu_un_autre_tient",
        sans_verrou,
    ),
    "sauter_ce_qu_un_autre_tient": (
        "pannes/test_rencontres_imputation::test_un_lot_saute_le_paiement_qu_un_autre_tient",
        remplacer("skip_locked=True, ", ""),
    ),
    "verrou_des_dettes_du_lot": (
        "pannes/test_rencontres_imputation::test_imputer_entre_le_calcul_et_l_ajustement_de_la_caf",
        remplacer("_verrouiller_les_dettes(lot)", "set()"),
    ),
    "sauter_une_dette_tenue": (
        "paiements/test_imputation_malade::test_une_dette_tenue_par_un_autre_ne_retarde_que_son_paiement",
        remplacer("skip_locked=True, ", ""),
    ),
    "point_de_reprise": (
        "paiements/test_imputation_malade::test_un_paiement_malade_n_arrete_pas_les_autres",
        remplacer("with transaction.atomic():", "if True:"),
    ),
    "un_paiement_malade": (
        "paiements/test_imputation_malade::test_un_paiement_malade_n_arrete_pas_les_autres",
        remplacer("except Exception as echec:", "except ZeroDivisionError as echec:"),
    ),
    "relire_apres_un_echec": (
        "paiements/test_imputation_malade::test_un_refus_tardif_ne_laisse_personne_a_moitie_avance",
        remplacer("[verrouiller(paiement.pk)]", "[paiement]"),
    ),
    "un_dossier_une_fois_par_vague": (
        "paiements/test_imputation::test_deux_paiements_d_un_dossier_dans_un_lot_se_partagent_ce_qui_reste",
        remplacer("rangs[dossier] += 1", "pass"),
    ),
    "jamais_au_dela_du_solde": (
        "paiements/test_imputation::test_ce_qui_ne_tient_plus_devient_un_reliquat_jamais_un_solde_negatif",
        remplacer("_accueil(ligne.dette), ", ""),
    ),
    "jamais_au_dela_du_tenu": (
        "paiements/test_montant_admis::test_un_montant_plus_petit_s_accepte_et_s_impute_a_la_plus_ancienne",
        remplacer(", tenu)", ")"),
    ),
    "dette_qui_ne_se_paie_plus_ici": (
        "paiements/test_imputation::test_une_dette_qui_ne_se_paie_plus_ici_ne_recoit_rien",
        remplacer(" if dette.is_payable else Decimal(0)", ""),
    ),
    "placer_le_reste_exact": (
        "pannes/test_histoires_credits::test_un_reste_ne_se_place_pas_quand_la_banque_en_a_rendu_une_part",
        faux,
    ),
    "verrou_des_dettes_du_reste": (
        "pannes/test_rencontres_imputation::test_deux_restes_ne_remplissent_pas_deux_fois_la_meme_dette",
        oter,
    ),
    "dette_qui_peut_recevoir_le_reste": (
        "paiements/test_reste::test_un_reste_ne_va_pas_sur_la_dette_d_un_autre",
        faux,
    ),
    "dette_soldee_se_paie_de_nouveau": (
        "paiements/test_notification::test_une_dette_soldee_par_un_paiement_repris_se_paie_de_nouveau",
        oter,
    ),
    "autre_debit_deja_connu": (
        "paiements/test_relectures::test_un_autre_debit_tenu_prend_la_suite_dans_tous_les_ordres",
        remplacer("not in FIXES", "not in FIXES and not livres.impute"),
    ),
    "annule_par_nous_est_restitue": (
        "paiements/test_relectures::test_un_debit_que_nous_avons_fait_annuler_est_restitue_pas_rejete",
        remplacer("any(", "False and any("),
    ),
    "verdict_que_la_banque_dement": (
        "paiements/test_relectures::test_un_verdict_que_la_banque_dement_se_voit",
        remplacer("transaction.statut == CONTRADICTOIRE and", "False and"),
    ),
    "anomalie_rouverte_une_fois": (
        "pannes/test_rencontres_workers::test_deux_workers_rouvrent_la_meme_alerte_une_fois",
        remplacer('.select_for_update(of=("self",), no_key=True)', ""),
    ),
    "devise_apprise_avant_d_imputer": (
        "paiements/test_montants_dits::test_une_autre_devise_apprise_apres_la_verification_n_impute_rien",
        remplacer("paiement.debit is not None and not is_certain(paiement, paiement.debit)", "False"),
    ),
    "rien_ne_s_impute_sans_etre_admis": (
        "paiements/test_montant_admis::test_une_part_rendue_apres_la_verification_attend_qu_un_agent_l_admette",
        remplacer("paiement.solde.tenu not in paiement.montants_attendus", "False"),
    ),
    "imputations_du_dernier_accord": (
        "paiements/test_relectures::test_l_attestation_ne_compte_que_le_dernier_accord",
        remplacer(".filter(mouvement__le__gte=Subquery(accord))", ".all()"),
    ),
}
