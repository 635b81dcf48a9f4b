"""La session : tentatives, annulation, expiration, double clic, retour à la boutique."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from urllib.parse import parse_qsl, urlsplit

import pytest
import requests

from tests.simulateur_payzen.plateforme import attendre, lire, poster, sign

REFUSEE = "4970100000000113"


def test_un_refus_laisse_deux_autres_essais_puis_notifie_une_fois(simulateur, marchand):
    payeur = simulateur.ouvrir(order_id="ESSAIS-1")

    titres = [payeur.carte(REFUSEE).titre for _ in range(3)]

    assert titres == ["Votre carte CB", "Votre carte CB", "Paiement refusé"]
    assert marchand.statuts == ["REFUSED"]
    assert marchand.recues[0].champs["vads_sequence_number"] == "3"
    assert [t["rang"] for t in simulateur.transactions("ESSAIS-1")] == [3, 2, 1]


def test_un_refus_puis_une_autre_carte_paie(simulateur, marchand):
    payeur = simulateur.ouvrir(order_id="ESSAIS-2").carte(REFUSEE)
    message = "Votre banque a refusé le paiement" in payeur.web.get(payeur.url).text

    payeur.carte("4970100000000055")

    assert message
    assert marchand.statuts == ["AUTHORISED"]
    assert len({t["uuid"] for t in simulateur.transactions("ESSAIS-2")}) == 2


def test_la_regle_de_refus_d_une_tentative_notifie_chaque_refus(simulateur, marchand):
    simulateur.regler(regles=["fin", "refus_tentative"])

    simulateur.ouvrir().carte(REFUSEE).carte("4970100000000055")

    assert marchand.statuts == ["REFUSED", "AUTHORISED"]


def test_l_annulation_ne_notifie_rien_par_defaut(simulateur, marchand):
    depart = simulateur.ouvrir(order_id="ANNULE-1", url_cancel=f"{marchand.url}annule/").annuler()

    assert depart.headers["Location"] == f"{marchand.url}annule/"
    assert marchand.recues == []
    assert simulateur.rest("Order/Get", {"orderId": "ANNULE-1"})["answer"]["errorCode"] == "PSP_010"


@pytest.mark.parametrize("etape", ["marque", "carte", "code"])
def test_on_peut_annuler_a_chaque_etape(simulateur, marchand, etape):
    simulateur.regler(regles=["fin", "annulation"])
    payeur = simulateur.ouvrir(payment_cards="CB;VISA" if etape == "marque" else "CB")
    if etape == "code":
        payeur.carte("4970110000000021")
    propose = "Annuler et retourner à la boutique" in payeur.page.text

    payeur.annuler()

    [ipn] = [recue.champs for recue in marchand.recues]
    assert propose
    assert (ipn["vads_trans_status"], ipn["vads_result"], ipn["vads_card_number"]) == ("ABANDONED", "17", "")
    assert not {"vads_trans_uuid", "vads_operation_type", "vads_sequence_number"} & set(ipn)


def test_une_session_expire_seule_et_le_dit_au_marchand(simulateur, marchand):
    simulateur.regler(session_s=0.4, regles=["fin", "annulation"])
    payeur = simulateur.ouvrir()

    marchand.attendre(1)

    assert marchand.recues[0].champs["vads_payment_error"] == "149"
    assert payeur.carte("4970100000000055").titre == "Le temps est écoulé"
    assert marchand.statuts == ["ABANDONED"]


def test_une_banque_laissee_sans_reponse_refuse(simulateur, marchand):
    simulateur.regler(session_s=10)  # le temps d'arriver à la page du code, même sur une machine lente
    payeur = simulateur.ouvrir(order_id="LENT-1").carte("4970110000000021")

    marchand.attendre(1)

    assert payeur.titre == "Simulateur de votre banque"
    assert marchand.statuts == ["REFUSED"]
    [transaction] = simulateur.rest("Order/Get", {"orderId": "LENT-1"})["answer"]["transactions"]
    assert transaction["errorCode"] == "AUTH_149"


def test_un_double_clic_ne_paie_qu_une_fois(simulateur, marchand):
    payeur = simulateur.ouvrir(order_id="CLICS-1")
    annee = str(datetime.now(UTC).year + 2)
    donnees = {"numero": "4970100000000055", "mois": "12", "annee": annee, "cryptogramme": "123"}

    with ThreadPoolExecutor(6) as clics:
        pages = list(clics.map(lambda _: poster(payeur.url, data=donnees).status_code, range(6)))

    assert pages == [200] * 6
    assert len(simulateur.transactions("CLICS-1")) == 1
    assert marchand.statuts == ["AUTHORISED"]


def test_le_retour_par_defaut_est_sans_donnees(simulateur, marchand):
    payeur = simulateur.ouvrir().carte("4970100000000055")

    assert payeur.repartir().headers["Location"] == f"{marchand.url}retour/"


def test_le_retour_par_get_porte_les_donnees_signees(simulateur, marchand):
    suite = {"url_success": f"{marchand.url}merci/?k=1", "return_mode": "GET", "return_get_params": "session=a"}
    payeur = simulateur.ouvrir(**suite).carte("4970100000000055")

    adresse = payeur.repartir().headers["Location"]

    champs = dict(parse_qsl(urlsplit(adresse).query, keep_blank_values=True))
    assert adresse.startswith(f"{marchand.url}merci/?k=1&vads_")
    assert (champs.pop("k"), champs.pop("session")) == ("1", "a")
    assert not {"vads_hash", "vads_url_check_src"} & set(champs)
    assert champs.pop("signature") == sign(champs)


def test_le_retour_par_post_est_un_formulaire_a_bouton(simulateur, marchand):
    payeur = simulateur.ouvrir(return_mode="POST").carte("4970100000000055")

    assert f'<form method="post" action="{marchand.url}retour/">' in payeur.page.text
    assert 'name="signature"' in payeur.page.text
    assert payeur.page.headers["Content-Security-Policy"].endswith(f"'self' {marchand.url.rstrip('/')}")


@pytest.mark.parametrize(("numero", "cas"), [("4970100000000055", "success"), (REFUSEE, "refused")])
def test_chaque_issue_a_son_adresse_de_retour(simulateur, marchand, numero, cas):
    simulateur.regler(tentatives_supplementaires=0)
    payeur = simulateur.ouvrir(**{f"url_{cas}": f"{marchand.url}{cas}/"}).carte(numero)

    assert payeur.repartir().headers["Location"] == f"{marchand.url}{cas}/"


def test_la_redirection_automatique_attend_le_delai_demande(simulateur):
    payeur = simulateur.ouvrir(redirect_success_timeout="8", redirect_success_message="Merci, à bientôt.")

    page = payeur.carte("4970100000000055").page

    assert page.headers["Refresh"].startswith("8;url=/vads-payment/")
    assert "Merci, à bientôt." in page.text


def test_un_delai_nul_renvoie_sans_montrer_de_recu(simulateur, marchand):
    payeur = simulateur.ouvrir(redirect_success_timeout="0")
    payeur.web.max_redirects = 1

    with pytest.raises(requests.TooManyRedirects) as suite:
        payeur.carte("4970100000000055")

    assert suite.value.response.headers["Location"] == f"{marchand.url}retour/"


def test_le_recu_attend_la_reponse_de_la_boutique(simulateur, marchand):
    marchand.lenteur_s = 3
    payeur = simulateur.ouvrir()

    with ThreadPoolExecutor(1) as clic:
        paiement = clic.submit(payeur.carte, "4970100000000055")
        marchand.attendre(1)
        pendant = lire(payeur.url)
        paiement.result()

    assert "en cours de traitement" in pendant.text
    assert payeur.titre == "Paiement accepté"
    attendre(lambda: simulateur.appels()[0]["etat"] == "REUSSI")
