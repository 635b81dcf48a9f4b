"""Ce que la base refuse, même à qui contourne notre code ; ôter une garde fait tomber son test (MUTATIONS.md)."""

import threading
from decimal import Decimal
from urllib.parse import urlencode

import pytest
from django.conf import settings
from django.db import DatabaseError, connection, transaction
from django.test import RequestFactory
from paiements.notification import notification

from dettes.models import Dette, Mouvement
from paiements import imputation, invariants, reprise, restitution, services
from paiements.imputation import imputer_un_lot
from paiements.models import Anomalie, Paiement
from paiements.payzen import sign
from paiements.statuts import Statut
from tests.courses import en_meme_temps, fenetre
from tests.factories import (
    AgentFactory,
    DemarcheFactory,
    DetteFactory,
    PaiementFactory,
    UtilisateurFactory,
    demander,
    dire,
)

FAUTES = {
    "passages_de_la_table": "INSERT INTO paiements_etapepaiement (paiement_id, geste, de, vers, motif, auteur, le)"
    " SELECT id, 'verifier', 'IMPUTE', 'VERIFIE', '', '', now() FROM paiements_paiement WHERE statut = 'IMPUTE';"
    " UPDATE paiements_paiement SET statut = 'VERIFIE' WHERE statut = 'IMPUTE'",
    "chaque_passage_a_son_etape": "UPDATE paiements_paiement SET statut = 'REJETE' WHERE statut = 'IMPUTE'",
    "paiement_nait_initie": "INSERT INTO paiements_paiement (demarche_id, caf_id, reference, statut, montant,"
    " boutique, mode, trans_id, cree_le, marque, carte_fin, carte_expiration, autorisation, controles)"
    " SELECT d.id, p.caf_id, 'P-NEUF', 'EN_ATTENTE', 1, p.boutique, p.mode, 'zzzzzz', now(), '', '', '', '', 0"
    " FROM demarches_demarche d CROSS JOIN paiements_paiement p WHERE d.etat = 'BROUILLON'",
    "paiement_immuable_sur_l_essentiel": "UPDATE paiements_paiement SET montant = montant + 1",
    "paiement_jamais_efface": "DELETE FROM paiements_paiement",
    "etape_ajout_seul": "UPDATE paiements_etapepaiement SET motif = 'autre'",
    "notification_ajout_seul": "DELETE FROM paiements_notificationpayzen",
    "imputation_ajout_seul": "UPDATE paiements_imputation SET montant = 1",
    "anomalie_jamais_effacee": "DELETE FROM paiements_anomalie",
    "restitution_jamais_effacee": "DELETE FROM paiements_demanderestitution",
    "passages_de_la_restitution": "UPDATE paiements_demanderestitution SET etat = 'FAITE', approbateur_id ="
    " (SELECT max(id) FROM comptes_utilisateur), decidee_le = now()",
    "restitution_approuvee_telle_que_demandee": "UPDATE paiements_demanderestitution SET montant = 999",
    "reprise_ajout_seul": "UPDATE paiements_reprise SET montant = 1",
    "reprise_jamais_au_dela": "INSERT INTO paiements_reprise (paiement_id, anomalie_id, montant, le)"
    " SELECT paiement_id, anomalie_id, 119.99, now() FROM paiements_reprise",
    "mouvement_ajout_seul": "UPDATE dettes_mouvement SET motif = 'autre'",
    "solde_ecrit_par_les_seuls_mouvements": "UPDATE dettes_dette SET solde = solde - 1",
    "dette_jamais_effacee": "DELETE FROM dettes_dette WHERE id = (SELECT max(id) FROM dettes_dette)",
    "dette_reste_a_son_dossier": "UPDATE dettes_dette SET allocataire_id = (SELECT max(id) FROM comptes_allocataire)",
    "dette_jamais_sous_zero": "INSERT INTO dettes_mouvement (dette_id, genre, montant, solde_apres, origine, motif,"
    " le) SELECT min(id), 'AJUSTEMENT', -5000, 0, 'essai', '', now() FROM dettes_dette",
    "demarche_figee_apres_payer": "UPDATE demarches_demarche SET montant = montant + 1",
    "lignes_figees_avec_la_demarche": "UPDATE demarches_lignedemarche SET montant = montant + 1",
    "une_notification_agit_une_fois": "INSERT INTO paiements_notificationpayzen (cle, source, champs, sort, motif,"
    " recue_le, paiement_id) SELECT cle, source, champs, sort, motif, recue_le, paiement_id"
    " FROM paiements_notificationpayzen WHERE sort = 'APPLIQUEE'",
    "une_imputation_par_paiement_et_dette": "INSERT INTO paiements_imputation (paiement_id, dette_id, montant,"
    " mouvement_id) SELECT paiement_id, dette_id, 1, (SELECT min(id) FROM dettes_mouvement) FROM paiements_imputation",
    "une_anomalie_par_fait": "INSERT INTO paiements_anomalie (genre, cle, montant, constat, ouverte_le, issue,"
    " resolution) SELECT genre, cle, montant, constat, ouverte_le, '', '' FROM paiements_anomalie",
    "une_restitution_en_cours_par_paiement": "INSERT INTO paiements_demanderestitution (paiement_id, montant, etat,"
    " motif, demandeur_id, demandee_le, debit, uuid) SELECT paiement_id, montant, etat, motif, demandeur_id,"
    " demandee_le, debit, uuid FROM paiements_demanderestitution",
    "demandeur_et_approbateur_sont_deux": "UPDATE paiements_demanderestitution SET etat = 'REFUSEE',"
    " approbateur_id = demandeur_id, decidee_le = now()",
}


