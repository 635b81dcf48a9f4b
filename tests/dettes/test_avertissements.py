"""Un champ facultatif inutilisable est laissé vide et dit : il ne coûte ses dettes à personne (FICHIERS §3.2)."""

import csv
from decimal import Decimal

import pytest

from comptes.models import Allocataire
from dettes.importation import importer
from dettes.models import Dette

ILLISIBLE = "la retenue mensuelle ne se lit pas"


@pytest.fixture(autouse=True)
def chez_soi(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def lire(chemin):
    with chemin.open(encoding="utf-8-sig", newline="") as flux:
        return list(csv.DictReader(flux, delimiter=";"))


def test_deux_adresses_fausses_sur_cent_ne_refusent_rien(livrer):
    """H-02 : les cent personnes et leurs cent dettes entrent, sans les deux adresses."""
    personnes = [{"numero": f"{n:07d}"} for n in range(2001, 2101)]
    personnes[3]["courriel"] = "marie.durand@exemple,fr"
    personnes[50]["courriel"] = "jean.petit@exemple.fr "
    dettes = [{"numero": f"{n:07d}", "reference": f"R-{n}"} for n in range(2001, 2101)]

    compte_rendu = importer(livrer(dettes, personnes))

    assert (Allocataire.objects.count(), Dette.objects.count()) == (100, 100)
    assert compte_rendu["avertis"] == {"allocataires.csv, courriel": 2}
    assert [a["ligne"] for a in compte_rendu["avertissements"]] == [5, 52]
    assert compte_rendu["allocataires"]["rejetes"] == 0


@pytest.mark.parametrize(
    ("ecart", "champ", "motif"),
    [
        ({"civilite": "DR"}, "civilite", "la civilité est inconnue"),
        ({"prenom": "x" * 101}, "prenom", "le prénom dépasse 100 caractères"),
        ({"date_naissance": "2001-02-30"}, "date_naissance", "la date de naissance ne se lit pas"),
        ({"date_naissance": "1825-01-01"}, "date_naissance", "la date de naissance n'est pas possible"),
        ({"date_naissance": "2027-01-01"}, "date_naissance", "la date de naissance n'est pas possible"),
        ({"radie_le": "bientôt"}, "radie_le", "la date de radiation ne se lit pas"),
        ({"radie_le": "2226-01-01"}, "radie_le", "la date de radiation n'est pas possible"),
        ({"identite": "abc"}, "identite", "l'empreinte de l'identité n'a pas 64 signes hexadécimaux"),
    ],
)
def test_un_champ_facultatif_de_la_personne(livrer, ecart, champ, motif):
    compte_rendu = importer(livrer(allocataires=[ecart]))

    assert compte_rendu["avertissements"] == [
        {"fichier": "allocataires.csv", "ligne": 2, "motif": f"{motif} : laissé vide"}
    ]
    assert not getattr(Allocataire.objects.get(), champ)
    assert Dette.objects.count() == 1


@pytest.mark.parametrize(
    ("ecart", "champ", "motif"),
    [
        ({"code": "CODE TROP LONG"}, "code", "le code dépasse 10 caractères"),
        ({"periode_debut": "2025-02-29"}, "periode_debut", "le début de la période ne se lit pas"),
        ({"periode_debut": "1925-02-28"}, "periode_debut", "le début de la période n'est pas possible"),
        ({"periode_fin": "30/06/2025"}, "periode_fin", "la fin de la période ne se lit pas"),
        ({"periode_fin": "2225-06-30"}, "periode_fin", "la fin de la période n'est pas possible"),
        ({"periode_fin": "2025-01-31"}, "periode_fin", "la période finit avant de commencer"),
        (
            {"retenue_mensuelle": "12.5"},
            "retenue_mensuelle",
            "la retenue mensuelle ne se lit pas, en centimes entiers",
        ),
        ({"retenue_mensuelle": "-5"}, "retenue_mensuelle", f"{ILLISIBLE}, en centimes entiers"),
        (
            {"retenue_mensuelle": "999999999"},
            "retenue_mensuelle",
            "la retenue mensuelle dépasse ce qu'une prestation peut être",
        ),
    ],
)
def test_un_champ_facultatif_de_la_dette(livrer, ecart, champ, motif):
    compte_rendu = importer(livrer([ecart]))

    assert compte_rendu["avertissements"] == [{"fichier": "dettes.csv", "ligne": 2, "motif": f"{motif} : laissé vide"}]
    assert not getattr(Dette.objects.get(), champ)


def test_une_ligne_rejetee_n_avertit_pas_en_plus(livrer):
    compte_rendu = importer(livrer([{"phase": "", "libelle": "Trop-\u200bperçu", "code": "x" * 11}]), seuil=Decimal(1))

    assert (len(compte_rendu["rejets"]), compte_rendu["avertis"]) == (1, {})


def test_un_nom_perd_ses_signes_invisibles_et_de_direction(livrer):
    personne = {"nom": "Co\u200blin\u2066", "prenom": "I\tnès"}

    compte_rendu = importer(livrer([{"libelle": "Trop-perçu\u202e : RSA"}], [personne]))

    personne = Allocataire.objects.get()
    assert (personne.nom, personne.prenom) == ("Colin", "I nès")
    assert Dette.objects.get().libelle == "Trop-perçu : RSA"
    assert compte_rendu["avertis"] == dict.fromkeys(
        ["allocataires.csv, nom", "allocataires.csv, prenom", "dettes.csv, libelle"], 1
    )


def test_un_nom_de_toute_ecriture_reste_le_sien(livrer):
    importer(livrer(allocataires=[{"nom": "O’Brien-ŁÓDŹ", "prenom": "محمد 李"}]))

    assert Allocataire.objects.get().nom_complet == "Madame محمد 李 O’Brien-ŁÓDŹ"


@pytest.mark.parametrize("essai", [True, False])
def test_rejets_et_avertissements_vont_au_meme_fichier_a_blanc_aussi(livrer, tmp_path, essai):
    dossier = livrer([{}, {"phase": "", "reference": "2024-01"}], [{"courriel": "non"}])

    compte_rendu = importer(dossier, essai=essai, seuil=Decimal(1), ou_rejeter=tmp_path / "r")

    assert compte_rendu["fichier_rejets"] == str(tmp_path / "r/rejets_661_000001.csv")
    assert [
        (ligne["genre"], ligne["cle"], ligne["champ"]) for ligne in lire(tmp_path / "r/rejets_661_000001.csv")
    ] == [
        ("avertissement", "'0000354", "courriel"),
        ("rejet", "'2024-01", ""),
    ]


def test_un_tableur_lit_les_accents_du_fichier(livrer, tmp_path):
    importer(livrer(allocataires=[{"courriel": "non"}]), ou_rejeter=tmp_path / "r")

    octets = (tmp_path / "r/rejets_661_000001.csv").read_bytes()
    assert octets.startswith("\ufeffgenre;fichier;ligne;cle;champ;motif\r\n".encode())
    assert "l'adresse électronique".encode() in octets
