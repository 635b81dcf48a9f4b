"""Ce que l'on tape, ce que l'on comprend, ce que l'on refuse."""

from decimal import Decimal
from functools import partial

import pytest
from django.core.exceptions import ValidationError

from demarches.champs import CourrielField, MontantField
from demarches.formulaires import InformationsForm, MontantForm
from socle.carte import effacer_la_carte, has_numero_de_carte
from socle.euros import ecrire_saisie

CARTE = "4111 1111 1111 1111"  # le numéro d'essai que tout le monde connaît


@pytest.mark.parametrize(
    ("saisie", "attendu"),
    [
        ("12", "12.00"),
        ("12,5", "12.50"),
        ("12,50", "12.50"),
        ("12.5", "12.50"),
        ("12,", "12.00"),
        ("0,01", "0.01"),
        ("007,00", "7.00"),
        ("  84,12  ", "84.12"),
        ("84,12 €", "84.12"),
        ("84,12€", "84.12"),
        ("84,12\u00a0€", "84.12"),
        ("84 euros", "84.00"),
        ("1 Euro", "1.00"),
        ("1 234,56", "1234.56"),
        ("1\u00a0234,56", "1234.56"),
        ("1\u202f234,56\u00a0€", "1234.56"),
        ("1\u2009234 567", "1234567.00"),
        ("35906,87", "35906.87"),
        ("１２,５", "12.50"),
        ("0", "0.00"),
    ],
)
def test_les_saisies_francaises_sont_comprises(saisie, attendu):
    assert MontantField().clean(saisie) == Decimal(attendu)


@pytest.mark.parametrize(
    ("saisie", "phrase"),
    [
        ("", "Indiquez un montant"),
        ("   ", "Indiquez un montant"),
        ("€", "Indiquez un montant"),
        ("-12", "Indiquez un montant sans le signe moins"),
        ("−12,50", "Indiquez un montant sans le signe moins"),
        ("12,345", "Indiquez au plus 2 chiffres après la virgule"),
        ("1.234", "Indiquez au plus 2 chiffres après la virgule"),
        ("1.234,56", "Écrivez le montant sans séparer les milliers, par exemple 1234,56"),
        ("1,234.56", "Écrivez le montant sans séparer les milliers, par exemple 1234,56"),
        ("douze", "Écrivez le montant en chiffres, par exemple 12,50"),
        ("12 50", "Écrivez le montant en chiffres, par exemple 12,50"),
        ("12,5O", "Écrivez le montant en chiffres, par exemple 12,50"),
        ("1e3", "Écrivez le montant en chiffres, par exemple 12,50"),
        ("NaN", "Écrivez le montant en chiffres, par exemple 12,50"),
        ("Infinity", "Écrivez le montant en chiffres, par exemple 12,50"),
        ("+12", "Écrivez le montant en chiffres, par exemple 12,50"),
        (",5", "Écrivez le montant en chiffres, par exemple 12,50"),
        ("12 $", "Écrivez le montant en chiffres, par exemple 12,50"),
        ("1_000", "Écrivez le montant en chiffres, par exemple 12,50"),
        ("½", "Écrivez le montant en chiffres, par exemple 12,50"),
    ],
)
def test_chaque_faute_de_saisie_a_sa_phrase(saisie, phrase):
    with pytest.raises(ValidationError) as refus:
        MontantField().clean(saisie)

    assert refus.value.messages == [phrase]


def test_un_champ_facultatif_peut_rester_vide():
    assert MontantField(required=False).clean("") is None


@pytest.mark.parametrize("saisie", ["9" * 30, "989836776884303162622547568,00"])
def test_un_montant_plus_long_que_tout_se_lit_au_chiffre_pres(saisie):
    assert MontantField().clean(saisie) == int(saisie.removesuffix(",00"))


def test_une_saisie_demesuree_est_refusee_sans_peser():
    with pytest.raises(ValidationError):
        MontantField().clean("9" * 1_000_000)


