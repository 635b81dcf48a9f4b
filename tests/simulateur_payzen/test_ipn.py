"""Les notifications : ce qu'elles contiennent, quand elles partent, comment elles sont rejouées."""

import re
import threading
import time
from urllib.parse import parse_qsl, urlsplit

import pytest

from tests.simulateur_payzen.plateforme import attendre, lire

PROPRES_AU_FORMULAIRE = {"vads_page_action", "vads_payment_config", "vads_action_mode"}


def attendre_fin_des_rejeux(simulateur, nombre):
    """Attend qu'il y ait ce nombre d'appels, et plus rien de prévu."""
    attendre(lambda: len(simulateur.appels()) >= nombre and simulateur.appels()[-1]["etat"] != "PREVU")


def test_l_ipn_porte_les_champs_du_formulaire_et_ceux_de_la_banque(simulateur, marchand):
    simulateur.payer(order_info="l'été", ext_info_dossier="A1", url_cancel="http://127.0.0.1/x", cust_id="")

    [recue] = marchand.recues
    champs = recue.champs
    attendus = {"vads_trans_status": "AUTHORISED", "vads_operation_type": "DEBIT", "vads_result": "00"}
    attendus |= {"vads_url_check_src": "PAY", "vads_ext_info_dossier": "A1", "vads_order_info": "l'été"}
    assert recue.is_signee
    assert attendus.items() <= champs.items()
    assert len(champs["vads_trans_uuid"]) == 32
    assert set(champs) > PROPRES_AU_FORMULAIRE
    assert not [nom for nom in champs if nom.startswith(("vads_url_cancel", "vads_payment_cards", "vads_return"))]


def test_l_ipn_de_production_est_signee_de_sa_cle(simulateur, marchand):
    simulateur.payer(ctx_mode="PRODUCTION")

    assert marchand.recues[0].champs["vads_ctx_mode"] == "PRODUCTION"
    assert marchand.recues[0].is_signee


def test_l_ipn_arrive_avant_le_recu(simulateur, marchand):
    marchand.lenteur_s = 0.3
    debut = time.monotonic()

    payeur = simulateur.ouvrir().carte("4970100000000055")

    assert payeur.titre == "Paiement accepté"
    assert time.monotonic() - debut >= 0.3
    assert len(marchand.recues) == 1


def test_l_adresse_du_formulaire_l_emporte_sur_celle_de_la_regle(simulateur, marchand):
    simulateur.payer(url_check=f"{marchand.url}autre/")

    assert simulateur.appels()[0]["url"] == f"{marchand.url}autre/"


def test_aucun_onglet_ne_voit_le_recu_avant_l_ipn(simulateur, marchand):
    marchand.lenteur_s = 0.5
    payeur = simulateur.ouvrir()
    fini, precoces = threading.Event(), []

    def guetter():
        while not fini.is_set():
            recues = len(marchand.recues)
            if "Paiement accepté" in lire(payeur.url).text and not recues:
                precoces.append(recues)

    guetteurs = [threading.Thread(target=guetter) for _ in range(3)]
    for guetteur in guetteurs:
        guetteur.start()
    payeur.carte("4970100000000055")
    fini.set()
    for guetteur in guetteurs:
        guetteur.join()

    assert payeur.titre == "Paiement accepté"
    assert precoces == []


def test_le_certificat_est_le_meme_au_retour_et_a_chaque_envoi(simulateur, marchand):
    payeur = simulateur.ouvrir(return_mode="GET").carte("4970100000000055")
    [premier] = marchand.recues
    simulateur.faire(premier.champs["vads_trans_uuid"], "renvoyer")

    retour = dict(parse_qsl(urlsplit(payeur.repartir().headers["Location"]).query))

    certificats = {recue.champs["vads_payment_certificate"] for recue in marchand.attendre(2)}
    assert certificats == {retour["vads_payment_certificate"]}


def test_une_boutique_restee_en_sha1_signe_en_sha1(simulateur, marchand):
    payeur = simulateur.ouvrir()
    simulateur.regler(algorithme="SHA-1")

    payeur.carte("4970100000000055")

    [recue] = marchand.recues
    assert re.fullmatch("[0-9a-f]{40}", recue.champs["signature"])
    assert simulateur.envoyer(simulateur.composer()).status_code == 400


