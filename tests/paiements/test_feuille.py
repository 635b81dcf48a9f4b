"""La feuille du jour : trois livres d'équerre, chaque écart nommé, un jour clos par une personne."""

import csv
import json
from datetime import date, timedelta
from decimal import Decimal
from io import BytesIO, StringIO, TextIOWrapper

import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse
from django.utils import timezone
from pypdf import PdfReader

from dettes.encaissements import emettre
from paiements.feuille.calcul import calculer
from paiements.feuille.cloture import ClotureImpossible, clore, get_cloture, lister_les_changements
from paiements.feuille.sorties import rendre_csv, rendre_pdf
from paiements.models import Anomalie
from paiements.retours import impaye
from paiements.surveillance.invariants import verifier
from tests.factories import AgentFactory, CafFactory, PaiementFactory, dire
from tests.paiements.journaux import jri, jt

pytestmark = pytest.mark.django_db
DEMAIN = timedelta(days=1)


@pytest.fixture(autouse=True)
def heure_arretee(time_machine):
    """Un essai qui commence avant minuit finit le même jour."""
    time_machine.move_to(timezone.now(), tick=False)


@pytest.fixture
def aujourd_hui():
    return timezone.localdate()


@pytest.fixture
def lire(tmp_path):
    def _lire(*journaux):
        for nom, octets in journaux:
            (tmp_path / nom).write_bytes(octets)
        call_command("lire_journaux", str(tmp_path), "--appliquer", stdout=StringIO())

    return _lire


def violations():
    return [v for v in verifier() if v.invariant.nom == "feuille_du_jour"]


def test_un_paiement_impute_et_parti_est_aux_trois_livres(aujourd_hui, tmp_path):
    paiement = PaiementFactory(impute=True)
    emettre(paiement.caf, tmp_path)

    feuille = calculer(paiement.caf, aujourd_hui)

    assert [livre.cloture for livre in feuille.livres] == [120, 120, 120]
    assert (feuille.retenu, feuille.a_emettre, feuille.ecarts) == (0, 0, [])
    assert violations() == []


def test_la_cloture_d_un_jour_ouvre_le_suivant(aujourd_hui):
    paiement = PaiementFactory(impute=True)

    demain = calculer(paiement.caf, aujourd_hui + DEMAIN)

    assert [livre.ouverture for livre in demain.livres] == [120, 120, 0]
    assert demain.get_livre("banque").journee == {"pris": 0, "rendu": 0, "impaye": 0}
    assert demain.a_emettre == 120


def test_un_paiement_pas_encore_verifie_est_un_ecart_qui_dit_la_commande(aujourd_hui):
    paiement = PaiementFactory(accepte=True)

    feuille = calculer(paiement.caf, aujourd_hui)

    [ecart] = feuille.ecarts
    assert (ecart.montant, ecart.reference, ecart.quoi) == (120, paiement.reference, "en vérification")
    assert ecart.geste == f"interroger_payzen --reference {paiement.reference} --appliquer"
    assert feuille.is_juste


def test_le_matin_un_debit_etranger_est_a_la_feuille_sans_main(lire, aujourd_hui):
    caf = CafFactory()

    lire(jt([{"ORDER_ID": "FACTURE-77", "AMOUNT": "3300", "TRANSACTION_UUID": "a" * 32}]))

    [ecart] = calculer(caf, aujourd_hui).ecarts
    assert (ecart.montant, ecart.reference, ecart.proprietaire) == (33, "FACTURE-77", "gestion")
    assert (ecart.quoi, ecart.anomalie) == ("paiement d'une référence inconnue", Anomalie.objects.get().pk)
    assert violations() == []


def test_le_matin_un_impaye_est_a_la_feuille_sans_main(lire, aujourd_hui):
    paiement = PaiementFactory(impute=True)

    lire(jri([paiement]))

    feuille = calculer(paiement.caf, aujourd_hui)
    assert feuille.get_livre("banque").journee == {"pris": 120, "rendu": 0, "impaye": -120}
    assert feuille.get_livre("impute").journee == {"impute": 120, "repris": -120}
    assert violations() == []


