"""Prendre une livraison de la Caf : ce qu'elle fait aux dettes (FICHIERS §3)."""

import json
from decimal import Decimal
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection

from comptes.models import Allocataire, Utilisateur
from dettes import encaissements
from dettes.importation import LivraisonRefusee, application, importer
from dettes.models import Dette, FichierRecu, Mouvement
from dettes.signals import solde_negatif
from paiements.imputation.imputer import imputer_un_lot
from paiements.retours import impaye
from paiements.surveillance.invariants import verifier
from tests.courses import en_meme_temps
from tests.dettes.conftest import REFERENCE, get_dette
from tests.factories import AgentFactory, CafFactory, DemarcheFactory, PaiementFactory, UtilisateurFactory

EXEMPLES = Path(__file__).parents[2] / "donnees" / "exemple"
pytestmark = pytest.mark.usefixtures("chez_soi")


def get_ecritures():
    return list(Mouvement.objects.order_by("pk").values_list("genre", "montant"))


def rembourser(montant, *, dette=None):
    """Un paiement de l'allocataire, vérifié et porté sur sa dette par les vrais services."""
    dette = dette or get_dette()
    demarche = DemarcheFactory(auteur=dette.allocataire.utilisateurs.get(), lignes={dette: Decimal(montant)})
    return PaiementFactory(demarche=demarche, impute=True)


@pytest.mark.parametrize(("caf", "allocataires", "dettes"), [("598", 400, 912), ("661", 400, 806), ("751", 400, 927)])
def test_la_livraison_d_exemple_entre_sans_rejet(db, caf, allocataires, dettes):
    CafFactory(code=caf)
    sortie = StringIO()

    call_command("importer_livraison", EXEMPLES / caf, "--json", "--appliquer", stdout=sortie)

    [compte_rendu] = json.loads(sortie.getvalue())["livraisons"]
    assert compte_rendu["dettes"]["crees"] == Dette.objects.count() == dettes
    assert compte_rendu["allocataires"]["crees"] == Allocataire.objects.count() == allocataires
    assert Utilisateur.objects.filter(allocataire__isnull=False).count() == allocataires
    assert compte_rendu["rejets"] == []
    assert [v for v in verifier() if v.invariant.nom in ("solde_et_mouvements", "constat")] == []


def test_une_dette_nait_par_son_constat_puis_rejoint_le_solde_du_fichier(livrer):
    importer(livrer([{"solde": "34000", "retenue_mensuelle": "5600"}]))

    dette = get_dette()
    assert get_ecritures() == [("CONSTAT", Decimal(900)), ("AJUSTEMENT", Decimal(-560))]
    assert (dette.montant_initial, dette.solde, dette.retenue_mensuelle) == (900, 340, 56)
    assert str(dette.periode_fin) == "2025-06-30"
    assert dette.motif == "Ressources corrigées ; voir le courrier."


def test_chaque_dossier_a_un_compte_sans_mot_de_passe_utilisable(livrer):
    importer(livrer())

    utilisateur = Utilisateur.objects.get()
    assert (utilisateur.identifiant, utilisateur.allocataire.numero) == ("6610000354", "0000354")
    assert not utilisateur.has_usable_password()
    assert len(utilisateur.password) == 41


def test_un_dossier_qui_a_deja_un_compte_n_en_recoit_pas_d_autre(livrer):
    importer(livrer())
    Utilisateur.objects.update(identifiant="choisi-autrement")

    compte_rendu = importer(livrer(sequence=2))

    assert Utilisateur.objects.count() == 1
    assert compte_rendu["allocataires"]["comptes_ouverts"] == 0


def test_la_meme_livraison_deux_fois_ne_bouge_rien(livrer):
    dossier = livrer([{"solde": "34000"}])
    importer(dossier)
    avant = (get_ecritures(), FichierRecu.objects.count())

    compte_rendu = importer(dossier)

    assert compte_rendu["issue"] == "deja_prise"
    assert (get_ecritures(), FichierRecu.objects.count()) == avant


def test_les_memes_dettes_le_lendemain_n_ecrivent_rien(livrer):
    importer(livrer([{"solde": "34000"}]))

    compte_rendu = importer(livrer([{"solde": "34000"}], sequence=2))

    assert (compte_rendu["dettes"]["changes"], compte_rendu["dettes"]["inchanges"]) == (0, 1)
    assert len(get_ecritures()) == 2


def test_un_solde_qui_change_est_un_mouvement(livrer):
    importer(livrer())

    importer(livrer([{"solde": "84400", "phase": "CONTENTIEUX"}], [{"radie_le": "2026-03-31"}], sequence=2))

    dette = get_dette()
    assert get_ecritures()[-1] == ("AJUSTEMENT", Decimal(-56))
    assert (dette.solde, dette.phase) == (844, "CONTENTIEUX")
    assert str(dette.allocataire.radie_le) == "2026-03-31"


def test_un_autre_montant_initial_est_compte_et_ne_change_pas_le_notre(livrer):
    importer(livrer())

    compte_rendu = importer(livrer([{"montant_initial": "100000", "solde": "95000"}], sequence=2))

    dette = get_dette()
    assert (dette.montant_initial, dette.solde) == (900, 950)
    assert compte_rendu["dettes"]["montants_initiaux_gardes"] == 1


def test_une_imputation_pas_encore_emise_n_est_pas_comptee_deux_fois(livrer):
    importer(livrer())
    rembourser(120)

    importer(livrer([{"solde": "90000"}], sequence=2))

    assert get_dette().solde == 780


