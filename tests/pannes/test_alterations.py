"""
Dix mille notifications altérées, postées à la vraie vue : aucune n'est crue, aucune ne casse, aucune n'agit.

Les noms des champs ne sont pas signés (PROTOCOLE §2.4) : renommer sans changer l'ordre garde la signature juste. Ces
messages-là sont lus ; ils peuvent laisser une anomalie, jamais un accord. `GRAINE` tire
ailleurs (tests/pannes/graine.py).
"""

import os
import random
from collections import Counter
from collections.abc import Callable, Iterator
from urllib.parse import parse_qsl, urlencode

import pytest
from django.conf import settings
from django.test import RequestFactory

from paiements.models import Anomalie, MessagePayzen, TransactionPayzen
from paiements.payzen import is_signed, sign
from paiements.reception.vue import notification
from paiements.statuts import Statut
from tests.factories import PaiementFactory
from tests.pannes.banque import Banque, Session
from tests.pannes.graine import GRAINE
from tests.pannes.guichet import tout_annuler

pytestmark = pytest.mark.django_db

COMBIEN = int(os.environ.get("ALTERATIONS", "10000"))

Champs = list[tuple[str, str]]
Alteration = Callable[[random.Random, Champs], Champs]


def changer_un_octet(de: random.Random, champs: Champs) -> Champs:
    rang = de.randrange(len(champs))
    nom, valeur = champs[rang]
    place = de.randrange(len(valeur)) if valeur else 0
    # Toujours différent, et jamais l'équivalent d'une autre écriture : « a » devient « b ».
    autre = chr((ord(valeur[place]) + de.randrange(1, 90)) % 126) if valeur else "x"
    return [*champs[:rang], (nom, valeur[:place] + autre + valeur[place + 1 :]), *champs[rang + 1 :]]


def oter(de: random.Random, champs: Champs) -> Champs:
    rang = de.randrange(len(champs))
    return champs[:rang] + champs[rang + 1 :]


def ajouter(de: random.Random, champs: Champs) -> Champs:
    return [*champs, (f"vads_ext_info_{de.randrange(10**6)}", de.choice(["", "1", "é€", "+"]))]


def repeter(de: random.Random, champs: Champs) -> Champs:
    nom, valeur = de.choice(champs)
    return [*champs, (nom, de.choice([valeur, "1"]))]


def remplacer(nom: str, *valeurs: str) -> Alteration:
    def alterer(de: random.Random, champs: Champs) -> Champs:
        return [(n, de.choice(valeurs) if n == nom else v) for n, v in champs]

    return alterer


def gonfler(de: random.Random, champs: Champs) -> Champs:
    return [*champs, *((f"vads_ext_info_{rang}", "x") for rang in range(200 + de.randrange(50)))]


def peser(de: random.Random, champs: Champs) -> Champs:
    return [*champs, ("vads_ext_info_gros", "x" * (1 << 20))]


ALTERATIONS: dict[Alteration, int] = {
    changer_un_octet: 40,
    oter: 15,
    ajouter: 10,
    repeter: 10,
    remplacer("vads_ctx_mode", "PRODUCTION", "test", ""): 5,
    remplacer("vads_site_id", "75100001", "00000000", "", "6610000100"): 5,
    remplacer("vads_currency", "840", "EUR", ""): 3,
    remplacer("vads_amount", "1", "0", "-12000", "12000.0", "1" * 40): 5,
    remplacer("vads_order_id", "P-AUTRE", "", "'; DROP TABLE"): 3,
    remplacer("vads_trans_status", "CAPTURED", "REFUSED", ""): 3,
    remplacer("signature", "", "A" * 44, "é" * 44, "59c96b34c74b9375c332b0b6a32e6deeec87de2b"): 5,
    gonfler: 2,
    peser: 0.2,
}


def alterer_les_octets(de: random.Random, corps: bytes) -> bytes:
    """L'encodage : un octet qui n'est pas de l'UTF-8, un pour-cent coupé, un corps tronqué ou vide."""
    place = de.randrange(len(corps))
    return de.choice([corps[:place] + b"\xff" + corps[place:], corps + b"&a=%ff", corps[:place], b"", b"\0" * 10])


def tirer(de: random.Random, corps: bytes) -> bytes:
    champs = parse_qsl(corps.decode(), keep_blank_values=True)
    while True:
        if de.random() < 0.05:
            altere = alterer_les_octets(de, corps)
        else:
            [alteration] = de.choices([*ALTERATIONS], weights=[*ALTERATIONS.values()])
            altere = urlencode(alteration(de, champs)).encode()
        if altere != corps:
            return altere


