"""« Mes démarches » : la liste, et le détail de chaque état."""

import re
from datetime import timedelta
from decimal import Decimal

import pytest
from django.urls import reverse
from django.utils import timezone

from demarches.etats import Etat
from demarches.models import Demarche
from paiements.imputation.imputer import imputer_un_lot
from paiements.models import Ticket
from tests.factories import DemarcheFactory, DetteFactory, PaiementFactory, UtilisateurFactory, dire
from tests.paiements.suivi.conftest import get_frise

pytestmark = pytest.mark.django_db

LISTE = "/mon-compte/demarches/"


def test_la_plus_recente_est_en_tete(connecte, payer):
    demarches = {jours: payer("1.00", expire=True).demarche for jours in (3, 1, 2)}
    for jours, demarche in demarches.items():
        Demarche.objects.filter(pk=demarche.pk).update(cree_le=timezone.now() - timedelta(days=jours))

    page = connecte.get(LISTE).context["page"]

    assert list(page) == [demarches[1], demarches[2], demarches[3]]


def test_sans_demarche_la_page_invite_a_rembourser(connecte):
    assert "Vous n’avez encore rien remboursé en ligne" in connecte.get(LISTE).content.decode()


def test_la_liste_est_par_vingt_et_coute_toujours_autant(connecte, payer, django_assert_max_num_queries):
    payer(expire=True)
    with django_assert_max_num_queries(6) as avec_une:
        connecte.get(LISTE)
    for _ in range(20):
        payer("1.00", expire=True)

    with django_assert_max_num_queries(len(avec_une)):
        page = connecte.get(LISTE).content.decode()

    assert page.count("Non réalisée") == 20
    assert "Page 1 sur 2" in page


def test_le_detail_coute_autant_pour_une_dette_que_pour_dix(connecte, personne, django_assert_max_num_queries):
    dettes = DetteFactory.create_batch(11, allocataire=personne.allocataire)
    une = PaiementFactory(demarche=DemarcheFactory(auteur=personne, lignes={dettes[0]: Decimal(10)}), impute=True)
    with django_assert_max_num_queries(9) as avec_une:
        connecte.get(f"{LISTE}{une.demarche.reference}/")
    lignes = {dette: Decimal(10) for dette in dettes[1:]}
    dix = PaiementFactory(demarche=DemarcheFactory(auteur=personne, lignes=lignes), impute=True)

    with django_assert_max_num_queries(len(avec_une)):
        connecte.get(f"{LISTE}{dix.demarche.reference}/")


def test_une_demarche_abandonnee_quitte_la_liste_mais_s_explique(connecte, voir, personne):
    demarche = DemarcheFactory(auteur=personne, etat=Etat.ABANDONNEE)

    assert demarche.reference not in connecte.get(LISTE).content.decode()
    assert "Cette démarche est abandonnée" in voir("detail", demarche).content.decode()


def test_le_conjoint_suit_les_paiements_du_dossier_mais_pas_les_saisies(client, payer, personne, dette):
    paye, brouillon = payer(refuse=True).demarche, DemarcheFactory(auteur=personne)
    client.force_login(UtilisateurFactory(allocataire=personne.allocataire, identifiant="conjoint"))

    liste = client.get(LISTE).content.decode()
    detail = client.get(f"{LISTE}{paye.reference}/").content.decode()

    assert paye.reference in liste
    assert brouillon.reference not in liste
    assert client.get(f"{LISTE}{brouillon.reference}/").status_code == 404
    assert "ines@exemple.fr" not in detail
    assert "Recommencer" not in detail
    assert client.post(f"{LISTE}{paye.reference}/recommencer/").status_code == 404


def test_un_brouillon_se_reprend_sans_rien_envoyer(voir, personne):
    page = voir("detail", DemarcheFactory(auteur=personne)).content.decode()

    assert re.search(r'<a class="bouton[^>]* href="/rembourser/">Reprendre</a>', page)
    assert "Abandonner" in page


