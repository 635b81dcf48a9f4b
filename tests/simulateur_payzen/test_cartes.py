"""Chaque carte d'essai mène à l'issue annoncée, et la page n'accepte que des cartes d'essai."""

import re
import sqlite3
from datetime import UTC, datetime

import pytest

from simulateur_payzen.cartes import ANCIENNES, RECENTES, Authentification, has_cle_juste

REFUS_SANS_REPRISE = {"tentatives_supplementaires": 0}


@pytest.mark.parametrize("carte", RECENTES + ANCIENNES, ids=lambda carte: carte.numero)
def test_une_carte_d_essai_mene_a_son_issue(simulateur, marchand, carte):
    simulateur.regler(marques=["CB", "VISA", "MASTERCARD", "AMEX", "MAESTRO"], **REFUS_SANS_REPRISE)
    payeur = simulateur.ouvrir(payment_cards=carte.reseaux[0])

    payeur.carte(carte.numero, cryptogramme="1234" if carte.reseaux == ("AMEX",) else "123")
    if carte.authentification is Authentification.CODE:
        payeur.code()

    [ipn] = [recue.champs for recue in marchand.recues]
    assert payeur.titre == ("Paiement accepté" if carte.est_acceptee else "Paiement refusé")
    assert ipn["vads_trans_status"] == ("AUTHORISED" if carte.est_acceptee else "REFUSED")
    assert ipn["vads_card_number"] == carte.masque
    assert ipn["vads_auth_result"] == ("" if carte.authentification is Authentification.REJETEE else carte.code)


def test_un_code_faux_laisse_trois_essais(simulateur):
    simulateur.regler(**REFUS_SANS_REPRISE)
    payeur = simulateur.ouvrir().carte("4970110000000021")
    faux = "000000" if payeur.lire_sms() != "000000" else "111111"

    restants = [payeur.code(faux).page.text for _ in range(2)]
    payeur.code(faux)

    assert "reste 2 essais" in restants[0]
    assert "reste 1 essai." in restants[1]
    assert payeur.titre == "Paiement refusé"


@pytest.mark.parametrize("geste", ["echouer", "abandonner"])
def test_echouer_chez_la_banque_refuse_la_tentative(simulateur, marchand, geste):
    simulateur.regler(**REFUS_SANS_REPRISE)
    payeur = simulateur.ouvrir().carte("4970110000000021")

    payeur.poster(geste=geste)

    [ipn] = [recue.champs for recue in marchand.recues]
    assert (ipn["vads_trans_status"], ipn["vads_threeds_status"], ipn["vads_payment_error"]) == ("REFUSED", "N", "39")


@pytest.mark.parametrize(
    ("saisie", "message"),
    [
        ({"numero": ""}, "Saisissez le numéro de la carte."),
        ({"numero": "4970 1000 0000 0056"}, "pas valide"),
        ({"numero": "4111111111111111"}, "cartes d'essai"),
        ({"numero": "375900000000008"}, "pas une carte CB"),
        ({"mois": "01", "annee": str(datetime.now(UTC).year - 1)}, "a expiré"),
        ({"mois": ""}, "le mois et l"),
        ({"annee": "9" * 5000}, "le mois et l"),
        ({"cryptogramme": "12"}, "3 chiffres"),
    ],
)
def test_une_saisie_fausse_est_expliquee_et_ne_compte_pas(simulateur, saisie, message):
    payeur = simulateur.ouvrir()

    payeur.carte(**{"numero": "4970100000000055", **saisie})

    assert message in payeur.page.text.replace("&#x27;", "'")
    nom = "mois" if "annee" in saisie else next(iter(saisie))
    assert f'id="erreur-{nom}"' in payeur.page.text
    assert re.search(rf'aria-describedby="[^"]*\berreur-{nom}"', payeur.page.text)
    assert simulateur.transactions() == []


def test_une_carte_d_essai_choisie_remplit_le_formulaire(simulateur):
    payeur = simulateur.ouvrir()

    page = payeur.web.get(f"{payeur.url}?essai=0").text

    assert 'value="4970 1100 0000 0021"' in page
    assert 'value="123"' in page


def test_le_choix_de_marque_est_saute_s_il_n_y_en_a_qu_une(simulateur):
    seule, plusieurs = simulateur.ouvrir(payment_cards="VISA"), simulateur.ouvrir(payment_cards="CB;VISA")

    assert seule.titre == "Votre carte VISA"
    assert plusieurs.titre.startswith("Avec quelle carte")
    assert plusieurs.poster(marque="VISA").titre == "Votre carte VISA"


def test_ni_la_base_ni_le_journal_ne_gardent_un_numero_de_carte(simulateur):
    simulateur.payer("4970100000000055")
    simulateur.ouvrir().carte("4970110000000021")

    with sqlite3.connect(simulateur.dossier / "plateforme.sqlite3") as base:
        contenu = "\n".join(base.iterdump())
    base.close()
    journal = (simulateur.dossier / "journal.txt").read_text()

    assert "497010XXXXXX0055" in contenu
    assert not [numero for numero in ("4970100000000055", "4970110000000021") if numero in contenu + journal]


@pytest.mark.parametrize(("numero", "juste"), [("4970100000000055", True), ("4970100000000056", False)])
def test_la_cle_de_luhn(numero, juste):
    assert has_cle_juste(numero) is juste


def test_apres_un_refus_une_autre_marque_peut_payer(simulateur, marchand):
    payeur = simulateur.ouvrir(payment_cards="VISA;MASTERCARD")
    payeur.poster(marque="VISA").carte("4970100000000113")

    payeur.poster(geste="autre_marque")
    choix = payeur.titre
    payeur.poster(marque="MASTERCARD").carte("5970100300000067")

    assert choix.startswith("Avec quelle carte")
    assert payeur.titre == "Paiement accepté"
    assert marchand.recues[-1].champs["vads_card_brand"] == "MASTERCARD"
