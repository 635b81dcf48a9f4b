"""Ce que la base refuse, même à qui contourne notre code ; ôter une garde fait tomber son test (`mutations`)."""

from decimal import Decimal
from urllib.parse import urlencode

import pytest
from django.conf import settings
from django.db import DatabaseError, connection, transaction
from django.test import RequestFactory

from paiements.models import Impaye
from paiements.payzen import sign
from paiements.reception.vue import notification
from paiements.retours import cloture, reprise, restitution
from paiements.statuts import Statut
from paiements.surveillance import invariants
from tests.factories import (
    AgentFactory,
    DemarcheFactory,
    DetteFactory,
    PaiementFactory,
    UtilisateurFactory,
    demander,
    dire,
)

# Une colonne changée de chaque transaction, comme si elle naissait sous un autre numéro.
RENAITRE = """
INSERT INTO paiements_transactionpayzen (uuid, reference, boutique, mode, operation, parent_id, statut, verdict,
    montant, montant_haut, devise, devise_effective, apprise_le, marque, carte_fin, autorisation)
SELECT md5(uuid), reference, boutique, mode, operation, {parent}, statut, verdict, montant, {haut}, devise,
    devise_effective, apprise_le, marque, carte_fin, autorisation FROM paiements_transactionpayzen
"""
IMPUTER = """
INSERT INTO paiements_imputation (paiement_id, debit_id, dette_id, montant, mouvement_id, paye_le, motif, auteur)
SELECT paiement_id, debit_id, dette_id, {montant}, (SELECT min(id) FROM dettes_mouvement), paye_le, motif, auteur
FROM paiements_imputation WHERE montant > 0
"""
REPRENDRE = """
INSERT INTO paiements_impaye (debit_id, sens, montant, motif, auteur_id, le)
SELECT t.uuid, {sens}, {montant}, 'JRI', NULL, now() FROM paiements_transactionpayzen t WHERE {debit}
"""
REMBOURSE = "EXISTS (SELECT FROM paiements_transactionpayzen c WHERE c.parent_id = t.uuid)"
# Le nom de la garde, et à la suite d'un deux-points, ce qu'elle refuse quand elle refuse plusieurs choses.
EMETTRE = (
    "INSERT INTO dettes_fichieremis (caf_id, sequence, empreinte, lignes, total, emis_le)"
    " SELECT min(caf_id), 1, '', 0, 0, now() FROM dettes_mouvementarendre;"
    " INSERT INTO dettes_ligneemise (mouvement_id, fichier_id)"
    " SELECT m.id, f.id FROM dettes_mouvement m, dettes_fichieremis f WHERE m.genre = '{genre}'"
)
FAUTES = {
    "passages_de_la_table": "INSERT INTO paiements_etapepaiement (paiement_id, geste, de, vers, motif, auteur, le)"
    " SELECT id, 'verifier', 'IMPUTE', 'VERIFIE', '', '', now() FROM paiements_paiement WHERE statut = 'IMPUTE';"
    " UPDATE paiements_paiement SET statut = 'VERIFIE' WHERE statut = 'IMPUTE'",
    "chaque_passage_a_son_etape": "UPDATE paiements_paiement SET statut = 'REJETE' WHERE statut = 'IMPUTE'",
    "paiement_nait_initie": "INSERT INTO paiements_paiement (demarche_id, caf_id, reference, statut, montant,"
    " boutique, mode, trans_id, cree_le, controles, echecs)"
    " SELECT d.id, p.caf_id, 'P-NEUF', 'EN_ATTENTE', 1, p.boutique, p.mode, 'zzzzzz', now(), 0, 0"
    " FROM demarches_demarche d CROSS JOIN paiements_paiement p WHERE d.etat = 'BROUILLON' LIMIT 1",
    "paiement_immuable_sur_l_essentiel": "UPDATE paiements_paiement SET montant = montant + 1",
    "paiement_immuable_sur_l_essentiel:débit": "UPDATE paiements_paiement SET debit_id = repeat('d', 32)"
    " WHERE statut = 'IMPUTE'",
    "paiement_encaisse_a_son_debit": "UPDATE paiements_paiement SET debit_id = repeat('d', 32)"
    " WHERE statut = 'EN_ATTENTE'",
    "paiement_jamais_efface": "DELETE FROM paiements_paiement",
    "etape_ajout_seul": "UPDATE paiements_etapepaiement SET motif = 'autre'",
    "message_ajout_seul": "UPDATE paiements_messagepayzen SET motif = 'autre'",
    "transaction_ne_recule_pas": "UPDATE paiements_transactionpayzen SET statut = 'WAITING_AUTHORISATION'",
    "transaction_ne_recule_pas:montant": "UPDATE paiements_transactionpayzen SET montant = 119, montant_haut = 119;"
    " UPDATE paiements_transactionpayzen SET montant = 120, montant_haut = 120",
    "transaction_ne_recule_pas:référence": "UPDATE paiements_transactionpayzen SET reference = 'AUTRE'",
    "transaction_ne_recule_pas:débit remboursé": "UPDATE paiements_transactionpayzen SET parent_id = repeat('d', 32)"
    " WHERE parent_id IS NOT NULL",
    "transaction_ne_recule_pas:remise": "UPDATE paiements_transactionpayzen SET remise_le = now();"
    " UPDATE paiements_transactionpayzen SET remise_le = NULL",
    "transaction_jamais_effacee": "DELETE FROM paiements_transactionpayzen",
    "transaction_montants_ordonnes": RENAITRE.format(parent="NULL", haut="montant - 1"),
    "transaction_parent_d_un_credit": RENAITRE.format(parent="repeat('d', 32)", haut="montant_haut")
    + " WHERE operation = 'DEBIT'",
    "imputation_ajout_seul": "UPDATE paiements_imputation SET montant = 1",
    "imputation_jamais_nulle": IMPUTER.format(montant="0"),
    "imputation_dans_ses_bornes": IMPUTER.format(montant="-119.01"),
    "imputation_dans_ses_bornes:tenu": IMPUTER.format(montant="0.01"),
    "passages_de_l_anomalie": "INSERT INTO paiements_etapeanomalie (anomalie_id, de, vers, situation, motif, auteur,"
    " le) SELECT id, etat, 'ECARTEE', '', '', '', now() FROM paiements_anomalie WHERE etat = 'CLOSE';"
    " UPDATE paiements_anomalie SET etat = 'ECARTEE' WHERE etat = 'CLOSE'",
    "anomalie_change_avec_son_journal": "UPDATE paiements_anomalie SET etat = 'ECARTEE' WHERE etat = 'OUVERTE'",
    "anomalie_jamais_effacee": "DELETE FROM paiements_anomalie",
    "etape_anomalie_ajout_seul": "UPDATE paiements_etapeanomalie SET motif = 'autre'",
    "une_anomalie_par_objet": "INSERT INTO paiements_anomalie (genre, cle, situation, etat, detail, ouverte_le)"
    " SELECT genre, cle, situation, etat, detail, ouverte_le FROM paiements_anomalie",
    "impaye_pris_puis_rendu": "INSERT INTO paiements_impaye (debit_id, sens, montant, motif, auteur_id, le)"
    " SELECT debit_id, sens, montant, motif, auteur_id, le FROM paiements_impaye",
    "impaye_pris_puis_rendu:une part": REPRENDRE.format(
        sens=-1, montant=119, debit="EXISTS (SELECT FROM paiements_impaye i WHERE i.debit_id = t.uuid)"
    ),
    "impaye_qui_tient_au_debit": REPRENDRE.format(sens=1, montant=121, debit=REMBOURSE),
    "impaye_qui_tient_au_debit:ni tout ni le reste": REPRENDRE.format(sens=1, montant=119.5, debit=REMBOURSE),
    "impaye_montant_positif": REPRENDRE.format(sens=1, montant=0, debit=REMBOURSE),
    "impaye_ajout_seul": "UPDATE paiements_impaye SET motif = 'autre'",
    "restitution_jamais_effacee": "DELETE FROM paiements_demanderestitution",
    "passages_de_la_restitution": "UPDATE paiements_demanderestitution SET etat = 'FAITE', approbateur_id ="
    " (SELECT max(id) FROM comptes_utilisateur), decidee_le = now()",
    "restitution_approuvee_telle_que_demandee": "UPDATE paiements_demanderestitution SET montant = 999",
    "restitution_envoyee_est_approuvee": "UPDATE paiements_demanderestitution SET etat = 'APPROUVEE'",
    "une_restitution_en_cours_par_paiement": "INSERT INTO paiements_demanderestitution (paiement_id, montant, etat,"
    " motif, demandeur_id, demandee_le, debit_id, cause, decision) SELECT paiement_id, montant, etat, motif,"
    " demandeur_id, demandee_le, debit_id, cause, decision FROM paiements_demanderestitution",
    "demandeur_et_approbateur_sont_deux": "UPDATE paiements_demanderestitution SET etat = 'REFUSEE',"
    " approbateur_id = demandeur_id, decidee_le = now()",
    "cloture_jamais_effacee": "DELETE FROM paiements_demandecloture",
    "cloture_demandee_et_decidee_a_deux": "UPDATE paiements_demandecloture SET accord = true,"
    " approbateur_id = demandeur_id, decidee_le = now()",
    "une_cloture_a_decider_par_paiement": "INSERT INTO paiements_demandecloture (paiement_id, motif, demandeur_id,"
    " demandee_le, decision) SELECT paiement_id, motif, demandeur_id, demandee_le, decision"
    " FROM paiements_demandecloture",
    "mouvement_ajout_seul": "UPDATE dettes_mouvement SET motif = 'autre'",
    "mouvement_de_paiement_dans_le_bon_sens": "INSERT INTO dettes_mouvement (dette_id, genre, montant, origine, motif,"
    " le) SELECT min(id), 'REJET', -1, 'essai', '', now() FROM dettes_dette",
    "ligne_emise_etait_a_rendre": EMETTRE.format(genre="CONSTAT"),
    "ligne_emise_ajout_seul": f"{EMETTRE.format(genre='IMPUTATION')}; DELETE FROM dettes_ligneemise",  # noqa: S608
    "solde_ecrit_par_les_seuls_mouvements": "UPDATE dettes_dette SET solde = solde - 1",
    "dette_jamais_effacee": "DELETE FROM dettes_dette WHERE id = (SELECT max(id) FROM dettes_dette)",
    "dette_reste_a_son_dossier": "UPDATE dettes_dette SET allocataire_id = (SELECT max(id) FROM comptes_allocataire)",
    "dette_jamais_sous_zero": "INSERT INTO dettes_mouvement (dette_id, genre, montant, solde_apres, origine, motif,"
    " le) SELECT min(id), 'AJUSTEMENT', -5000, 0, 'essai', '', now() FROM dettes_dette",
    "demarche_figee_apres_payer": "UPDATE demarches_demarche SET montant = montant + 1",
    "lignes_figees_avec_la_demarche": "UPDATE demarches_lignedemarche SET montant = montant + 1",
}


