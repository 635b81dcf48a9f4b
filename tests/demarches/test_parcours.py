"""Les trois étapes, dans l'ordre et dans le désordre : chaque page, ses erreurs, ses refus."""

from datetime import date
from decimal import Decimal

import pytest
from django.urls import reverse

from demarches.etats import Etat
from demarches.models import Demarche
from tests.connexion import entrer_en_agent
from tests.demarches.conftest import adresse
from tests.factories import (
    AgentFactory,
    AllocataireFactory,
    DemarcheFactory,
    DetteFactory,
    PaiementFactory,
    UtilisateurFactory,
    empreinte,
)
from tests.ordres import ecouter

pytestmark = pytest.mark.django_db

COMMENCER = "/rembourser/"
ETAPES = ["informations", "montants", "recapitulatif"]


@pytest.fixture
def dette(personne):
    return DetteFactory(allocataire=personne.allocataire, deja_repris=Decimal(340))


@pytest.fixture
def demarche(personne, dette):
    """Un brouillon au récapitulatif."""
    return DemarcheFactory(auteur=personne, courriel="ines@exemple.fr", lignes={dette: Decimal("120.00")})


def test_d_une_page_a_l_autre_jusqu_au_bouton_payer(connecte, envoyer, dette):
    assert "Avant de commencer" in connecte.get(COMMENCER).content.decode()

    apres_informations = connecte.post(COMMENCER, {"lu": "on", "courriel": "", "etape": "1"})
    demarche = Demarche.objects.get()
    apres_montants = envoyer("montants", demarche, mode="AFFECTE", **{f"dette_{dette.pk}": "120,5"})

    assert [r["Location"] for r in (apres_informations, apres_montants)] == [
        adresse(nom, demarche) for nom in ETAPES[1:]
    ]
    page = connecte.get(apres_montants["Location"]).content.decode()
    assert "Payer 120,50\u00a0€" in page
    assert reverse("paiements:payer", args=[demarche.reference]) in page


@pytest.mark.parametrize("nom", [*ETAPES, "abandonner", "detail", "recommencer"])
def test_la_demarche_d_un_autre_n_existe_pas(connecte, envoyer, voir, nom):
    autre = DemarcheFactory(lignes={DetteFactory(): Decimal(10)})

    assert envoyer(nom, autre).status_code in (404, 405)
    assert voir(nom, autre).status_code in (404, 405)
    assert {envoyer(nom, autre).status_code, voir(nom, autre).status_code} >= {404}


@pytest.mark.parametrize("nom", [*ETAPES, "abandonner", "detail", "recommencer"])
def test_sans_etre_connecte_on_passe_par_la_connexion(client, demarche, nom):
    reponse = client.post(adresse(nom, demarche)) if nom == "recommencer" else client.get(adresse(nom, demarche))

    assert reponse.status_code == 302
    assert reponse["Location"].startswith("/connexion/")


def test_un_agent_est_renvoye_a_son_bureau(client):
    entrer_en_agent(client, AgentFactory().utilisateur)

    assert client.get(COMMENCER).status_code == 302


@pytest.mark.parametrize(("nom", "requetes"), [("informations", 5), ("montants", 6), ("recapitulatif", 7)])
def test_une_etape_se_lit_en_peu_de_requetes(voir, demarche, nom, requetes, django_assert_num_queries):
    with django_assert_num_queries(requetes):
        voir(nom, demarche)


@pytest.mark.parametrize("nom", [*ETAPES, "abandonner", "detail"])
def test_regarder_n_ecrit_rien_et_ne_se_garde_pas(voir, demarche, nom, django_assert_num_queries):
    with django_assert_num_queries(12, exact=False), ecouter() as ordres:
        reponse = voir(nom, demarche)

    assert reponse.status_code == 200
    assert "no-store" in reponse["Cache-Control"]
    assert [ordre for ordre in ordres if not ordre.lstrip().startswith("SELECT")] == []


@pytest.mark.parametrize("nom", ETAPES)
def test_chaque_etape_montre_ou_l_on_en_est_et_permet_d_abandonner(voir, demarche, nom):
    page = voir(nom, demarche).content.decode()

    assert f"Étapes\u00a0: {ETAPES.index(nom) + 1} sur 3" in page
    assert adresse("abandonner", demarche) in page or 'value="abandonner"' in page


@pytest.mark.parametrize(("atteinte", "nom"), [(1, "montants"), (1, "recapitulatif"), (2, "recapitulatif")])
def test_une_etape_pas_encore_atteinte_ramene_ou_l_on_en_etait(voir, personne, dette, atteinte, nom):
    demarche = DemarcheFactory(auteur=personne, etape=atteinte)

    assert voir(nom, demarche)["Location"] == adresse(ETAPES[atteinte - 1], demarche)


def test_on_reprend_la_ou_l_on_s_etait_arrete(connecte, personne, dette):
    demarche = DemarcheFactory(auteur=personne, etape=Demarche.Etape.MONTANTS)

    reponse = connecte.get(COMMENCER, follow=True)

    assert reponse.redirect_chain[0][0] == adresse("montants", demarche)
    assert "Vous reprenez votre démarche là où vous l’aviez laissée." in reponse.content.decode()


def test_regarder_le_debut_n_ouvre_pas_de_demarche(connecte, dette, django_assert_num_queries):
    with django_assert_num_queries(9, exact=False), ecouter() as ordres:
        assert connecte.get(COMMENCER).status_code == 200

    assert [ordre for ordre in ordres if not ordre.lstrip().startswith("SELECT")] == []
    assert not Demarche.objects.exists()


