"""La liste d'acceptation du marchand, point par point (PROTOCOLE §11)."""

import json
import time
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from demarches.services import recommencer
from paiements.models import Anomalie, Paiement
from paiements.payzen import is_signed, sign
from paiements.statuts import Geste, Statut
from paiements.verification import interroger
from tests.factories import PaiementFactory, avancer_d_un, demander, empreinte
from tests.paiements.conftest import couper_la_base

pytestmark = pytest.mark.django_db
VECTEURS = json.loads((Path(__file__).parent.parent / "donnees" / "vecteurs_signature.json").read_text())


def test_1_les_vecteurs_passent_une_alteration_echoue_sha1_est_refuse():
    hmac = [vecteur for vecteur in VECTEURS if vecteur["algorithm"] == "HMAC-SHA-256"]
    sha1 = [vecteur for vecteur in VECTEURS if vecteur["algorithm"] == "SHA-1"]

    assert (len(hmac), len(sha1)) == (15, 3)
    assert all(sign(v["fields"], v["key"]) == v["signature"] for v in hmac)
    assert not any(is_signed(v["fields"] | {"vads_amount": "1"}, v["signature"], v["key"]) for v in hmac)
    assert not any(is_signed(v["fields"], v["signature"], v["key"]) for v in sha1)


def test_2_chaque_clic_a_sa_ligne_ses_identifiants_sa_date_et_le_montant_du_serveur(client, time_machine):
    premiere = demander(Decimal("12.50"))
    client.force_login(premiere.auteur)
    pages = [payer(client, premiere)]
    avancer_d_un(Geste.EXPIRER, Paiement.objects.get())
    premiere.refresh_from_db()
    time_machine.move_to(timezone.now() + timedelta(seconds=2), tick=False)
    pages.append(payer(client, recommencer(premiere)))

    champs = [page.context["depart"].champs for page in pages]
    for nom in ("vads_order_id", "vads_trans_id"):
        assert champs[0][nom] != champs[1][nom]
    assert {c["vads_amount"] for c in champs} == {"1250"}
    assert all("no-store" in page["Cache-Control"] for page in pages)
    assert champs[0]["vads_trans_date"] < champs[1]["vads_trans_date"]
    assert all("Continuer vers PayZen" in page.content.decode() for page in pages)


def payer(client, demarche):
    return client.post(
        reverse("paiements:payer", args=[demarche.reference]),
        {"empreinte": empreinte(demarche), "montant": "1"},
        follow=True,
    )


def test_3_la_notification_repond_le_bon_code_vite_et_sans_rediriger(notifier, settings):
    paiement = PaiementFactory()
    settings.SECURE_SSL_REDIRECT = True
    adresses = [reverse("paiements:notification"), reverse("paiements:notification").rstrip("/")]
    exigeant = Client(enforce_csrf_checks=True)

    debut = time.process_time()  # le processeur, et non la montre : une machine chargée n'y change rien
    accord = notifier(paiement, "AUTHORISED")
    duree = time.process_time() - debut

    assert (accord.status_code, duree < 1) == (200, True)
    assert [exigeant.get(adresse).status_code for adresse in adresses] == [405, 405]
    assert [exigeant.post(adresse, {"signature": "x"}).status_code for adresse in adresses] == [400, 400]
    with connection.execute_wrapper(couper_la_base):
        assert notifier(paiement, "CAPTURED").status_code == 503