@pytest.fixture
def service():
    """
    Un paiement imputé, repris en partie, un débit de trop, une restitution demandée ; une dette que rien ne touche,
    une démarche à demander.
    """
    paiement = PaiementFactory(impute=True)
    dire(paiement, "CAPTURED", operation="CREDIT", uuid="c" * 32, montant=Decimal(1), trans_id="900002")
    alerte, imputation = paiement.anomalies.get(), paiement.imputations.get()
    reprise.reprendre(alerte, {imputation.pk: Decimal(1)}, motif="vu", agent=AgentFactory().utilisateur)
    demander(Decimal(50))
    dire(paiement, "AUTHORISED", uuid="d" * 32, trans_id="900001")
    restitution.demander(paiement, motif="erreur", agent=AgentFactory().utilisateur)
    UtilisateurFactory()
    DetteFactory()
    with connection.cursor() as curseur:
        curseur.execute("SET CONSTRAINTS ALL IMMEDIATE")


@pytest.mark.django_db
@pytest.mark.parametrize("garde", FAUTES)
def test_la_base_refuse_ce_que_le_code_ne_doit_jamais_faire(service, garde):
    # Une ligne dont d'autres dépendent ne s'effacerait pas non plus : c'est la garde qui doit le dire.
    phrase = "Cannot delete" if garde.endswith(("_jamais_efface", "_jamais_effacee")) else None
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

    dire(second, "CAPTURED", uuid=premier.uuid)

    second.refresh_from_db()
    assert second.statut == Statut.EN_ATTENTE
    assert second.anomalies.get().constat["motif"] == "transaction déjà vue sous une autre référence"
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
    assert paiement.anomalies.get().montant == 120


@pytest.mark.django_db(transaction=True)
def test_un_lot_saute_le_paiement_qu_un_autre_tient():
    tenu, libre = PaiementFactory(verifie=True), PaiementFactory(verifie=True)
    pris, fini = threading.Event(), threading.Event()

    def tenir():
        with transaction.atomic():
            services.verrouiller(tenu.pk)
            pris.set()
            fini.wait(5)

    def imputer():
        pris.wait(5)
        combien = imputer_un_lot()
        fini.set()
        return combien

    issues = en_meme_temps(tenir, imputer)

    libre.refresh_from_db()
    assert issues == [None, 1]
    assert libre.statut == Statut.IMPUTE


@pytest.mark.django_db(transaction=True)
def test_deux_lots_sur_la_meme_dette_ne_s_y_bousculent_pas(monkeypatch):
    monkeypatch.setattr(imputation, "TAILLE_DU_LOT", 1)
    dette = DetteFactory(montant_initial=Decimal(200))
    conjoints = [UtilisateurFactory(allocataire=dette.allocataire, identifiant=nom) for nom in ("un", "deux")]
    for conjoint in conjoints:
        PaiementFactory(demarche=DemarcheFactory(auteur=conjoint, lignes={dette: Decimal(60)}))
    for paiement in Paiement.objects.all():
        dire(paiement, "AUTHORISED")
        services.appliquer("verifier", paiement, motif="test", auteur="test")
    Mouvement.objects.create(dette=dette, genre="AJUSTEMENT", montant=-100, origine="livraison")

    with fenetre("dettes_dette"):
        issues = en_meme_temps(imputer_un_lot, imputer_un_lot)

    assert issues == [1, 1]
    assert Dette.objects.get().solde == 0
    assert Anomalie.objects.get().montant == 20
