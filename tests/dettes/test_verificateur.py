"""Le vérificateur que la Caf garde chez elle dit ce que dirait l'import, règle par règle, ligne par ligne."""

import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from random import Random

import pytest

from dettes.importation import LivraisonRefusee, importer
from dettes.importation.etape import COLONNES, DE_LA_VERSION_2, FACULTATIVES
from outils import verifier_livraison
from tests.dettes.conftest import DETTE, ecrire_csv, ecrire_manifeste

VERIFICATEUR = Path(verifier_livraison.__file__)
TOUT_PASSE = Decimal(1)


@pytest.fixture(autouse=True)
def chez_soi(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def lancer(dossier):
    return subprocess.run([sys.executable, "-I", VERIFICATEUR, dossier], capture_output=True, text=True, check=False)


def livrer_2(livrer, dettes, personnes):
    dossier = livrer([], personnes)
    colonnes = COLONNES["etape_dettes"] + DE_LA_VERSION_2["etape_dettes"]
    ecrire_csv(dossier / "dettes.csv", colonnes, [DETTE | dette for dette in dettes])
    ecrire_manifeste(dossier, version=2)
    return dossier


def comparer(dossier):
    """Rend ce que l'import puis le vérificateur rejettent et vident : (fichier, ligne), autant de fois."""
    dit = importer(dossier, essai=True, seuil=TOUT_PASSE)
    rejets, vides = verifier_livraison.verifier(dossier)
    importe = [sorted((x["fichier"], x["ligne"]) for x in dit[quoi]) for quoi in ("rejets", "avertissements")]
    verifie = [sorted((nom, ligne) for nom, ligne, _ in constats if ligne) for constats in (rejets, vides)]
    return importe, verifie


def test_il_se_suffit_et_dit_oui(livrer):
    verdict = lancer(livrer())

    assert (verdict.returncode, verdict.stdout) == (0, "0 rejet(s), 0 avertissement(s).\n")


PERSONNES = [
    {"caf": "751"},
    {"numero": "354"},
    {"numero": "٠٠٠٠٣٥٤"},
    {"nom": ""},
    {"nom": "\u200b\u202e"},
    {"nom": "x" * 101},
    {"nom": "Col\u200bin"},
    {"nom": "Colin\x07"},
    {"prenom": "x" * 101},
    {"civilite": "DR"},
    {"date_naissance": "hier"},
    {"date_naissance": "1825-01-01"},
    {"date_naissance": "2027-01-01"},
    {"date_naissance": "3001-01-01"},
    {"identite": "abc"},
    {"identite": "A" * 64},
    {"radie_le": "bientôt"},
    {"radie_le": "2226-01-01"},
    {"radie_le": "1945-12-31"},
    {"courriel": "marie.durand@exemple,fr"},
    {"courriel": "x" * 250 + "@a.fr"},
]
DETTES = [
    {"caf": "751"},
    {"reference": "im3"},
    {"reference": "X" * 31},
    {"numero": "354"},
    {"creancier": "Caf"},
    {"nature": "PCH"},
    {"libelle": ""},
    {"libelle": "x" * 201},
    {"libelle": "Trop\u2028perçu"},
    {"motif": "\u202eà l'envers"},
    {"motif": "deux\nlignes"},
    {"notifiee_le": ""},
    {"notifiee_le": "2025-02-30"},
    {"notifiee_le": "1945-12-31"},
    {"notifiee_le": "2027-01-30"},
    {"montant_initial": ""},
    {"montant_initial": "0", "solde": "0"},
    {"montant_initial": "900,00"},
    {"montant_initial": "60000000", "solde": "60000000"},
    {"montant_initial": "1000000000"},
    {"solde": ""},
    {"solde": "-1"},
    {"solde": "90001"},
    {"solde_crediteur": "-1"},
    {"solde_crediteur": "100"},
    {"solde": "0", "solde_crediteur": "100"},
    {"deduit": "1,5"},
    {"phase": ""},
    {"situation": "FINIE"},
    {"code": "CODE TROP LONG"},
    {"code": "IM3\u200b 001"},
    {"periode_debut": "2025-02-29"},
    {"periode_debut": "1925-02-28"},
    {"periode_debut": "demain", "periode_fin": "2024-01-31"},
    {"periode_fin": "2225-06-30"},
    {"periode_fin": "2025-01-31"},
    {"retenue_mensuelle": "12.5"},
    {"retenue_mensuelle": "1000001"},
]


@pytest.mark.parametrize("ecart", PERSONNES, ids=str)
def test_une_personne(livrer, ecart):
    importe, verifie = comparer(livrer_2(livrer, [{"numero": "0000999"}], [{"numero": "0000999"}, ecart]))

    assert verifie == importe


@pytest.mark.parametrize("ecart", DETTES, ids=str)
def test_une_dette(livrer, ecart):
    importe, verifie = comparer(livrer_2(livrer, [{"reference": "R-1"}, ecart], [{}]))

    assert verifie == importe


@pytest.mark.parametrize("graine", range(6))
def test_plusieurs_fautes_a_la_fois(livrer, graine):
    alea = Random(graine)  # noqa: S311 (un tirage qui se rejoue)
    fautes = [faute for faute in DETTES if "numero" not in faute]
    dettes = [
        {"reference": f"R-{n}"} | alea.choice(fautes) | alea.choice(fautes) | alea.choice([{}, {"reference": "R-1"}])
        for n in range(12)
    ]
    personnes = [{"numero": f"{n:07d}"} | alea.choice(PERSONNES) | alea.choice(PERSONNES) for n in range(1, 9)]

    importe, verifie = comparer(livrer_2(livrer, dettes, [{}, *personnes]))

    assert verifie == importe


def test_une_ligne_trop_longue_compte_pour_les_doubles_et_pour_la_somme(livrer):
    dossier = livrer_2(livrer, [{}, {"reference": "R-2"}, {"reference": "R-2"}], [{}])
    fichier = dossier / "dettes.csv"
    lignes = fichier.read_text().splitlines()
    fichier.write_text("\n".join([*lignes[:-1], lignes[-1] + ";de trop", ""]))
    ecrire_manifeste(dossier, version=2)

    importe, verifie = comparer(dossier)

    assert verifie == importe
    assert [ligne for _, ligne in verifie[0]] == [3, 4]


MANIFESTES = [
    {"version": 3},
    {"mode": "partiel"},
    {"sequence": -1},
    {"sequence": True},
    {"sequence": 3_000_000_000},
    {"caf": 661},
    {"fichiers": []},
    {"fichiers": ["dettes.csv"]},
    {"arrete_le": "hier"},
    {"arrete_le": "2026-11-20T22:00:00"},
    {"arrete_le": "2126-11-20T22:00:00+01:00"},
    {"derniere_sequence_encaissements": "0"},
    {"dettes.csv": {"somme_soldes": 1}},
    {"dettes.csv": {"somme_soldes": -1}},
    {"dettes.csv": {"somme_soldes": None}},
    {"dettes.csv": {"sha256": "0" * 64}},
    {"allocataires.csv": {"lignes": 4}},
    {"allocataires.csv": {"lignes": "1"}},
    {"allocataires.csv": {"sha256": None}},
]


@pytest.mark.parametrize("manifeste", MANIFESTES, ids=str)
def test_un_manifeste_que_l_import_refuse(livrer, manifeste):
    dossier = livrer(**manifeste)

    with pytest.raises(LivraisonRefusee):
        importer(dossier)
    with pytest.raises(verifier_livraison.Refus):
        verifier_livraison.verifier(dossier)


@pytest.mark.parametrize(
    "transformer",
    [
        lambda octets: octets.replace(b"phase", b"etape"),
        lambda octets: octets.replace(b"phase", b"solde"),
        lambda octets: octets.replace(b"AMIABLE", b'"AMIABLE'),
        lambda octets: octets.replace(b"AMIABLE", b"AMI\0ABLE"),
        lambda octets: octets.decode().encode("iso-8859-1"),
        lambda octets: octets.replace(b"phase", b"solde_crediteur"),
    ],
    ids=["colonne", "répétée", "guillemets", "octet nul", "Latin-1", "colonne de la version 2"],
)
def test_un_fichier_que_l_import_refuse(livrer, transformer):
    dossier = livrer()
    fichier = dossier / "dettes.csv"
    fichier.write_bytes(transformer(fichier.read_bytes()))
    ecrire_manifeste(dossier, **{"dettes.csv": {"lignes": 1, "somme_soldes": 90000}})

    with pytest.raises(LivraisonRefusee):
        importer(dossier)
    with pytest.raises(verifier_livraison.Refus):
        verifier_livraison.verifier(dossier)


def test_un_signe_de_fin_de_ligne_au_milieu_d_un_champ_n_est_pas_une_ligne(livrer):
    dossier = livrer([{"motif": "avant\u2028après\x85fin"}])

    importe, verifie = comparer(dossier)

    assert verifie == importe == [[], [("dettes.csv", 2)]]


def test_au_dela_du_seuil_il_le_dit_et_sort_en_un(livrer):
    verdict = lancer(livrer([{"phase": ""}]))

    assert verdict.returncode == 1
    assert "TOUT le serait" in verdict.stdout


def test_une_dette_dont_la_personne_n_est_pas_la_se_signale(livrer):
    verdict = lancer(livrer([{"numero": "0000777"}], mode="complet"))

    assert (verdict.returncode, "s'il n'est pas déjà connu" in verdict.stdout) == (0, True)


def test_chaque_colonne_de_l_import_est_la_sienne():
    assert {
        "allocataires.csv": set(COLONNES["etape_allocataires"]) - FACULTATIVES,
        "dettes.csv": set(COLONNES["etape_dettes"]) - FACULTATIVES,
    } == {nom: set(colonnes.split()) for nom, colonnes in verifier_livraison.COLONNES.items()}
    assert {champ for facultatifs in verifier_livraison.FACULTATIVES.values() for champ in facultatifs} == FACULTATIVES
