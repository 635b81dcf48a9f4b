"""La version 2 des fichiers : le solde créditeur, et ce que la Caf a déjà déduit de chaque dette."""

from decimal import Decimal

import pytest
from django.utils import timezone

from dettes import encaissements
from dettes.importation import LivraisonRefusee, importer
from dettes.importation.etape import COLONNES, DE_LA_VERSION_2
from dettes.models import Dette
from paiements.causes import par_agent
from paiements.file.tenue import clore
from paiements.retours import restitution
from paiements.surveillance.invariants import verifier
from tests.dettes.conftest import DETTE, ecrire_csv, ecrire_manifeste
from tests.factories import AgentFactory, DemarcheFactory, PaiementFactory, dire

CREDIT = {"solde": "0", "situation": "SOLDEE", "solde_crediteur": "7000"}


@pytest.fixture(autouse=True)
def chez_soi(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def livrer_2(livrer, django_capture_on_commit_callbacks):
    """`livrer_2([{...}], sequence=2)` livre et prend une livraison de version 2."""

    def _livrer(dettes, **manifeste):
        dossier = livrer([])
        colonnes = COLONNES["etape_dettes"] + DE_LA_VERSION_2["etape_dettes"]
        ecrire_csv(dossier / "dettes.csv", colonnes, [DETTE | ecarts for ecarts in dettes])
        ecrire_manifeste(dossier, version=2, **manifeste)
        with django_capture_on_commit_callbacks(execute=True):
            return importer(dossier, seuil=Decimal(1))

    return _livrer


@pytest.fixture
def paye(livrer, tmp_path):
    """900 € dus, 120 € payés en ligne, partis à la Caf dans le fichier n° 1."""
    importer(livrer())
    dette = Dette.objects.get()
    demarche = DemarcheFactory(auteur=dette.allocataire.utilisateurs.get(), lignes={dette: Decimal(120)})
    paiement = PaiementFactory(demarche=demarche, impute=True)
    encaissements.emettre(paiement.caf, tmp_path / "emis")
    return paiement


def test_un_solde_crediteur_devient_de_l_argent_a_rendre_avec_son_paiement(livrer_2, paye, tmp_path):
    credit = {"solde": "0", "situation": "SOLDEE", "solde_crediteur": "7000", "deduit": "12000"}

    compte_rendu = livrer_2([credit], sequence=2, derniere_sequence_encaissements=1)

    paye.refresh_from_db()
    dette = Dette.objects.get()
    assert (dette.solde, dette.situation) == (0, "SOLDEE")
    assert (paye.a_placer, paye.anomalies.get().genre) == (70, "RELIQUAT")
    assert compte_rendu["avertis"] == {}
    assert [v for v in verifier() if v.invariant.nom != "file_et_comptes"] == []


def test_ce_que_la_caf_a_recu_de_trop_se_propose_en_restitution_partielle(livrer_2, paye):
    """bureau.md B4 : la retenue continue pendant qu'on paie."""
    credit = {"solde": "0", "situation": "SOLDEE", "solde_crediteur": "7000"}
    livrer_2([credit], sequence=2, derniere_sequence_encaissements=1)
    dire(paye, "CAPTURED", remise_le=timezone.now())

    demande = restitution.demander(
        paye, motif="retenu en double", agent=AgentFactory().utilisateur, anomalie=paye.anomalies.get()
    )

    assert (demande.montant, demande.debit_id, demande.etat) == (70, paye.debit_id, "DEMANDEE")


def test_la_part_retenue_part_a_la_caf_comme_un_rejet_puis_tout_est_d_equerre(livrer_2, paye, tmp_path):
    credit = {"solde": "0", "situation": "SOLDEE", "solde_crediteur": "7000"}
    livrer_2([credit], sequence=2, derniere_sequence_encaissements=1)

    fichier = encaissements.emettre(paye.caf, tmp_path / "emis")
    livrer_2([{"solde": "0", "situation": "SOLDEE"}], sequence=3, derniere_sequence_encaissements=2)

    paye.refresh_from_db()
    assert fichier.total == -70
    assert (Dette.objects.get().solde, paye.a_placer) == (0, 70)


def test_le_meme_credit_la_nuit_suivante_ne_retient_rien_de_plus(livrer_2, paye):
    credit = {"solde": "0", "situation": "SOLDEE", "solde_crediteur": "7000"}
    for sequence in (2, 3):
        livrer_2([credit], sequence=sequence, derniere_sequence_encaissements=1)

    paye.refresh_from_db()
    assert paye.a_placer == 70


def test_un_credit_sans_paiement_reste_une_anomalie_de_la_dette(livrer_2, livrer):
    importer(livrer())

    livrer_2([{"solde": "0", "situation": "SOLDEE", "solde_crediteur": "7000"}], sequence=2)

    anomalie = Dette.objects.get().anomalies.get()
    assert (anomalie.genre, anomalie.detail) == ("SOLDE_NEGATIF", "il manque 70,00\xa0€ à la dette")


@pytest.fixture
def menee_sous_zero(livrer_2, livrer):
    importer(livrer())
    livrer_2([CREDIT], sequence=2)
    return Dette.objects.get().anomalies.get()


def test_un_credit_clos_ne_se_rouvre_pas_parce_que_nos_fichiers_avancent(livrer_2, paye, tmp_path):
    """190 € de trop, dont 120 retenus du paiement, et rendus à la Caf par le fichier n° 2 : il en reste 70."""
    livrer_2([CREDIT | {"solde_crediteur": "19000"}], sequence=2, derniere_sequence_encaissements=1)
    anomalie = Dette.objects.get().anomalies.get()
    clore(anomalie, par_agent(AgentFactory().utilisateur, "rendu par chèque"))
    encaissements.emettre(paye.caf, tmp_path / "emis")

    livrer_2([CREDIT], sequence=3, derniere_sequence_encaissements=2)

    anomalie.refresh_from_db()
    assert (anomalie.etat, anomalie.manque) == ("CLOSE", 70)


def test_un_credit_qui_n_est_plus_dit_n_attend_plus_personne(livrer_2, menee_sous_zero):
    livrer_2([{"solde": "0", "situation": "SOLDEE"}], sequence=3)

    menee_sous_zero.refresh_from_db()
    assert menee_sous_zero.etat == "SANS_OBJET"


def test_ce_que_la_livraison_ne_dit_pas_reste_a_regarder(livrer_2, menee_sous_zero):
    livrer_2([{"reference": "R-2"}], sequence=3)

    menee_sous_zero.refresh_from_db()
    assert menee_sous_zero.is_ouverte


def test_le_meme_credit_revenu_apres_coup_est_un_fait_nouveau(livrer_2, menee_sous_zero):
    clore(menee_sous_zero, par_agent(AgentFactory().utilisateur, "rendu par chèque"))
    livrer_2([{"solde": "0", "situation": "SOLDEE"}], sequence=3)

    livrer_2([CREDIT], sequence=4)

    menee_sous_zero.refresh_from_db()
    assert menee_sous_zero.is_ouverte


def test_une_deduction_qui_n_est_pas_la_notre_avertit(livrer_2, paye):
    compte_rendu = livrer_2([{"solde": "80000", "deduit": "10000"}], sequence=2, derniere_sequence_encaissements=1)

    [avertissement] = compte_rendu["avertissements"]
    assert "la Caf a déduit 100.00 €, nos fichiers jusqu'au sien en portaient 120.00 €" in avertissement["motif"]


@pytest.mark.parametrize(
    ("ecart", "motif"),
    [
        ({"solde_crediteur": "70,00"}, "le solde créditeur ne se lit pas, en centimes entiers"),
        ({"solde_crediteur": "1"}, "la dette a un solde, et un solde créditeur"),
    ],
)
def test_un_solde_crediteur_faux_rejette_sa_ligne(livrer_2, ecart, motif):
    assert livrer_2([ecart])["rejets"][0]["motif"] == motif


def test_la_version_1_n_a_pas_ces_colonnes_et_la_2_les_a(livrer):
    dossier = livrer()
    ecrire_manifeste(dossier, version=2)

    with pytest.raises(LivraisonRefusee, match="solde_crediteur"):
        importer(dossier)
