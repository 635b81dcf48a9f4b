"""Une livraison juste à l'octet mais qui ne ressemble pas à la précédente n'entre pas seule (FICHIERS §3.8)."""

import json
from decimal import Decimal
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from dettes import encaissements
from dettes.importation import EcartTropGrand, importer
from dettes.models import Dette, FichierRecu, Plausibilite
from outils.systeme import RACINE
from paiements.surveillance.invariants import verifier
from socle.euros import ecrire_euros
from tests.factories import DemarcheFactory, PaiementFactory

PERSONNES = [{"numero": f"{n:07d}"} for n in range(1, 51)]
DETTES = [{"numero": f"{n:07d}", "reference": f"R-{n}"} for n in range(1, 51)]


@pytest.fixture(autouse=True)
def chez_soi(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def base(livrer):
    """Cinquante personnes, cinquante dettes de 900 €, prises hier."""
    importer(livrer(DETTES, PERSONNES, mode="complet"))


def refuser(dossier, nom, **options):
    avant = list(Dette.objects.order_by("pk").values_list("solde", flat=True))
    with pytest.raises(EcartTropGrand) as refus:
        importer(dossier, **options)
    assert list(Dette.objects.order_by("pk").values_list("solde", flat=True)) == avant
    return {ecart.nom: ecart for ecart in refus.value.ecarts}[nom]


@pytest.mark.parametrize("essai", [True, False])
def test_une_livraison_complete_et_vide_ne_solde_rien(base, livrer, essai):
    """H-01."""
    ecart = refuser(livrer([], PERSONNES, sequence=2, mode="complet"), "disparitions", essai=essai)

    assert ecart.chiffre == "50"
    assert ecart.phrase == "50 dettes et 45\xa0000,00\xa0€ disparaîtraient"
    assert FichierRecu.objects.count() == 1


def test_l_exemple_vide_dit_ses_dettes_et_ses_euros(livrer, db):
    """H-01 à l'échelle de l'exemple : ce qui disparaîtrait se dit, milliers groupés."""
    importer(RACINE / "donnees/exemple/661")

    ecart = refuser(
        livrer([], [{"numero": f"{n:07d}"} for n in range(1, 401)], sequence=2, mode="complet"), "disparitions"
    )

    assert ecart.phrase == f"{ecart.chiffre} dettes et {ecrire_euros(Decimal('387450.84'))} disparaîtraient"
    assert int(ecart.chiffre) == Dette.objects.filter(solde__gt=0).count()


def test_toutes_les_dettes_a_zero_disparaissent_aussi(base, livrer):
    ecart = refuser(livrer([dette | {"solde": "0"} for dette in DETTES], sequence=2), "disparitions")

    assert ecart.chiffre == "50"


def test_le_total_qui_change_trop_refuse(base, livrer):
    ecart = refuser(livrer([dette | {"solde": "60000"} for dette in DETTES], PERSONNES, sequence=2), "total")

    assert ecart.phrase == "le total dû passerait de 45\xa0000,00\xa0€ à 30\xa0000,00\xa0€"


def test_des_euros_pris_pour_des_centimes_se_voient_au_solde_median(base, livrer):
    dossier = livrer([dette | {"solde": "900"} for dette in DETTES], PERSONNES, sequence=2, mode="complet")

    assert refuser(dossier, "mediane").phrase == "le solde médian passerait de 900,00\xa0€ à 9,00\xa0€"


def test_la_moitie_des_personnes_manque(base, livrer):
    ecart = refuser(livrer(DETTES, PERSONNES[:25], sequence=2, mode="complet"), "personnes")

    assert ecart.phrase == "le nombre de personnes passerait de 50 à 25"


def test_une_photo_plus_vieille_que_la_derniere_refuse(base, livrer):
    dossier = livrer(DETTES, PERSONNES, sequence=2, arrete_le="2026-11-19T22:00:00+01:00")

    assert refuser(dossier, "photo").chiffre == "2026-11-19"


def test_une_photo_a_venir_refuse(base, livrer):
    dossier = livrer(DETTES, PERSONNES, sequence=2, arrete_le="2062-11-19T22:00:00+01:00")

    assert refuser(dossier, "avenir").chiffre == "2062-11-19"


@pytest.fixture
def deduit_deux_fichiers(livrer, tmp_path):
    """900 € dus ; 120 € puis 30 € payés, partis dans les fichiers n° 1 et 2, que la livraison n° 2 a déduits."""
    importer(livrer())
    dette = Dette.objects.get()
    for montant in (120, 30):
        demarche = DemarcheFactory(auteur=dette.allocataire.utilisateurs.get(), lignes={dette: Decimal(montant)})
        PaiementFactory(demarche=demarche, impute=True)
        encaissements.emettre(dette.caf, tmp_path / "emis")
    importer(livrer([{"solde": "75000"}], sequence=2, derniere_sequence_encaissements=2))


@pytest.mark.parametrize("numero", [0, 1])
def test_un_numero_d_encaissements_qui_recule_ne_deduit_rien_deux_fois(deduit_deux_fichiers, livrer, numero):
    """Elle a tout déduit, et ne le dit plus : ce qui est parti après son numéro se déduirait encore."""
    dossier = livrer([{"solde": "75000"}], sequence=3, derniere_sequence_encaissements=numero)

    ecart = refuser(dossier, "encaissements")

    assert ecart.chiffre == str(numero)
    assert ecart.phrase == f"elle n'a déduit nos encaissements que jusqu'au n° {numero}, après les avoir dits au n° 2"
    assert Dette.objects.get().solde == 750


def test_une_caf_revenue_a_sa_sauvegarde_redonne_son_numero(deduit_deux_fichiers, livrer):
    dossier = livrer([{"solde": "78000"}], sequence=3, derniere_sequence_encaissements=1)

    importer(dossier, ecarts_acceptes={"encaissements": "1"})

    assert Dette.objects.get().solde == 750
    importer(livrer([{"solde": "78000"}], sequence=4, derniere_sequence_encaissements=1))
    assert Dette.objects.get().solde == 750


def crediter(combien):
    """Les lignes d'un export qui écrit ce qu'il a déduit à la place de ce qu'il a reçu de trop."""
    soldees = [{"solde": "0", "situation": "SOLDEE", "solde_crediteur": "90000", "deduit": "90000"}] * combien
    return [dette | credit for dette, credit in zip(DETTES, soldees, strict=False)] + DETTES[combien:]


@pytest.fixture
def vingt_soldees_en_ligne(base, livrer, tmp_path):
    for dette in Dette.objects.filter(reference__in=[dette["reference"] for dette in DETTES[:20]]):
        demarche = DemarcheFactory(auteur=dette.allocataire.utilisateurs.get(), lignes={dette: dette.solde})
        PaiementFactory(demarche=demarche, impute=True)
    encaissements.emettre(dette.caf, tmp_path / "emis")


def test_un_export_qui_dirait_trop_percu_tout_ce_qui_est_paye_ne_reprend_aucun_paiement(
    vingt_soldees_en_ligne, livrer
):
    dossier = livrer(crediter(20), PERSONNES, sequence=2, version=2, derniere_sequence_encaissements=1)

    ecart = refuser(dossier, "trop_percus")

    assert ecart.chiffre == "18000.00"
    assert ecart.phrase == "20 dettes auraient reçu 18\xa0000,00\xa0€ de trop, que leurs paiements rendraient"


@pytest.fixture
def trop_percus_acceptes(vingt_soldees_en_ligne, livrer):
    dossier = livrer(crediter(20), PERSONNES, sequence=2, version=2, derniere_sequence_encaissements=1)
    importer(dossier, ecarts_acceptes={"trop_percus": "18000.00"})


def test_un_trop_percu_deja_dit_ne_se_confirme_pas_chaque_nuit(trop_percus_acceptes, livrer):
    dossier = livrer(crediter(20), PERSONNES, sequence=3, version=2, derniere_sequence_encaissements=1)

    assert importer(dossier)["ecarts_acceptes"] == []


def test_un_trop_percu_qui_revient_se_confirme_de_nouveau(trop_percus_acceptes, livrer):
    soldees = [dette | {"solde_crediteur": ""} for dette in crediter(20)]
    importer(livrer(soldees, PERSONNES, sequence=3, version=2, derniere_sequence_encaissements=1))

    refuser(livrer(crediter(20), PERSONNES, sequence=4, version=2, derniere_sequence_encaissements=1), "trop_percus")


def test_quelques_trop_percus_sont_d_une_nuit_ordinaire(base, livrer):
    assert importer(livrer(crediter(5), PERSONNES, sequence=2, version=2))["dettes"]["soldes_negatifs"] == 5


def test_une_nuit_ordinaire_passe(base, livrer):
    dettes = [{**dette, "solde": "84400"} for dette in DETTES[5:]] + [{"reference": "R-99", "numero": "0000001"}]

    compte_rendu = importer(livrer(dettes, PERSONNES, sequence=2, mode="complet"))

    assert compte_rendu["dettes"]["soldees_par_absence"] == 5
    assert compte_rendu["ecarts_acceptes"] == []


def test_cent_dettes_neuves_en_differentiel_passent(base, livrer):
    neuves = [{"numero": "0000001", "reference": f"N-{n}"} for n in range(100)]

    assert importer(livrer(neuves, [], sequence=2))["dettes"]["crees"] == 100


def test_sous_vingt_dettes_une_part_ne_veut_rien_dire(livrer):
    importer(livrer(DETTES[:19], PERSONNES[:19]))

    assert importer(livrer([], PERSONNES[:19], sequence=2, mode="complet"))["issue"] == "prise"


def test_chaque_caf_a_ses_bornes(base, livrer):
    Plausibilite.objects.create(caf_id="661", disparitions=100, total=100)

    assert importer(livrer([], PERSONNES, sequence=2, mode="complet"))["dettes"]["soldees_par_absence"] == 50


def test_redonner_les_chiffres_du_refus_laisse_passer_et_se_garde(base, livrer):
    dossier = livrer([], PERSONNES, sequence=2, mode="complet")

    importer(dossier, ecarts_acceptes={"disparitions": "50", "total": "-45000.00"})

    assert not Dette.objects.filter(solde__gt=0).exists()
    assert FichierRecu.objects.get(sequence=2).compte_rendu["ecarts_acceptes"] == [
        "50 dettes et 45\xa0000,00\xa0€ disparaîtraient",
        "le total dû passerait de 45\xa0000,00\xa0€ à 0,00\xa0€",
    ]
    assert [v for v in verifier() if v.invariant.nom in ("solde_et_mouvements", "constat")] == []


def test_un_autre_chiffre_ne_confirme_rien(base, livrer):
    dossier = livrer([], PERSONNES, sequence=2, mode="complet")

    refuser(dossier, "disparitions", ecarts_acceptes={"disparitions": "49", "total": "-45000.00"})


def test_la_commande_dit_l_option_a_redonner_et_l_accepte(base, livrer):
    dossier = livrer([], PERSONNES, sequence=2, mode="complet")
    sortie = StringIO()
    with pytest.raises(CommandError):
        call_command("importer_livraison", dossier, "--json", stdout=sortie)
    [refus] = json.loads(sortie.getvalue())["livraisons"]

    confirmations = [f"--accepter-ecart={ecart['nom']}={ecart['chiffre']}" for ecart in refus["ecarts"]]
    call_command("importer_livraison", dossier, *confirmations, "--appliquer", stdout=sortie)

    assert "--accepter-ecart disparitions=50 --accepter-ecart total=-45000.00" in refus["motif"]
    assert "écart accepté : 50 dettes" in sortie.getvalue()