def test_le_matin_un_remboursement_du_back_office_est_a_la_feuille_sans_main(lire, aujourd_hui):
    paiement = PaiementFactory(impute=True)
    credit = {"TRANSACTION_TYPE": "CREDIT", "TRANSACTION_ID": "912345", "TRANSACTION_UUID": "c" * 32}

    lire(jt([credit | {"ORDER_ID": paiement.reference, "AMOUNT": "12000"}]))

    feuille = calculer(paiement.caf, aujourd_hui)
    assert [ecart.montant for ecart in feuille.ecarts] == [-120]
    assert violations() == []


def test_le_matin_une_notification_perdue_est_a_la_feuille_sans_main(lire, aujourd_hui):
    paiement = PaiementFactory()

    lire(jt([paiement]))

    [ecart] = calculer(paiement.caf, aujourd_hui).ecarts
    assert (ecart.montant, ecart.reference) == (120, paiement.reference)


def test_une_ligne_de_journal_sans_transaction_est_en_suspens(lire, aujourd_hui):
    caf = CafFactory()

    lire(jri([{"TRANSACTION_ID": "zz9zz9", "SOURCE_AMOUNT": "500"}]))

    [ligne] = calculer(caf, aujourd_hui).suspens
    assert (ligne.reference, ligne.proprietaire) == ("zz9zz9", "exploitant")
    assert "aucun débit connu" in ligne.quoi


def test_une_autre_caf_ne_voit_rien(aujourd_hui):
    PaiementFactory(impute=True)

    assert calculer(CafFactory(code="751"), aujourd_hui).get_livre("banque").cloture == 0


def clore_hier(paiement, **champs):
    comptable = AgentFactory(role="COMPTABLE", **champs).utilisateur
    return clore(paiement.caf, timezone.localdate() - DEMAIN, motif="vu", agent=comptable)


def test_un_jour_clos_porte_le_nom_de_la_personne(aujourd_hui):
    paiement = PaiementFactory(impute=True)

    cloture = clore_hier(paiement)

    feuille = calculer(paiement.caf, aujourd_hui - DEMAIN)
    assert get_cloture(paiement.caf, aujourd_hui - DEMAIN).auteur == cloture.auteur
    assert lister_les_changements(feuille, cloture) == []


def test_un_jour_clos_qui_change_le_dit(aujourd_hui):
    paiement = PaiementFactory(impute=True)
    cloture = clore_hier(paiement)

    dire(PaiementFactory(), "AUTHORISED", creee_le=timezone.now() - DEMAIN)

    feuille = calculer(paiement.caf, aujourd_hui - DEMAIN)
    changements = lister_les_changements(feuille, cloture)
    assert "ce que la plateforme tient, débits pris : 0,00\xa0€ → 120,00\xa0€" in changements
    assert "retenu : 0,00\xa0€ → 120,00\xa0€" in changements


def test_un_jour_qui_n_est_pas_fini_ne_se_clot_pas(aujourd_hui, comptable):
    with pytest.raises(ClotureImpossible, match="pas fini"):
        clore(CafFactory(), aujourd_hui, motif="vu", agent=comptable)


@pytest.mark.parametrize("role", ["CONSULTATION", "GESTION"])
def test_seuls_le_comptable_et_le_responsable_closent(aujourd_hui, role):
    agent = AgentFactory(role=role).utilisateur

    with pytest.raises(ClotureImpossible, match="pas le droit"):
        clore(CafFactory(), aujourd_hui - DEMAIN, motif="vu", agent=agent)


def test_on_ne_clot_pas_le_jour_d_une_autre_caf(aujourd_hui, comptable):
    with pytest.raises(ClotureImpossible, match="pas le droit"):
        clore(CafFactory(code="751"), aujourd_hui - DEMAIN, motif="vu", agent=comptable)