@pytest.mark.parametrize(
    ("champs", "code", "anomalie"),
    [
        ({"vads_amount": "1"}, 200, Anomalie.Genre.MONTANT_DIFFERENT),
        ({"vads_currency": "840"}, 200, Anomalie.Genre.MONTANT_DIFFERENT),
        ({"vads_trans_id": "900001"}, 200, Anomalie.Genre.STATUT_INATTENDU),
        ({"vads_trans_date": "20200101000000"}, 200, Anomalie.Genre.STATUT_INATTENDU),
        ({"vads_order_id": "P-INCONNUE"}, 200, Anomalie.Genre.REFERENCE_INCONNUE),
        ({"vads_ctx_mode": "PRODUCTION"}, 400, None),
        ({"vads_amount": None}, 200, Anomalie.Genre.REPONSE_INATTENDUE),
        ({"vads_operation_type": "VERIFICATION"}, 200, Anomalie.Genre.STATUT_INATTENDU),
        ({"vads_site_id": "12345678"}, 400, None),
        ({"signature": "A" * 43 + "="}, 400, None),
        ({"vads_currency": ["978", "978"]}, 400, None),
    ],
)
def test_4_chaque_champ_est_compare_a_notre_ligne(notifier, champs, code, anomalie):
    paiement = PaiementFactory()

    reponse = notifier(paiement, "AUTHORISED", **champs)

    paiement.refresh_from_db()
    assert (reponse.status_code, paiement.statut) == (code, Statut.EN_ATTENTE)
    assert list(Anomalie.objects.values_list("genre", flat=True)) == ([anomalie] if anomalie else [])


def test_5_les_etats_suivent_la_table_et_chaque_message_est_consigne(notifier):
    paiement = PaiementFactory()

    for uuid, statut in (
        ("a", "REFUSED"),
        ("b", "AUTHORISED"),
        ("b", "AUTHORISED"),
        ("", "ABANDONED"),
        ("b", "CAPTURED"),
    ):
        notifier(
            paiement,
            statut,
            vads_trans_uuid=uuid * 32,
            vads_cust_email="ines@exemple.fr",
            vads_cust_last_name="Colin",
        )

    paiement.refresh_from_db()
    messages = paiement.messages.order_by("pk")
    assert (paiement.statut, paiement.debit.statut) == (Statut.ACCEPTE, "CAPTURED")
    assert list(messages.values_list("sort", flat=True)) == ["NEUF", "NEUF", "DEJA_SU", "NEUF", "NEUF"]
    assert not any(mot in cle for n in messages for cle in n.champs for mot in ("card", "cust", "expiry"))
    assert (paiement.debit.marque, paiement.debit.carte_fin) == ("CB", "0055")


def test_6_la_page_de_retour_ne_lit_que_notre_base(client):
    paiement = PaiementFactory()
    client.force_login(paiement.demarche.auteur)

    page = client.get(reverse("paiements:retour", args=[paiement.reference]) + "?vads_trans_status=AUTHORISED")

    paiement.refresh_from_db()
    assert "Nous attendons la réponse" in page.content.decode()
    assert paiement.statut == Statut.EN_ATTENTE


def test_7_l_interrogation_retrouve_conclut_et_ne_decide_rien_sans_reponse(plateforme, settings, time_machine):
    perdu, jamais_paye, muet = (PaiementFactory() for _ in range(3))
    time_machine.move_to(muet.cree_le + settings.PAIEMENT_CONTROLES[0], tick=False)
    plateforme(perdu, "AUTHORISED")
    interroger.interroger(perdu.pk)
    plateforme.serveur.reset()
    plateforme(jamais_paye)
    interroger.interroger(jamais_paye.pk)
    plateforme.serveur.reset()
    plateforme.serveur.post(f"{settings.PAYZEN_URL_API}Order/Get", status=500)
    interroger.interroger(muet.pk)

    statuts = {p.pk: p.statut for p in Paiement.objects.all()}
    assert [statuts[p.pk] for p in (perdu, jamais_paye, muet)] == [Statut.VERIFIE, Statut.EXPIRE, Statut.EN_ATTENTE]
    rendez_vous = {p.pk: p.prochain_controle_le - p.cree_le for p in Paiement.objects.exclude(pk=muet.pk)}
    assert rendez_vous == {perdu.pk: timedelta(hours=24), jamais_paye.pk: timedelta(minutes=75)}
