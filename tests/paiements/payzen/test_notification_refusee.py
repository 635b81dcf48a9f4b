"""Ce qui n'est pas de la plateforme est refusé, et n'est jamais lu."""

from urllib.parse import urlencode

import pytest

from paiements.payzen import (
    BoutiqueInconnue,
    MessageIllisible,
    ModeInattendu,
    PasUneNotification,
    SignatureFausse,
    read_notification,
    sign,
)


def test_un_champ_vide_n_est_pas_un_champ_absent(champs, signer, boutiques):
    corps = signer(champs)

    for amputes in (corps.replace(b"&vads_extra_result=", b""), corps.replace(b"vads_result=00", b"vads_result=")):
        with pytest.raises(SignatureFausse):
            read_notification(amputes, boutiques)


@pytest.mark.parametrize("ajout", [b"&vads_amount=4525", b"&vads_amount=1", b"&signature=x", b"&a=1&a=1"])
def test_un_parametre_repete_est_refuse_meme_a_l_identique(champs, signer, boutiques, ajout):
    with pytest.raises(MessageIllisible):
        read_notification(signer(champs) + ajout, boutiques)


@pytest.mark.parametrize(
    "corps",
    [
        b"vads_order_id=%E9t%E9",
        "vads_order_id=été".encode("latin-1"),
        b"&".join(b"c%d=1" % i for i in range(201)),
        b"vads_order_id=" + b"a" * 65_536,
    ],
    ids=["latin-1 encodé", "latin-1 brut", "201 champs", "plus de 64 Ko"],
)
def test_un_corps_qui_ne_se_decode_pas_est_illisible(corps, boutiques):
    with pytest.raises(MessageIllisible):
        read_notification(corps, boutiques)


@pytest.mark.parametrize("corps", [b"", b"&&&", b"{}", b"vads_site_id=87654321"])
def test_une_boutique_absente_ou_qui_n_est_pas_la_notre_est_refusee(corps, boutiques):
    with pytest.raises(BoutiqueInconnue):
        read_notification(corps, boutiques)


@pytest.mark.parametrize("mode", ["PRODUCTION", "test", ""])
def test_un_autre_mode_est_refuse_meme_bien_signe(champs, signer, boutiques, mode):
    champs["vads_ctx_mode"] = mode

    with pytest.raises(ModeInattendu):
        read_notification(signer(champs), boutiques)


def test_une_signature_absente_vide_fausse_ou_d_une_autre_cle_est_refusee(champs, boutiques):
    signatures = [{}, {"signature": ""}, {"signature": "x"}, {"signature": sign(champs, "8877665544332211")}]

    for signature in signatures:
        with pytest.raises(SignatureFausse):
            read_notification(urlencode(champs | signature).encode(), boutiques)


@pytest.mark.parametrize("uuid", ["", "5f1d0c2b", "g" * 32, None])
def test_sans_transaction_ni_abandon_ce_n_est_pas_une_notification(champs, signer, boutiques, uuid):
    """Signé de la bonne clé : c'est la nôtre aussi, et le payeur voit notre formulaire."""
    champs["vads_trans_uuid"] = uuid or ""
    if uuid is None:
        del champs["vads_trans_uuid"]

    with pytest.raises(PasUneNotification):
        read_notification(signer(champs), boutiques)
