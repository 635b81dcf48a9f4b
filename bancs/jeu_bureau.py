"""Le jeu du banc du bureau : une Caf entière, remplie par la base elle-même, et les pages qu'un agent y ouvre."""

from collections.abc import Callable
from typing import Any

from django.db import connection
from django.urls import reverse

EXPORT = "/agents/paiements/paiement/export/"
# Vingt-cinq mille personnes par début de nom : dix fois plus que le plus courant des noms n'en a.
NOMS = (
    "Martin,Bernard,Dubois,Thomas,Robert,Richard,Petit,Durand,Leroy,Moreau,Élie,D'Ornano,Le Goff,Müller,Çelik,Nguyen"
)
PRENOMS = "Inès,Zoé,Marie,Paul,Éloïse,François,Aïcha,Louis"

# Les déclencheurs et les clés étrangères vérifient chaque ligne d'un service qui marche ; ici tout naît déjà fini.
REMPLIR = """
INSERT INTO comptes_allocataire (caf_id, numero, civilite, nom, prenom, date_naissance)
SELECT caf, lpad(n::text, 7, '0'), 'MME', (string_to_array(%(noms)s, ','))[1 + n %% 16] || CASE n %% 3 WHEN 0 THEN ''
       ELSE chr(97 + n %% 26) || chr(97 + (n / 26) %% 26) END,
       (string_to_array(%(prenoms)s, ','))[1 + n %% 8], date '1950-01-01' + n %% 18000
FROM generate_series(1, %(allocataires)s) n, (VALUES ('661'), ('751')) AS c (caf)
WHERE caf = '661' OR n <= 1000;
INSERT INTO comptes_utilisateur (identifiant, password, allocataire_id, is_active, is_staff, is_superuser, cree_le)
SELECT caf_id || numero, '', id, true, false, false, now() FROM comptes_allocataire;
INSERT INTO dettes_dette (caf_id, allocataire_id, reference, creancier, nature, code, libelle, motif, notifiee_le,
                          montant_initial, solde, phase, situation)
SELECT a.caf_id, a.id, 'INS-661-' || lpad(n::text, 7, '0'), 'ETAT', (ARRAY['RSA', 'PPA', 'APL'])[1 + n %% 3], 'IM3 001',
       'Trop-perçu : prime', 'Ressources corrigées.', date '2024-01-01' + n %% 600, 900, 900,
       CASE n %% 9 WHEN 0 THEN 'CONTENTIEUX' ELSE 'AMIABLE' END,
       CASE WHEN n %% 5 = 0 THEN 'SOLDEE' WHEN n %% 997 = 0 THEN 'RECOURS' ELSE 'EN_COURS' END
FROM generate_series(1, %(dettes)s) n
JOIN comptes_allocataire a ON a.caf_id = '661' AND a.numero = lpad((1 + n %% %(allocataires)s)::text, 7, '0');
INSERT INTO dettes_mouvement (dette_id, genre, montant, solde_apres, origine, motif, le)
SELECT id, 'CONSTAT', 900, 900, 'livraison', '', now() FROM dettes_dette;
INSERT INTO demarches_demarche (allocataire_id, auteur_id, reference, etat, etape, mentions_version, mentions_lues_le,
                                courriel, mode, montant, cree_le)
SELECT a.id, u.id, 'D-' || upper(substr(md5('d' || n), 1, 4) || '-' || substr(md5('d' || n), 5, 4) || '-'
       || substr(md5('d' || n), 9, 4)), 'PRISE_EN_COMPTE', 3, '2026-11', now(), 'x@exemple.fr', 'AFFECTE', 1 + n %% 300,
       now() - n * interval '4 minutes'
FROM generate_series(1, %(paiements)s) n
JOIN comptes_allocataire a ON a.caf_id = '661' AND a.numero = lpad((1 + n %% (%(allocataires)s / 2))::text, 7, '0')
JOIN comptes_utilisateur u ON u.allocataire_id = a.id;
INSERT INTO paiements_paiement (demarche_id, caf_id, reference, statut, montant, boutique, mode, trans_id, cree_le,
                                controles, echecs)
SELECT d.id, '661', d.reference, 'REFUSE', d.montant,
       '66100001', 'TEST', lpad(to_hex(d.id), 6, '0'), d.cree_le, 1, 0
FROM demarches_demarche d;
INSERT INTO paiements_transactionpayzen (uuid, paiement_id, reference, boutique, mode, operation, statut, verdict,
    montant, montant_haut, devise, devise_effective, trans_id, creee_le, apprise_le, marque, carte_fin, autorisation)
SELECT md5(reference), id, reference, boutique, mode, 'DEBIT', CASE id %% 10 WHEN 0 THEN 'REFUSED' ELSE 'CAPTURED' END,
       '', montant, montant, 'EUR', '', trans_id, cree_le, cree_le + interval '1 minute', 'CB',
       lpad((id %% 10000)::text, 4, '0'), substr(md5('a' || id), 1, 6)
FROM paiements_paiement;
UPDATE paiements_paiement SET debit_id = md5(reference), statut = 'IMPUTE' WHERE id %% 10 <> 0;
INSERT INTO paiements_etapepaiement (paiement_id, geste, de, vers, motif, auteur, le)
SELECT id, geste, de, vers, 'fait', 'service', cree_le + interval '2 minutes' FROM paiements_paiement,
(VALUES ('soumettre', 'INITIE', 'EN_ATTENTE'), ('accepter', 'EN_ATTENTE', 'ACCEPTE'), ('imputer', 'VERIFIE', 'IMPUTE'))
AS e (geste, de, vers) WHERE statut = 'IMPUTE' OR geste = 'soumettre';
INSERT INTO paiements_messagepayzen (transaction_id, paiement_id, source, operation, statut, montant, champs, sort, motif,
                                     recu_le)
SELECT uuid, paiement_id, 'PAY', 'DEBIT', statut, montant, '{}', 'NEUF', '', apprise_le FROM paiements_transactionpayzen;
WITH ecrites AS (
    INSERT INTO dettes_mouvement (dette_id, genre, montant, solde_apres, origine, motif, le)
    SELECT la.dette, 'IMPUTATION', -p.montant, 900 - p.montant, p.reference, '', p.cree_le + interval '3 minutes'
    FROM paiements_paiement p JOIN demarches_demarche d ON d.id = p.demarche_id
    JOIN (SELECT allocataire_id, min(id) AS dette FROM dettes_dette GROUP BY 1) la USING (allocataire_id)
    WHERE p.statut = 'IMPUTE'
    RETURNING id, dette_id, montant, origine, le
)
INSERT INTO paiements_imputation (paiement_id, debit_id, dette_id, montant, mouvement_id, paye_le, motif, auteur)
SELECT p.id, p.debit_id, e.dette_id, -e.montant, e.id, e.le, 'imputé', 'service'
FROM ecrites e JOIN paiements_paiement p ON p.reference = e.origine;
INSERT INTO dettes_mouvementarendre (mouvement_id, caf_id)
SELECT id, '661' FROM dettes_mouvement WHERE genre = 'IMPUTATION' ORDER BY id;
INSERT INTO demarches_lignedemarche (demarche_id, dette_id, montant)
SELECT p.demarche_id, i.dette_id, i.montant FROM paiements_imputation i JOIN paiements_paiement p ON p.id = i.paiement_id;
INSERT INTO paiements_ticket (paiement_id, etat, essais, renvois, envoye_le, dernier_motif)
SELECT id, 'ENVOYE', 1, 0, cree_le, '' FROM paiements_paiement WHERE statut = 'IMPUTE';
INSERT INTO paiements_anomalie (genre, cle, situation, etat, caf_id, paiement_id, transaction_id, detail, ouverte_le)
SELECT 'DOUBLE_PAIEMENT', reference, '', CASE id / 100 %% 4 WHEN 0 THEN 'OUVERTE' ELSE 'CLOSE' END, caf_id, id,
       md5(reference), '', cree_le
FROM paiements_paiement WHERE id %% 100 = 1;
INSERT INTO comptes_evenement (le, genre, objet, allocataire_id, cafs)
SELECT now() - n * interval '1 minute', 'CONSULTATION', 'paiements.paiement ' || n, (SELECT min(id) FROM
       comptes_allocataire) + n %% (%(allocataires)s / 4), ARRAY['661'] FROM generate_series(1, 300000) n;
"""


