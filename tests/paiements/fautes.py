"""Ce qui fausse les comptes, et l'invariant qui le voit."""

# Une faute par clause : (invariant, ce qui le viole).
FAUTES = [
    ("total_des_lignes", "UPDATE demarches_lignedemarche SET montant = montant + 0.01"),
    ("solde_et_mouvements", "UPDATE dettes_dette SET solde = solde + 0.01"),
    (
        "solde_et_mouvements",
        "ALTER TABLE dettes_dette DROP CONSTRAINT dette_jamais_sous_zero; UPDATE dettes_dette SET solde = -1;"
        " UPDATE dettes_mouvement m SET montant = d.solde - d.montant_initial FROM dettes_dette d"
        " WHERE d.id = m.dette_id AND m.genre = 'IMPUTATION'",
    ),
    ("constat", "DELETE FROM dettes_mouvement WHERE genre = 'CONSTAT'"),
    ("argent_a_sa_place", "UPDATE paiements_anomalie SET etat = 'CLOSE' WHERE genre = 'RELIQUAT'"),
    ("argent_a_sa_place", "UPDATE paiements_anomalie SET transaction_id = NULL WHERE genre = 'DOUBLE_PAIEMENT'"),
    ("argent_a_sa_place", "UPDATE paiements_anomalie SET etat = 'SANS_OBJET' WHERE genre = 'ANNULATION_BANQUE'"),
    ("argent_a_sa_place", "UPDATE paiements_transactionpayzen SET montant = 119 WHERE montant = 120"),
    ("argent_a_sa_place", "DELETE FROM paiements_impaye; DELETE FROM paiements_anomalie WHERE genre = 'IMPAYE'"),
    (
        "argent_a_sa_place",
        "UPDATE paiements_transactionpayzen SET paiement_id = NULL WHERE uuid = repeat('d', 32);"
        " DELETE FROM paiements_anomalie WHERE genre = 'DOUBLE_PAIEMENT'",
    ),
    (
        "argent_a_sa_place",
        "UPDATE paiements_transactionpayzen SET statut = 'REFUSED' WHERE uuid IN"
        " (SELECT debit_id FROM paiements_paiement WHERE statut = 'IMPUTE')",
    ),
    ("rien_sur_les_dettes_avant_l_heure", "UPDATE paiements_paiement SET statut = 'VERIFIE' WHERE statut = 'IMPUTE'"),
    ("rien_sur_les_dettes_avant_l_heure", "DELETE FROM paiements_imputation WHERE montant < 0"),
    ("rien_sur_les_dettes_avant_l_heure", "UPDATE paiements_imputation SET montant = -121 WHERE montant < 0"),
    ("transaction_prouvee", "UPDATE paiements_transactionpayzen SET statut = 'CAPTURED' WHERE statut = 'AUTHORISED'"),
    ("transaction_prouvee", "UPDATE paiements_transactionpayzen SET montant = montant - 1"),
    ("transaction_prouvee", "UPDATE paiements_transactionpayzen SET montant_haut = montant_haut + 1"),
    ("transaction_prouvee", "DELETE FROM paiements_messagepayzen"),
    ("debit_du_paiement", "UPDATE paiements_transactionpayzen SET operation = 'CREDIT'"),
    ("debit_du_paiement", "UPDATE paiements_transactionpayzen SET devise = 'USD'"),
    ("debit_du_paiement", "UPDATE paiements_transactionpayzen SET paiement_id = NULL"),
    ("debit_du_paiement", "UPDATE paiements_transactionpayzen SET reference = 'P-AUTRE'"),
    ("debit_du_paiement", "UPDATE paiements_transactionpayzen SET boutique = '75100001'"),
    ("debit_du_paiement", "UPDATE paiements_transactionpayzen SET statut = 'REFUSED'"),
    ("debit_du_paiement", "UPDATE paiements_transactionpayzen SET montant_haut = 121, montant = 121"),
    ("debit_du_paiement", "UPDATE paiements_transactionpayzen SET mode = 'PRODUCTION'"),
    ("restitution_prouvee", "UPDATE paiements_transactionpayzen SET statut = 'CAPTURED' WHERE statut = 'CANCELLED'"),
    (
        "restitution_prouvee",
        "UPDATE paiements_demanderestitution SET credit_id = repeat('d', 32) WHERE etat = 'FAITE'",
    ),
    (
        "restitution_prouvee",
        "UPDATE paiements_demanderestitution SET credit_id = (SELECT min(uuid) FROM paiements_transactionpayzen"
        " WHERE parent_id IS NOT NULL) WHERE etat = 'FAITE'",
    ),
    ("un_seul_mode", "UPDATE paiements_paiement SET mode = 'PRODUCTION'"),
    ("un_seul_mode", "UPDATE paiements_transactionpayzen SET mode = 'PRODUCTION'"),
    ("file_suit_les_livres", "UPDATE paiements_anomalie SET etat = 'SANS_OBJET' WHERE genre = 'IMPAYE'"),
    ("file_suit_les_livres", "UPDATE paiements_anomalie SET etat = 'SANS_OBJET' WHERE genre = 'RESTITUTION_REFUSEE'"),
    ("file_suit_les_livres", "DELETE FROM paiements_impaye"),
    ("file_suit_les_livres", "UPDATE paiements_imputation SET montant = 120 WHERE montant = 20"),
    (
        "file_suit_les_livres",
        "UPDATE paiements_transactionpayzen SET statut = 'CANCELLED' WHERE uuid = repeat('d', 32)",
    ),
    ("journal_de_la_file", "UPDATE paiements_anomalie SET etat = 'ECARTEE'"),
    ("journal_de_la_file", "DELETE FROM paiements_etapeanomalie"),
    ("journal_de_la_file", "UPDATE paiements_etapeanomalie SET de = 'CLOSE' WHERE de = ''"),
    (
        "journal_de_la_file",
        "UPDATE paiements_etapeanomalie SET vers = 'CLOSE' WHERE de = '';"
        " UPDATE paiements_anomalie SET etat = 'CLOSE' WHERE etat = 'OUVERTE'",
    ),
    ("soldes_enchaines", "UPDATE dettes_mouvement SET solde_apres = solde_apres + 1 WHERE genre = 'IMPUTATION'"),
    ("encaissements_justes", "UPDATE dettes_fichieremis SET total = total + 0.01"),
    ("encaissements_justes", "UPDATE dettes_fichieremis SET lignes = lignes + 1"),
    ("encaissements_justes", "UPDATE dettes_fichieremis SET sequence = 2"),
    ("encaissements_justes", "UPDATE dettes_fichieremis SET sequence = 3, plancher = 1"),
    ("imputation_et_mouvement", "UPDATE dettes_mouvement SET origine = 'ailleurs' WHERE genre = 'IMPUTATION'"),
    ("imputation_et_mouvement", "UPDATE paiements_imputation SET montant = montant - 0.01"),
    ("imputation_et_mouvement", "UPDATE dettes_mouvement SET genre = 'RETENUE' WHERE genre = 'IMPUTATION'"),
    ("imputation_et_mouvement", "UPDATE paiements_imputation SET dette_id = (SELECT max(id) FROM dettes_dette)"),
    ("imputation_et_mouvement", "UPDATE dettes_mouvement SET genre = 'REMISE' WHERE genre = 'REJET'"),
    ("imputation_et_mouvement", "UPDATE paiements_imputation SET debit_id = repeat('c', 32)"),
    (
        "imputation_et_mouvement",
        "UPDATE paiements_imputation SET debit_id = (SELECT min(debit_id) FROM paiements_imputation)",
    ),
    ("mouvement_sans_imputation", "DELETE FROM paiements_imputation WHERE montant > 0"),
    ("mouvement_sans_imputation", "DELETE FROM paiements_imputation WHERE montant < 0"),
    ("mouvement_a_rendre", "DELETE FROM dettes_ligneemise"),
    (
        "mouvement_a_rendre",
        "INSERT INTO dettes_mouvementarendre (mouvement_id, caf_id) SELECT mouvement_id, '661' FROM dettes_ligneemise",
    ),
    ("mouvement_a_rendre", "UPDATE dettes_fichieremis SET caf_id = '751'"),
    ("journal_sans_trou", "DELETE FROM paiements_etapepaiement WHERE geste = 'verifier'"),
    ("journal_sans_trou", "DELETE FROM paiements_etapepaiement"),
    ("journal_sans_trou", "UPDATE paiements_paiement SET statut = 'EXPIRE' WHERE statut = 'EN_ATTENTE'"),
    ("journal_sans_trou", "UPDATE paiements_etapepaiement SET geste = 'expirer' WHERE geste = 'refuser'"),
    ("demarche_suit_le_paiement", "UPDATE demarches_demarche SET etat = 'REFUSEE'"),
    (
        "demarche_suit_le_paiement",
        "UPDATE paiements_paiement SET demarche_id = (SELECT id FROM demarches_demarche WHERE etat = 'BROUILLON')"
        " WHERE statut = 'REFUSE'",
    ),
    ("rien_d_oublie", "UPDATE paiements_paiement SET prochain_controle_le = NULL WHERE statut = 'EN_ATTENTE'"),
    ("rien_d_oublie", "UPDATE paiements_paiement SET prochain_controle_le = NULL WHERE statut = 'ACCEPTE'"),
    ("rien_d_oublie", "UPDATE paiements_paiement SET prochain_controle_le = NULL WHERE statut = 'IMPUTE'"),
    ("rien_en_retard", "UPDATE paiements_paiement SET prochain_controle_le = now() - interval '6 minutes'"),
    ("rien_d_oublie", "UPDATE paiements_paiement SET imputer_le = NULL WHERE statut = 'VERIFIE'"),
    ("rien_en_retard", "UPDATE paiements_paiement SET imputer_le = now() - interval '6 minutes'"),
    ("rien_en_retard", "UPDATE paiements_ticket SET prochain_essai_le = now() - interval '6 minutes'"),
    (
        "rien_en_retard",
        "UPDATE paiements_demanderestitution SET prochain_essai_le = now() - interval '6 minutes'"
        " WHERE etat = 'APPROUVEE'",
    ),
    ("rien_en_retard", "UPDATE paiements_demanderestitution SET prochain_essai_le = NULL WHERE etat = 'APPROUVEE'"),
    ("rien_en_retard", "UPDATE paiements_demanderestitution SET decidee_le = now() - interval '4 days'"),
    ("ticket_de_chaque_accord", "DELETE FROM paiements_ticket"),
    ("feuille_du_jour", "UPDATE dettes_mouvement SET montant = montant - 1 WHERE genre = 'IMPUTATION'"),
    ("gardes_en_place", "ALTER TABLE dettes_mouvement DISABLE TRIGGER USER"),
    ("gardes_en_place", "ALTER TABLE paiements_impaye DISABLE TRIGGER USER"),
    ("gardes_en_place", "DROP TRIGGER pgtrigger_message_ajout_seul_1b5a7 ON paiements_messagepayzen"),
]
