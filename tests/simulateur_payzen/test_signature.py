"""La signature du simulateur, contre les vecteurs publics."""

import json
from pathlib import Path

import pytest

from simulateur_payzen.signature import calculer, est_juste

VECTEURS = json.loads((Path(__file__).parents[1] / "donnees" / "vecteurs_signature.json").read_text())
ACTUELS = [vecteur for vecteur in VECTEURS if vecteur["algorithm"] == "HMAC-SHA-256"]


@pytest.mark.parametrize("vecteur", ACTUELS, ids=lambda vecteur: vecteur["name"])
def test_la_signature_est_celle_des_vecteurs(vecteur):
    assert calculer(vecteur["fields"], vecteur["key"]) == vecteur["signature"]


@pytest.mark.parametrize("vecteur", ACTUELS, ids=lambda vecteur: vecteur["name"])
def test_un_champ_change_rend_la_signature_fausse(vecteur):
    signes = {**vecteur["fields"], "signature": vecteur["signature"]}

    altere = {**signes, "vads_amount": "1"}

    assert est_juste(signes, vecteur["key"])
    assert not est_juste(altere, vecteur["key"])


def test_une_signature_absente_est_fausse():
    assert not est_juste({"vads_amount": "100"}, "1122334455667788")
