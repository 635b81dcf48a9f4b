"""« Mes dettes » : ce que voit l'allocataire, et rien de ce qui est aux autres (PARCOURS §2)."""

from decimal import Decimal

import pytest
from django.urls import reverse

from dettes.models import Mouvement
from paiements.retours import impaye
from tests.connexion import entrer_en_agent
from tests.factories import (
    AgentFactory,
    AllocataireFactory,
    CafFactory,
    DemarcheFactory,
    DetteFactory,
    PaiementFactory,
    UtilisateurFactory,
)

LISTE = reverse("dettes:liste")


@pytest.fixture
def moi(db, client):
    """Un allocataire connecté, sans dette encore."""
    utilisateur = UtilisateurFactory()
    client.force_login(utilisateur)
    return utilisateur


def lire(client, adresse=LISTE):
    """Le texte de la page, espaces insécables rendus ordinaires."""
    reponse = client.get(adresse)
    assert reponse.status_code == 200
    return " ".join(reponse.text.replace("\u00a0", " ").split())


def get_adresse(dette):
    return reverse("dettes:detail", args=[dette.reference])


def test_les_dettes_payables_et_leur_total(client, moi):
    DetteFactory(allocataire=moi.allocataire, montant_initial=Decimal(900), deja_repris=Decimal(340))
    DetteFactory(allocataire=moi.allocataire, montant_initial=Decimal("84.12"), contentieuse=True)

    page = lire(client)

    assert "644,12 €" in page
    assert "<strong>340 €</strong> remboursés sur 900 €" in page
    assert "Contentieux" in page
    assert f'href="{reverse("demarches:commencer")}">Rembourser en ligne' in page


def test_une_dette_baissee_sous_ce_qui_est_en_route_n_ote_rien_de_ce_que_les_autres_laissent_payer(client, moi):
    baissee, _libre = [DetteFactory(allocataire=moi.allocataire, montant_initial=Decimal(m)) for m in (100, 40)]
    PaiementFactory(demarche=DemarcheFactory(auteur=moi, lignes={baissee: Decimal(100)}))
    baissee.mouvements.create(genre="AJUSTEMENT", montant=Decimal(-40), origine="livraison")

    page = lire(client)

    assert f'href="{reverse("demarches:commencer")}">Rembourser en ligne' in page


def test_une_dette_transmise_est_a_part_et_dit_ou_aller(client, moi):
    DetteFactory(allocataire=moi.allocataire, transmise=True)

    page = lire(client)

    assert "C’est maintenant le département qui vous demande cette somme." in page
    assert "Rien à payer sur ce site." in page
    assert "Rembourser en ligne" not in page


def test_sans_aucune_dette_la_page_le_dit(client, moi):
    assert "Vous n’avez aucune dette envers la Caf." in lire(client)


def test_un_dossier_clos_voit_et_rembourse_ses_dettes(client, db):
    radie = UtilisateurFactory(allocataire=AllocataireFactory(radie=True))
    DetteFactory(allocataire=radie.allocataire)
    client.force_login(radie)

    page = lire(client)

    assert "Votre dossier est clos. Vous pouvez toujours consulter et rembourser vos dettes." in page
    assert "Rembourser en ligne" in page


def test_un_paiement_accepte_est_annonce_en_tete(client, moi):
    dette = DetteFactory(allocataire=moi.allocataire)
    demarche = DemarcheFactory(auteur=moi, lignes={dette: Decimal(120)})
    PaiementFactory(demarche=demarche, accepte=True)

    page = lire(client)

    assert "Vous avez effectué un paiement de 120,00 € le " in page
    assert "Vos dettes seront mises à jour lorsque la Caf aura pris en compte votre demande." in page
    assert reverse("suivi:detail", args=[demarche.reference]) in page
    assert "120,00 € réservés pour une demande en cours" in page


def test_un_paiement_a_la_banque_previent_de_ne_pas_repayer(client, moi):
    dette = DetteFactory(allocataire=moi.allocataire)
    PaiementFactory(demarche=DemarcheFactory(auteur=moi, lignes={dette: Decimal(900)}))

    page = lire(client)

    assert "Avez-vous terminé le paiement" in page
    assert "ne payez pas une deuxième fois" in page
    assert "Vos demandes en cours couvrent tout ce que vous devez" in page