@pytest.mark.parametrize("code", [200, 206, 301, 302, 303, 307, 308])
def test_ces_codes_valent_succes_meme_une_redirection_qu_on_ne_suit_pas(simulateur, marchand, code):
    marchand.code = code
    simulateur.regler(rejeu_auto=True, quart_d_heure_s=0.3)

    simulateur.payer()

    assert [(appel["etat"], appel["code"]) for appel in simulateur.appels()] == [("REUSSI", code)]
    assert (len(marchand.recues), marchand.visites) == (1, [])


@pytest.mark.parametrize("code", [207, 304, 400, 403, 500, 503])
def test_les_autres_codes_sont_des_echecs_dits_au_marchand(simulateur, marchand, code):
    marchand.code = code

    simulateur.payer()

    assert [(appel["etat"], appel["code"]) for appel in simulateur.appels()] == [("ECHOUE", code)]
    assert simulateur.courriels() == ["[MODE TEST] Échec de l'URL de notification #1"]


def test_sans_rejeu_automatique_un_echec_en_reste_la(simulateur, marchand):
    marchand.code = 500
    simulateur.regler(quart_d_heure_s=0.2)

    simulateur.payer()
    time.sleep(0.8)

    assert len(marchand.recues) == 1


def test_quatre_appels_en_tout_puis_plus_rien(simulateur, marchand):
    marchand.code = 500
    simulateur.regler(rejeu_auto=True, quart_d_heure_s=0.3)

    simulateur.payer()
    attendre_fin_des_rejeux(simulateur, 4)
    time.sleep(0.8)

    assert [recue.champs["vads_url_check_src"] for recue in marchand.recues] == ["PAY", "RETRY", "RETRY", "RETRY"]
    assert [objet[-5:] for objet in simulateur.courriels()] == ["on #1", "on #2", "on #3", "#last"]


def test_un_rejeu_perd_trois_champs_et_change_de_signature(simulateur, marchand):
    marchand.code = 503
    # Autant d'essais qu'il en faut : sur une machine lente, plusieurs partent avant la remise.
    simulateur.regler(rejeu_auto=True, quart_d_heure_s=0.5, essais_ipn=1000)
    transaction = simulateur.payer()
    simulateur.faire(transaction["uuid"], "remettre")

    # Refusé jusque-là : un rejeu composé avant la remise et accepté après aurait fini la série.
    attendre(lambda: "CAPTURED" in marchand.statuts)
    marchand.code = 200
    attendre(lambda: simulateur.appels()[-1]["etat"] == "REUSSI")
    premier, rejeu = marchand.recues[0].champs, marchand.recues[-1].champs

    assert set(premier) - set(rejeu) == PROPRES_AU_FORMULAIRE
    assert premier["vads_hash"] != rejeu["vads_hash"]
    assert rejeu["vads_trans_status"] == "CAPTURED"
    assert all(recue.is_signee for recue in marchand.recues)


def test_les_rejeux_tombent_sur_les_multiples_de_la_periode(simulateur, marchand):
    marchand.code = 500
    simulateur.regler(rejeu_auto=True)

    simulateur.payer()

    prevu = simulateur.appels()[-1]["prevu_le"]
    assert prevu[14:19] in {"00:00", "15:00", "30:00", "45:00"}


def test_une_boutique_trop_lente_est_un_echec_mais_le_payeur_a_son_recu(simulateur, marchand):
    marchand.lenteur_s = 5
    simulateur.regler(ipn_delai_s=0.3)

    payeur = simulateur.ouvrir().carte("4970100000000055")

    [appel] = simulateur.appels()
    assert payeur.titre == "Paiement accepté"
    assert (appel["etat"], appel["erreur"]) == ("ECHOUE", "ReadTimeout")
    assert 300 <= appel["duree_ms"] < 4500


def test_un_renvoi_a_la_main_reussi_arrete_les_rejeux(simulateur, marchand):
    marchand.code = 500
    simulateur.regler(rejeu_auto=True)
    transaction = simulateur.payer()
    marchand.code = 200

    simulateur.faire(transaction["uuid"], "renvoyer")

    etats = [(appel["source"], appel["etat"]) for appel in simulateur.appels() if appel["source"] != "PAY"]
    assert etats == [("RETRY", "ANNULE"), ("BO", "REUSSI")]


def test_un_renvoi_a_la_main_rate_n_est_pas_rejoue(simulateur, marchand):
    transaction = simulateur.payer()
    marchand.code = 500
    simulateur.regler(rejeu_auto=True, quart_d_heure_s=0.3)

    simulateur.faire(transaction["uuid"], "renvoyer")

    assert [appel["source"] for appel in simulateur.appels()] == ["PAY", "BO"]
