"""Rendre les encaissements à la Caf (FICHIERS §4)."""

import csv
import hashlib
import json
from decimal import Decimal
from io import StringIO
from pathlib import Path

import pgtrigger
import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction

from dettes import encaissements
from dettes.models import FichierEmis, LigneEmise, Mouvement
from paiements.retours import impaye
from paiements.surveillance.invariants import verifier
from tests.factories import AgentFactory, CafFactory, DetteFactory, PaiementFactory

ENTETE = (
    "caf;sequence;reference_paiement;date_paiement;date_imputation;"
    "numero;reference_dette;montant;sens;uuid_transaction"
)


def lire(chemin: Path) -> list[dict[str, str]]:
    with chemin.open(encoding="utf-8", newline="") as flux:
        return list(csv.DictReader(flux, delimiter=";"))


def test_une_imputation_part_avec_son_paiement(db, tmp_path):
    paiement = PaiementFactory(impute=True)

    fichier = encaissements.emettre(paiement.caf, tmp_path)

    texte = (tmp_path / "encaissements_661_000001.csv").read_text(encoding="utf-8")
    [ligne] = lire(tmp_path / "encaissements_661_000001.csv")
    assert texte.startswith(f"{ENTETE}\n")
    assert ligne["reference_paiement"] == paiement.reference
    assert ligne["uuid_transaction"] == paiement.debit_id
    assert ligne["numero"] == paiement.demarche.allocataire.numero
    assert (ligne["montant"], ligne["sens"]) == ("12000", "IMPUTATION")
    assert len(ligne["date_paiement"]) == len(ligne["date_imputation"]) == 10
    assert (fichier.lignes, fichier.total) == (1, Decimal("120.00"))


def test_le_manifeste_dit_l_empreinte_et_le_total(db, tmp_path):
    paiement = PaiementFactory(impute=True)

    encaissements.emettre(paiement.caf, tmp_path)

    manifeste = json.loads((tmp_path / "encaissements_661_000001.json").read_text())
    octets = (tmp_path / "encaissements_661_000001.csv").read_bytes()
    assert (manifeste["caf"], manifeste["sequence"]) == ("661", 1)
    assert manifeste["fichiers"] == [
        {
            "nom": "encaissements_661_000001.csv",
            "lignes": 1,
            "sha256": hashlib.sha256(octets).hexdigest(),
            "total": 12000,
        }
    ]


def test_un_mouvement_ne_part_qu_une_fois(db, tmp_path):
    paiement = PaiementFactory(impute=True)
    encaissements.emettre(paiement.caf, tmp_path)

    deuxieme = encaissements.emettre(paiement.caf, tmp_path)

    assert deuxieme is None
    assert FichierEmis.objects.count() == LigneEmise.objects.count() == 1


def test_un_rejet_part_avec_le_paiement_qu_il_reprend(db, tmp_path):
    paiement = PaiementFactory(impute=True)
    encaissements.emettre(paiement.caf, tmp_path)
    impaye.enregistrer(paiement, motif="impayé", agent=AgentFactory(role="COMPTABLE").utilisateur)

    fichier = encaissements.emettre(paiement.caf, tmp_path)

    [ligne] = lire(tmp_path / "encaissements_661_000002.csv")
    assert (ligne["sens"], ligne["montant"], ligne["sequence"]) == ("REJET", "12000", "2")
    assert (ligne["reference_paiement"], ligne["uuid_transaction"]) == (paiement.reference, paiement.debit_id)
    assert fichier.total == Decimal("-120.00")


def test_une_caf_ne_recoit_que_le_sien(db, tmp_path):
    PaiementFactory(impute=True)

    assert encaissements.emettre(CafFactory(code="751"), tmp_path) is None
    assert list(tmp_path.iterdir()) == []


def test_un_fichier_se_reemet_a_l_identique(db, tmp_path):
    paiement = PaiementFactory(impute=True)
    encaissements.emettre(paiement.caf, tmp_path / "un")
    PaiementFactory(impute=True)

    encaissements.reemettre(paiement.caf, 1, tmp_path / "deux")

    for nom in ("encaissements_661_000001.csv", "encaissements_661_000001.json"):
        assert (tmp_path / "un" / nom).read_bytes() == (tmp_path / "deux" / nom).read_bytes()