def test_une_caf_suspendue_le_dit_des_la_liste(client, db):
    caf = CafFactory(suspendue=True)
    utilisateur = UtilisateurFactory(allocataire=AllocataireFactory(caf=caf))
    DetteFactory(allocataire=utilisateur.allocataire)
    client.force_login(utilisateur)

    assert "Maintenance de nos serveurs." in lire(client)


def test_la_dette_d_un_autre_n_existe_pas(client, moi):
    autre = DetteFactory()

    assert autre.reference not in lire(client)
    assert client.get(get_adresse(autre)).status_code == 404


def test_la_meme_reference_dans_une_autre_caf_montre_la_mienne(client, moi):
    DetteFactory(allocataire=AllocataireFactory(caf=CafFactory(code="751")), reference="R-1", motif="À un autre.")
    mienne = DetteFactory(allocataire=moi.allocataire, reference="R-1", motif="À moi.")

    page = lire(client, get_adresse(mienne))

    assert "À moi." in page
    assert "À un autre." not in page


@pytest.mark.parametrize("adresse", [LISTE, "/mon-compte/dettes/R-1/"])
def test_il_faut_etre_connecte(client, db, adresse):
    reponse = client.get(adresse)

    assert reponse.status_code == 302
    assert reponse["Location"].startswith(reverse("account_login"))


def test_un_agent_est_mene_a_son_bureau(client, db):
    entrer_en_agent(client, AgentFactory().utilisateur)

    assert client.get(LISTE)["Location"].startswith("/agents/")


def test_les_pages_ne_font_que_lire(client, moi):
    assert client.post(LISTE).status_code == 405


def test_le_detail_dit_pourquoi(client, moi):
    dette = DetteFactory(allocataire=moi.allocataire)

    page = lire(client, get_adresse(dette))

    assert "Ressources trimestrielles corrigées." in page
    assert "Avril à juin 2025" in page
    assert "IM3 001, du 1er septembre 2025" in page
    assert "Argent dû</dt><dd>à l’État" in page


def test_une_dette_annulee_ne_se_dit_pas_remboursee(client, moi):
    dette = DetteFactory(allocataire=moi.allocataire, situation="ANNULEE", deja_repris=Decimal(900))

    assert "remboursés sur" not in lire(client, get_adresse(dette))


def test_la_frise_raconte_un_paiement_puis_sa_reprise(client, moi):
    dette = DetteFactory(allocataire=moi.allocataire)
    demarche = DemarcheFactory(auteur=moi, lignes={dette: Decimal(120)})
    paiement = PaiementFactory(demarche=demarche, impute=True)
    impaye.enregistrer(paiement, motif="impayé, code R42", agent=AgentFactory(role="COMPTABLE").utilisateur)

    page = lire(client, get_adresse(dette))

    assert f"Référence {paiement.reference}." in page
    assert "Cette part du paiement ne compte plus sur cette dette." in page
    assert "code R42" not in page
    assert '<path class="courbe__trait"' in page


def test_une_dette_qui_n_a_pas_bouge_n_a_pas_de_courbe(client, moi):
    dette = DetteFactory(allocataire=moi.allocataire)

    assert "<svg viewBox" not in lire(client, get_adresse(dette)).replace('<svg class="icone" viewBox', "")


@pytest.mark.parametrize("nombre", [1, 10, 30])
def test_la_liste_demande_autant_a_la_base_pour_une_ou_trente_dettes(client, moi, django_assert_num_queries, nombre):
    DetteFactory.create_batch(nombre, allocataire=moi.allocataire, deja_repris=Decimal(10))
    DetteFactory(allocataire=moi.allocataire, transmise=True)

    with django_assert_num_queries(4):  # session, compte et dossier, dettes, démarches en route
        client.get(LISTE)


@pytest.mark.parametrize("nombre", [1, 10, 30])
def test_le_detail_demande_autant_a_la_base_pour_un_ou_trente_mouvements(
    client, moi, django_assert_num_queries, nombre
):
    dette = DetteFactory(allocataire=moi.allocataire)
    for _ in range(nombre):
        Mouvement.objects.create(dette=dette, genre=Mouvement.Genre.RETENUE, montant=Decimal(-10), origine="test")

    with django_assert_num_queries(4):  # session, compte et dossier, dette, mouvements
        client.get(get_adresse(dette))
