"""La liste des gardes : ce qu'on retire, et le test qui doit alors tomber."""

from typing import NamedTuple

COURSES = "tests/paiements/test_courses.py"
RENCONTRES = "tests/pannes/test_rencontres.py"
HISTOIRES_DEBITS = "tests/pannes/test_histoires_debits.py"
HISTOIRES_CREDITS = "tests/pannes/test_histoires_credits.py"
HISTOIRES_RESTITUTIONS = "tests/pannes/test_histoires_restitutions.py"
HISTOIRES_CONTROLES = "tests/pannes/test_histoires_controles.py"
BASE = "tests/pannes/test_gardes.py"
NOTIFICATION = "tests/paiements/test_notification.py"
PAYER = "tests/paiements/test_payer.py"
CONTROLE = "tests/paiements/test_controle.py"
RESTITUTION = "tests/paiements/test_restitution.py"
IMPUTATION = "tests/paiements/test_imputation.py"
REPRISE = "tests/paiements/test_reprise.py"
CREDITS = "tests/paiements/test_remboursements.py"
TACHES = "tests/paiements/test_tasks.py"
FRAPPES = "tests/pannes/test_alterations.py"

LOT = '.select_for_update(of=("self",), skip_locked=True, no_key=True)'


class Garde(NamedTuple):
    """
    Dans le code : `avant` devient `apres` dans `fichier`. Dans la base : `sql`, ou le nom du déclencheur à ôter.
    """

    nom: str
    test: str
    fichier: str = ""
    avant: str = ""
    apres: str = ""
    sql: str = ""

    @property
    def ou(self) -> str:
        return self.fichier or "base"


def _base(nom: str, sql: str = "") -> Garde:
    """Une garde de la base, dont le test porte le nom."""
    return Garde(nom, f"{BASE}::test_la_base_refuse_ce_que_le_code_ne_doit_jamais_faire[{nom}]", sql=sql or nom)


SERVICES, CONSTATS = "paiements/services.py", "paiements/constats.py"

