"""Ce qu'on garde d'une notification : ce qui sert de preuve, et rien de la personne ni de sa carte."""

import pytest

from paiements.payzen import NotificationIncomplete, read_notification
from paiements.payzen.fait import FORMATS, ILLISIBLE


@pytest.mark.parametrize(
    ("nom", "valeur"),
    [
        ("vads_amount", "abc"),
        ("vads_amount", ""),
        ("vads_amount", "45.25"),
        ("vads_amount", "-4525"),
        ("vads_amount", "٤٥٢٥"),
        ("vads_amount", "9" * 13),
        ("vads_currency", "euro"),
        ("vads_order_id", "A+B"),
        ("vads_order_id", "A\x00"),
        ("vads_trans_status", ""),
    ],
)
def test_un_champ_indispensable_illisible_est_signale_et_le_reste_garde(champs, signer, boutiques, nom, valeur):
    champs[nom] = valeur

    with pytest.raises(NotificationIncomplete) as constat:
        read_notification(signer(champs), boutiques)

    assert constat.value.noms == [nom]
    assert constat.value.champs[nom] == (ILLISIBLE if valeur else "")
    assert constat.value.champs["vads_trans_uuid"] == champs["vads_trans_uuid"]


@pytest.mark.parametrize("nom", ["vads_order_id", "vads_trans_status", "vads_amount", "vads_currency"])
def test_un_champ_indispensable_absent_est_signale(champs, signer, boutiques, nom):
    del champs[nom]

    with pytest.raises(NotificationIncomplete, match=nom):
        read_notification(signer(champs), boutiques)


def test_ce_qu_on_garde_ne_dit_rien_de_la_personne_ni_de_sa_carte(champs, signer, boutiques):
    champs |= {
        "vads_cust_email": "camille@exemple.fr",
        "vads_cust_last_name": "Noël",
        "vads_cust_phone": "0033612345678",
        "vads_order_info": "texte libre",
        "vads_ext_info_dossier": "D-1",
    }

    gardes = read_notification(signer(champs), boutiques).champs

    assert set(gardes) <= set(FORMATS)
    indiscrets = ["cust", "info", "bank", "card", "auth_number", "expiry", "threeds", "certificate", "pays_ip", "hash"]
    indiscrets += ["signature", "XXXX"]
    assert not [mot for mot in indiscrets if mot in str(gardes)]


def test_un_numero_de_carte_entier_n_est_jamais_garde(champs, signer, boutiques):
    champs["vads_card_number"] = "4970100000000055"

    notification = read_notification(signer(champs), boutiques)

    assert notification.fait.carte_fin == "0055"
    assert "4970100000000055" not in str(notification)
