"""« Payer cette dette » : on arrive sur son montant, rempli ; le reste n'en est pas changé."""

from decimal import Decimal

import pytest
from django.urls import reverse

from demarches.models import Demarche
from tests.factories import DemarcheFactory, DetteFactory, PaiementFactory

pytestmark = pytest.mark.django_db
COMMENCER = reverse("demarches:commencer")


@pytest.fixture
def dettes(personne):
    return [
        DetteFactory(allocataire=personne.allocataire, montant_initial=Decimal(montant)) for montant in (300, 100, 50)
    ]


@pytest.fixture
def mentions_lues(personne):
    """La personne a déjà demandé un remboursement, sur une dette qui n'est pas des trois."""
    lignes = {DetteFactory(allocataire=personne.allocataire): Decimal(900)}
    return PaiementFactory(demarche=DemarcheFactory(auteur=personne, lignes=lignes)).demarche


def venir(client, dette, **options):
    return client.get(COMMENCER, {"dette": dette.reference}, **options)


def lire(reponse):
    affecte = reponse.context["page"].affecte
    return {
        dette: affecte[f"dette_{dette.pk}"].value() for dette in affecte.dettes if affecte[f"dette_{dette.pk}"].value()
    }


def test_sa_page_et_la_liste_y_menent(connecte, dettes):
    lien = f'href="{COMMENCER}?dette={dettes[1].reference}"'

    assert lien in connecte.get(reverse("dettes:detail", args=[dettes[1].reference])).content.decode()
    assert lien in connecte.get(reverse("dettes:liste")).content.decode()


def test_les_mentions_lues_on_arrive_sur_son_montant_rempli(connecte, dettes, mentions_lues):
    reponse = venir(connecte, dettes[1])

    assert lire(reponse) == {dettes[1]: "100,00"}
    assert reponse.context["page"].mode == "AFFECTE"
    assert reponse.content.decode().count("data-choisie") == 1
    assert not Demarche.objects.brouillons().exists()


def test_l_envoyer_ouvre_la_demarche(connecte, dettes, mentions_lues):
    reponse = connecte.post(COMMENCER, {"etape": "2", "mode": "AFFECTE", f"dette_{dettes[1].pk}": "100,00"})

    brouillon = Demarche.objects.brouillons().get()
    assert reponse["Location"] == reverse("demarches:recapitulatif", args=[brouillon.reference])
    assert dict(brouillon.lignes.values_list("dette", "montant")) == {dettes[1].pk: Decimal(100)}


def test_les_mentions_d_abord_s_il_faut_puis_sa_dette(connecte, dettes):
    assert "Avant de commencer" in venir(connecte, dettes[1]).content.decode()

    reponse = connecte.post(f"{COMMENCER}?dette={dettes[1].reference}", {"lu": "on", "etape": "1"}, follow=True)

    assert lire(reponse) == {dettes[1]: "100,00"}


def test_une_faute_aux_mentions_n_oublie_pas_la_dette(connecte, dettes):
    fautive = connecte.post(f"{COMMENCER}?dette={dettes[1].reference}", {"etape": "1"}, follow=True)

    reponse = connecte.post(fautive.redirect_chain[-1][0], {"lu": "on", "etape": "1"}, follow=True)

    assert lire(reponse) == {dettes[1]: "100,00"}


def test_une_demarche_deja_commencee_n_est_pas_changee_sans_le_dire(connecte, personne, dettes):
    demarche = DemarcheFactory(auteur=personne, lignes={dettes[0]: Decimal("12.50")})

    reponse = venir(connecte, dettes[1], follow=True)

    assert lire(reponse) == {dettes[1]: "100,00"}
    assert "Vous aviez déjà commencé une démarche avec d’autres montants." in reponse.content.decode()
    assert list(demarche.lignes.values_list("montant", flat=True)) == [Decimal("12.50")]
    assert lire(connecte.get(reponse.request["PATH_INFO"])) == {dettes[0]: "12,50"}


def test_le_montant_deja_donne_a_cette_dette_est_garde(connecte, personne, dettes):
    DemarcheFactory(auteur=personne, lignes={dettes[1]: Decimal("5.00")})

    reponse = venir(connecte, dettes[1], follow=True)

    assert lire(reponse) == {dettes[1]: "5,00"}
    assert "Vous aviez déjà commencé" not in reponse.content.decode()


@pytest.mark.parametrize("reference", ["N-EXISTE-PAS", "<b>", ""])
def test_une_reference_qui_n_est_pas_a_payer_laisse_choisir(connecte, dettes, mentions_lues, reference):
    reponse = connecte.get(COMMENCER, {"dette": reference})

    assert reponse.status_code == 200
    assert reponse.context["choisie"] is None
