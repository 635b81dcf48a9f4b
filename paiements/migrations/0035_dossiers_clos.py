from django.db import migrations

# La base le fait, avec les droits de qui possède les tables, et choisit seule : le compte du service ne peut ni retoucher
# une écriture, ni taire une garde (docs/droits.sql), et l'appelant ne désigne personne.
EFFACER = """
CREATE FUNCTION effacer_les_personnes_des_dossiers_clos() RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    avant timestamptz := now() - interval '10 years';
    clos bigint[];
    dettes bigint[];
    payes bigint[];
    signalees bigint[];
    libres varchar[];
BEGIN
    -- Le verrou de l'import : ce qu'il a écrit se lit, il n'écrit rien pendant, et une Caf en plein import attend demain.
    libres := ARRAY(SELECT code FROM comptes_caf
                    WHERE pg_try_advisory_xact_lock(hashtextextended('livraison ' || code, 0)));
    SELECT array_agg(a.id) INTO clos FROM comptes_allocataire a
    WHERE a.numero ~ '^[0-9]' AND a.caf_id = ANY(libres)
        AND EXISTS (SELECT FROM dettes_dette d WHERE d.allocataire_id = a.id)
        AND NOT EXISTS (SELECT FROM dettes_dette d WHERE d.allocataire_id = a.id AND d.solde > 0)
        AND NOT EXISTS (SELECT FROM dettes_mouvement m JOIN dettes_dette d ON d.id = m.dette_id
                        WHERE d.allocataire_id = a.id AND m.le > avant)
        AND NOT EXISTS (SELECT FROM demarches_demarche s WHERE s.allocataire_id = a.id AND s.cree_le > avant)
        AND NOT EXISTS (SELECT FROM paiements_anomalie n
                        LEFT JOIN paiements_paiement p ON p.id = n.paiement_id
                        LEFT JOIN demarches_demarche s ON s.id = p.demarche_id
                        LEFT JOIN dettes_dette d ON d.id = n.dette_id
                        WHERE n.etat = 'OUVERTE' AND a.id IN (s.allocataire_id, d.allocataire_id));
    IF clos IS NULL THEN
        RETURN 0;
    END IF;
    dettes := ARRAY(SELECT id FROM dettes_dette WHERE allocataire_id = ANY(clos));
    payes := ARRAY(SELECT p.id FROM paiements_paiement p JOIN demarches_demarche s ON s.id = p.demarche_id
                   WHERE s.allocataire_id = ANY(clos));
    signalees := ARRAY(SELECT id FROM paiements_anomalie WHERE paiement_id = ANY(payes) OR dette_id = ANY(dettes));

    -- Les gardes protègent l'argent et les mots tant qu'ils se gardent ; leur durée est passée, et aucun montant ne change.
    PERFORM set_config('pgtrigger.ignore',
                       (SELECT array_agg(tgname)::text FROM pg_trigger WHERE NOT tgisinternal), true);
    -- Des lettres, là où tout numéro a des chiffres : celui-ci redevient libre, et ne se confond avec aucun autre.
    UPDATE comptes_allocataire SET civilite = '', nom = '', prenom = '', date_naissance = NULL, identite = '',
        numero = translate(lpad(to_hex(id), 7, '0'), '0123456789abcdef', 'ABCDEFGHIJKLMNOP')
    WHERE id = ANY(clos);
    DELETE FROM comptes_codeactivation WHERE utilisateur_id IN
        (SELECT id FROM comptes_utilisateur WHERE allocataire_id = ANY(clos));
    DELETE FROM mfa_authenticator WHERE user_id IN
        (SELECT id FROM comptes_utilisateur WHERE allocataire_id = ANY(clos));
    DELETE FROM usersessions_usersession WHERE user_id IN
        (SELECT id FROM comptes_utilisateur WHERE allocataire_id = ANY(clos));
    UPDATE comptes_utilisateur SET identifiant = 'efface-' || id, password = '!', courriel = '', is_active = false,
        last_login = NULL
    WHERE allocataire_id = ANY(clos);
    UPDATE demarches_demarche SET courriel = '' WHERE allocataire_id = ANY(clos) AND courriel <> '';
    UPDATE dettes_dette SET reference = 'EFFACEE-' || id, code = '', motif = '' WHERE id = ANY(dettes);
    UPDATE dettes_mouvement SET motif = '' WHERE dette_id = ANY(dettes);
    -- Ce que des agents ont écrit : on y nomme parfois quelqu'un.
    UPDATE paiements_etapepaiement SET motif = 'effacé' WHERE paiement_id = ANY(payes);
    UPDATE paiements_imputation SET motif = 'effacé' WHERE paiement_id = ANY(payes);
    UPDATE paiements_impaye SET motif = 'effacé' WHERE debit_id IN
        (SELECT uuid FROM paiements_transactionpayzen WHERE paiement_id = ANY(payes));
    UPDATE paiements_demanderestitution SET motif = 'effacé', decision = '' WHERE paiement_id = ANY(payes);
    UPDATE paiements_demandecloture SET motif = 'effacé', decision = '' WHERE paiement_id = ANY(payes);
    UPDATE paiements_demandemisedecote SET motif = 'effacé', decision = '' WHERE anomalie_id = ANY(signalees);
    UPDATE paiements_anomalie SET detail = '' WHERE id = ANY(signalees);
    UPDATE paiements_etapeanomalie SET motif = 'effacé' WHERE anomalie_id = ANY(signalees);
    PERFORM set_config('pgtrigger.ignore', '', true);
    RETURN cardinality(clos);
END $$;
REVOKE EXECUTE ON FUNCTION effacer_les_personnes_des_dossiers_clos() FROM PUBLIC;
"""
NE_PLUS_EFFACER = "DROP FUNCTION effacer_les_personnes_des_dossiers_clos();"


class Migration(migrations.Migration):
    dependencies = [
        ("paiements", "0034_tenue_de_la_restitution"),
        ("comptes", "0012_numero_efface"),
        ("mfa", "0001_initial"),
        ("usersessions", "0001_initial"),
    ]

    operations = [migrations.RunSQL(EFFACER, NE_PLUS_EFFACER)]
