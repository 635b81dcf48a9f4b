"""Une plateforme en panne, lente ou qui refuse nos identifiants : on ne sait rien de plus, on ne décide de rien."""

import pytest

from paiements.payzen import ErreurPlateforme, IdentifiantsRefuses, PlateformeInjoignable
from tests.paiements.payzen.plateforme import API, COMMANDE, PANNES, REFERENCE


def test_une_redirection_n_est_pas_suivie_avec_le_mot_de_passe(client, plateforme):
    plateforme.post(f"{API}/Order/Get", status=302, headers={"Location": f"{API}/Ailleurs"})
    ailleurs = plateforme.get(f"{API}/Ailleurs", json={})
    plateforme.assert_all_requests_are_fired = False

    with pytest.raises(PlateformeInjoignable):
        client.get_order(REFERENCE)

    assert ailleurs.call_count == 0


@pytest.mark.parametrize("http", [200, 401])
def test_des_identifiants_refuses_ne_disent_rien_du_paiement(client, plateforme, http):
    contenu = {"errorCode": "INT_905", "errorMessage": "invalid"}
    plateforme.post(f"{API}/Order/Get", json={"status": "ERROR", "mode": None, "answer": contenu}, status=http)

    with pytest.raises(IdentifiantsRefuses) as erreur:
        client.get_order(REFERENCE)

    assert "testpassword" not in str(erreur.value)
    assert len(plateforme.calls) == 1


def test_une_erreur_de_la_plateforme_garde_son_code(client, repondre, plateforme):
    repondre("Order/Get", {"errorCode": "PSP_015", "errorMessage": "too many results"}, status="ERROR")

    with pytest.raises(ErreurPlateforme) as erreur:
        client.get_order(REFERENCE)

    assert (erreur.value.code, erreur.value.message) == ("PSP_015", "too many results")
    assert len(plateforme.calls) == 1


@pytest.mark.parametrize("panne", PANNES.values(), ids=PANNES.keys())
def test_une_lecture_en_panne_se_relance_une_fois_puis_renonce(client, plateforme, panne):
    plateforme.post(f"{API}/Order/Get", **panne)

    with pytest.raises(PlateformeInjoignable) as erreur:
        client.get_order(REFERENCE)

    assert len(plateforme.calls) == 2
    assert "testpassword" not in str(erreur.value)


def test_une_lecture_reussit_au_deuxieme_essai(client, plateforme, repondre):
    plateforme.post(f"{API}/Order/Get", status=503)
    repondre("Order/Get", COMMANDE)

    assert len(client.get_order(REFERENCE)) == 1
