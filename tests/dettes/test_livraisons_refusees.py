"""Ce qui refuse une livraison, et ce qui ne rejette qu'une ligne (FICHIERS §1 à §3)."""

import csv
from decimal import Decimal

import pytest

from dettes.importation import LivraisonRefusee, importer
from dettes.importation.etape import COLONNES
from dettes.models import Dette, FichierRecu
from tests.dettes.conftest import DETTE, ecrire_csv, ecrire_manifeste


@pytest.fixture(autouse=True)
def chez_soi(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def reecrire(dossier, nom, transformer, **manifeste):
    """Change les octets d'un fichier, et refait un manifeste juste."""
    chemin = dossier / nom
    chemin.write_bytes(transformer(chemin.read_bytes()))
    ecrire_manifeste(dossier, **manifeste)
    return dossier


def refuser(dossier, motif):
    with pytest.raises(LivraisonRefusee, match=motif):
        importer(dossier)
    assert not Dette.objects.exists()
    assert not FichierRecu.objects.exists()


@pytest.mark.parametrize(
    "transformer",
    [
        lambda octets: b"\xef\xbb\xbf" + octets,
        lambda octets: octets.replace(b"\n", b"\r\n"),
        lambda octets: octets + b"\n\n",
    ],
    ids=["BOM", "CRLF", "lignes vides à la fin"],
)
def test_des_formes_tolerees(livrer, transformer):
    importer(reecrire(livrer(), "dettes.csv", transformer))

    assert Dette.objects.get().motif == DETTE["motif"]


def test_l_ordre_des_colonnes_est_celui_de_l_en_tete(livrer):
    dossier = livrer()
    ecrire_csv(dossier / "dettes.csv", sorted(COLONNES["etape_dettes"]), [DETTE])
    ecrire_manifeste(dossier)

    importer(dossier)

    assert Dette.objects.get().reference == DETTE["reference"]


@pytest.mark.parametrize(
    ("transformer", "motif"),
    [
        (
            lambda o: o.replace(b";phase;", b";phases;"),
            r"colonnes inconnues \['phases'\], colonnes manquantes \['phase'\]",
        ),
        (lambda o: o.replace(b";phase;", b";phase;phase;"), "une colonne est répétée"),
        (lambda o: b"", "colonnes manquantes"),
        (lambda o: o.replace("é".encode(), b"\xe9"), "n'est pas en UTF-8"),
        (lambda o: o + b"661\0", "octets nuls"),
        (lambda o: o.replace(b'courrier."', b"courrier."), "guillemets mal fermés"),
    ],
)
def test_un_fichier_mal_forme_est_refuse_et_dit_pourquoi(livrer, transformer, motif):
    refuser(reecrire(livrer(), "dettes.csv", transformer), motif)


@pytest.mark.parametrize(
    ("ecarts", "motif"),
    [
        ({"version": 3}, "version 3 inconnue"),
        ({"version": "1"}, "« version » ne se lit pas"),
        ({"mode": "partiel"}, "mode « partiel » inconnu"),
        ({"arrete_le": "2026-11-20T22:00:00"}, "fuseau"),
        ({"arrete_le": "hier"}, "ISO 8601"),
        ({"sequence": True}, "« sequence » ne se lit pas"),
        ({"sequence": 10**12}, "« sequence » est trop grand"),
        ({"sequence": 2}, "séquence 2 reçue, 1 attendue"),
        ({"caf": "999"}, "charger_cafs"),
        ({"derniere_sequence_encaissements": 4}, "le dernier émis est le n° 0"),
        ({"fichiers": []}, "les fichiers attendus"),
        ({"dettes.csv": {"sha256": "0" * 64}}, "dettes.csv n'a pas l'empreinte annoncée"),
        ({"allocataires.csv": {"lignes": 2}}, "a 1 lignes, le manifeste en dit 2"),
        ({"dettes.csv": {"somme_soldes": 89999}}, "la somme des soldes est de 90000 centimes"),
    ],
)
def test_un_manifeste_qui_ne_va_pas_refuse_tout(livrer, ecarts, motif):
    refuser(livrer(**ecarts), motif)


def test_une_cle_oubliee_au_manifeste_est_nommee(livrer):
    dossier = livrer()
    (dossier / "manifeste.json").write_text('{"version": 1}')

    refuser(dossier, "« mode » manque")


def test_un_manifeste_illisible_le_dit(livrer):
    dossier = livrer()
    (dossier / "manifeste.json").write_bytes(b"{tronqu")

    refuser(dossier, "n'est pas du JSON")


def test_un_fichier_absent_le_dit(livrer):
    dossier = livrer()
    (dossier / "dettes.csv").unlink()

    refuser(dossier, "ne se lit pas")


def test_un_fichier_tronque_apres_le_manifeste_est_refuse(livrer):
    dossier = livrer([{}, {"reference": "R-2"}])
    chemin = dossier / "dettes.csv"
    chemin.write_bytes(chemin.read_bytes()[:-40])

    refuser(dossier, "tronqué")


@pytest.mark.parametrize(("sequence", "motif"), [(3, "2 attendue"), (1, "déjà prise, avec un autre contenu")])
def test_un_trou_ou_un_retour_en_arriere_est_refuse(livrer, sequence, motif):
    importer(livrer())

    with pytest.raises(LivraisonRefusee, match=motif):
        importer(livrer([{"solde": "1"}], sequence=sequence))

    assert Dette.objects.get().solde == 900


REJETS_DE_DETTE = [
    ({"caf": "751"}, "le code de la Caf n'est pas celui du manifeste"),
    ({"reference": "im3"}, "la référence ne se lit pas"),
    ({"numero": "0000999"}, "l'allocataire est inconnu"),
    ({"creancier": "COMMUNE"}, "le créancier est inconnu"),
    ({"nature": "XYZ"}, "la nature est inconnue"),
    ({"libelle": " "}, "le libellé manque"),
    ({"libelle": "x" * 201}, "le libellé dépasse 200 caractères"),
    ({"notifiee_le": ""}, "la date de notification manque ou ne se lit pas"),
    ({"montant_initial": "900,00"}, "le montant initial ne se lit pas, en centimes entiers"),
    ({"montant_initial": "0", "solde": "0"}, "le montant initial est nul"),
    ({"solde": "-1"}, "le solde ne se lit pas, en centimes entiers"),
    ({"solde": "90001"}, "le solde dépasse le montant initial"),
    ({"phase": ""}, "la phase est inconnue"),
    ({"situation": "PERDUE"}, "la situation est inconnue"),
    ({"notifiee_le": "1925-09-01"}, "la date de notification n'est pas possible"),
    ({"notifiee_le": "2226-09-01"}, "la date de notification n'est pas possible"),
    (
        {"montant_initial": "900000000"},
        "le montant initial dépasse ce que cette Caf peut réclamer : est-il bien en centimes ?",
    ),
]


@pytest.mark.parametrize(("ecart", "motif"), REJETS_DE_DETTE)
def test_une_dette_fausse_est_rejetee_seule(livrer, ecart, motif):
    compte_rendu = importer(livrer([{"reference": "R-2"}, ecart]), seuil=Decimal(1))

    assert compte_rendu["rejets"] == [{"fichier": "dettes.csv", "ligne": 3, "motif": motif}]
    assert [dette.reference for dette in Dette.objects.all()] == ["R-2"]


@pytest.mark.parametrize(
    ("ecart", "motif"),
    [
        ({"numero": "354"}, "le numéro allocataire n'a pas sept chiffres"),
        ({"nom": ""}, "le nom manque"),
        ({"nom": "\u200b\u202e"}, "le nom manque"),
        ({"nom": "x" * 101}, "le nom dépasse 100 caractères"),
    ],
)
def test_un_allocataire_faux_est_rejete_seul(livrer, ecart, motif):
    dossier = livrer(allocataires=[{}, {"numero": "0000999"} | ecart])

    compte_rendu = importer(dossier, seuil=Decimal(1))

    assert compte_rendu["rejets"] == [{"fichier": "allocataires.csv", "ligne": 3, "motif": motif}]
    assert compte_rendu["allocataires"]["crees"] == 1


def test_une_reference_en_double_est_rejetee_partout_ou_elle_est(livrer):
    compte_rendu = importer(livrer([{}, {"reference": "R-2"}, {"solde": "1"}]), seuil=Decimal(1))

    assert [rejet["ligne"] for rejet in compte_rendu["rejets"]] == [2, 4]
    assert [dette.reference for dette in Dette.objects.all()] == ["R-2"]


def test_une_ligne_trop_longue_est_rejetee_seule(livrer):
    dossier = reecrire(livrer([{"reference": "R-2"}, {}]), "dettes.csv", lambda o: o[:-1] + b";en trop\n")

    compte_rendu = importer(dossier, seuil=Decimal(1))

    assert compte_rendu["rejets"][0]["motif"] == "le nombre de champs n'est pas celui de l'en-tête"
    assert compte_rendu["dettes"]["crees"] == 1


@pytest.mark.parametrize("jour", ["2024-02-29", "2000-02-29", "2025-12-31", "2025-04-30"])
def test_un_jour_qui_existe_est_accepte(livrer, jour):
    importer(livrer([{"notifiee_le": jour}]))

    assert str(Dette.objects.get().notifiee_le) == jour


@pytest.mark.parametrize("jour", ["1900-02-29", "2025-02-29", "2025-04-31", "2025-13-01", "2025-00-10", "0000-01-01"])
def test_un_jour_qui_n_existe_pas_est_rejete(livrer, jour):
    compte_rendu = importer(livrer([{"notifiee_le": jour}]), seuil=Decimal(1))

    assert compte_rendu["dettes"]["rejetes"] == 1


def test_au_dela_du_seuil_tout_est_refuse_et_les_motifs_sont_ecrits(livrer, tmp_path):
    bonnes = [{"reference": f"R-{n}"} for n in range(98)]

    refuser(livrer([*bonnes, {"phase": ""}, {"nature": ""}]), "2 lignes rejetées sur 100")

    assert (tmp_path / "livraisons/rejets/rejets_661_000001.csv").exists()


def test_au_seuil_juste_la_livraison_passe(livrer):
    bonnes = [{"reference": f"R-{n}"} for n in range(99)]

    assert importer(livrer([*bonnes, {"phase": ""}]))["dettes"]["rejetes"] == 1


def test_un_tableur_n_execute_rien_du_fichier_des_rejets(livrer, tmp_path):
    importer(livrer([{"reference": "=cmd|'/c calc'!A1"}]), seuil=Decimal(1), ou_rejeter=tmp_path / "r")

    with (tmp_path / "r/rejets_661_000001.csv").open(encoding="utf-8-sig", newline="") as flux:
        [rejet] = csv.DictReader(flux, delimiter=";")
    assert rejet == {
        "genre": "rejet",
        "fichier": "dettes.csv",
        "ligne": "2",
        "cle": "'=cmd|'/c calc'!A1",
        "champ": "",
        "motif": "la référence ne se lit pas",
    }
