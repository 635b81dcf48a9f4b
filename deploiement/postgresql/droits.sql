-- Après chaque migrate, par le propriétaire : psql "$DATABASE_URL_PROPRIETAIRE" -f deploiement/postgresql/droits.sql
-- Tout ou rien, et un code de sortie qui le dit.
\set ON_ERROR_STOP on
BEGIN;
\ir ../../docs/droits.sql
COMMIT;