def remplir(dettes: int, paiements: int) -> None:
    """Une Caf pleine, et les mille premiers numéros d'une autre."""
    from comptes.models import Caf

    Caf.objects.create(code="661", nom="Caf des Pyrénées-Orientales", departement="66", boutique="66100001")
    Caf.objects.create(code="751", nom="Caf de Paris", departement="75", boutique="75100001")
    valeurs = {
        "noms": NOMS,
        "prenoms": PRENOMS,
        "allocataires": dettes * 2 // 5,
        "dettes": dettes,
        "paiements": paiements,
    }
    with connection.cursor() as curseur:
        curseur.execute("SET statement_timeout = 0")
        curseur.execute("SET session_replication_role = replica")
        curseur.execute("SET maintenance_work_mem = '256MB'; SET work_mem = '128MB'")
        # Un index se bâtit dix fois plus vite d'un coup qu'un million de fois une ligne.
        curseur.execute(SECONDAIRES)
        index = curseur.fetchall()
        for nom, _ in index:
            curseur.execute(f"DROP INDEX {nom}")
        for ordre in (*REMPLIR.split(";\n"), *(definition for _, definition in index)):
            if ordre.strip():
                curseur.execute(ordre, valeurs)
        curseur.execute("VACUUM ANALYZE")
        for reglage in ("session_replication_role", "maintenance_work_mem", "work_mem", "statement_timeout"):
            curseur.execute(f"RESET {reglage}")


