"""Les pannes sur commande, côté notification et côté API."""

import time

import pytest
import requests

from tests.simulateur_payzen.plateforme import MOTS_DE_PASSE, SITE, attendre, lire, poster, sign

ACCEPTEE = "4970100000000055"


def test_une_ipn_perdue_n_arrive_pas_et_compte_comme_un_echec(simulateur, marchand):
    simulateur.regler({"ipn": "perdue"})

    transaction = simulateur.payer()

    assert marchand.recues == []
    assert transaction["statut"] == "AUTHORISED"
    assert [(appel["etat"], appel["panne"]) for appel in simulateur.appels()] == [("ECHOUE", "perdue")]


def test_une_ipn_perdue_une_fois_est_rejouee(simulateur, marchand):
    simulateur.regler({"ipn": {"genre": "perdue", "fois": 1}}, rejeu_auto=True, quart_d_heure_s=0.4)

    simulateur.payer()

    [rejeu] = marchand.attendre(1)
    assert rejeu.champs["vads_url_check_src"] == "RETRY"


def test_une_ipn_retardee_arrive_apres_le_recu(simulateur, marchand):
    simulateur.regler({"ipn": {"genre": "retardee", "secondes": 3}})

    payeur = simulateur.ouvrir().carte(ACCEPTEE)
    avant = len(marchand.recues)
    marchand.attendre(1)

    assert (payeur.titre, avant, marchand.statuts) == ("Paiement accepté", 0, ["AUTHORISED"])


def test_une_ipn_en_double_est_la_meme_deux_fois(simulateur, marchand):
    simulateur.regler({"ipn": "double"})

    simulateur.payer()

    premiere, seconde = marchand.recues
    assert premiere.corps == seconde.corps


def test_une_ipn_apres_le_retour_attend_que_le_payeur_reparte(simulateur, marchand):
    simulateur.regler({"ipn": "apres_retour"})
    payeur = simulateur.ouvrir().carte(ACCEPTEE)
    time.sleep(0.5)
    avant = len(marchand.recues)

    payeur.repartir()

    marchand.attendre(1)
    assert avant == 0


def test_deux_ipn_dans_le_desordre(simulateur, marchand):
    simulateur.regler({"ipn": "desordre"}, regles=["fin", "refus_tentative"])

    simulateur.ouvrir().carte("4970100000000113").carte(ACCEPTEE)

    attendre(lambda: len(marchand.recues) == 2)
    assert marchand.statuts == ["AUTHORISED", "REFUSED"]


def test_une_signature_fausse_est_fausse_dans_les_deux_modes(simulateur, marchand):
    simulateur.regler({"ipn": "signature_fausse"})

    simulateur.payer()

    champs = marchand.recues[0].champs
    signature = champs.pop("signature")
    assert signature not in {sign(champs, "TEST"), sign(champs, "PRODUCTION")}


def test_un_montant_autre_est_bien_signe(simulateur, marchand):
    simulateur.regler({"ipn": "montant_autre"})

    simulateur.payer()

    assert marchand.recues[0].champs["vads_amount"] == "4625"
    assert marchand.recues[0].is_signee


def test_un_mode_autre_est_signe_de_la_cle_de_ce_mode(simulateur, marchand):
    simulateur.regler({"ipn": "mode_autre"})

    simulateur.payer()

    assert marchand.recues[0].champs["vads_ctx_mode"] == "PRODUCTION"
    assert marchand.recues[0].is_signee


def test_une_panne_comptee_s_epuise(simulateur, marchand):
    simulateur.regler({"ipn": {"genre": "perdue", "fois": 2}})

    for _ in range(3):
        simulateur.payer()

    assert len(marchand.recues) == 1


def appeler_api(simulateur):
    """Un appel à l'API, sans interpréter sa réponse."""
    return poster(
        f"{simulateur.base}/api-payment/V4/Charge/SDKTest", json={"value": "x"}, auth=(SITE, MOTS_DE_PASSE["TEST"])
    )


@pytest.mark.parametrize(("genre", "code"), [("erreur_500", 500), ("html", 200)])
def test_l_api_en_panne_ne_rend_pas_de_json(simulateur, genre, code):
    simulateur.regler({"rest": {"genre": genre, "fois": 1}})

    reponse, suivante = appeler_api(simulateur), appeler_api(simulateur)

    assert (reponse.status_code, reponse.text[:6]) == (code, "<html>")
    with pytest.raises(requests.JSONDecodeError):
        reponse.json()
    assert suivante.json()["status"] == "SUCCESS"


@pytest.mark.parametrize(("genre", "texte"), [("tronquee", '{"webService"'), ("vide", "{}"), ("liste", "[]")])
def test_l_api_repond_ce_qui_n_est_pas_une_reponse(simulateur, genre, texte):
    simulateur.regler({"rest": {"genre": genre, "fois": 1}})

    assert appeler_api(simulateur).text.startswith(texte)
    assert appeler_api(simulateur).json()["status"] == "SUCCESS"


@pytest.mark.parametrize(("genre", "code"), [("refusee", "INT_905"), ("inconnue", "PSP_010")])
def test_l_api_dit_le_faux(simulateur, genre, code):
    simulateur.regler({"rest": {"genre": genre, "fois": 1}})

    assert appeler_api(simulateur).json()["answer"]["errorCode"] == code
    assert appeler_api(simulateur).json()["status"] == "SUCCESS"


def test_l_api_lente_finit_par_repondre(simulateur):
    simulateur.regler({"rest": {"genre": "delai", "secondes": 0.5}})
    debut = time.monotonic()

    reponse = appeler_api(simulateur)

    assert time.monotonic() - debut >= 0.5
    assert reponse.json()["answer"]["value"] == "x"


@pytest.mark.parametrize(
    "demande",
    [
        {"pannes": {"ipn": "inondation"}},
        {"pannes": {"smtp": "perdue"}},
        {"reglages": {"inconnu": 1}},
        {"reglages": {"regles": ["fin", "fausse"]}},
        {"reglages": {"session_s": "longtemps"}},
        {"reglages": {"quart_d_heure_s": 0}},
        {"boutique": "00000000"},
        {"reglage": {}},
        [],
    ],
)
def test_un_reglage_faux_est_refuse_sans_rien_changer(simulateur, demande):
    avant = lire(f"{simulateur.base}/controle/").json()["boutiques"]

    reponse = poster(f"{simulateur.base}/controle/", json=demande)

    apres = lire(f"{simulateur.base}/controle/").json()["boutiques"]
    assert reponse.status_code == 400
    assert reponse.json()["erreur"]
    assert [b["reglages"] for b in avant.values()] == [b["reglages"] for b in apres.values()]


def test_une_page_d_un_autre_site_ne_pilote_pas_le_simulateur(simulateur):
    reponse = poster(f"{simulateur.base}/controle/remise_a_zero/", headers={"Origin": "http://ailleurs.example"})

    assert reponse.status_code == 403


def test_le_controle_ne_montre_aucun_secret(simulateur):
    page = lire(f"{simulateur.base}/controle/").text

    assert "regles" in page
    assert not [secret for secret in ("1122334455667788", MOTS_DE_PASSE["TEST"], "secret-d-essai") if secret in page]
