from dataclasses import replace

import pytest

from paiements.payzen import Mode


@pytest.mark.parametrize(
    "faute",
    [
        {"site": "1234567"},
        {"site": "1234567a"},
        {"site": "١٢٣٤٥٦٧٨"},
        {"cle": ""},
        {"cle": "1122334455667788\n"},
        {"cle": " 1122334455667788"},
        {"mot_de_passe": ""},
        {"mot_de_passe": "testpassword_"},
        {"mot_de_passe": "prodpassword_exemple"},
        {"mot_de_passe": "exemple"},
        {"mode": Mode.PRODUCTION},
        {"url_api": "api.plateforme.example"},
        {"mode": Mode.PRODUCTION, "mot_de_passe": "prodpassword_x", "url_api": "http://api.plateforme.example"},
    ],
    ids=str,
)
def test_une_boutique_mal_reglee_est_refusee_sans_montrer_de_secret(boutique, faute):
    with pytest.raises(ValueError, match=r"boutique|adresse") as refus:
        replace(boutique, **faute)

    assert "1122334455667788" not in str(refus.value)
    assert "exemple" not in str(refus.value)


def test_les_secrets_ne_se_lisent_pas_dans_la_representation(boutique):
    assert boutique.cle not in repr(boutique)
    assert boutique.mot_de_passe not in repr(boutique)


def test_en_essai_la_plateforme_peut_etre_un_simulateur_sans_tls(boutique):
    assert replace(boutique, url_formulaire="http://127.0.0.1:8100/vads-payment/").mode is Mode.TEST
