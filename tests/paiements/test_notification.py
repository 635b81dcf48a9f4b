from decimal import Decimal

import pytest
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from demarches.etats import Etat
from dettes.models import Dette
from paiements.models import Anomalie, NotificationPayzen
from paiements.statuts import Statut
from tests.factories import PaiementFactory, demander
from tests.paiements.conftest import couper_la_base

pytestmark = pytest.mark.django_db

Sort = NotificationPayzen.Sort


def test_un_accord_fait_accepter_le_paiement(notifier):
    paiement = PaiementFactory()

    reponse = notifier(paiement, "AUTHORISED")

    paiement.refresh_from_db()
    assert (reponse.status_code, reponse.content) == (200, b"OK")
    assert paiement.statut == Statut.ACCEPTE
    assert (paiement.marque, paiement.carte_fin, paiement.carte_expiration) == ("CB", "0055", "06/2027")
    assert paiement.demarche.etat == Etat.ENREGISTREE


def test_une_notification_repetee_ne_compte_qu_une_fois(notifier):
    paiement = PaiementFactory()

    reponses = [notifier(paiement, "AUTHORISED", vads_hash=str(fois)) for fois in range(3)]

    assert [reponse.status_code for reponse in reponses] == [200, 200, 200]
    assert [etape.geste for etape in paiement.etapes.order_by("pk")] == ["soumettre", "accepter"]
    assert list(paiement.notifications.order_by("pk").values_list("sort", flat=True)) == [
        Sort.APPLIQUEE,
        Sort.DOUBLON,
        Sort.DOUBLON,
    ]


@pytest.mark.parametrize(
    ("statut", "attendu", "etat"),
    [
        ("REFUSED", Statut.REFUSE, Etat.REFUSEE),
        ("ABANDONED", Statut.ABANDONNE, Etat.NON_REALISEE),
        ("EXPIRED", Statut.REFUSE, Etat.REFUSEE),
        ("WAITING_AUTHORISATION", Statut.EN_ATTENTE, Etat.A_LA_BANQUE),
        ("AUTHORISED_TO_VALIDATE", Statut.EN_ATTENTE, Etat.A_LA_BANQUE),
    ],
)
def test_chaque_reponse_de_la_banque_a_sa_fin(notifier, statut, attendu, etat):
    paiement = PaiementFactory()

    reponse = notifier(paiement, statut)

    paiement.refresh_from_db()
    assert (reponse.status_code, paiement.statut, paiement.demarche.etat) == (200, attendu, etat)


def test_une_somme_demesuree_laisse_sa_trace(notifier):
    paiement = PaiementFactory()

    reponse = notifier(paiement, "AUTHORISED", vads_amount="999999999999")

    paiement.refresh_from_db()
    assert (reponse.status_code, paiement.statut) == (200, Statut.EN_ATTENTE)
    assert Anomalie.objects.get().genre == Anomalie.Genre.STATUT_INATTENDU


def test_un_abandon_sans_uuid_ni_operation_est_compris(notifier):
    paiement = PaiementFactory()

    notifier(paiement, "ABANDONED", vads_trans_uuid=None, vads_operation_type=None, vads_card_number=None)

    paiement.refresh_from_db()
    assert paiement.statut == Statut.ABANDONNE


@pytest.mark.parametrize("premier", ["REFUSED", "ABANDONED"])
def test_un_succes_l_emporte_dans_les_deux_ordres(notifier, premier):
    avant, apres = PaiementFactory(), PaiementFactory()

    notifier(avant, premier, vads_trans_uuid="a" * 32)
    notifier(avant, "AUTHORISED")
    notifier(apres, "AUTHORISED")
    notifier(apres, premier, vads_trans_uuid="b" * 32)

    for paiement in (avant, apres):
        paiement.refresh_from_db()
        assert paiement.statut == Statut.ACCEPTE


def test_un_accord_apres_expiration_n_est_jamais_perdu(notifier):
    paiement = PaiementFactory(expire=True)

    notifier(paiement, "AUTHORISED")

    paiement.refresh_from_db()
    assert paiement.statut == Statut.ACCEPTE
    assert paiement.anomalies.get().genre == Anomalie.Genre.PAIEMENT_TARDIF


