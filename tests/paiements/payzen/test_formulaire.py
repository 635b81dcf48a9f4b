import re
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest

from paiements.payzen import Demande, build_form, draw_trans_id, is_signed


@pytest.fixture
def demande():
    return Demande(
        reference="P-7QK2M9XD",
        trans_id="a1b2c3",
        date=datetime(2026, 11, 23, 10, 15, tzinfo=UTC),
        montant=Decimal("45.25"),
        url_retour="https://caf.example/paiements/retour/jeton/",
    )


def test_le_formulaire_porte_tous_ses_champs_et_rien_d_autre(demande, boutique):
    champs = build_form(demande, boutique)

    assert is_signed(champs, champs.pop("signature"), boutique.cle)
    assert champs == {
        "vads_action_mode": "INTERACTIVE",
        "vads_amount": "4525",
        "vads_capture_delay": "0",
        "vads_contrib": "rembourser-ma-caf",
        "vads_ctx_mode": "TEST",
        "vads_currency": "978",
        "vads_language": "fr",
        "vads_order_id": "P-7QK2M9XD",
        "vads_page_action": "PAYMENT",
        "vads_payment_cards": "CB;VISA;MASTERCARD",
        "vads_payment_config": "SINGLE",
        "vads_site_id": "12345678",
        "vads_trans_date": "20261123101500",
        "vads_trans_id": "a1b2c3",
        "vads_url_return": "https://caf.example/paiements/retour/jeton/",
        "vads_validation_mode": "0",
        "vads_version": "V2",
    }


def test_aucune_valeur_du_formulaire_ne_contient_le_separateur_de_la_signature(demande, boutique):
    champs = build_form(demande, boutique)

    assert not [nom for nom, valeur in champs.items() if "+" in valeur and nom != "signature"]


def test_une_demande_ne_sait_rien_de_la_personne():
    assert {champ.name for champ in fields(Demande)} == {
        *("reference", "trans_id", "date", "montant", "url_retour", "contexte", "langue")
    }


def test_la_date_part_en_utc_quel_que_soit_son_fuseau(demande, boutique):
    a_paris = demande.date.astimezone(timezone(timedelta(hours=2)))

    assert build_form(replace(demande, date=a_paris), boutique)["vads_trans_date"] == "20261123101500"


@pytest.mark.parametrize(
    "faute",
    [
        {"reference": ""},
        {"reference": "A" * 33},
        {"reference": "P_7QK2"},
        {"reference": "P-é"},
        {"reference": "P-7QK2\n"},
        {"trans_id": "a1b2c"},
        {"trans_id": "a1B2c3"},
        {"trans_id": "912345"},
        {"date": datetime(2026, 11, 23, 10, 15)},  # noqa: DTZ001 - une date sans fuseau, justement
        {"montant": Decimal("0")},
        {"montant": Decimal("-1")},
        {"montant": Decimal("12.505")},
        {"montant": Decimal("10000000000")},
        {"url_retour": "/paiements/retour/"},
        {"url_retour": "https://caf.example/a+b"},
        {"url_retour": "https://caf.example/" + "a" * 1024},
        {"url_retour": "https://caf.example/été"},
    ],
    ids=str,
)
def test_une_demande_que_la_plateforme_refuserait_ne_se_construit_pas(demande, faute):
    with pytest.raises(ValueError, match=r"référence|transaction|fuseau|montant|centime|retour"):
        replace(demande, **faute)


@pytest.mark.parametrize("cartes", ["", "CB;", "CB,VISA", "cb", "CB VISA"])
def test_une_liste_de_cartes_mal_ecrite_est_refusee(demande, boutique, cartes):
    with pytest.raises(ValueError, match="liste de cartes"):
        build_form(demande, boutique, cartes)


def test_le_tirage_evite_la_plage_de_la_plateforme_et_les_majuscules():
    tirages = {draw_trans_id() for _ in range(2000)}

    assert all(re.fullmatch(r"[0-8a-z][0-9a-z]{5}", tirage) for tirage in tirages)
    assert len(tirages) > 1990
    assert {tirage[0] for tirage in tirages} == set("012345678abcdefghijklmnopqrstuvwxyz")