@pytest.fixture
def service():
    """
    Un paiement imputé, repris en partie, une restitution demandée de son double, un impayé, une clôture demandée ; une
    dette que rien ne touche, une démarche à demander.
    """
    agent = AgentFactory().utilisateur
    paiement = PaiementFactory(impute=True)
    credit = {"operation": "CREDIT", "uuid": "c" * 32, "parent": paiement.debit_id, "trans_id": "900002"}
    dire(paiement, "CAPTURED", montant=Decimal(1), **credit)
    dette = paiement.demarche.lignes.get().dette_id
    reprise.reprendre(paiement.anomalies.get(), {dette: Decimal(1)}, motif="vu", agent=agent)
    demander(Decimal(50))
    dire(paiement, "AUTHORISED", uuid="d" * 32, trans_id="900001")
    restitution.demander(paiement, motif="erreur", agent=agent)
    cloture.demander(PaiementFactory(), motif="rien au Back Office", agent=agent)
    Impaye.objects.create(debit_id="d" * 32, sens=Impaye.Sens.PRIS, montant=Decimal(120), motif="JRI", auteur=agent)
    UtilisateurFactory()
    DetteFactory()
    with connection.cursor() as curseur:
        curseur.execute("SET CONSTRAINTS ALL IMMEDIATE")


