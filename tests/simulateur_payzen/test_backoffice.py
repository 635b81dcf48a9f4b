"""Le Back Office : ses gestes, ses notifications, ses pages, ses journaux."""

import re
from datetime import UTC, datetime

import pytest
import requests

from tests.simulateur_payzen.plateforme import SITE, attendre, lire, poster


@pytest.fixture
def remise(simulateur):
    """Une transaction remise en banque, la règle « Back Office » étant active."""
    simulateur.regler(regles=["fin", "bo", "batch"])
    transaction = simulateur.payer()
    simulateur.faire(transaction["uuid"], "remettre")
    return transaction


def test_la_remise_est_silencieuse_et_le_renvoi_la_montre(simulateur, marchand, remise):
    simulateur.faire(remise["uuid"], "renvoyer")

    paiement, renvoi = (recue.champs for recue in marchand.recues)
    assert (renvoi["vads_trans_status"], renvoi["vads_url_check_src"]) == ("CAPTURED", "BO")
    assert renvoi["vads_trans_uuid"] == paiement["vads_trans_uuid"]


def test_un_remboursement_partiel_notifie_un_credit_neuf(simulateur, marchand, remise):
    reponse = simulateur.faire(remise["uuid"], "rembourser", montant=1000).json()

    ipn = marchand.recues[-1].champs
    attendus = {"vads_operation_type": "CREDIT", "vads_amount": "1000", "vads_url_check_src": "MERCH_BO"}
    attendus |= {"vads_order_id": remise["order_id"], "vads_trans_status": "AUTHORISED"}
    assert attendus.items() <= ipn.items()
    assert ipn["vads_trans_uuid"] == reponse["transaction"]["uuid"] != remise["uuid"]
    assert "900000" <= ipn["vads_trans_id"] <= "999999"
    assert marchand.recues[-1].is_signee


def test_une_duplication_est_un_second_debit_de_la_meme_commande(simulateur, marchand, remise):
    simulateur.faire(remise["uuid"], "dupliquer")

    ipn = marchand.recues[-1].champs
    assert (ipn["vads_operation_type"], ipn["vads_order_id"]) == ("DEBIT", remise["order_id"])
    assert ipn["vads_trans_uuid"] != remise["uuid"]


def test_une_annulation_garde_l_uuid(simulateur, marchand):
    simulateur.regler(regles=["fin", "bo"])
    transaction = simulateur.payer()

    simulateur.faire(transaction["uuid"], "annuler")

    assert marchand.statuts == ["AUTHORISED", "CANCELLED"]
    assert {recue.champs["vads_trans_uuid"] for recue in marchand.recues} == {transaction["uuid"]}


def test_un_echec_de_remise_notifie_par_la_regle_batch(simulateur, marchand, remise):
    simulateur.faire(remise["uuid"], "echouer_remise")

    ipn = marchand.recues[-1].champs
    assert (ipn["vads_trans_status"], ipn["vads_url_check_src"]) == ("CAPTURE_FAILED", "BATCH")


def test_sans_la_regle_rien_n_est_notifie(simulateur, marchand):
    transaction = simulateur.payer()

    simulateur.faire(transaction["uuid"], "annuler")

    assert marchand.statuts == ["AUTHORISED"]


def test_un_geste_impossible_le_dit(simulateur, remise):
    reponse = simulateur.faire(remise["uuid"], "annuler")

    assert (reponse.status_code, reponse.json()["code"]) == (409, "PSP_075")
    assert simulateur.faire(remise["uuid"], "danser").status_code == 400
    assert simulateur.faire("0" * 32, "annuler").status_code == 404


def test_la_remise_du_soir_remet_ce_qui_etait_du(simulateur, marchand):
    transaction = simulateur.payer()

    simulateur.regler(remise_auto=True, decalage_horloge_s=25 * 3600)

    def est_remise():
        return simulateur.transactions(transaction["order_id"])[0]["statut"] == "CAPTURED"

    attendre(est_remise)
    assert marchand.statuts == ["AUTHORISED"]


def test_les_pages_du_back_office_agissent(simulateur, remise):
    web = requests.Session()
    url = f"{simulateur.base}/vads-merchant/transactions/{remise['uuid']}/"
    jeton = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', web.get(url).text)[1]

    refus = web.post(f"{url}rembourser/", data={"montant": "100,00", "csrfmiddlewaretoken": jeton})
    credit = web.post(f"{url}rembourser/", data={"montant": "12,50", "csrfmiddlewaretoken": jeton})

    assert (refus.status_code, "PSP_510" in refus.text) == (409, True)
    assert "CREDIT de 12,50" in credit.text
    assert poster(f"{url}rembourser/", data={"montant": "1"}).status_code == 403


