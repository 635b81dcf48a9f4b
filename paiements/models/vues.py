"""
Les fonctions et les vues de la base : comment deux états s'unissent, ce que la banque tient, où en est un paiement.

Écrites d'après nos énumérations, posées par les migrations. Changer une définition, c'est une migration de plus.
"""

from paiements.payzen import ATTENTES, CONTRADICTOIRE, VIVANTS


def _lister(mots: tuple[str, ...]) -> str:
    return ", ".join(f"'{mot}'" for mot in mots)


# Les mêmes rangs que `paiements.payzen.unir`, et le même résultat : un essai les compare.
UNIR = f"""
CREATE OR REPLACE FUNCTION paiements_rang(statut text) RETURNS int LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT CASE WHEN statut = '{CONTRADICTOIRE}' THEN 3 WHEN statut = 'AUTHORISED' THEN 1
                WHEN statut IN ({_lister(ATTENTES)}) THEN 0 ELSE 2 END
$$;
CREATE OR REPLACE FUNCTION paiements_unir(un text, autre text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT CASE WHEN un = autre THEN un
                WHEN paiements_rang(un) > paiements_rang(autre) THEN un
                WHEN paiements_rang(un) < paiements_rang(autre) THEN autre
                WHEN paiements_rang(un) = 2 THEN '{CONTRADICTOIRE}'
                ELSE greatest(un COLLATE "C", autre COLLATE "C") END
$$;
CREATE OR REPLACE AGGREGATE paiements_unir_tous(text) (SFUNC = paiements_unir, STYPE = text, PARALLEL = SAFE);
"""

VIVANTE = f"(%s.statut IN ({_lister(VIVANTS)}) OR %s.verdict = 'TENUE')"

TENU = f"""
CREATE OR REPLACE VIEW paiements_debit_tenu AS
SELECT d.uuid, d.paiement_id, p.id IS NOT NULL AS is_sien, i.sens > 0 AS is_impaye,
       CASE WHEN {VIVANTE % ("d", "d")} AND d.devise = 'EUR' AND i.sens = 0 THEN d.montant ELSE 0 END - c.somme AS tenu,
       c.somme AS credite
FROM paiements_transactionpayzen d
LEFT JOIN paiements_paiement p ON p.debit_id = d.uuid
CROSS JOIN LATERAL (
    SELECT coalesce(sum(c.montant), 0) AS somme FROM paiements_transactionpayzen c
    WHERE c.parent_id = d.uuid AND {VIVANTE % ("c", "c")}
) c
CROSS JOIN LATERAL (SELECT coalesce(sum(sens), 0) AS sens FROM paiements_impaye WHERE debit_id = d.uuid) i
WHERE d.operation = 'DEBIT';
"""

SOLDE = f"""
CREATE OR REPLACE VIEW paiements_solde AS
SELECT p.id AS paiement_id, coalesce(d.tenu, 0) AS tenu, i.somme AS impute, coalesce(d.tenu, 0) - i.somme AS a_placer,
       a.somme AS a_rendre, o.somme AS orphelin
FROM paiements_paiement p
LEFT JOIN paiements_debit_tenu d ON d.uuid = p.debit_id
CROSS JOIN LATERAL (
    SELECT coalesce(sum(montant), 0) AS somme FROM paiements_imputation WHERE paiement_id = p.id
) i
CROSS JOIN LATERAL (
    SELECT coalesce(sum(t.tenu), 0) AS somme FROM paiements_debit_tenu t WHERE t.paiement_id = p.id AND NOT t.is_sien
) a
CROSS JOIN LATERAL (
    SELECT coalesce(sum(c.montant), 0) AS somme FROM paiements_transactionpayzen c
    WHERE c.paiement_id = p.id AND c.operation = 'CREDIT' AND c.parent_id IS NULL AND {VIVANTE % ("c", "c")}
) o;
"""

POSER = UNIR + TENU + SOLDE
OTER = """
DROP VIEW IF EXISTS paiements_solde;
DROP VIEW IF EXISTS paiements_debit_tenu;
DROP AGGREGATE IF EXISTS paiements_unir_tous(text);
DROP FUNCTION IF EXISTS paiements_unir(text, text);
DROP FUNCTION IF EXISTS paiements_rang(text);
"""
