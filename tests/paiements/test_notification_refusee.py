"""L'adresse des notifications ne croit que PayZen, ne redirige jamais, et ne garde rien de la personne."""

from dataclasses import replace
from decimal import Decimal
from urllib.parse import urlencode

import pytest
from django.urls import reverse

from paiements import depart
from paiements.models import Anomalie, MessagePayzen, TransactionPayzen
from paiements.payzen import is_signed, sign
from tests.factories import PaiementFactory, demander, empreinte

pytestmark = pytest.mark.django_db

URLENCODE = "application/x-www-form-urlencoded"


@pytest.fixture
def formulaire():
    """Les champs signés de notre formulaire : le payeur les a sous les yeux."""
    demarche = demander(Decimal(10))
    return depart.payer(demarche, empreinte_vue=empreinte(demarche)).champs


def poster(client, champs):
    return client.post(reverse("paiements:notification"), urlencode(champs), content_type=URLENCODE)


def compter():
    return Anomalie.objects.count(), MessagePayzen.objects.count(), TransactionPayzen.objects.count()


def tourner_la_cle(settings, paiement):
    """La clé d'hier devient la précédente ; la plateforme signe d'une neuve."""
    boutique = settings.PAYZEN_BOUTIQUES[paiement.boutique]
    neuve = replace(boutique, cle="cle-neuve", cle_precedente=boutique.cle)
    settings.PAYZEN_BOUTIQUES = {**settings.PAYZEN_BOUTIQUES, paiement.boutique: neuve}
    return boutique, neuve


def test_pendant_une_rotation_les_deux_cles_prouvent_et_seule_la_neuve_signe(client, settings):
    paiement = PaiementFactory()
    ancienne, neuve = tourner_la_cle(settings, paiement)
    champs = {
        "vads_site_id": paiement.boutique,
        "vads_ctx_mode": "TEST",
        "vads_order_id": paiement.reference,
        "vads_trans_status": "AUTHORISED",
        "vads_trans_uuid": "a" * 32,
        "vads_amount": "12000",
        "vads_currency": "978",
    }

    codes = [
        poster(client, champs | {"signature": sign(champs, cle)}).status_code
        for cle in (ancienne.cle, neuve.cle, "ni-l-une-ni-l-autre")
    ]
    demarche = demander(Decimal(10))
    formulaire = dict(depart.payer(demarche, empreinte_vue=empreinte(demarche)).champs)

    assert codes == [200, 200, 400]
    assert is_signed(formulaire, formulaire.pop("signature"), neuve.cle)


def test_une_rotation_finie_l_ancienne_cle_ne_prouve_plus_rien(client, settings):
    paiement = PaiementFactory()
    ancienne, neuve = tourner_la_cle(settings, paiement)
    settings.PAYZEN_BOUTIQUES = {paiement.boutique: replace(neuve, cle_precedente="")}
    champs = {"vads_site_id": paiement.boutique, "vads_ctx_mode": "TEST", "vads_trans_uuid": "a" * 32}

    assert poster(client, champs | {"signature": sign(champs, ancienne.cle)}).status_code == 400


def test_le_formulaire_du_payeur_n_est_pas_une_notification(client, formulaire):
    """Il est signé de la même clé : ni alerte, ni ligne au journal."""
    reponse = poster(client, formulaire)

    assert (reponse.status_code, compter()) == (400, (0, 0, 0))


def test_les_formulaires_renommes_non_plus(client, formulaire):
    for nom in (n for n in formulaire if n not in ("signature", "vads_site_id", "vads_ctx_mode")):
        renomme = {(f"{n}z" if n == nom else n): valeur for n, valeur in formulaire.items()}

        assert poster(client, renomme).status_code == 400

    assert compter() == (0, 0, 0)


@pytest.mark.parametrize("recu", ["vads_trans_uuid", "vads_trans_status"])
def test_aucune_de_ses_valeurs_ne_passe_pour_un_uuid_ni_pour_un_abandon(client, formulaire, settings, recu):
    """Les noms ne sont pas signés (PROTOCOLE §2.4) : rangés dans le même ordre, ils laissent la signature juste."""
    noms = sorted(nom for nom in formulaire if nom.startswith("vads_"))
    cle = settings.PAYZEN_BOUTIQUES[formulaire["vads_site_id"]].cle
    apres_la_boutique = noms[noms.index("vads_site_id") + 1 :]

    for nom in apres_la_boutique:
        rang = noms.index(nom)
        nouveaux = [
            n if n <= "vads_site_id" else f"vads_sz{i:02}" if i < rang else f"vads_u{i:02}" for i, n in enumerate(noms)
        ]
        nouveaux[rang] = recu
        renomme = {nouveau: formulaire[n] for nouveau, n in zip(nouveaux, noms, strict=True)}
        assert is_signed(renomme, formulaire["signature"], cle)

        assert poster(client, renomme | {"signature": formulaire["signature"]}).status_code == 400

    assert compter() == (0, 0, 0)


def test_un_message_mal_signe_ne_fait_rien(client):
    paiement = PaiementFactory()

    reponse = poster(client, {"vads_site_id": paiement.boutique, "vads_ctx_mode": "TEST", "signature": "x"})

    assert (reponse.status_code, compter()) == (400, (0, 0, 0))


@pytest.mark.parametrize("methode", ["get", "put", "delete", "head"])
def test_seul_post_est_recu(client, methode):
    assert getattr(client, methode)(reverse("paiements:notification")).status_code == 405


@pytest.mark.parametrize("adresse", ["/paiements/payzen/notification", "/paiements/payzen/notification/"])
def test_l_adresse_ne_redirige_jamais(client, settings, adresse):
    settings.SECURE_SSL_REDIRECT = True

    assert client.post(adresse, {"vads_site_id": "inconnu"}).status_code == 400


def test_rien_de_la_carte_ni_de_la_personne_n_est_garde(notifier):
    paiement = PaiementFactory()

    notifier(
        paiement, "AUTHORISED", vads_cust_email="personne@exemple.fr", vads_bank_label="Banque", vads_pays_ip="FR"
    )

    champs = paiement.messages.get().champs
    assert not {"vads_cust_email", "vads_bank_label", "vads_pays_ip", "vads_card_number"} & set(champs)
