"""Une notification authentique se lit en un fait, quoi qu'elle ait de plus ou de moins."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from paiements.payzen import Fait, Famille, Mode, SignatureFausse, read_notification
from paiements.payzen.fait import FORMATS, REQUIS


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
        marque="CB",
        carte_fin="0055",
        autorisation="3fe85c",
        source="PAY",
        effectif=Decimal("45.25"),
        devise_effective="EUR",
        creee_le=datetime(2026, 11, 23, 10, 16, 34, tzinfo=UTC),
    )


def test_chaque_notification_du_jeu_d_essai_se_lit_dans_ses_octets(vecteur_de_notification, boutiques):
    vecteur = vecteur_de_notification

    fait = read_notification(vecteur["urlencoded"].encode(), boutiques).fait

    assert fait.statut == vecteur["fields"]["vads_trans_status"]
    assert fait.source == vecteur["fields"]["vads_url_check_src"]


def test_un_abandon_sans_transaction_ni_operation_est_accepte(champs_de, signer, boutiques):
    fait = read_notification(signer(champs_de("calcule-ipn-abandoned")), boutiques).fait

    assert fait.famille is Famille.ABANDON
    assert (fait.uuid, fait.operation, fait.carte_fin) == ("", "DEBIT", "")


def test_un_rejeu_avec_moins_de_champs_est_le_meme_fait(champs_de, signer, boutiques):
    fait = read_notification(signer(champs_de("calcule-ipn-authorised")), boutiques).fait
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


def test_un_champ_facultatif_bizarre_ne_fait_pas_perdre_le_paiement(champs, signer, boutiques):
    indispensables = {*REQUIS, "vads_trans_uuid", "vads_operation_type"}
    bizarres = {nom: "b+\x00izarre é" for nom in champs if nom not in indispensables}

    notification = read_notification(signer(champs | bizarres), boutiques)

    fait = notification.fait
    assert fait.is_success
    assert (fait.trans_date, fait.carte_fin, fait.effectif, fait.devise_effective) == (None, "", None, "")
    assert "izarre" not in str(notification.champs)


@pytest.mark.parametrize("date", ["20261399101500", "2026112310150", "٢٠٢٦١١٢٣١٠١٥٠٠", ""])
def test_une_date_impossible_compte_comme_non_dite(champs, signer, boutiques, date):
    champs["vads_trans_date"] = date

    assert read_notification(signer(champs), boutiques).fait.trans_date is None


def test_la_casse_de_l_uuid_ne_fait_pas_deux_faits(champs, signer, boutiques):
    fait = read_notification(signer(champs), boutiques).fait
    champs["vads_trans_uuid"] = champs["vads_trans_uuid"].upper()

    assert read_notification(signer(champs), boutiques).fait.uuid == fait.uuid


def test_une_operation_illisible_n_est_jamais_prise_pour_un_debit(champs, signer, boutiques):
    champs["vads_operation_type"] = "crédit"

    fait = read_notification(signer(champs), boutiques).fait

    assert fait.operation == "INCONNUE"
    assert not fait.is_success


def test_une_autre_devise_se_lit_telle_quelle(champs, signer, boutiques):
    champs["vads_currency"] = "840"

    assert read_notification(signer(champs), boutiques).fait.devise == "840"