def test_revenir_en_arriere_ne_perd_rien(voir, envoyer, demarche):
    assert 'value="ines@exemple.fr"' in voir("informations", demarche).content.decode()
    assert 'value="120,00"' in voir("montants", demarche).content.decode()

    retour = envoyer("informations", demarche, courriel="autre@exemple.fr")

    assert retour["Location"] == adresse("recapitulatif", demarche)
    assert "autre@exemple.fr" in voir("recapitulatif", demarche).content.decode()


def test_sans_la_case_cochee_on_dit_quoi_faire_et_comment_payer_autrement(connecte, dette):
    page = connecte.post(COMMENCER, {"courriel": "pas une adresse", "etape": "1"}, follow=True).content.decode()

    assert "<title>Erreur\u00a0: Informations" in page
    assert page.count("Lisez les mentions, puis cochez la case pour continuer") == 2
    assert "payer autrement" in page
    assert 'value="pas une adresse"' in page


def test_une_demarche_partie_mene_a_son_detail(voir, envoyer, demarche):
    PaiementFactory(demarche=demarche)

    for nom in [*ETAPES, "abandonner"]:
        assert voir(nom, demarche)["Location"] == adresse("detail", demarche)
        assert envoyer(nom, demarche)["Location"] == adresse("detail", demarche)


def test_abandonner_demande_puis_efface(voir, envoyer, connecte, demarche):
    assert "Vos montants et votre adresse électronique seront effacés" in voir("abandonner", demarche).content.decode()

    reponse = envoyer("abandonner", demarche)

    demarche.refresh_from_db()
    assert (demarche.etat, demarche.courriel) == (Etat.ABANDONNEE, "")
    assert "Rien n’est gardé" in connecte.get(reponse["Location"]).content.decode()


def test_un_compte_radie_rembourse_comme_les_autres(client):
    personne = UtilisateurFactory(allocataire=AllocataireFactory(radie=True))
    DetteFactory(allocataire=personne.allocataire)
    client.force_login(personne)

    page = client.get(COMMENCER).content.decode()

    assert "Votre dossier est clos" in page
    assert client.post(COMMENCER, {"lu": "on", "etape": "1"})["Location"].endswith("/montants/")


def test_sans_dette_payable_une_page_le_dit(connecte, personne):
    DetteFactory(allocataire=personne.allocataire, transmise=True)

    page = connecte.post(COMMENCER).content.decode()

    assert "Vous n’avez rien à rembourser ici" in page
    assert not Demarche.objects.exists()


def test_quand_tout_est_engage_une_page_dit_de_ne_pas_repayer(connecte, personne, dette):
    engagee = DemarcheFactory(auteur=personne, lignes={dette: dette.solde})
    PaiementFactory(demarche=engagee)

    page = connecte.post(COMMENCER).content.decode()

    assert "ne payez pas une deuxième fois" in page
    assert adresse("detail", engagee) in page
    assert not Demarche.objects.brouillons().exists()


@pytest.mark.parametrize("nom", ETAPES)
def test_une_caf_suspendue_le_dit_a_chaque_etape(voir, envoyer, demarche, nom):
    caf = demarche.allocataire.caf
    caf.ouverte, caf.message_suspension, caf.retour_prevu_le = False, "Clôture des comptes.", date(2026, 12, 2)
    caf.save()

    for reponse in (voir(nom, demarche), envoyer(nom, demarche)):
        assert reponse.status_code == 503
        assert "Clôture des comptes." in reponse.content.decode()
        assert "2 décembre 2026" in reponse.content.decode()


def test_une_caf_suspendue_laisse_abandonner(envoyer, demarche):
    caf = demarche.allocataire.caf
    caf.ouverte, caf.message_suspension = False, "Clôture des comptes."
    caf.save()

    assert envoyer("abandonner", demarche)["Location"] == reverse("dettes:liste")


def test_le_recapitulatif_dit_qui_quoi_combien_et_vers_ou(voir, demarche, settings):
    settings.PAYZEN_URL_FORMULAIRE = "https://secure.payzen.eu/vads-payment/"

    page = voir("recapitulatif", demarche).content.decode()

    for attendu in ("Madame Inès Colin", "ines@exemple.fr", "120,00\u00a0€", "secure.payzen.eu"):
        assert attendu in page
    assert f'name="empreinte" value="{empreinte(demarche)}"' in page
    assert page.count("Modifier<") == 2


def test_le_recapitulatif_sans_courriel_dit_comment_avoir_le_ticket(voir, personne, dette):
    demarche = DemarcheFactory(auteur=personne, lignes={dette: Decimal(10)})

    assert "À télécharger après le paiement" in voir("recapitulatif", demarche).content.decode()


def test_un_recapitulatif_qui_ne_tient_plus_ne_propose_pas_de_payer(voir, envoyer, demarche, dette):
    dette.mouvements.create(genre="RETENUE", montant=Decimal("-500"), origine="livraison")

    page = voir("recapitulatif", demarche).content.decode()
    envoyer("recapitulatif", demarche)

    assert "vous vouliez payer 120,00\u00a0€, il reste 60,00\u00a0€ à payer" in page
    assert "Payer 120" not in page
    assert "Payer 60,00\u00a0€" in voir("recapitulatif", demarche).content.decode()


def test_le_nom_d_une_personne_ne_casse_pas_la_page(client):
    allocataire = AllocataireFactory(nom="<b>N’Guyen</b> d'Œuf", prenom="Зоя")
    personne = UtilisateurFactory(allocataire=allocataire)
    demarche = DemarcheFactory(auteur=personne, lignes={DetteFactory(allocataire=allocataire): Decimal(10)})
    client.force_login(personne)

    page = client.get(adresse("recapitulatif", demarche)).content.decode()

    assert "Зоя &lt;b&gt;N’Guyen&lt;/b&gt;" in page
