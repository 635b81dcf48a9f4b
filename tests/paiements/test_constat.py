"""Le constat d'une anomalie tel que l'agent le lit, et ce qu'on lui propose."""

import re
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from paiements import anomalies, controle, reprise
from paiements.admin.constat import montrer
from paiements.conseils import conseiller
from paiements.models import Anomalie
from paiements.statuts import Statut
from tests.factories import AgentFactory, PaiementFactory, dire

pytestmark = pytest.mark.django_db

Genre = Anomalie.Genre


def mots(page):
    """Les textes de la page, dans l'ordre où on les lit."""
    return [mot.strip() for mot in re.split(r"<[^>]+>", page) if mot.strip()]


def test_ce_qu_on_attendait_est_en_face_de_ce_qu_on_a_vu():
    paiement = PaiementFactory(impute=True)
    dire(paiement, "AUTHORISED", uuid="d" * 32, montant=Decimal(70), trans_id="900002")

    page = mots(montrer(Anomalie.objects.get().constat))

    assert page[:7] == [
        *("Motif", "un autre débit est déjà encaissé", "Attendu", "Vu à la banque"),
        *("Montant", "120,00\xa0€", "70,00\xa0€"),
    ]
    assert page[page.index("Statut") :][:3] == ["Statut", Statut.IMPUTE.label, "AUTHORISED"]
    assert page[page.index("Numéro de transaction") :][:3] == ["Numéro de transaction", paiement.trans_id, "900002"]


def test_une_reference_inconnue_se_lit_detail_par_detail():
    dire(PaiementFactory(), "AUTHORISED", reference="P-INCONNUE")

    page = mots(montrer(Anomalie.objects.get().constat))

    assert page[:3] == ["Vu à la banque", "Montant", "120,00\xa0€"]
    assert "Attendu" not in page
    for libelle in ("Opération", "Référence", "Identifiant (uuid)", "Numéro de transaction"):
        assert libelle in page


def test_un_desaccord_sans_transaction_dit_d_abord_ce_qu_on_attendait(plateforme, settings):
    settings.VERIFICATION_RELANCES = []
    paiement = PaiementFactory(accepte=True)
    plateforme(paiement)
    controle.controler(paiement.pk)

    page = mots(montrer(Anomalie.objects.get().constat))

    assert page[:3] == ["Attendu", "Montant", "120,00\xa0€"]
    assert page[page.index("Vu à la banque") + 1] == "aucune transaction à ce nom"
    assert page[page.index("La banque tient, crédits déduits") + 1] == "0,00\xa0€"


def test_deux_phrases_se_lisent_dans_l_ordre():
    paiement = PaiementFactory(expire=True)
    dire(paiement, "AUTHORISED")

    assert mots(montrer(Anomalie.objects.get().constat)) == [
        *("Attendu", "expiré", "Vu à la banque", "accepté par la banque")
    ]


@pytest.mark.parametrize(
    ("constat", "attendu"),
    [
        ({"payé": Decimal(150)}, "150,00\xa0€"),
        ({"manque": Decimal("12.50")}, "12,50\xa0€"),
        ({"demandé": Decimal(4)}, "4,00\xa0€"),
        ({"accepté le": datetime(2026, 11, 25, 13, 2, 3, 961000, tzinfo=UTC)}, "25 novembre 2026 14:02"),
        ({"uuid": None}, "-"),
    ],
)
def test_un_montant_et_une_date_s_ecrivent_a_la_francaise(constat, attendu):
    anomalie = anomalies.ouvrir(Genre.ECART, cle="essai", constat=constat)
    anomalie.refresh_from_db()

    assert mots(montrer(anomalie.constat))[1] == attendu


def test_un_montant_dans_une_autre_devise_n_est_pas_en_euros():
    paiement = PaiementFactory()
    dire(paiement, "AUTHORISED", devise="840")
    anomalie = Anomalie.objects.get()

    assert anomalie.annonce is None
    assert mots(montrer(anomalie.constat)).count("120,00\xa0€") == 1


@pytest.mark.parametrize("genre", set(Genre) - {Genre.ANNULATION_BANQUE})
def test_chaque_genre_a_son_conseil(genre):
    assert conseiller(Anomalie(genre=genre))


def annuler(paiement):
    dire(paiement, "CANCELLED")


def rendre_une_part(paiement):
    dire(paiement, "CAPTURED", operation="CREDIT", uuid="c" * 32, montant=Decimal(20), trans_id="900001")


def defaire_un_remboursement(paiement):
    rendre_une_part(paiement)
    alerte = paiement.anomalies.get()
    parts = {imputation.pk: part for imputation, part in reprise.proposer(alerte).items()}
    reprise.reprendre(alerte, parts, motif="vu", agent=AgentFactory().utilisateur)
    dire(paiement, "CANCELLED", operation="CREDIT", uuid="c" * 32, montant=Decimal(20), trans_id="900001")


@pytest.mark.parametrize(
    ("geste", "conseil"),
    [
        (annuler, "prévenir l'allocataire, puis mettre de côté"),
        (rendre_une_part, "reprendre la part"),
        (defaire_un_remboursement, "demander la restitution"),
    ],
)
def test_une_annulation_a_la_banque_se_conseille_selon_ce_qui_est_arrive(geste, conseil):
    geste(PaiementFactory(impute=True))

    assert conseil in conseiller(Anomalie.objects.ouvertes().get(genre=Genre.ANNULATION_BANQUE))