@pytest.mark.parametrize(
    ("champs", "genre"),
    [
        ({"vads_amount": "11999"}, Anomalie.Genre.MONTANT_DIFFERENT),
        ({"vads_currency": "840"}, Anomalie.Genre.MONTANT_DIFFERENT),
        ({"vads_trans_id": "zzzzzz"}, Anomalie.Genre.STATUT_INATTENDU),
        ({"vads_trans_id": ""}, Anomalie.Genre.STATUT_INATTENDU),
        ({"vads_trans_date": "20200101000000"}, Anomalie.Genre.STATUT_INATTENDU),
        ({"vads_trans_status": "NOUVEAU_STATUT"}, Anomalie.Genre.STATUT_INATTENDU),
        ({"vads_trans_status": "ACCEPTED"}, Anomalie.Genre.STATUT_INATTENDU),
    ],
)
def test_un_message_authentique_mais_inattendu_devient_une_anomalie(notifier, champs, genre):
    paiement = PaiementFactory()

    reponse = notifier(paiement, "AUTHORISED", **champs)

    paiement.refresh_from_db()
    assert reponse.status_code == 200
    assert paiement.statut == Statut.EN_ATTENTE
    assert paiement.anomalies.get().genre == genre


def test_une_anomalie_de_montant_retient_l_argent_vu(notifier):
    paiement = PaiementFactory(montant=Decimal("120.00"))

    notifier(paiement, "AUTHORISED", vads_amount="15000")

    anomalie = paiement.anomalies.get()
    assert anomalie.montant == Decimal("150.00")
    assert (anomalie.constat["attendu"]["montant"], anomalie.constat["vu"]["montant"]) == ("120.00", "150.00")


def test_une_reference_inconnue_est_confiee_a_un_agent_une_seule_fois(notifier):
    paiement = PaiementFactory()

    reponses = [notifier(paiement, "AUTHORISED", vads_order_id="P-INCONNUE") for _ in range(2)]

    assert [reponse.status_code for reponse in reponses] == [200, 200]
    assert Anomalie.objects.get().genre == Anomalie.Genre.REFERENCE_INCONNUE


def test_un_deuxieme_debit_ne_remplace_pas_le_premier(notifier):
    paiement = PaiementFactory(accepte=True)

    notifier(paiement, "AUTHORISED", vads_trans_uuid="d" * 32, vads_trans_id="900001")

    anomalie = paiement.anomalies.get()
    assert (anomalie.genre, anomalie.montant) == (Anomalie.Genre.DOUBLE_PAIEMENT, paiement.montant)


def test_la_remise_en_banque_se_note(notifier):
    paiement = PaiementFactory(accepte=True)

    notifier(paiement, "CAPTURED", vads_url_check_src="BO")

    paiement.refresh_from_db()
    assert paiement.remis_le is not None
    assert paiement.statut == Statut.ACCEPTE


@pytest.mark.parametrize("statut", ["CANCELLED", "CAPTURE_FAILED"])
def test_une_annulation_a_la_banque_rouvre_la_dette(notifier, statut):
    paiement = PaiementFactory(impute=True)
    dette = paiement.demarche.lignes.get().dette

    notifier(paiement, statut, vads_url_check_src="MERCH_BO")

    paiement.refresh_from_db()
    dette.refresh_from_db()
    assert paiement.statut == Statut.REJETE
    assert dette.solde == dette.montant_initial
    assert paiement.anomalies.get().genre == Anomalie.Genre.ANNULATION_BANQUE


def test_une_annulation_arrivee_avant_l_accord_l_emporte(notifier):
    paiement = PaiementFactory()

    notifier(paiement, "CANCELLED", vads_url_check_src="MERCH_BO")
    notifier(paiement, "AUTHORISED")

    paiement.refresh_from_db()
    assert paiement.statut == Statut.ABANDONNE
    assert paiement.notifications.order_by("pk").last().sort == Sort.SANS_EFFET


def test_un_remboursement_ouvre_une_seule_alerte_et_fait_aussitot_relire_la_plateforme(notifier):
    paiement = PaiementFactory(impute=True)
    credit = {"vads_operation_type": "CREDIT", "vads_trans_uuid": "c" * 32, "vads_trans_id": "900002"}

    notifier(paiement, "AUTHORISED", **credit)
    notifier(paiement, "CAPTURED", **credit)

    paiement.refresh_from_db()
    assert paiement.statut == Statut.IMPUTE
    assert paiement.anomalies.get().genre == Anomalie.Genre.ANNULATION_BANQUE
    assert paiement.prochain_controle_le <= timezone.now()


def test_un_remboursement_partiel_attend_un_agent(notifier):
    paiement = PaiementFactory(impute=True)

    notifier(paiement, "AUTHORISED", vads_operation_type="CREDIT", vads_trans_uuid="c" * 32, vads_amount="5000")

    paiement.refresh_from_db()
    assert paiement.statut == Statut.IMPUTE
    assert paiement.anomalies.get().constat["vu"]["montant"] == "50.00"


