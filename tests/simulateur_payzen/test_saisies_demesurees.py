"""Ce qu'aucun payeur, agent ni programme sensé n'enverrait : refusé clairement, sans rien changer."""

import re

import pytest
import requests

from tests.simulateur_payzen.plateforme import MOTS_DE_PASSE, SITE, lire, poster

TROP_GRAND = "1" + "0" * 400  # un entier qu'aucun flottant ne contient
TROP_PROFOND = b"[" * 100_000


def get_etat(simulateur):
    """Tout ce que le simulateur retient, sauf l'heure."""
    boutiques = lire(f"{simulateur.base}/controle/").json()["boutiques"].values()
    reglees = [(boutique["reglages"], boutique["pannes"]) for boutique in boutiques]
    return reglees, simulateur.transactions(), simulateur.appels()


def presser(simulateur, page, bouton="", **saisie):
    """Remplit le formulaire d'une page du Back Office et presse un de ses boutons."""
    web = requests.Session()
    url = f"{simulateur.base}/vads-merchant/{page}"
    jeton = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', web.get(url).text)[1]
    return web.post(f"{url}{bouton}", data={**saisie, "csrfmiddlewaretoken": jeton})


@pytest.mark.parametrize("geste", ["modifier", "rembourser", "dupliquer"])
@pytest.mark.parametrize("montant", ["Infinity", "-Infinity", "1e999999", "-1e999999", "NaN", "1e20", "-5", "0"])
def test_le_back_office_refuse_un_montant_demesure(simulateur, geste, montant):
    uuid = simulateur.payer()["uuid"]
    if geste == "rembourser":
        simulateur.faire(uuid, "remettre")
    avant = get_etat(simulateur)

    page = presser(simulateur, f"transactions/{uuid}/", f"{geste}/", montant=montant)

    assert (page.status_code, "(PSP_020)" in page.text) == (409, True)
    assert get_etat(simulateur) == avant


@pytest.mark.parametrize(
    ("montant", "statut"),
    [("-5", 409), ("0", 409), ("1" + "0" * 20, 409), ("1e20", 400), ("NaN", 400), ("Infinity", 400), ("true", 400)],
)
def test_le_controle_refuse_de_dupliquer_un_montant_demesure(simulateur, montant, statut):
    uuid = simulateur.payer()["uuid"]
    avant = get_etat(simulateur)

    reponse = poster(f"{simulateur.base}/controle/transactions/{uuid}/dupliquer/", data=f'{{"montant": {montant}}}')

    assert reponse.status_code == statut
    assert "amount" in reponse.json()["erreur"] or "montant en centimes" in reponse.json()["erreur"]
    assert get_etat(simulateur) == avant


def exiger_un_refus(simulateur, corps, message):
    """Poste un corps à la page de contrôle : 400, la raison dite, rien de changé."""
    avant = get_etat(simulateur)

    reponse = poster(f"{simulateur.base}/controle/", data=corps)

    assert (reponse.status_code, message in reponse.json()["erreur"]) == (400, True), reponse.text
    assert get_etat(simulateur) == avant


@pytest.mark.parametrize("nom", ["session_s", "quart_d_heure_s", "ipn_delai_s"])
@pytest.mark.parametrize("duree", ["NaN", "Infinity", "-Infinity", "1e300", "-5", "0", '"nan"'])
def test_le_controle_refuse_une_duree_demesuree(simulateur, nom, duree):
    exiger_un_refus(simulateur, f'{{"reglages": {{"essais_ipn": 2, "{nom}": {duree}}}}}', "secondes")


@pytest.mark.parametrize("decalage", ["1e300", "-1e300", "NaN", "Infinity"])
def test_le_controle_refuse_une_horloge_demesuree(simulateur, decalage):
    exiger_un_refus(simulateur, f'{{"reglages": {{"decalage_horloge_s": {decalage}}}}}', "d'un an au plus")