def test_une_reemission_qui_differerait_est_refusee(db, tmp_path):
    paiement = PaiementFactory(impute=True)
    encaissements.emettre(paiement.caf, tmp_path / "un")
    with pgtrigger.ignore("dettes.FichierEmis:fichier_emis_jamais_retouche"):
        FichierEmis.objects.update(empreinte="0" * 64)

    with pytest.raises(encaissements.EmissionImpossible, match="à l'identique"):
        encaissements.reemettre(paiement.caf, 1, tmp_path / "deux")

    assert list((tmp_path / "deux").iterdir()) == []


@pytest.mark.parametrize("faute", [lambda: FichierEmis.objects.update(total=0), FichierEmis.objects.all().delete])
def test_un_fichier_emis_ne_se_retouche_plus(db, tmp_path, faute):
    encaissements.emettre(PaiementFactory(impute=True).caf, tmp_path)

    with pytest.raises(DatabaseError), transaction.atomic():
        faute()


def test_une_emission_coupee_apres_la_base_s_acheve_seule(db, tmp_path, monkeypatch):
    paiement = PaiementFactory(impute=True)
    monkeypatch.setattr(encaissements, "_publier", lambda *args: (_ for _ in ()).throw(OSError(28, "disque plein")))
    with pytest.raises(OSError, match="disque plein"):
        encaissements.emettre(paiement.caf, tmp_path)
    monkeypatch.undo()

    encaissements.emettre(paiement.caf, tmp_path)

    assert [ligne["sequence"] for ligne in lire(tmp_path / "encaissements_661_000001.csv")] == ["1"]
    assert sorted(chemin.name for chemin in tmp_path.iterdir()) == [
        ".dernier_661",
        "encaissements_661_000001.csv",
        "encaissements_661_000001.json",
    ]


def test_une_emission_coupee_avant_la_base_ne_saute_aucun_numero(db, tmp_path):
    paiement = PaiementFactory(impute=True)
    (tmp_path / ".encaissements_661_000001.csv.brouillon").write_text("à moitié")

    fichier = encaissements.emettre(paiement.caf, tmp_path)

    assert fichier.sequence == 1
    assert [chemin.name for chemin in tmp_path.glob("*.brouillon")] == []


def test_un_tableur_n_execute_pas_une_reference_de_dette(db, tmp_path):
    dette = DetteFactory(reference="-1-1")
    Mouvement.objects.create(dette=dette, genre=Mouvement.Genre.IMPUTATION, montant=Decimal(-5), origine="P-ESSAI")

    encaissements.emettre(dette.caf, tmp_path)

    assert lire(tmp_path / "encaissements_661_000001.csv")[0]["reference_dette"] == "'-1-1"


def test_un_essai_compte_et_n_ecrit_rien(db, tmp_path):
    PaiementFactory(impute=True)
    sortie = StringIO()

    call_command("emettre_encaissements", "661", dossier=tmp_path, stdout=sortie)

    assert "serait émis, 1 lignes, 120.00 €" in sortie.getvalue()
    assert list(tmp_path.iterdir()) == []
    assert not FichierEmis.objects.exists()


def test_un_numero_jamais_emis_ne_se_reemet_pas(db, tmp_path):
    CafFactory()

    with pytest.raises(CommandError, match="n'a jamais été émis"):
        call_command("emettre_encaissements", "661", dossier=tmp_path, sequence=3, appliquer=True)


@pytest.mark.django_db(transaction=True)
def test_deux_emissions_en_meme_temps_le_disent(tmp_path):
    caf = CafFactory()
    autre = connection.copy()
    with autre.cursor() as curseur:
        curseur.execute("SELECT pg_advisory_lock(hashtextextended('encaissements 661', 0))")

    with pytest.raises(encaissements.EmissionImpossible, match="en cours"):
        encaissements.emettre(caf, tmp_path)
    autre.close()


def oublier(fichier):
    """La base revient à une sauvegarde d'avant ce fichier."""
    with connection.cursor() as curseur:
        curseur.execute("SET LOCAL session_replication_role = replica")
        curseur.execute(
            "INSERT INTO dettes_mouvementarendre (mouvement_id, caf_id) SELECT e.mouvement_id, f.caf_id"
            " FROM dettes_ligneemise e JOIN dettes_fichieremis f ON f.id = e.fichier_id;"
            " DELETE FROM dettes_ligneemise; DELETE FROM dettes_fichieremis"
        )
        curseur.execute("SET LOCAL session_replication_role = origin")