@pytest.mark.parametrize(
    "saisie",
    [CARTE, "4111111111111111", "4111-1111-1111-1111", f"carte {CARTE} 12/27", "4111_1111+1111'1111@exemple.fr"],
)
@pytest.mark.parametrize("champ", [MontantField, CourrielField])
def test_un_numero_de_carte_est_refuse_et_explique(champ, saisie):
    with pytest.raises(ValidationError) as refus:
        champ().clean(saisie)

    assert [erreur.code for erreur in refus.value.error_list] == ["carte"]


@pytest.mark.parametrize("courriel", ["prenom.nom+caf@exemple.fr", "a@" + "b" * 60 + ".fr", "p@préfecture.fr"])
def test_une_adresse_ordinaire_est_gardee_telle_quelle(courriel):
    assert CourrielField().clean(courriel) == courriel


@pytest.mark.parametrize(
    "courriel",
    ['"a b:c"@exemple.fr', '"\x0c:"@exemple.fr', "a@\u200d.fr", "a@" + "é" * 62 + ".fr", "p" * 250 + "@exemple.fr"],
)
def test_une_adresse_que_l_on_ne_saurait_ni_garder_ni_servir_est_refusee(courriel):
    with pytest.raises(ValidationError):
        CourrielField().clean(courriel)


@pytest.mark.parametrize(
    "saisie",
    [
        "\u200bjean.dupont@exemple.fr",
        "\ufeffjean.dupont@exemple.fr",
        "jean.dupont@exemple.fr\u200e",
        "<jean.dupont@exemple.fr>",
        " jean.dupont@exemple.fr\t",
    ],
)
def test_ce_qu_un_copier_coller_ajoute_a_une_adresse_s_enleve(saisie):
    assert CourrielField().clean(saisie) == "jean.dupont@exemple.fr"


def test_un_accent_avant_l_arobase_est_nomme():
    with pytest.raises(ValidationError) as refus:
        CourrielField().clean("rené@exemple.fr")

    assert refus.value.messages == ["Ce qui précède le @ s’écrit sans accent, par exemple rene@exemple.fr"]


@pytest.mark.parametrize("saisie", ["\u200b12,50", "12,50\ufeff", "\u200e12,50\u00a0€"])
def test_un_signe_invisible_ne_fausse_pas_un_montant(saisie):
    assert MontantField().clean(saisie) == Decimal("12.50")


@pytest.mark.parametrize("saisie", ["+33 6 12 34 56 78", "123456789012", "1 234,56", "prenom.nom@exemple.fr"])
def test_ce_qui_n_est_pas_un_numero_de_carte_passe(saisie):
    assert not has_numero_de_carte(saisie)


@pytest.mark.parametrize(
    ("formulaire", "nom"),
    [(partial(MontantForm, dettes=[]), "montant"), (InformationsForm, "courriel")],
    ids=["montant", "courriel"],
)
@pytest.mark.parametrize("saisie", [CARTE, effacer_la_carte(CARTE)], ids=["tapé", "gardé de côté"])
def test_un_numero_de_carte_ne_se_reaffiche_pas(formulaire, nom, saisie):
    form = formulaire({nom: saisie})

    assert not form.is_valid()
    assert "N’écrivez pas de numéro de carte ici" in str(form.errors)
    assert "4111" not in str(form[nom]) + str(form.errors)
    assert "value=" not in str(form[nom]) + str(formulaire(initial={nom: saisie})[nom])


def test_le_reste_d_une_saisie_fautive_se_reaffiche_tel_quel():
    form = MontantForm({"montant": "12,345 €"}, dettes=[])

    assert not form.is_valid()
    assert 'value="12,345 €"' in str(form["montant"])


def test_un_montant_enregistre_revient_comme_on_le_tape():
    assert ecrire_saisie(Decimal("1234.5")) == "1234,50"
    assert MontantField().clean(ecrire_saisie(Decimal("1234.5"))) == Decimal("1234.50")