def test_un_message_sans_montant_lisible_est_garde_pour_un_agent(notifier):
    paiement = PaiementFactory()

    reponses = [notifier(paiement, "AUTHORISED", vads_amount="beaucoup") for _ in range(2)]

    assert [reponse.status_code for reponse in reponses] == [200, 200]
    assert Anomalie.objects.count() == 1
    assert NotificationPayzen.objects.count() == 2


def test_un_message_mal_signe_ne_fait_rien(notifier, client):
    paiement = PaiementFactory()
    adresse = reverse("paiements:notification")

    reponse = client.post(adresse, {"vads_site_id": paiement.boutique, "vads_ctx_mode": "TEST", "signature": "x"})

    assert reponse.status_code == 400
    assert not NotificationPayzen.objects.exists()


@pytest.mark.parametrize("methode", ["get", "put", "delete", "head"])
def test_seul_post_est_recu(client, methode):
    assert getattr(client, methode)(reverse("paiements:notification")).status_code == 405


@pytest.mark.parametrize("adresse", ["/paiements/payzen/notification", "/paiements/payzen/notification/"])
def test_l_adresse_ne_redirige_jamais(client, settings, adresse):
    settings.SECURE_SSL_REDIRECT = True

    assert client.post(adresse, {"vads_site_id": "inconnu"}).status_code == 400


def test_une_notification_coute_peu_d_allers_retours(notifier, django_assert_max_num_queries):
    paiement = PaiementFactory(demarche=demander(Decimal(50), courriel="personne@exemple.fr"))

    with django_assert_max_num_queries(9):
        notifier(paiement, "AUTHORISED")

    assert paiement.ticket.etat == "A_ENVOYER"


def test_rien_de_la_carte_ni_de_la_personne_n_est_garde(notifier):
    paiement = PaiementFactory()

    notifier(
        paiement, "AUTHORISED", vads_cust_email="personne@exemple.fr", vads_bank_label="Banque", vads_pays_ip="FR"
    )

    champs = paiement.notifications.get().champs
    assert not {"vads_cust_email", "vads_bank_label", "vads_pays_ip", "vads_card_number"} & set(champs)


def test_une_dette_soldee_par_un_paiement_repris_se_paie_de_nouveau(notifier):
    paiement = PaiementFactory(montant=Decimal(900), impute=True)
    dettes = Dette.objects.filter(imputations__paiement=paiement)
    Dette.objects.update(situation=Dette.Situation.SOLDEE)

    notifier(paiement, "CANCELLED")

    assert dettes.payables().get().solde == Decimal(900)


@pytest.mark.parametrize("statut", ["EXPIRED", "ERROR", "AUTHORISED_TO_VALIDATE"])
def test_ce_que_la_banque_n_a_pas_decide_se_montre_a_un_agent(notifier, statut):
    paiement = PaiementFactory()

    notifier(paiement, statut)

    assert paiement.anomalies.get().genre == Anomalie.Genre.STATUT_INATTENDU


@pytest.mark.parametrize("ailleurs", ["un autre paiement", "une référence inconnue"])
def test_une_transaction_ne_sert_pas_deux_references(notifier, ailleurs):
    premier, second = PaiementFactory(), PaiementFactory()
    notifier(premier, "AUTHORISED")
    premier.refresh_from_db()
    reference = second.reference if ailleurs == "un autre paiement" else "P-INCONNUE"

    reponses = [
        notifier(second, statut, vads_trans_uuid=premier.uuid, vads_order_id=reference)
        for statut in ("AUTHORISED", "AUTHORISED", "CAPTURED")
    ]

    second.refresh_from_db()
    assert {reponse.status_code for reponse in reponses} == {200}
    assert second.statut == Statut.EN_ATTENTE
    assert {(anomalie.genre, anomalie.montant) for anomalie in Anomalie.objects.all()} <= {
        (Anomalie.Genre.STATUT_INATTENDU, 0),
        (Anomalie.Genre.REFERENCE_INCONNUE, 120),
    }


def test_un_message_incomplet_se_rejoue_si_la_base_manque(notifier):
    paiement = PaiementFactory()

    with connection.execute_wrapper(couper_la_base):
        reponse = notifier(paiement, "AUTHORISED", vads_amount=None)

    assert reponse.status_code == 503
    assert notifier(paiement, "AUTHORISED", vads_amount=None).status_code == 200