SECONDAIRES = """
SELECT i.indexrelid::regclass::text, pg_get_indexdef(i.indexrelid) FROM pg_index i JOIN pg_class t ON t.oid = i.indrelid
WHERE t.relname ~ '^(comptes|dettes|demarches|paiements)_' AND NOT i.indisunique
"""


def entrer(client: Any) -> None:
    """Un responsable de la seule Caf 661 : le rôle qui voit le plus de pages."""
    from comptes.models import Agent, Caf, Utilisateur
    from tests.connexion import entrer_en_agent
    from tests.factories import MOT_DE_PASSE

    utilisateur = Utilisateur.objects.create_user("agent", MOT_DE_PASSE, is_staff=True, courriel="a@caf.invalid")
    Agent.objects.create(utilisateur=utilisateur, role=Agent.Role.RESPONSABLE).cafs.set(Caf.objects.filter(pk="661"))
    entrer_en_agent(client, utilisateur)


def lister_les_pages() -> list[tuple[str, Callable[[Any], Any]]]:
    """Chaque page, et comment la demander."""
    from dettes.models import Dette
    from paiements.models import Anomalie, Paiement

    paiement = Paiement.objects.filter(statut="IMPUTE").order_by("pk")[1000]
    dette, anomalie = Dette.objects.order_by("pk")[1000], Anomalie.objects.ouvertes().first()
    personne = paiement.demarche.allocataire
    vue = paiement.debit
    saisies = {
        "numéro 6610000357": "6610000357",
        "numéro 0000357": "0000357",
        "nom müller": "müller",
        "nom et prénom": "Zoé Dubois",
        "nom absent": "zzyzx",
        "nom et année": "leroy 1975",
        "référence de paiement": paiement.reference,
        "début d'une référence de paiement": paiement.reference[:6],
        "référence de démarche": paiement.demarche.reference,
        "référence de dette": dette.reference,
        "début d'une référence de dette": "INS-661-05",
        "quatre chiffres": vue.carte_fin,
        "autorisation": vue.autorisation,
        "six caractères": vue.trans_id,
        "uuid": vue.uuid,
        "montant 7,00": "7,00",
        "montant absent": "99999,99",
        "jour": f"{paiement.cree_le:%d/%m/%Y}",
        "référence inconnue": "FACTURE-77",
    }
    pages = [(f"recherche : {nom}", _taper(saisie)) for nom, saisie in saisies.items()]
    listes = {
        "accueil": "admin:index",
        "allocataires": "admin:comptes_allocataire_changelist",
        "dettes": "admin:dettes_dette_changelist",
        "paiements": "admin:paiements_paiement_changelist",
        "anomalies": "admin:paiements_anomalie_changelist",
        "restitutions": "admin:paiements_demanderestitution_changelist",
        "clôtures": "admin:paiements_demandecloture_changelist",
        "fichiers reçus": "admin:dettes_fichierrecu_changelist",
        "fichiers émis": "admin:dettes_fichieremis_changelist",
        "mises de côté": "admin:paiements_demandemisedecote_changelist",
        "qui a fait quoi": "bureau:trace",
        "journal de sécurité": "admin:comptes_evenement_changelist",
    }
    pages += [(nom, _ouvrir(reverse(vue))) for nom, vue in listes.items()]
    filtres = {
        "dettes, en recours": ("dettes_dette", "situation__exact=RECOURS"),
        "dettes, annulées (aucune)": ("dettes_dette", "situation__exact=ANNULEE"),
        "dettes, contentieuses": ("dettes_dette", "phase__exact=CONTENTIEUX"),
        "paiements, refusés": ("paiements_paiement", "statut__exact=REFUSE"),
        "paiements, à confirmer (aucun)": ("paiements_paiement", "statut__exact=ACCEPTE&confirme_le__isnull=False"),
        "paiements, de ce mois": ("paiements_paiement", "cree_le__gte=2026-11-01T00:00:00%2B01:00"),
        "anomalies, ouvertes": ("paiements_anomalie", "etat__exact=OUVERTE"),
        "anomalies, d'une espèce": ("paiements_anomalie", "genre__exact=DOUBLE_PAIEMENT&etat__exact=OUVERTE"),
        "allocataires radiés (aucun)": ("comptes_allocataire", "radie_le__isempty=0"),
        "paiements ?q=7,00": ("paiements_paiement", "q=7,00"),
        "dettes ?q=0000357": ("dettes_dette", "q=0000357"),
    }
    pages += [(nom, _ouvrir(f"{reverse(f'admin:{m}_changelist')}?{f}")) for nom, (m, f) in filtres.items()]
    pages += [(f"{nom}, page {rang}", _feuilleter(m, rang)) for nom, m in PROFONDES for rang in (2, 100)]
    pages += [(f"fiche : {o._meta.verbose_name}", _ouvrir(_fiche(o))) for o in (paiement, dette, anomalie, personne)]
    pages += [
        ("fiche imprimable", _ouvrir(reverse("bureau:imprimer", args=[paiement.pk]))),
        ("qui a consulté ce dossier", _ouvrir(reverse("bureau:consultations", args=[personne.pk]))),
    ]
    return pages