def test_le_csv_s_ouvre_dans_un_tableur(aujourd_hui):
    paiement = PaiementFactory(accepte=True)

    octets = rendre_csv(calculer(paiement.caf, aujourd_hui))

    lignes = list(csv.DictReader(TextIOWrapper(BytesIO(octets), "utf-8-sig", newline=""), delimiter=";"))
    assert octets.startswith("\ufeff".encode())
    assert {ligne["quoi"]: ligne["montant"] for ligne in lignes}["débits pris"] == "120,00"
    assert lignes[-1]["rubrique"] == "écarts"


def test_le_pdf_dit_qui_a_clos(aujourd_hui):
    paiement = PaiementFactory(impute=True)
    cloture = clore_hier(paiement)

    pages = PdfReader(BytesIO(rendre_pdf(calculer(paiement.caf, aujourd_hui - DEMAIN)))).pages
    texte = " ".join(page.extract_text() for page in pages)

    assert f"Clos par {cloture.auteur.identifiant}" in " ".join(texte.split())


def test_la_commande_dit_les_ecarts_et_sort_en_un(tmp_path):
    paiement = PaiementFactory(accepte=True)
    sortie = StringIO()

    with pytest.raises(CommandError) as refus:
        call_command("feuille_du_jour", "661", "--jour", timezone.localdate().isoformat(), "--json", stdout=sortie)

    [feuille] = json.loads(sortie.getvalue())["feuilles"]
    assert refus.value.returncode == 1
    assert (feuille["chiffres"]["retenu"], feuille["ecarts"][0]["reference"]) == ("120.00", paiement.reference)


def test_la_commande_ecrit_et_clot_sur_demande(tmp_path):
    PaiementFactory(impute=True)
    comptable = AgentFactory(role="COMPTABLE").utilisateur
    options = ["--sorties", str(tmp_path), "--clore", comptable.identifiant, "--motif", "vu"]

    call_command("feuille_du_jour", "661", *options, stdout=StringIO())
    rien = list(tmp_path.iterdir())
    call_command("feuille_du_jour", "661", *options, "--appliquer", stdout=StringIO())

    hier = timezone.localdate() - DEMAIN
    assert rien == []
    assert {chemin.suffix for chemin in tmp_path.iterdir()} == {".csv", ".pdf"}
    assert get_cloture(CafFactory(), hier).auteur == comptable


def test_au_bureau_la_feuille_se_lit_s_exporte_et_se_clot(client, entrer):
    PaiementFactory(impute=True)
    agent = entrer("COMPTABLE")
    hier = (timezone.localdate() - DEMAIN).isoformat()

    page = client.get(reverse("feuille:montrer", args=["661", hier]))
    client.post(reverse("feuille:clore", args=["661", hier]), {"motif": "vu ce matin"})

    assert "Ce que la plateforme tient" in page.content.decode()
    assert get_cloture(CafFactory(), date.fromisoformat(hier)).auteur == agent
    for forme in ("csv", "pdf"):
        reponse = client.get(reverse(f"feuille:{forme}", args=["661", hier]))
        assert reponse.headers["Content-Disposition"].endswith(f'.{forme}"')


def test_au_bureau_la_feuille_d_une_autre_caf_est_un_404(client, entrer):
    CafFactory(code="751")
    entrer("COMPTABLE")

    assert client.get(reverse("feuille:montrer", args=["751", "2026-11-27"])).status_code == 404


def test_l_impaye_d_une_part_compte_pour_elle_seule(aujourd_hui, comptable):
    paiement = PaiementFactory(impute=True)
    impaye.enregistrer(paiement, montant=Decimal(5), motif="impayé", agent=comptable)

    feuille = calculer(paiement.caf, aujourd_hui)

    assert feuille.get_livre("banque").journee == {"pris": 120, "rendu": 0, "impaye": -5}
    assert (feuille.retenu, feuille.is_juste, violations()) == (-5, True, [])


def test_un_impaye_a_la_main_compte_de_meme(aujourd_hui, comptable):
    paiement = PaiementFactory(impute=True)
    impaye.enregistrer(paiement, motif="impayé", agent=comptable)

    assert calculer(paiement.caf, aujourd_hui).get_livre("banque").cloture == 0
    assert violations() == []