def test_une_imputation_emise_mais_pas_deduite_non_plus(livrer, tmp_path):
    importer(livrer())
    encaissements.emettre(rembourser(120).caf, tmp_path)

    importer(livrer([{"solde": "90000"}], sequence=2, derniere_sequence_encaissements=0))

    assert get_dette().solde == 780


def test_une_imputation_deduite_par_la_caf_ne_se_deduit_plus(livrer, tmp_path):
    importer(livrer())
    encaissements.emettre(rembourser(120).caf, tmp_path)
    rembourser(30)

    compte_rendu = importer(livrer([{"solde": "78000"}], sequence=2, derniere_sequence_encaissements=1))

    assert get_dette().solde == 750
    assert compte_rendu["dettes"]["changes"] == 0


def test_un_rejet_que_la_caf_ignore_garde_la_dette_ouverte(livrer, tmp_path):
    importer(livrer())
    paiement = rembourser(900)
    encaissements.emettre(paiement.caf, tmp_path)
    impaye.enregistrer(paiement, motif="impayé", agent=AgentFactory(role="COMPTABLE").utilisateur)

    importer(livrer([{"solde": "0", "situation": "SOLDEE"}], sequence=2, derniere_sequence_encaissements=1))

    dette = get_dette()
    assert (dette.solde, dette.situation, dette.is_payable) == (900, "EN_COURS", True)


def test_un_solde_qui_serait_negatif_est_a_zero_et_retenu_une_fois(livrer, django_capture_on_commit_callbacks):
    importer(livrer())
    paiement = rembourser(120)
    annonces = []
    solde_negatif.connect(lambda sender, **fait: annonces.append(fait), weak=False, dispatch_uid="essai")

    with django_capture_on_commit_callbacks(execute=True):
        compte_rendu = importer(livrer([{"solde": "5000"}], sequence=2))
    importer(livrer([{"solde": "5000"}], sequence=3))

    solde_negatif.disconnect(dispatch_uid="essai")
    assert get_dette().solde == 0
    assert compte_rendu["dettes"]["soldes_negatifs"] == 1
    assert {(a["dette"].reference, a["montant"], a["origine"]) for a in annonces} == {
        (REFERENCE, Decimal(70), "encaissements 661 déduits jusqu'au n° 0")
    }
    paiement.refresh_from_db()
    assert (paiement.a_placer, paiement.anomalies.get().genre) == (70, "RELIQUAT")
    assert len(annonces) == 1


def test_une_coupure_au_milieu_ne_laisse_rien(livrer, monkeypatch):
    monkeypatch.setattr(application, "CONSTATER_NEUVES", "SELECT 1 / 0")

    with pytest.raises(DatabaseError):
        importer(livrer())

    assert not Dette.objects.exists()
    assert not Allocataire.objects.exists()
    assert not FichierRecu.objects.exists()


def test_un_essai_montre_tout_et_n_ecrit_que_les_rejets(livrer, tmp_path):
    compte_rendu = importer(livrer([{}, {"phase": "INCONNUE", "reference": "R-2"}]), essai=True, seuil=Decimal(1))

    assert (compte_rendu["dettes"]["crees"], compte_rendu["dettes"]["rejetes"]) == (1, 1)
    assert compte_rendu["rejets"] == [{"fichier": "dettes.csv", "ligne": 3, "motif": "la phase est inconnue"}]
    assert not Dette.objects.exists()
    assert not FichierRecu.objects.exists()
    assert (tmp_path / "livraisons/rejets/rejets_661_000001.csv").exists()


@pytest.mark.django_db(transaction=True)
def test_deux_imports_de_la_meme_caf_le_disent(livrer):
    dossier = livrer()
    autre = connection.copy()
    with autre.cursor() as curseur:
        curseur.execute("SELECT pg_advisory_lock(hashtextextended('livraison 661', 0))")

    with pytest.raises(LivraisonRefusee, match="un autre import"):
        importer(dossier)
    autre.close()


def test_plusieurs_livraisons_une_refusee_n_empeche_pas_les_autres(livrer, tmp_path):
    sortie = StringIO()

    with pytest.raises(CommandError, match=r"1 livraison\(s\) refusée\(s\) sur 2"):
        call_command("importer_livraison", tmp_path / "absente", livrer(), "--appliquer", stdout=sortie)

    assert "ne se lit pas" in sortie.getvalue()
    assert "dettes : 1 lus, 1 créés, 0 changés, 0 inchangés, 0 rejetés" in sortie.getvalue()


def test_la_reference_d_un_autre_dossier_ne_change_pas_de_mains(livrer):
    importer(livrer())
    UtilisateurFactory(allocataire__numero="0000999")

    compte_rendu = importer(livrer([{"numero": "0000999"}], sequence=2), seuil=Decimal(1))

    assert compte_rendu["rejets"][0]["motif"] == "la référence est celle d'un autre dossier"
    assert get_dette().allocataire.numero == "0000354"


@pytest.mark.django_db(transaction=True)
def test_un_paiement_impute_pendant_l_import_n_est_ni_perdu_ni_double(livrer):
    importer(livrer())
    dette = get_dette()
    demarche = DemarcheFactory(auteur=dette.allocataire.utilisateurs.get(), lignes={dette: Decimal(120)})
    PaiementFactory(demarche=demarche, verifie=True)
    dossier = livrer([{"solde": "5000"}], sequence=2)

    issues = en_meme_temps(lambda: importer(dossier)["issue"], imputer_un_lot)

    assert issues == ["prise", 1]
    assert get_dette().solde == 0
    assert [v for v in verifier() if v.invariant.nom == "solde_et_mouvements"] == []