def test_la_page_de_reglages_change_regles_et_pannes(simulateur):
    web = requests.Session()
    url = f"{simulateur.base}/vads-merchant/reglages/{SITE}/"
    jeton = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', web.get(url).text)[1]
    envoi = {"regles": ["fin", "annulation"], "session_s": "120", "ipn": "double", "csrfmiddlewaretoken": jeton}

    page = web.post(url, data=envoi)

    boutique = lire(f"{simulateur.base}/controle/").json()["boutiques"][SITE]
    assert page.status_code == 200
    assert (boutique["reglages"]["regles"], boutique["reglages"]["session_s"]) == (["fin", "annulation"], 120)
    assert boutique["pannes"]["ipn"]["genre"] == "double"


@pytest.mark.parametrize("chemin", ["", "notifications/", "notifications/1/", "courriels/", "journaux/"])
def test_chaque_page_du_back_office_s_ouvre(simulateur, chemin):
    simulateur.payer()
    premier = simulateur.appels()[0]["id"]

    page = lire(f"{simulateur.base}/vads-merchant/{chemin.replace('/1/', f'/{premier}/')}")

    assert page.status_code == 200
    assert "aucune vraie carte" in page.text


def telecharger(simulateur, genre):
    """Les lignes d'un journal du jour, découpées."""
    suite = {"genre": genre, "boutique": SITE, "mode": "TEST", "jour": datetime.now(UTC).date().isoformat()}
    reponse = lire(f"{simulateur.base}/vads-merchant/journaux/fichier/", params=suite)
    assert f"TEST_{genre}_SHOP_{SITE}_" in reponse.headers["Content-Disposition"]
    return [ligne.split(";") for ligne in reponse.content.decode("iso-8859-1").splitlines()]


def test_le_jt_liste_les_transactions_du_jour(simulateur, remise):
    refusee = simulateur.payer("4970100000000113")

    titre, entete, *lignes = telecharger(simulateur, "JT")

    lues = [dict(zip(entete, ligne, strict=True)) for ligne in lignes]
    assert (titre[0], titre[3]) == ("TITRE", "TABLE_V_CUSTOM")
    assert {ligne["ORDER_ID"]: ligne["TRANSACTION_STATUS"] for ligne in lues} == {
        remise["order_id"]: "CAPTURED",
        refusee["order_id"]: "REFUSED",
    }
    assert {len(ligne) for ligne in lignes} == {21}


def test_le_jrb_ne_liste_que_ce_qui_est_remis(simulateur, remise):
    simulateur.payer()
    simulateur.faire(remise["uuid"], "rembourser", montant=500)
    poster(f"{simulateur.base}/controle/remise/")

    _, entete, *lignes, fin = telecharger(simulateur, "JRB")

    lues = [dict(zip(entete, ligne, strict=True)) for ligne in lignes]
    assert fin[0] == "FIN"
    assert sorted((ligne["OPERATION_TYPE"], ligne["BRUT_AMOUNT"]) for ligne in lues) == [
        ("CT", "500"),
        ("DT", "4525"),
        ("DT", "4525"),
    ]


def test_un_impaye_n_est_que_dans_le_jri(simulateur, marchand, remise):
    avant = len(marchand.recues)

    simulateur.faire(remise["uuid"], "impaye")

    _, entete, ligne, fin = telecharger(simulateur, "JRI")
    assert (ligne[0], fin[0]) == ("DETAIL", "FIN")
    assert dict(zip(entete, ligne, strict=True))["ORDER_ID"] == remise["order_id"]
    assert len(marchand.recues) == avant


def test_un_journal_vide_a_titre_entete_et_fin(simulateur):
    assert [ligne[0] for ligne in telecharger(simulateur, "JRB")] == ["TITRE", "ENTETE", "FIN"]


def test_le_montant_d_origine_est_celui_du_formulaire_meme_baisse_depuis(simulateur):
    transaction = simulateur.payer()
    simulateur.faire(transaction["uuid"], "modifier", montant=4000)

    _, entete, ligne = telecharger(simulateur, "JT")

    lue = dict(zip(entete, ligne, strict=True))
    assert (lue["ORIGIN_AMOUNT"], lue["AMOUNT"]) == ("4525", "4000")