@pytest.mark.django_db
@pytest.mark.parametrize("garde", FAUTES)
def test_la_base_refuse_ce_que_le_code_ne_doit_jamais_faire(service, garde):
    # Une ligne dont d'autres dépendent ne s'effacerait pas non plus : c'est la garde qui doit le dire.
    phrase = "Cannot delete" if garde.endswith(("_jamais_efface", "_jamais_effacee")) else None
    phrase = garde if garde.startswith("une_") else phrase  # et non une colonne que l'essai aurait oubliée
    with pytest.raises(DatabaseError, match=phrase), transaction.atomic(), connection.cursor() as curseur:
        curseur.execute(FAUTES[garde])


@pytest.mark.django_db
def test_le_total_d_une_demarche_qui_part_est_la_somme_de_ses_lignes():
    demarche = DemarcheFactory(lignes={DetteFactory(): Decimal(100)})
    demarche.montant, demarche.etat = Decimal(90), "A_LA_BANQUE"

    with pytest.raises(DatabaseError), transaction.atomic():
        demarche.save()


@pytest.mark.django_db
def test_deux_paiements_n_ont_jamais_la_meme_transaction():
    premier, second = PaiementFactory(accepte=True), PaiementFactory()

    dire(second, "CAPTURED", uuid=premier.debit_id)

    second.refresh_from_db()
    assert second.statut == Statut.EN_ATTENTE
    assert "transaction déjà vue sous une autre référence" in second.anomalies.get().detail
    assert not list(invariants.verifier())


@pytest.mark.django_db
def test_une_autre_de_nos_boutiques_n_accepte_pas_un_paiement():
    """Signé juste, par une boutique à nous : la Caf qui encaisserait n'est pas celle à qui l'on doit."""
    paiement = PaiementFactory()
    message = {
        "vads_site_id": "75100001",
        "vads_ctx_mode": "TEST",
        "vads_order_id": paiement.reference,
        "vads_trans_id": paiement.trans_id,
        "vads_trans_status": "AUTHORISED",
        "vads_trans_uuid": "a" * 32,
        "vads_amount": "12000",
        "vads_currency": "978",
    }
    signature = sign(message, settings.PAYZEN_BOUTIQUES["75100001"].cle)
    corps = urlencode(message | {"signature": signature})

    reponse = notification(RequestFactory().post("/", corps, content_type="application/x-www-form-urlencoded"))

    paiement.refresh_from_db()
    assert (reponse.status_code, paiement.statut) == (200, Statut.EN_ATTENTE)
    assert paiement.retenu == 120
