"""La liste des gardes : ce qu'on retire, et le test qui doit alors tomber."""

from typing import NamedTuple

COURSES = "tests/paiements/test_courses.py"
RENCONTRES = "tests/pannes/test_rencontres.py"
HISTOIRES = "tests/pannes/test_histoires.py"
BASE = "tests/pannes/test_gardes.py"
NOTIFICATION = "tests/paiements/test_notification.py"
PAYER = "tests/paiements/test_payer.py"
CONTROLE = "tests/paiements/test_controle.py"
RESTITUTION = "tests/paiements/test_restitution.py"
IMPUTATION = "tests/paiements/test_imputation.py"
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
        "_verrouiller_la_cle(fait.cle)",
        "pass",
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
        'if (fait.montant, fait.devise) != (paiement.montant, "EUR"):',
        'if fait.devise != "EUR":',
    ),
    Garde(
        "constater : devise",
        f"{NOTIFICATION}::test_un_message_authentique_mais_inattendu_devient_une_anomalie",
        CONSTATS,
        'if (fait.montant, fait.devise) != (paiement.montant, "EUR"):',
        "if fait.montant != paiement.montant:",
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
        "    if paiement.is_encaisse and paiement.uuid == fait.uuid:\n",
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
        f"{HISTOIRES}::test_un_double_debit_remis_en_banque_ne_se_retient_qu_une_fois",
        CONSTATS,
        'return Suite(Sort.SANS_EFFET, "déjà confié à un agent") if retenues.exists() else None',
        "return None",
    ),
    Garde(
        "constater : une retenue part avec son débit",
        f"{HISTOIRES}::test_un_double_debit_annule_par_la_banque_n_est_plus_retenu",
        CONSTATS,
        "    liberees = _liberer(paiement, fait)\n",
        "    liberees = 0\n",
    ),
    Garde(
        "constater : deux débits, un crédit, un agent",
        f"{HISTOIRES}::test_un_credit_pendant_qu_un_double_est_retenu_attend_un_agent",
        CONSTATS,
        "RESTITUABLES or _is_ambigu(paiement):",
        "RESTITUABLES:",
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
        "min(ligne.montant, _accueil(ligne.dette))",
        "ligne.montant",
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
        f"{HISTOIRES}::test_un_reliquat_part_avec_le_paiement_que_la_banque_annule",
        "paiements/imputation.py",
        "    anomalies.clore_par_la_banque(reliquats, motif=motif)\n",
        "",
    ),
    Garde(
        "contrôler : bail",
        f"{CONTROLE}::test_un_controle_reserve_n_est_pas_pris_deux_fois",
        "paiements/controle.py",
        "        Paiement.objects.filter(pk__in=cles).update(prochain_controle_le=timezone.now() + BAIL)\n",
        "",
    ),
    Garde(
        "contrôler : accord de la deuxième source",
        f"{CONTROLE}::test_un_desaccord_est_une_anomalie_avec_les_deux_valeurs",
        "paiements/controle.py",
        "elif fait is None or not _is_d_accord(paiement, fait):",
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
        f"{HISTOIRES}::test_une_banque_qui_hesite_trois_jours_est_encore_interrogee",
        "paiements/controle.py",
        "paiement.prochain_controle_le or timezone.now() + CHAQUE_JOUR",
        "paiement.prochain_controle_le",
    ),
    Garde(
        "confirmer : pas avant la plateforme",
        f"{CONTROLE}::test_un_agent_ne_confirme_pas_ce_que_la_plateforme_n_a_pas_confirme",
        SERVICES,
        "if paiement.confirme_le is None:",
        "if False:",
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
        "fait = _retrouver(demande, client.get_order(paiement.reference))",
        "fait = None",
    ),
    Garde(
        "restituer : un seul ouvrier à la fois",
        f"{RENCONTRES}::test_deux_ouvriers_executent_la_meme_restitution",
        "paiements/restitution.py",
        "        if not curseur.fetchone()[0]:\n",
        "        if False:\n",
    ),
    Garde(
        "restituer : un crédit déjà porté n'est pas le nôtre",
        f"{HISTOIRES}::test_un_credit_deja_porte_ne_tient_pas_lieu_de_restitution_d_un_double",
        "paiements/restitution.py",
        'connus |= {cle.split(":")[0]',
        '_ = {cle.split(":")[0]',
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
        "    paiement = verrouiller(paiement.pk)\n    if DemandeRestitution",
        "    if DemandeRestitution",
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
        f"{HISTOIRES}::test_un_reste_en_cours_de_restitution_ne_se_place_ni_ne_s_ecarte",
        "paiements/anomalies.py",
        "if issue != Anomalie.Issue.RESTITUEE and en_cours.exists():",
        "if False:",
    ),
    _base("passages_de_la_table"),
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
