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
    dettes_mouvement, dettes_ligneemise,
    comptes_evenement,
    paiements_etapepaiement, paiements_etapeanomalie, paiements_messagepayzen, paiements_imputation, paiements_impaye
FROM rembourser_service;
REVOKE DELETE ON
    dettes_dette, paiements_paiement, paiements_transactionpayzen, paiements_anomalie,
    paiements_demanderestitution, paiements_demandecloture
FROM rembourser_service;