@pytest.fixture
def message():
    """Le corps d'un accord authentique, jamais livré, et son paiement."""
    paiement = PaiementFactory()
    banque = Banque(paiement.boutique)
    champs = {
        "vads_order_id": paiement.reference,
        "vads_trans_id": paiement.trans_id,
        "vads_trans_date": paiement.cree_le.strftime("%Y%m%d%H%M%S"),
        "vads_amount": "12000",
    }
    banque.debiter(Session(champs), "AUTHORISED")
    return banque.signer(banque.courrier[0]), paiement


def poster(corps: bytes) -> int:
    requete = RequestFactory().generic("POST", "/", corps, content_type="application/x-www-form-urlencoded")
    return notification(requete).status_code


@pytest.mark.parametrize("graine", [GRAINE])
def test_dix_mille_notifications_alterees_n_ont_aucun_effet(message, graine, caplog):
    corps, paiement = message
    de = random.Random(graine)  # noqa: S311 (un tirage qui se rejoue, pas un secret)
    caplog.set_level("CRITICAL")

    reponses = Counter(poster(tirer(de, corps)) for _ in range(COMBIEN))

    paiement.refresh_from_db()
    assert reponses == {400: COMBIEN}
    assert paiement.statut == Statut.EN_ATTENTE
    assert not MessagePayzen.objects.exists()
    assert not TransactionPayzen.objects.exists()
    assert not Anomalie.objects.exists()
    assert poster(corps) == 200, "le message d'origine, lui, est cru"


def renommer(de: random.Random, corps: bytes) -> Iterator[bytes]:
    """Des noms changés, ou glissés d'un champ sur le suivant, sans changer l'ordre : la signature reste juste."""
    champs = dict(parse_qsl(corps.decode(), keep_blank_values=True))
    cle = settings.PAYZEN_BOUTIQUES[champs["vads_site_id"]].cle
    noms = sorted(nom for nom in champs if nom.startswith("vads_"))
    for _ in range(2000):
        debut = de.randrange(len(noms))
        fin = min(debut + de.randrange(4), len(noms) - 1)
        dernier = de.choice([noms[fin] + "x", noms[fin][:-1], de.choice(noms)[:-1] + "zz"])
        nouveaux = noms[:debut] + noms[debut + 1 : fin + 1] + [dernier] + noms[fin + 1 :]
        autres = dict(zip(nouveaux, (champs[nom] for nom in noms), strict=True))
        if is_signed(autres, champs["signature"], cle):
            yield urlencode(autres | {"signature": champs["signature"]}).encode()


@pytest.mark.parametrize("graine", [GRAINE])
def test_un_champ_renomme_n_obtient_jamais_un_autre_accord(message, graine, caplog):
    corps, paiement = message
    caplog.set_level("CRITICAL")
    variantes = sorted(set(renommer(random.Random(graine), corps)))  # noqa: S311 (idem)

    for variante in variantes:
        with tout_annuler():
            assert poster(variante) in (200, 400)

            paiement.refresh_from_db()
            if paiement.is_encaisse:
                vu = MessagePayzen.objects.get(transaction=paiement.debit).champs
                lus = (vu["vads_order_id"], vu["vads_trans_id"], vu["vads_amount"], vu["vads_currency"])
                assert lus == (paiement.reference, paiement.trans_id, "12000", "978")

    assert len(variantes) > 50


def test_le_texte_qui_glisse_d_un_champ_a_l_autre_ne_change_ni_montant_ni_reference(message):
    """« A » et « B+C » ont la même signature que « A+B » et « C » (vecteurs calcule-ambiguite)."""
    corps, paiement = message
    champs = dict(parse_qsl(corps.decode())) | {"vads_order_info": "B+12000"}
    signature = sign(champs, settings.PAYZEN_BOUTIQUES[champs["vads_site_id"]].cle)
    glisse = champs | {"vads_order_id": f"{paiement.reference}+B", "vads_order_info": "12000", "signature": signature}

    reponse = poster(urlencode(glisse).encode())

    paiement.refresh_from_db()
    assert (reponse, paiement.statut) == (200, Statut.EN_ATTENTE)
    assert Anomalie.objects.get().genre == Anomalie.Genre.REPONSE_INATTENDUE
    assert not TransactionPayzen.objects.exists()
