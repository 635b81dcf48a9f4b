-- Le rôle qui possède les tables, celui du service, et la base. Une fois, par le compte postgres :
--   psql -v mdp="$MDP" -v mdp_service="$MDP_SERVICE" -f deploiement/postgresql/creer.sql
\set ON_ERROR_STOP on
CREATE ROLE rembourser LOGIN PASSWORD :'mdp';
CREATE ROLE rembourser_service LOGIN PASSWORD :'mdp_service';
CREATE DATABASE rembourser OWNER rembourser ENCODING 'UTF8' TEMPLATE template0;
-- Les délais du web, ceux aussi qui passent par PgBouncer : lui ne transmet pas les options d'une connexion.
ALTER ROLE rembourser_service SET statement_timeout = '30s';
ALTER ROLE rembourser_service SET lock_timeout = '4s';
ALTER ROLE rembourser_service SET idle_in_transaction_session_timeout = '30s';
\connect rembourser
REVOKE CREATE ON SCHEMA public FROM PUBLIC;
GRANT CREATE, USAGE ON SCHEMA public TO rembourser;
-- L'import d'une livraison travaille dans des tables temporaires.
GRANT TEMPORARY ON DATABASE rembourser TO rembourser_service;