PROFONDES = (("dettes", "dettes_dette"), ("paiements", "paiements_paiement"), ("allocataires", "comptes_allocataire"))


def _fiche(objet: Any) -> str:
    return reverse(f"admin:{objet._meta.app_label}_{objet._meta.model_name}_change", args=[objet.pk])


def _ouvrir(adresse: str) -> Callable[[Any], Any]:
    return lambda client: client.get(adresse)


def _taper(saisie: str) -> Callable[[Any], Any]:
    """Taper, puis lire la page : ce qui ne trouve qu'une chose y mène, et c'est la recherche que l'on mesure."""
    return lambda client: client.get(client.post(reverse("bureau:recherche"), {"q": saisie}).url)


def _feuilleter(modele: str, rang: int) -> Callable[[Any], Any]:
    """La page de ce rang, par la clé de la dernière ligne de celle d'avant."""
    from django.contrib import admin
    from django.core.signing import dumps

    from socle.liste import SEL

    fiche = next(f for m, f in admin.site._registry.items() if m._meta.label_lower == modele.replace("_", ".", 1))
    tri: list[str] = fiche.tri  # type: ignore[attr-defined]
    avant = fiche.model._default_manager.filter(caf="661").order_by(*tri)[: 50 * (rang - 1)]
    objet = list(avant)[-1]
    cle = dumps([str(objet.serializable_value(champ.removeprefix("-"))) for champ in tri], salt=SEL)
    return _ouvrir(f"{reverse(f'admin:{modele}_changelist')}?p={cle}")