def test_a_la_banque_on_dit_quoi_faire_et_de_ne_pas_repayer(voir, payer):
    reponse = voir("detail", payer().demarche)

    page = reponse.content.decode()
    assert "Avez-vous terminé le paiement" in page
    assert "ne payez pas une deuxième fois" in page
    assert "Recommencer" not in page
    assert "ticket.pdf" not in page
    assert get_frise(reponse) == [
        ("Demandée", "fait"),
        ("À la banque", "en_cours"),
        ("Enregistrée", "a_venir"),
        ("Vérifiée par la Caf", "a_venir"),
        ("Dettes mises à jour", "a_venir"),
    ]


def test_enregistree_on_attend_la_verification_avec_son_ticket(voir, payer):
    paiement = payer(accepte=True)

    reponse = voir("detail", paiement.demarche)

    page = reponse.content.decode()
    assert reverse("paiements:ticket", args=[paiement.reference]) in page
    assert "se terminant par 0055" in page
    assert get_frise(reponse)[1:3] == [("Enregistrée", "fait"), ("Vérifiée par la Caf", "en_cours")]


def test_prise_en_compte_montre_le_solde_apres(voir, payer):
    reponse = voir("detail", payer(impute=True).demarche)

    assert {etat for _, etat in get_frise(reponse)} == {"fait"}
    assert "Il restait 780,00\u00a0€ après ce paiement" in reponse.content.decode()


def test_une_dette_eteinte_est_dite_soldee(voir, payer):
    assert "Soldée par ce paiement" in voir("detail", payer("900.00", impute=True).demarche).content.decode()


def test_ce_qui_n_a_pas_trouve_place_est_dit(voir, payer, dette):
    paiement = payer(verifie=True)
    dette.mouvements.create(genre="RETENUE", montant=Decimal("-800"), origine="livraison")
    imputer_un_lot()

    page = voir("detail", paiement.demarche).content.decode()

    assert "20,00\u00a0€ n’ont pas pu être déduits" in page


@pytest.mark.parametrize(
    ("etat", "phrase"),
    [
        ("A_ENVOYER", "Ticket à envoyer à</dt><dd>ines@exemple.fr"),
        ("ENVOYE", "Ticket envoyé à</dt><dd>ines@exemple.fr"),
        ("IMPOSSIBLE", "Nous n’avons pas pu l’envoyer"),
    ],
)
def test_le_ticket_n_est_dit_envoye_qu_une_fois_parti(voir, payer, etat, phrase):
    paiement = payer(accepte=True)
    Ticket.objects.update(etat=etat, envoye_le=timezone.now() if etat == "ENVOYE" else None)

    page = voir("detail", paiement.demarche).content.decode()

    assert phrase in page
    assert page.count("ines@exemple.fr") == (etat != "IMPOSSIBLE")


def test_sans_accord_de_la_banque_il_n_est_pas_question_de_ticket(voir, payer):
    assert "Ticket" not in voir("detail", payer(refuse=True).demarche).content.decode()


def test_les_dettes_choisies_se_disent_a_la_troisieme_personne(connecte, voir, payer, personne, dette):
    payer(refuse=True)
    saisie = DemarcheFactory(auteur=personne, lignes={dette: Decimal(10)})

    for page in (connecte.get(LISTE), connecte.get(reverse("demarches:recapitulatif", args=[saisie.reference]))):
        assert "Des dettes choisies" in page.content.decode()
    DetteFactory(allocataire=personne.allocataire)
    assert (
        "Je choisis mes dettes"
        in connecte.get(reverse("demarches:montants", args=[saisie.reference])).content.decode()
    )


def test_un_refus_suivi_d_un_accord_raconte_l_accord(voir, payer):
    paiement = payer(refuse=True)
    dire(paiement, "AUTHORISED", uuid="f" * 32)

    reponse = voir("detail", paiement.demarche)

    assert get_frise(reponse)[:2] == [("Demandée", "fait"), ("Enregistrée", "fait")]
