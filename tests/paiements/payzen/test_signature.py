from urllib.parse import parse_qsl

import pytest

from paiements.payzen import is_signed, sign


def test_chaque_vecteur_est_accepte_s_il_est_en_hmac_sha_256_et_lui_seul(vecteur):
    attendu = vecteur["algorithm"] == "HMAC-SHA-256"

    assert is_signed(vecteur["fields"], vecteur["signature"], vecteur["key"]) is attendu


def test_chaque_vecteur_se_retrouve_dans_ses_octets(vecteur_en_octets):
    vecteur = vecteur_en_octets

    champs = dict(parse_qsl(vecteur["urlencoded"], keep_blank_values=True))

    assert champs == {**vecteur["fields"], "signature": sign(vecteur["fields"], vecteur["key"])}


def test_un_seul_caractere_change_suffit_a_refuser(vecteur):
    champs, cle = vecteur["fields"], vecteur["key"]
    signature = sign(champs, cle)

    for nom, valeur in champs.items():
        assert not is_signed({**champs, nom: valeur + "0"}, signature, cle), nom
        if valeur:
            assert not is_signed({**champs, nom: valeur[:-1]}, signature, cle), nom
    assert not is_signed(champs, signature, cle + "0")
    assert not is_signed(champs, signature.swapcase(), cle)


@pytest.mark.parametrize("signature", ["", " ", "é", "59c96b34c74b9375c332b0b6a32e6deeec87de2b", "A" * 10_000])
def test_une_signature_qui_n_en_est_pas_une_est_refusee(signature, champs_de):
    assert not is_signed(champs_de("doc-formulaire-hmac"), signature, "1122334455667788")


def test_un_champ_vide_compte_et_un_champ_absent_non(champs_de):
    champs = champs_de("public-valeur-vide-et-urls")
    vide = sign(champs, "1122334455667788")

    del champs["vads_cust_id"]

    assert sign(champs, "1122334455667788") == "LQnpkXL6nVz84c7FG1voyMIoBacOTkxZnl6zPhucPQM=" != vide


def test_seuls_les_champs_vads_sont_signes(champs_de):
    champs = champs_de("doc-formulaire-hmac")

    assert sign({**champs, "bouton": "Payer", "signature": "x"}, "cle") == sign(champs, "cle")


def test_deux_messages_differents_peuvent_porter_la_meme_signature(champs_de):
    """Faiblesse du protocole (§2.4), pas de notre code : d'où les formats stricts à la lecture."""
    un, deux = champs_de("calcule-ambiguite-1"), champs_de("calcule-ambiguite-2")

    assert un != deux
    assert sign(un, "1122334455667788") == sign(deux, "1122334455667788")