GARDES = [
    Garde(
        "payer : verrou de la démarche",
        f"{COURSES}::test_quatre_clics_simultanes_n_ouvrent_qu_un_paiement",
        SERVICES,
        'Demarche.objects.select_for_update(of=("self",), no_key=True)\n        .select',
        "Demarche.objects.select",
    ),
    Garde(
        "payer : verrou des dettes",
        f"{COURSES}::test_deux_conjoints_ne_depassent_jamais_le_disponible",
        SERVICES,
        'order_by("pk").select_for_update(of=("self",), no_key=True))',
        'order_by("pk"))',
    ),
    Garde(
        "payer : empreinte du récapitulatif",
        f"{PAYER}::test_on_ne_paie_que_ce_qui_etait_montre",
        SERVICES,
        "if ecarts or empreinte(demarche) != empreinte_vue:",
        "if ecarts:",
    ),
    Garde(
        "payer : disponible recalculé",
        f"{PAYER}::test_l_argent_deja_en_route_n_est_plus_disponible",
        SERVICES,
        "ecarts = get_ecarts(demarche)",
        "ecarts = []",
    ),
    Garde(
        "payer : Caf suspendue",
        f"{PAYER}::test_une_caf_suspendue_n_encaisse_pas",
        SERVICES,
        "if not caf.ouverte:",
        "if False:",
    ),
    Garde(
        "démarche : verrou de qui écrit",
        f"{RENCONTRES}::test_un_onglet_ecrit_pendant_que_l_autre_paie",
        "demarches/services.py",
        'Demarche.objects.select_for_update(of=("self",), no_key=True).select_related("allocataire").get(',
        'Demarche.objects.select_related("allocataire").get(',
    ),
    Garde(
        "constater : verrou du paiement",
        f"{COURSES}::test_la_meme_notification_huit_fois_a_la_fois_n_agit_qu_une_fois",
        CONSTATS,
        'Paiement.objects.select_for_update(of=("self",), no_key=True)',
        "Paiement.objects",
    ),
    Garde(
        "constater : verrou de la clé sans paiement",
        f"{COURSES}::test_une_reference_inconnue_huit_fois_a_la_fois_fait_une_anomalie",
        CONSTATS,
        "_verrouiller_la_cle(fait.uuid or fait.cle)",
        "pass",
    ),
    Garde(
        "constater : verrou de la transaction sans paiement",
        f"{RENCONTRES}::test_deux_etats_d_une_transaction_inconnue_ne_retiennent_que_ce_que_la_banque_tient",
        CONSTATS,
        "_verrouiller_la_cle(fait.uuid or fait.cle)",
        "_verrouiller_la_cle(fait.cle)",
    ),
    Garde(
        "constater : une transaction, une référence",
        f"{NOTIFICATION}::test_une_transaction_ne_sert_pas_deux_references",
        CONSTATS,
        "if get_contrainte(refus) not in UNE_TRANSACTION_UNE_REFERENCE:",
        "if True:",
    ),
    Garde(
        "constater : un crédit défait n'est plus rendu",
        f"{CREDITS}::test_un_credit_compte_puis_defait_laisse_l_argent_a_un_agent",
        "paiements/credits.py",
        "        return _remboursement_defait(paiement, fait)\n",
        '        return Suite(Sort.SANS_EFFET, "sans effet")\n',
    ),
    Garde(
        "constater : un crédit en attente n'est pas déjà connu",
        f"{CREDITS}::test_un_credit_d_abord_en_attente_compte_une_fois_parti",
        "paiements/credits.py",
        "    if Famille.SUCCES in familles:\n",
        "    if connus:\n",
    ),
    Garde(
        "constater : un montant déjà repris n'alerte plus",
        f"{REPRISE}::test_un_montant_baisse_deux_fois_se_reprend_en_une",
        CONSTATS,
        "debite = paiement.montant_debite",
        "debite = paiement.montant",
    ),
    Garde(
        "constater : un fait n'agit qu'une fois",
        f"{NOTIFICATION}::test_une_notification_repetee_ne_compte_qu_une_fois",
        CONSTATS,
        "Suite(Sort.DOUBLON) if fait.cle in connus else _decider(",
        "_decider(",
    ),
    Garde(
        "constater : boutique et mode",
        f"{BASE}::test_une_autre_de_nos_boutiques_n_accepte_pas_un_paiement",
        CONSTATS,
        "if (fait.site, fait.mode) != (paiement.boutique, paiement.mode):",
        "if False:",
    ),
    Garde(
        "constater : montant",
        f"{NOTIFICATION}::test_un_message_authentique_mais_inattendu_devient_une_anomalie",
        CONSTATS,
        'juste = (fait.montant, fait.devise) == (paiement.montant, "EUR")',
        'juste = fait.devise == "EUR"',
    ),
    Garde(
        "constater : devise",
        f"{NOTIFICATION}::test_un_message_authentique_mais_inattendu_devient_une_anomalie",
        CONSTATS,
        'juste = (fait.montant, fait.devise) == (paiement.montant, "EUR")',
        "juste = fait.montant == paiement.montant",
    ),
    Garde(
        "constater : trans_id",
        f"{NOTIFICATION}::test_un_message_authentique_mais_inattendu_devient_une_anomalie",
        CONSTATS,
        "if fait.trans_id != paiement.trans_id and not",
        "if False and not",
    ),
    Garde(
        "constater : date du formulaire",
        f"{NOTIFICATION}::test_un_message_authentique_mais_inattendu_devient_une_anomalie",
        CONSTATS,
        "return fait.trans_date in (None, paiement.cree_le.replace(microsecond=0))",
        "return True",
    ),
    Garde(
        "constater : uuid du débit encaissé",
        f"{NOTIFICATION}::test_un_deuxieme_debit_ne_remplace_pas_le_premier",
        CONSTATS,
        "    if paiement.is_encaisse_par(fait.uuid):\n",
        "    if paiement.is_encaisse:\n",
    ),
    Garde(
        "constater : annulation arrivée avant l'accord",
        f"{NOTIFICATION}::test_une_annulation_arrivee_avant_l_accord_l_emporte",
        CONSTATS,
        "    if any(cle.startswith((",
        "    if False and any(cle.startswith((",
    ),
    Garde(
        "constater : un débit ne se retient qu'une fois",
        f"{HISTOIRES_DEBITS}::test_un_double_debit_remis_en_banque_ne_se_retient_qu_une_fois",
        CONSTATS,
        'return Suite(Sort.SANS_EFFET, "déjà confié à un agent") if retenues.exists() else None',
        "return None",
    ),
    Garde(
        "constater : une retenue part avec son débit",
        f"{HISTOIRES_DEBITS}::test_un_double_debit_annule_par_la_banque_n_est_plus_retenu",
        CONSTATS,
        "    liberees = _liberer(paiement, fait)\n",
        "    liberees = 0\n",
    ),
    Garde(
        "attribuer : un crédit sans débit nommé, deux débits",
        f"{CREDITS}::test_un_credit_dont_la_plateforme_tait_le_debit_ne_se_tranche_que_s_il_n_y_en_a_qu_un",
        "paiements/rapprochement.py",
        "return debits.pop() if len(debits) == 1 else",
        "return debits.pop() if debits else",
    ),
    Garde(
        "attribuer : le débit que la plateforme nomme",
        f"{HISTOIRES_CREDITS}::test_un_double_rendu_au_back_office_et_mis_de_cote_ne_rend_pas_le_paiement",
        "paiements/rapprochement.py",
        "if debit == notre]",
        "if debit]",
    ),
    Garde(
        "attribuer : même ce qui est mis de côté",
        f"{HISTOIRES_CREDITS}::test_un_double_rendu_au_back_office_et_mis_de_cote_ne_rend_pas_le_paiement",
        "paiements/rapprochement.py",
        'for_debit(paiement, debit).filter(issue__in=("", Issue.ECARTEE))',
        "for_debit(paiement, debit).ouvertes()",
    ),
    Garde(
        "constater : un impayé reprend le débit entier",
        f"{HISTOIRES_RESTITUTIONS}::test_un_remboursement_defait_apres_l_impaye_ne_retient_rien",
        "paiements/suites.py",
        "(debit == paiement.uuid and paiement.is_impaye) or ",
        "",
    ),
    Garde(
        "notification : signature",
        FRAPPES,
        "paiements/payzen/notification.py",
        "if not is_signed(",
        "if False and not is_signed(",
    ),
    Garde(
        "notification : mode",
        "tests/paiements/payzen/test_notification.py",
        "paiements/payzen/notification.py",
        'if champs.get("vads_ctx_mode") != boutique.mode:',
        "if False:",
    ),
    Garde(
        "notification : paramètre répété",
        FRAPPES,
        "paiements/payzen/notification.py",
        "if len(champs) != len(paires):",
        "if False:",
    ),
    Garde(
        "imputer : verrou des dettes",
        f"{BASE}::test_deux_lots_sur_la_meme_dette_ne_s_y_bousculent_pas",
        "paiements/imputation.py",
        "        _verrouiller_les_dettes(lot)\n",
        "",
    ),
    Garde(
        "imputer : SKIP LOCKED",
        f"{BASE}::test_un_lot_saute_le_paiement_qu_un_autre_tient",
        "paiements/imputation.py",
        LOT,
        '.select_for_update(of=("self",), no_key=True)',
    ),
    Garde(
        "imputer : verrou du lot",
        f"{COURSES}::test_quatre_ouvriers_imputent_chaque_paiement_une_fois",
        "paiements/imputation.py",
        LOT,
        "",
    ),
    Garde(
        "imputer : jamais au-delà du solde",
        f"{IMPUTATION}::test_ce_qui_ne_tient_plus_devient_un_reliquat_jamais_un_solde_negatif",
        "paiements/imputation.py",
        "min(ligne.montant, _accueil(ligne.dette), net)",
        "min(ligne.montant, net)",
    ),
    Garde(
        "imputer : dette qui ne se paie plus ici",
        f"{IMPUTATION}::test_une_dette_qui_ne_se_paie_plus_ici_ne_recoit_rien",
        "paiements/imputation.py",
        "return dette.solde if dette.is_payable else Decimal(0)",
        "return dette.solde",
    ),
    Garde(
        "contrepasser : le reliquat part avec le paiement",
        f"{HISTOIRES_DEBITS}::test_un_reliquat_part_avec_le_paiement_que_la_banque_annule",
        "paiements/imputation.py",
        "    anomalies.clore_par_la_banque(reliquats, motif=motif)\n",
        "",
    ),
    Garde(
        "contrôler : bail",
        f"{CONTROLE}::test_un_controle_reserve_n_est_pas_pris_deux_fois",
        "paiements/travail.py",
        "        en_attente.model.objects.filter(pk__in=cles).update(**{champ: timezone.now() + bail})\n",
        "",
    ),
    Garde(
        "contrôler : accord de la deuxième source",
        f"{CONTROLE}::test_un_desaccord_est_une_anomalie_avec_les_deux_valeurs",
        "paiements/controle.py",
        "elif fait is None or not _is_d_accord(paiement, fait) or get_solde(faits) < paiement.net:",
        "elif fait is None:",
    ),
    Garde(
        "contrôler : seuil de la Caf",
        f"{CONTROLE}::test_au_dessus_du_seuil_un_agent_confirme",
        "paiements/controle.py",
        "return seuil is not None and paiement.montant >= seuil",
        "return False",
    ),
    Garde(
        "contrôler : on n'expire pas un débit confié à un agent",
        f"{CONTROLE}::test_un_montant_inattendu_n_expire_pas",
        "paiements/controle.py",
        "elif paiement.statut == Statut.EN_ATTENTE and not _is_en_suspens(paiement, faits):",
        "elif paiement.statut == Statut.EN_ATTENTE:",
    ),
    Garde(
        "contrôler : une attente se redemande chaque jour",
        f"{HISTOIRES_CONTROLES}::test_une_banque_qui_hesite_trois_jours_est_encore_interrogee",
        "paiements/controle.py",
        "reste = paiement.statut == Statut.EN_ATTENTE or",
        "reste =",
    ),
    Garde(
        "contrôler : une remise absente se voit",
        f"{CONTROLE}::test_un_debit_jamais_remis_en_banque_va_a_un_agent_jusqu_a_ce_qu_il_le_soit",
        "paiements/controle.py",
        "    _suivre_la_remise(paiement)\n    rapprochement",
        "    rapprochement",
    ),
    Garde(
        "contrôler : une lecture dépassée",
        f"{HISTOIRES_CONTROLES}::test_une_lecture_depassee_par_une_notification_ne_conclut_rien",
        "paiements/controle.py",
        "    if get_repere(paiement) != lecture.repere:\n",
        "    if False:\n",
    ),
    Garde(
        "contrôler : un crédit peut encore être défait",
        f"{HISTOIRES_RESTITUTIONS}::test_une_restitution_defaite_en_silence_se_voit",
        "paiements/controle.py",
        "    return min(prochain or demain, demain) if any(fait.is_credit_a_suivre for fait in faits) else prochain\n",
        "    return prochain\n",
    ),
    Garde(
        "contrôler : un désaccord reprend la confirmation",
        f"{HISTOIRES_CONTROLES}::test_un_desaccord_reprend_la_confirmation",
        "paiements/controle.py",
        "    paiement.confirme_le = None\n",
        "",
    ),
    Garde(
        "accepter : payé de nouveau après un refus",
        f"{HISTOIRES_CONTROLES}::test_un_premier_refus_puis_deux_paiements_se_disent",
        CONSTATS,
        " or _is_repaye(paiement):",
        ":",
    ),
    Garde(
        "comparer : un écart revenu se redit",
        f"{HISTOIRES_CONTROLES}::test_un_ecart_revenu_se_redit",
        "paiements/rapprochement.py",
        " and dernier.issue != Issue.CADUQUE:",
        ":",
    ),
    Garde(
        "contrôler : un crédit en attente se revoit",
        f"{HISTOIRES_CREDITS}::test_un_credit_en_attente_connu_tard_se_revoit",
        "paiements/credits.py",
        "    if fait.famille is Famille.ATTENTE:\n        _faire_relire(paiement)\n",
        "    if fait.famille is Famille.ATTENTE:\n",
    ),
    Garde(
        "restituer : un ordre sans effet se revoit",
        f"{HISTOIRES_RESTITUTIONS}::test_un_ordre_arrete_puis_execute_en_retard_se_voit",
        "paiements/restitution.py",
        "        paiement.prochain_controle_le = timezone.now() + BAIL\n",
        "",
    ),
    Garde(
        "restituer : pas un écart tant que le débit est sur les dettes",
        f"{HISTOIRES_RESTITUTIONS}::test_un_ecart_ne_se_rend_pas_sur_un_debit_porte_aux_dettes",
        "paiements/restitution.py",
        "return anomalie.paiement.uuid is not None and not ailleurs",
        "return anomalie.paiement.uuid is not None",
    ),
    Garde(
        "constater : une retenue mise de côté part avec son débit",
        f"{HISTOIRES_DEBITS}::test_un_double_mis_de_cote_puis_annule_ne_cache_rien",
        CONSTATS,
        'return anomalies.rendre(retenues, motif=f"transaction',
        'return anomalies.clore_par_la_banque(retenues, motif=f"transaction',
    ),
    Garde(
        "effacer : verrou de ce qu'on purge",
        f"{RENCONTRES}::test_la_purge_laisse_ses_lignes_a_la_demarche_que_l_on_paie",
        "paiements/conservation.py",
        ".select_for_update(skip_locked=True)",
        "",
    ),
    Garde(
        "contrôler : le mode du paiement",
        f"{CONTROLE}::test_un_paiement_d_un_autre_mode_n_est_ni_interroge_ni_repris",
        "paiements/boutiques.py",
        "if mode is not None and mode != boutique.mode:",
        "if False:",
    ),
    Garde(
        "contrôler : verrou de qui réserve",
        f"{RENCONTRES}::test_deux_ouvriers_ne_prennent_pas_le_meme_travail",
        "paiements/travail.py",
        LOT,
        "",
    ),
    Garde(
        "un désaccord tranché se ferme",
        f"{REPRISE}::test_un_montant_baisse_et_repris_se_verifie_et_ferme_le_desaccord",
        SERVICES,
        "    if paiement.statut == Statut.ACCEPTE:\n",
        "    if False:\n",
    ),
    Garde(
        "confirmer : verrou",
        f"{RENCONTRES}::test_deux_agents_confirment_ensemble",
        "paiements/controle.py",
        "    paiement = verrouiller(paiement.pk)\n    if paiement.confirme_le is None:",
        "    if paiement.confirme_le is None:",
    ),
    Garde(
        "confirmer : pas avant la plateforme",
        f"{CONTROLE}::test_un_agent_ne_confirme_pas_ce_que_la_plateforme_n_a_pas_confirme",
        "paiements/controle.py",
        "    if paiement.confirme_le is None:\n",
        "    if False:\n",
    ),
    Garde(
        "confirmer : la part rendue d'abord",
        f"{REPRISE}::test_un_agent_ne_confirme_pas_ce_dont_la_banque_a_rendu_une_part",
        "paiements/controle.py",
        "    if has_part_a_reprendre(paiement):\n        raise",
        "    if False:\n        raise",
    ),
    Garde(
        "balayer : contrôles",
        f"{TACHES}::test_le_balayage_mene_un_accord_jusqu_a_la_dette",
        "paiements/tasks.py",
        "for paiement_id in controle.reserver(PAR_BALAYAGE):",
        "for paiement_id in []:",
    ),
    Garde(
        "restituer : regarder avant d'envoyer",
        f"{RESTITUTION}::test_une_reponse_perdue_ne_rembourse_pas_deux_fois",
        "paiements/restitution.py",
        "    fait = _retrouver(demande, client.get_order(paiement.reference))\n    if fait is not None:",
        "    fait = None\n    if fait is not None:",
    ),
    Garde(
        "restituer : relire avant de renoncer",
        f"{RESTITUTION}::test_un_deja_rendu_se_relit_avant_de_renoncer",
        "paiements/restitution.py",
        "relu = _retrouver(demande, client.get_order(paiement.reference))",
        "relu = None",
    ),
    Garde(
        "restituer : un crédit mort n'a rien rendu",
        f"{RESTITUTION}::test_un_credit_mort_ne_tient_pas_lieu_de_restitution",
        "paiements/restitution.py",
        "fait.is_credit and fait.famille in (Famille.SUCCES, Famille.ATTENTE)",
        "fait.is_credit",
    ),
    Garde(
        "restituer : seul un crédit parti a rendu",
        f"{RESTITUTION}::test_un_credit_refuse_en_reponse_n_a_rien_rendu",
        "paiements/restitution.py",
        "fait.is_credit_parti",
        "fait.is_credit",
    ),
    Garde(
        "restituer : un refus définitif va à un agent",
        f"{RESTITUTION}::test_ce_que_la_plateforme_refuse_pour_toujours_va_a_un_agent",
        "paiements/restitution.py",
        "        if not erreur.is_definitive:\n",
        "        if True:\n",
    ),
    Garde(
        "restituer : verrou de la réponse",
        f"{RENCONTRES}::test_notre_annulation_et_celle_que_la_banque_annonce_n_en_font_qu_une",
        "paiements/restitution.py",
        "def _noter_le_rendu(demande: DemandeRestitution, fait: Fait) -> DemandeRestitution:\n"
        "    paiement = verrouiller(demande.paiement_id)\n",
        "def _noter_le_rendu(demande: DemandeRestitution, fait: Fait) -> DemandeRestitution:\n"
        "    paiement = demande.paiement\n",
    ),
    Garde(
        "restituer : verrou de l'anomalie à rendre",
        f"{RENCONTRES}::test_un_agent_ecarte_ce_que_l_autre_fait_rendre",
        "paiements/restitution.py",
        'Anomalie.objects.select_for_update(of=("self",), no_key=True).get(pk=anomalie.pk)',
        "Anomalie.objects.get(pk=anomalie.pk)",
    ),
    Garde(
        "restituer : verrou de qui réserve",
        f"{RENCONTRES}::test_deux_ouvriers_ne_prennent_pas_le_meme_travail",
        "paiements/travail.py",
        LOT,
        "",
    ),
    Garde(
        "restituer : la part déjà rendue d'abord",
        f"{REPRISE}::test_une_restitution_attend_que_la_part_rendue_soit_reprise",
        "paiements/restitution.py",
        "    if has_part_a_reprendre(paiement):\n",
        "    if False:\n",
    ),
    Garde(
        "impayé : verrou",
        f"{RENCONTRES}::test_deux_comptables_enregistrent_le_meme_impaye",
        "paiements/impayes.py",
        "    paiement = verrouiller(paiement.pk)\n    if not is_constatable",
        "    if not is_constatable",
    ),
    Garde(
        "reprendre : verrou",
        f"{RENCONTRES}::test_deux_agents_reprennent_la_meme_part",
        "paiements/reprise.py",
        "    paiement = verrouiller(anomalie.paiement_id)\n"
        '    anomalie = Anomalie.objects.select_for_update(of=("self",), no_key=True).get(pk=anomalie.pk)\n',
        "    paiement = anomalie.paiement\n",
    ),
    Garde(
        "reprendre : verrou du montant accepté",
        f"{RENCONTRES}::test_deux_agents_acceptent_le_meme_montant",
        "paiements/reprise.py",
        "    paiement = verrouiller(anomalie.paiement_id)\n"
        '    anomalie = Anomalie.objects.select_for_update(of=("self",), no_key=True).get(pk=anomalie.pk)\n',
        "    paiement = anomalie.paiement\n",
    ),
    Garde(
        "reprendre : pas pendant une restitution",
        f"{REPRISE}::test_rien_ne_se_reprend_pendant_une_restitution",
        "paiements/reprise.py",
        "    if paiement.restitutions.filter(etat__in=DemandeRestitution.EN_COURS).exists():\n",
        "    if False:\n",
    ),
    Garde(
        "reprendre : pas plus que la part",
        f"{REPRISE}::test_des_parts_qui_ne_vont_pas_ne_changent_rien",
        "paiements/reprise.py",
        "    if sans_dette < 0:\n",
        "    if False:\n",
    ),
    Garde(
        "reprendre : pas plus que l'imputation",
        f"{REPRISE}::test_des_parts_qui_ne_vont_pas_ne_changent_rien",
        "paiements/reprise.py",
        "part > connues[cle].reste",
        "False",
    ),
    Garde(
        "reprendre : tout se reprend quelque part",
        f"{REPRISE}::test_des_parts_qui_ne_vont_pas_ne_changent_rien",
        "paiements/reprise.py",
        "    if reliquat is None or reliquat.montant < montant:\n",
        "    if reliquat is None:\n        return\n    if reliquat.montant < montant:\n",
    ),
    Garde(
        "reprendre : le débit vu, plus petit, en euros",
        f"{REPRISE}::test_seul_le_debit_plus_petit_que_l_on_a_vu_s_accepte",
        "paiements/reprise.py",
        "not 0 < fait.montant < paiement.montant",
        "False",
    ),
    Garde(
        "placer le reste : verrou du paiement",
        f"{RENCONTRES}::test_un_agent_place_le_reste_que_la_banque_reprend",
        "paiements/imputation.py",
        "    paiement = verrouiller(anomalie.paiement_id)\n",
        "    paiement = anomalie.paiement\n",
    ),
    Garde(
        "placer le reste : verrou des dettes",
        f"{RENCONTRES}::test_deux_restes_ne_remplissent_pas_deux_fois_la_meme_dette",
        "paiements/imputation.py",
        '    list(siennes.order_by("pk").select_for_update(of=("self",), no_key=True).values_list("pk"))\n',
        "",
    ),
    Garde(
        "importer : verrou des dettes",
        f"{RENCONTRES}::test_imputer_entre_le_calcul_et_l_ajustement_de_la_caf",
        "dettes/importation/application.py",
        "ORDER BY id FOR NO KEY UPDATE",
        "ORDER BY id",
    ),
    Garde(
        "tickets : verrou de qui réserve",
        f"{RENCONTRES}::test_deux_ouvriers_ne_prennent_pas_le_meme_ticket",
        "paiements/travail.py",
        LOT,
        "",
    ),
    Garde(
        "tickets : un PDF impossible se dit",
        "tests/paiements/test_tickets.py::test_un_pdf_impossible_se_retente_puis_va_a_un_agent",
        "paiements/tickets.py",
        "    except Exception:",
        "    except ZeroDivisionError:",
    ),
    Garde(
        "restituer : un seul ouvrier à la fois",
        f"{RENCONTRES}::test_deux_ouvriers_executent_la_meme_restitution",
        "paiements/restitution.py",
        "        if not curseur.fetchone()[0]:\n",
        "        if False:\n",
    ),
    Garde(
        "restituer : un crédit déjà compté n'est pas le nôtre",
        f"{HISTOIRES_RESTITUTIONS}::test_un_remboursement_deja_repris_n_est_pas_la_reponse_a_notre_ordre",
        "paiements/restitution.py",
        '    connus |= set(comptes.values_list("constat__vu__uuid", flat=True))\n',
        "",
    ),
    Garde(
        "restituer : un crédit d'un autre débit n'est pas le nôtre",
        f"{HISTOIRES_RESTITUTIONS}::test_le_credit_d_un_double_n_est_pas_la_reponse_a_notre_ordre",
        "paiements/restitution.py",
        'fait.parent in ("", demande.debit) and ',
        "",
    ),
    Garde(
        "restituer : regarder avant d'arrêter",
        f"{HISTOIRES_RESTITUTIONS}::test_un_ordre_deja_execute_ne_s_arrete_plus",
        "paiements/restitution.py",
        "        if fait is not None:\n            _conclure(demande, fait)\n",
        "        if False:\n            _conclure(demande, fait)\n",
    ),
    Garde(
        "restituer : demandeur et approbateur sont deux",
        f"{RESTITUTION}::test_celui_qui_demande_n_approuve_pas",
        "paiements/restitution.py",
        "if demande.demandeur_id == agent.pk:",
        "if False:",
    ),
    Garde(
        "restituer : verrou de qui décide",
        f"{RENCONTRES}::test_deux_agents_decident_ensemble",
        "paiements/restitution.py",
        'demande = DemandeRestitution.objects.select_for_update(of=("self",), no_key=True).get(pk=demande.pk)\n'
        "    if demande.etat != Etat.DEMANDEE:",
        "demande = DemandeRestitution.objects.get(pk=demande.pk)\n    if demande.etat != Etat.DEMANDEE:",
    ),
    Garde(
        "restituer : verrou de qui demande",
        f"{RENCONTRES}::test_deux_agents_demandent_la_meme_restitution",
        "paiements/restitution.py",
        "    paiement = verrouiller(paiement.pk)\n    if is_en_cours",
        "    if is_en_cours",
    ),
    Garde(
        "anomalie : verrou de qui clôt",
        f"{RENCONTRES}::test_deux_agents_closent_la_meme_anomalie",
        "paiements/anomalies.py",
        'Anomalie.objects.select_for_update(of=("self",), no_key=True).get(',
        "Anomalie.objects.get(",
    ),
    Garde(
        "anomalie : rien d'autre pendant sa restitution",
        f"{HISTOIRES_RESTITUTIONS}::test_un_reste_en_cours_de_restitution_ne_se_place_ni_ne_s_ecarte",
        "paiements/anomalies.py",
        "if issue != Anomalie.Issue.RESTITUEE and en_cours.exists():",
        "if False:",
    ),
    Garde(
        "contrôler : rien n'en est déjà rendu",
        f"{HISTOIRES_CREDITS}::test_une_part_rendue_avant_que_le_debit_soit_connu_n_impute_rien",
        "paiements/controle.py",
        " or get_solde(faits) < paiement.net:",
        ":",
    ),
    Garde(
        "comparer : la banque et nous",
        f"{HISTOIRES_CONTROLES}::test_une_baisse_mise_de_cote_par_erreur_se_voit_et_se_reprend",
        "paiements/controle.py",
        "    rapprochement.comparer(paiement, faits)\n",
        "",
    ),
    Garde(
        "comparer : un crédit dont le débit est nommé",
        f"{HISTOIRES_CREDITS}::test_le_remboursement_d_un_double_libere_le_double_des_que_la_plateforme_le_nomme",
        "paiements/controle.py",
        "    rapprochement.attribuer(paiement, faits)\n",
        "",
    ),
    Garde(
        "reprendre : rien d'un débit déjà rendu",
        f"{HISTOIRES_CREDITS}::test_un_montant_deja_rendu_ne_s_accepte_pas",
        "paiements/reprise.py",
        "    if get_solde(faits) < fait.montant:\n",
        "    if False:\n",
    ),
    Garde(
        "restituer : sur le débit qu'on remboursait",
        f"{HISTOIRES_RESTITUTIONS}::test_un_double_mal_rembourse_se_rend_sur_son_propre_debit",
        "paiements/restitution.py",
        'vu.get("parent") or paiement.uuid or ""',
        'paiement.uuid or ""',
    ),
    Garde(
        "placer le reste : pas ce que la banque a rendu",
        f"{HISTOIRES_CREDITS}::test_un_reste_ne_se_place_pas_quand_la_banque_en_a_rendu_une_part",
        "paiements/imputation.py",
        '    if rendues.filter(constat__vu__operation="CREDIT").exists():\n',
        "    if False:\n",
    ),
    _base("passages_de_la_table"),
    _base("chaque_passage_a_son_etape"),
    _base("paiement_nait_initie"),
    _base("paiement_jamais_efface"),
    _base("anomalie_jamais_effacee"),
    _base("restitution_jamais_effacee"),
    _base("restitution_approuvee_telle_que_demandee"),
    _base("reprise_ajout_seul"),
    _base("reprise_jamais_au_dela"),
    _base("dette_jamais_effacee"),
    _base("dette_reste_a_son_dossier"),
    _base("paiement_immuable_sur_l_essentiel"),
    _base("etape_ajout_seul"),
    _base("notification_ajout_seul"),
    _base("imputation_ajout_seul"),
    _base("passages_de_la_restitution"),
    _base("mouvement_ajout_seul"),
    _base("solde_ecrit_par_les_seuls_mouvements"),
    _base("demarche_figee_apres_payer"),
    _base("lignes_figees_avec_la_demarche"),
    _base("dette_jamais_sous_zero", "ALTER TABLE dettes_dette DROP CONSTRAINT dette_jamais_sous_zero"),
    _base("une_notification_agit_une_fois", "DROP INDEX une_notification_agit_une_fois"),
    _base("une_restitution_en_cours_par_paiement", "DROP INDEX une_restitution_en_cours_par_paiement"),
    _base(
        "une_imputation_par_paiement_et_dette",
        "ALTER TABLE paiements_imputation DROP CONSTRAINT une_imputation_par_paiement_et_dette",
    ),
    _base("une_anomalie_par_fait", "ALTER TABLE paiements_anomalie DROP CONSTRAINT une_anomalie_par_fait"),
    _base(
        "demandeur_et_approbateur_sont_deux",
        "ALTER TABLE paiements_demanderestitution DROP CONSTRAINT demandeur_et_approbateur_sont_deux",
    ),
    Garde(
        "total_egal_somme_des_lignes",
        f"{BASE}::test_le_total_d_une_demarche_qui_part_est_la_somme_de_ses_lignes",
        sql="total_egal_somme_des_lignes",
    ),
    Garde(
        "un uuid de transaction par paiement",
        f"{BASE}::test_deux_paiements_n_ont_jamais_la_meme_transaction",
        sql="ALTER TABLE paiements_paiement DROP CONSTRAINT paiements_paiement_uuid_key",
    ),
]