def test_un_fichier_publie_que_la_base_a_oublie_ne_s_ecrase_pas(db, tmp_path):
    paiement = PaiementFactory(impute=True)
    oublier(encaissements.emettre(paiement.caf, tmp_path))
    octets = (tmp_path / "encaissements_661_000001.csv").read_bytes()
    (tmp_path / ".dernier_661").unlink()  # recopié sans ce qui y est caché

    with pytest.raises(encaissements.EmissionImpossible, match=r"est publié, .* lancez reprendre_encaissements"):
        encaissements.emettre(paiement.caf, tmp_path)

    assert (tmp_path / "encaissements_661_000001.csv").read_bytes() == octets
    assert not FichierEmis.objects.exists()


def test_meme_partis_ailleurs_les_numeros_publies_ne_se_reprennent_pas(db, tmp_path):
    paiement = PaiementFactory(impute=True)
    oublier(encaissements.emettre(paiement.caf, tmp_path))
    for chemin in tmp_path.glob("encaissements_*"):
        chemin.unlink()

    with pytest.raises(encaissements.EmissionImpossible, match="--plancher 1"):
        encaissements.emettre(paiement.caf, tmp_path)

    assert encaissements.emettre(paiement.caf, tmp_path, plancher=1).sequence == 2
    assert "encaissements_justes" not in {violation.invariant.nom for violation in verifier()}


def test_un_fichier_publie_se_reprend_et_son_mouvement_ne_repart_pas(db, tmp_path):
    paiement = PaiementFactory(impute=True)
    oublier(encaissements.emettre(paiement.caf, tmp_path))

    call_command("reprendre_encaissements", "661", dossier=tmp_path, appliquer=True, stdout=StringIO())

    assert FichierEmis.objects.get().sequence == 1
    assert encaissements.emettre(paiement.caf, tmp_path) is None
    encaissements.reemettre(paiement.caf, 1, tmp_path)


def test_un_fichier_publie_dont_un_paiement_manque_encore_le_nomme(db, tmp_path):
    paiement = PaiementFactory(impute=True)
    oublier(encaissements.emettre(paiement.caf, tmp_path))
    chemin = tmp_path / "encaissements_661_000001.csv"
    chemin.write_text(chemin.read_text().replace(paiement.reference, "P-PERDU"))
    manifeste = json.loads(chemin.with_suffix(".json").read_text())
    manifeste["fichiers"][0]["sha256"] = hashlib.sha256(chemin.read_bytes()).hexdigest()
    chemin.with_suffix(".json").write_text(json.dumps(manifeste))

    with pytest.raises(CommandError, match="P-PERDU"):
        call_command("reprendre_encaissements", "661", dossier=tmp_path, appliquer=True)

    assert not FichierEmis.objects.exists()


def test_un_fichier_publie_qui_a_change_depuis_ne_se_reprend_pas(db, tmp_path):
    paiement = PaiementFactory(impute=True)
    oublier(encaissements.emettre(paiement.caf, tmp_path))
    chemin = tmp_path / "encaissements_661_000001.csv"
    chemin.write_text(chemin.read_text() + "\n")

    with pytest.raises(CommandError, match="il a changé depuis"):
        call_command("reprendre_encaissements", "661", dossier=tmp_path, appliquer=True)

    assert not FichierEmis.objects.exists()


def test_deux_fichiers_publies_ne_reprennent_pas_le_meme_mouvement_et_le_premier_reste_repris(db, tmp_path):
    paiement = PaiementFactory(impute=True)
    oublier(encaissements.emettre(paiement.caf, tmp_path))
    for suffixe in ("csv", "json"):
        premier = tmp_path / f"encaissements_661_000001.{suffixe}"
        (tmp_path / f"encaissements_661_000002.{suffixe}").write_bytes(premier.read_bytes())

    with pytest.raises(CommandError, match="000002"):
        call_command("reprendre_encaissements", "661", dossier=tmp_path, appliquer=True)

    assert FichierEmis.objects.get().sequence == 1


def test_un_fichier_d_un_autre_contenu_ne_s_ecrase_pas(db, tmp_path):
    paiement = PaiementFactory(impute=True)
    encaissements.emettre(paiement.caf, tmp_path)
    chemin = tmp_path / "encaissements_661_000001.csv"
    chemin.write_text("autre chose\n")

    with pytest.raises(encaissements.EmissionImpossible, match="ne s'écrase pas"):
        encaissements.reemettre(paiement.caf, 1, tmp_path)

    assert chemin.read_text() == "autre chose\n"