@pytest.mark.parametrize(
    "reglage", [f'"session_s": {TROP_GRAND}', '"essais_ipn": Infinity', '"tentatives_supplementaires": -1e999']
)
def test_le_controle_refuse_un_nombre_qui_ne_se_convertit_pas(simulateur, reglage):
    exiger_un_refus(simulateur, f'{{"reglages": {{{reglage}}}}}', "valeur refusée pour")


@pytest.mark.parametrize("panne", ['"ipn": {"genre": "retardee", ', '"rest": {"genre": "delai", '])
@pytest.mark.parametrize("suite", ['"secondes": -5', f'"secondes": {TROP_GRAND}', '"fois": -1', '"fois": Infinity'])
def test_le_controle_refuse_une_panne_demesuree(simulateur, panne, suite):
    exiger_un_refus(simulateur, f'{{"pannes": {{{panne}{suite}}}}}}}', "« secondes » et « fois »")


@pytest.mark.parametrize(
    ("corps", "message"),
    [
        ('{"reglages": 5}', "sont des objets"),
        ('{"pannes": ["perdue"]}', "sont des objets"),
        ('{"boutique": ["x"]}', "boutique inconnue"),
        ('{"boutique": {"x": 1}}', "boutique inconnue"),
        ('"reglages"', "n'est pas un objet JSON"),
    ],
)
def test_le_controle_refuse_ce_qui_n_est_pas_de_la_bonne_forme(simulateur, corps, message):
    exiger_un_refus(simulateur, corps, message)


@pytest.mark.parametrize(
    "corps", [TROP_PROFOND, '{"nom": "é"}'.encode("latin-1"), b"\xff\xfe"], ids=["profond", "latin", "octets"]
)
def test_le_controle_refuse_un_corps_illisible(simulateur, corps):
    exiger_un_refus(simulateur, corps, "n'est pas du JSON")


@pytest.mark.parametrize("corps", [TROP_PROFOND, b"\xff\xfe"], ids=["profond", "octets"])
def test_l_api_refuse_un_corps_illisible(simulateur, corps):
    url = f"{simulateur.base}/api-payment/V4/Charge/SDKTest"

    reponse = poster(url, data=corps, auth=(SITE, MOTS_DE_PASSE["TEST"]))

    assert (reponse.status_code, reponse.json()["answer"]["errorCode"]) == (200, "INT_902")


@pytest.mark.parametrize(
    "saisie", [{"session_s": "nan"}, {"decalage_horloge_s": "1e300"}, {"rest": "delai", "rest_secondes": "-5"}]
)
def test_la_page_de_reglages_refuse_une_duree_demesuree(simulateur, saisie):
    avant = get_etat(simulateur)

    page = presser(simulateur, f"reglages/{SITE}/", **saisie)

    assert (page.status_code, "secondes" in re.search(r'role="alert"><p>(.*?)</p>', page.text)[1]) == (400, True)
    assert get_etat(simulateur) == avant


@pytest.mark.parametrize("jour", ["0001-01-01", "9999-12-31"])
def test_le_journal_du_premier_ou_du_dernier_jour_du_calendrier_est_vide(simulateur, jour):
    simulateur.payer()
    demande = {"genre": "JT", "boutique": SITE, "mode": "TEST", "jour": jour}

    reponse = lire(f"{simulateur.base}/vads-merchant/journaux/fichier/", params=demande)

    assert (reponse.status_code, len(reponse.content.splitlines())) == (200, 2)


def test_un_onglet_reste_a_la_carte_ne_gache_pas_le_code_attendu(simulateur, marchand):
    payeur = simulateur.ouvrir(payment_cards="CB;VISA").poster(marque="CB").carte("4970110000000021")
    sms = payeur.lire_sms()

    for _ in range(3):
        payeur.poster(geste="autre_marque")

    assert "saisissez le code reçu" in payeur.page.text
    assert (payeur.lire_sms(), simulateur.transactions(), marchand.recues) == (sms, [], [])
    assert payeur.code().titre == "Paiement accepté"
    assert marchand.statuts == ["AUTHORISED"]
