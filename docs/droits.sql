-- Les droits du compte PostgreSQL du service, à poser après chaque `migrate`, par le compte qui possède les tables.
-- Il lit et écrit, et ne retouche aucun journal ; il ne peut ni vider une table ni éteindre un déclencheur.
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'rembourser_service') THEN
        CREATE ROLE rembourser_service LOGIN;
    END IF;
END $$;

GRANT USAGE ON SCHEMA public TO rembourser_service;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO rembourser_service;
GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO rembourser_service;
REVOKE UPDATE, DELETE ON
    dettes_mouvement, dettes_ligneemise, dettes_fichieremis,
    comptes_evenement, django_admin_log,
    paiements_etapepaiement, paiements_etapeanomalie, paiements_messagepayzen, paiements_imputation, paiements_impaye,
    paiements_purge, paiements_journalpayzen, paiements_jourclos,
    paiements_partrestituee
FROM rembourser_service;
REVOKE DELETE ON
    dettes_dette, dettes_fichierrecu,
    paiements_paiement, paiements_transactionpayzen, paiements_anomalie, paiements_lignejournal,
    paiements_demanderestitution, paiements_demandecloture, paiements_demandemisedecote
FROM rembourser_service;
-- Un mouvement à rendre ne change pas : son départ l'efface.
REVOKE UPDATE ON dettes_mouvementarendre FROM rembourser_service;
-- Un fichier émis reçoit son empreinte une fois écrit, dans la même transaction : après, plus rien n'y change. Son compte
-- (lignes, total), seule la version d'avant l'écrit ainsi, et l'on peut y revenir.
GRANT UPDATE (lignes, total, empreinte) ON dettes_fichieremis TO rembourser_service;
-- Ce que seul un déploiement change.
REVOKE INSERT, UPDATE, DELETE ON
    django_migrations, django_content_type, auth_permission, auth_group, auth_group_permissions,
    comptes_utilisateur_groups, comptes_utilisateur_user_permissions
FROM rembourser_service;
-- Les journaux et les dossiers clos ne s'effacent que par elles, et que passée leur durée.
GRANT EXECUTE ON FUNCTION effacer_le_journal_de_securite(), effacer_les_gestes_du_bureau(),
    effacer_les_personnes_des_dossiers_clos() TO rembourser_service;
-- Et `migrate` refait lui-même la fonction qui dit qui peut taire une garde : ce compte-ci, jamais (socle/gardes.py).
