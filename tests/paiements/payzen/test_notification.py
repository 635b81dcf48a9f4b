from datetime import UTC, datetime
from decimal import Decimal
from urllib.parse import urlencode

import pytest

from paiements.payzen import (
    BoutiqueInconnue,
    Fait,
    MessageIllisible,
    Mode,
    ModeInattendu,
    NotificationIncomplete,
    SignatureFausse,
    read_notification,
    sign,
)
from paiements.payzen.fait import FORMATS, ILLISIBLE

IPN = "calcule-ipn-authorised"


@pytest.fixture
def champs(champs_de):
    return champs_de(IPN)


def test_une_notification_de_succes_se_lit_en_entier(champs, signer, boutiques):
    notification = read_notification(signer(champs), boutiques)

    assert notification.fait == Fait(
        reference="CREANCE-2026-000123-1",
        statut="AUTHORISED",
        montant=Decimal("45.25"),
        devise="EUR",
        site="12345678",
        mode=Mode.TEST,
        operation="DEBIT",
        uuid="5f1d0c2b7a8e4d3c9b6a1e2f3d4c5b6a",
        trans_id="a1B2c3",
        trans_date=datetime(2026, 11, 23, 10, 15, tzinfo=UTC),
        sequence=1,
        marque="CB",
        carte_fin="0055",
        expiration="06/2027",
        autorisation="3fe85c",
        resultat_banque="00",
        contrat="5785350",
        source="PAY",
        cree_le=datetime(2026, 11, 23, 10, 16, 34, tzinfo=UTC),
    )


def test_chaque_notification_du_jeu_d_essai_se_lit_dans_ses_octets(vecteur_de_notification, boutiques):
    vecteur = vecteur_de_notification

    fait = read_notification(vecteur["urlencoded"].encode(), boutiques).fait

    assert fait.statut == vecteur["fields"]["vads_trans_status"]
    assert fait.source == vecteur["fields"]["vads_url_check_src"]


def test_un_abandon_sans_transaction_ni_operation_est_accepte(champs_de, signer, boutiques):
    fait = read_notification(signer(champs_de("calcule-ipn-abandoned")), boutiques).fait

    assert fait.is_abandoned
    assert (fait.uuid, fait.operation, fait.sequence, fait.carte_fin) == ("", "DEBIT", None, "")


def test_un_rejeu_avec_moins_de_champs_est_le_meme_fait(champs_de, signer, boutiques):
    fait = read_notification(signer(champs_de(IPN)), boutiques).fait
    rejeu = read_notification(signer(champs_de("calcule-ipn-rejeu-retry")), boutiques).fait

    assert (rejeu.uuid, rejeu.montant, rejeu.source) == (fait.uuid, fait.montant, "RETRY")
    assert "vads_page_action" not in champs_de("calcule-ipn-rejeu-retry")


def test_un_remboursement_n_est_pas_un_paiement(champs, signer, boutiques):
    champs |= {"vads_operation_type": "CREDIT", "vads_trans_id": "912345", "vads_url_check_src": "MERCH_BO"}

    fait = read_notification(signer(champs), boutiques).fait

    assert fait.is_credit
    assert not fait.is_success


def test_un_champ_inconnu_est_accepte_et_fait_partie_de_la_signature(champs, signer, boutiques):
    champs["vads_nouveaute"] = "été"
    corps = signer(champs)

    assert read_notification(corps, boutiques).fait.is_success
    with pytest.raises(SignatureFausse):
        read_notification(corps.replace(b"%C3%A9t%C3%A9", b"hiver"), boutiques)


def test_l_ordre_des_octets_ne_compte_pas(champs, signer, boutiques):
    a_l_envers = b"&".join(reversed(signer(champs).split(b"&")))

    assert read_notification(a_l_envers, boutiques).fait.is_success


def test_un_parametre_hors_signature_n_est_jamais_lu(champs, signer, boutiques):
    corps = signer(champs) + b"&order_id=AUTRE&amount=1&montant=1"

    notification = read_notification(corps, boutiques)

    assert notification.fait.reference == "CREANCE-2026-000123-1"
    assert set(notification.champs) <= set(FORMATS)


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


def test_un_champ_facultatif_bizarre_ne_fait_pas_perdre_le_paiement(champs, signer, boutiques):
    requis = {"vads_site_id", "vads_ctx_mode", "vads_order_id", "vads_trans_status", "vads_amount", "vads_currency"}
    bizarres = {nom: "b+\x00izarre é" for nom in champs if nom not in requis | {"vads_operation_type"}}

    notification = read_notification(signer(champs | bizarres), boutiques)

    fait = notification.fait
    assert fait.is_success
    assert (fait.uuid, fait.trans_date, fait.sequence, fait.carte_fin, fait.expiration) == ("", None, None, "", "")
    assert "izarre" not in str(notification.champs)


@pytest.mark.parametrize("date", ["20261399101500", "2026112310150", "٢٠٢٦١١٢٣١٠١٥٠٠", ""])
def test_une_date_impossible_compte_comme_non_dite(champs, signer, boutiques, date):
    champs["vads_trans_date"] = date

    assert read_notification(signer(champs), boutiques).fait.trans_date is None


def test_la_casse_de_l_uuid_ne_fait_pas_deux_faits(champs, signer, boutiques):
    fait = read_notification(signer(champs), boutiques).fait
    champs["vads_trans_uuid"] = champs["vads_trans_uuid"].upper()

    assert read_notification(signer(champs), boutiques).fait.cle == fait.cle


def test_une_operation_illisible_n_est_jamais_prise_pour_un_debit(champs, signer, boutiques):
    champs["vads_operation_type"] = "crédit"

    fait = read_notification(signer(champs), boutiques).fait

    assert fait.operation == "INCONNUE"
    assert not fait.is_success


def test_une_autre_devise_se_lit_telle_quelle(champs, signer, boutiques):
    champs["vads_currency"] = "840"

    assert read_notification(signer(champs), boutiques).fait.devise == "840"


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
