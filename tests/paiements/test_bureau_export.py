"""On emporte une liste du bureau avec ses filtres : ses Caf seulement, rien qu'un tableur exécuterait ou perdrait."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from comptes.models import Evenement
from dettes.models import Dette
from socle.export import ecrire_cellule
from tests.factories import AllocataireFactory, CafFactory, DetteFactory, PaiementFactory
from tests.ordres import ecouter
from tests.paiements.bureau import faire_un_reliquat, fiche

pytestmark = pytest.mark.django_db


@pytest.fixture
def emporter(client):
    """Les lignes d'un export, titres compris."""

    def lire(nom: str, **filtres: str) -> list[list[str]]:
        reponse = client.get(reverse(f"admin:{nom}_export"), filtres)
        assert reponse["Content-Type"] == "text/csv; charset=utf-8"
        texte = b"".join(reponse.streaming_content).decode()
        assert texte.startswith("\ufeff")
        return [ligne.split(";") for ligne in texte.removeprefix("\ufeff").splitlines()]

    return lire


@pytest.mark.parametrize(
    ("valeur", "cellule"),
    [
        ("1\xa0234,56\xa0€", "1234,56"),
        ("−12,00\xa0€", "-12,00"),
        ("0000357", "'0000357"),
        ("0055", "'0055"),
        ("=1+1", "'=1+1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("-2+3", "'-2+3"),
        (None, ""),
        ("-", ""),
        (True, "oui"),
        (date(2026, 11, 28), "28/11/2026"),
        (datetime(2026, 11, 28, 8, 5, 1, tzinfo=UTC), "28/11/2026 09:05:01"),
        ('<a href="/x">Madame Inès Colin, n° 0000357</a>', "Madame Inès Colin, n° 0000357"),
        ("0", "0"),
    ],
)
def test_une_cellule_se_lit_dans_un_tableur_francais(valeur, cellule):
    assert ecrire_cellule(valeur) == cellule


def test_une_liste_part_avec_ses_filtres(entrer, emporter):
    DetteFactory()
    recours = DetteFactory(en_recours=True, montant_initial=Decimal("1234.50"))
    entrer("CONSULTATION")

    titres, *lignes = emporter("dettes_dette", situation__exact="RECOURS")

    assert titres[0] == "référence"
    assert [ligne[0] for ligne in lignes] == [recours.reference]
    assert "1234,50" in lignes[0]
    assert "en recours" in lignes[0]


def test_rien_d_une_autre_caf_ne_part(entrer, emporter):
    PaiementFactory()
    entrer(cafs=[CafFactory(code="751", nom="Caf de Paris", boutique="75100001")])

    assert len(emporter("paiements_paiement")) == 1


def test_un_nom_qui_serait_une_formule_ne_s_execute_pas(entrer, emporter):
    AllocataireFactory(nom="=HYPERLINK(1)")
    entrer()

    assert "'=HYPERLINK(1)" in emporter("comptes_allocataire")[1]


def test_chaque_export_est_au_journal_avec_ses_filtres(entrer, emporter):
    agent = entrer()

    emporter("dettes_dette", situation__exact="RECOURS")

    ligne = Evenement.objects.get(genre=Evenement.Genre.EXPORT)
    assert (ligne.auteur, ligne.objet) == (agent, "dettes.dette situation__exact=RECOURS")


@pytest.mark.parametrize("liste", ["paiements_paiement", "paiements_anomalie", "dettes_dette", "comptes_allocataire"])
def test_un_export_ne_demande_pas_une_requete_par_ligne(client, entrer, liste):
    def compter() -> int:
        with CaptureQueriesContext(connection) as entendues:
            reponse = client.get(reverse(f"admin:{liste}_export"))
            assert b"".join(reponse.streaming_content).count(b"\n") > 1
        return len(entendues)

    entrer()
    faire_un_reliquat()
    avec_un = compter()
    for _ in range(5):
        faire_un_reliquat()

    assert compter() == avec_un


@pytest.mark.parametrize(("par_lot", "lots"), [(2, 3), (3, 2), (5, 2), (100, 1)])
def test_une_longue_liste_s_emporte_lot_par_lot_dans_l_ordre_et_sans_rien_oublier(
    entrer, emporter, monkeypatch, par_lot, lots
):
    monkeypatch.setattr("socle.liste.PAR_LOT", par_lot)
    paiements = PaiementFactory.create_batch(5)
    entrer()

    with ecouter() as ordres:
        lignes = emporter("paiements_paiement")[1:]

    lues = [ordre for ordre in ordres if ordre.endswith(f" LIMIT {par_lot}")]
    assert [ligne[0] for ligne in lignes] == [paiement.reference for paiement in reversed(paiements)]
    assert len(lues) == lots
    assert not any("DECLARE" in ordre for ordre in ordres)


def test_tout_ce_qui_se_liste_s_emporte(entrer, emporter):
    faire_un_reliquat()
    entrer("RESPONSABLE")

    for liste in (
        *("paiements_paiement", "paiements_anomalie", "paiements_demanderestitution", "paiements_demandecloture"),
        *("paiements_demandemisedecote", "dettes_dette", "dettes_fichierrecu", "dettes_fichieremis"),
        *("comptes_allocataire", "comptes_caf", "comptes_evenement"),
    ):
        assert emporter(liste)[0], liste


def test_la_liste_montre_son_export_avec_ses_filtres(client, entrer):
    entrer()

    page = client.get(reverse("admin:dettes_dette_changelist"), {"situation__exact": "RECOURS"}).content.decode()

    assert f'href="{reverse("admin:dettes_dette_export")}?situation__exact=RECOURS"' in page


def test_la_fiche_d_un_paiement_s_imprime(client, entrer):
    paiement, _ = faire_un_reliquat()
    agent = entrer("CONSULTATION")

    page = client.get(reverse("bureau:imprimer", args=[paiement.pk])).content.decode()

    for mot in (paiement.reference, "Madame Inès Colin", "imputés à la dette", f"par {agent}"):
        assert mot in page
    assert "manage.py" not in page
    assert reverse("bureau:imprimer", args=[paiement.pk]) in client.get(fiche(paiement)).content.decode()
    assert Dette.objects.exists()


def test_la_fiche_d_une_autre_caf_ne_s_imprime_pas(client, entrer):
    paiement = PaiementFactory()
    entrer(cafs=[CafFactory(code="751", nom="Caf de Paris", boutique="75100001")])

    assert client.get(reverse("bureau:imprimer", args=[paiement.pk])).status_code == 404
