"""Le champ de recherche du bureau comprend ce qu'on lui donne, et ne dit que ce qui est aux Caf de l'agent."""

from datetime import date
from decimal import Decimal

import pytest
from django.urls import reverse

from comptes.models import Evenement, Utilisateur
from paiements.models import Anomalie, Paiement, TransactionPayzen
from paiements.reception.porter import Recu, porter, resumer
from tests.connexion import entrer_en_agent
from tests.factories import (
    MOT_DE_PASSE,
    AllocataireFactory,
    CafFactory,
    DemarcheFactory,
    DetteFactory,
    FaitFactory,
    PaiementFactory,
    UtilisateurFactory,
)
from tests.paiements.bureau import fiche

pytestmark = pytest.mark.django_db


@pytest.fixture
def chercher(client):
    """Tape dans le champ, et rend la page où l'on arrive."""
    return lambda saisie: client.post(reverse("bureau:recherche"), {"q": saisie}, follow=True)


@pytest.fixture
def ou(chercher):
    """L'adresse où mène une recherche qui ne trouve qu'une chose."""
    return lambda saisie: chercher(saisie).redirect_chain[-1][0]


@pytest.fixture
def personne():
    return AllocataireFactory(numero="0000357", nom="Éloÿ-d'Ornano", prenom="Zoé", date_naissance=date(1985, 3, 2))


@pytest.fixture
def paiement(personne) -> Paiement:
    auteur = UtilisateurFactory(allocataire=personne)
    dette = DetteFactory(allocataire=personne, reference="INS-661-000008")
    return PaiementFactory(demarche=DemarcheFactory(auteur=auteur, lignes={dette: Decimal("7.00")}), impute=True)


@pytest.mark.parametrize(
    "saisie",
    ["6610000357", "661 0000357", "661-0000357", "0000357", "357", "66 357", "  661 0000357 ", "661 OOO0357"],
)
def test_un_numero_se_comprend_sous_toutes_ses_formes(entrer, ou, personne, saisie):
    entrer()

    assert ou(saisie) == fiche(personne)


def test_un_octet_nul_colle_avec_un_nom_compte_pour_une_espace(entrer, ou, personne):
    entrer()

    assert ou("Éloÿ\0Zoé\0") == fiche(personne)


@pytest.mark.parametrize(
    "saisie", ["eloy", "ÉLOŸ", "eloy d ornano", "Zoé Eloy", "elo zo", "eloy 1985", "Éloÿ-d’Ornano Zoé"]
)
def test_un_nom_se_trouve_avec_ou_sans_accents_et_dans_les_deux_sens(entrer, ou, personne, saisie):
    AllocataireFactory(nom="Éloy", prenom="Yves", date_naissance=date(1990, 1, 1)) if "1985" in saisie else None
    entrer()

    assert ou(saisie) == fiche(personne)


def test_ce_qui_designe_un_paiement_mene_a_lui(entrer, ou, paiement):
    debit = paiement.debit
    TransactionPayzen.objects.filter(pk=debit.pk).update(carte_fin="9876", autorisation="7754e5", trans_id="8mr184")
    entrer()

    saisies = [paiement.reference, paiement.reference.lower(), paiement.reference[:9], paiement.demarche.reference]
    saisies += ["9876", "7754e5", "7754E5", "8mr184", "8MR184", paiement.trans_id, debit.uuid]
    saisies += ["7,00", "7.00 €", "7,00\xa0€", "7 €", f"{paiement.cree_le.astimezone():%d/%m/%Y}"]

    assert {saisie: ou(saisie) for saisie in saisies} == dict.fromkeys(saisies, fiche(paiement))


def test_la_reference_d_une_dette_mene_a_elle(entrer, ou, paiement):
    dette = paiement.demarche.lignes.get().dette
    entrer()

    assert [ou(saisie) for saisie in ("INS-661-000008", "ins-661-000008", "INS-661-0000")] == [fiche(dette)] * 3


def test_la_reference_d_une_demarche_pas_payee_mene_a_la_personne(entrer, ou):
    demarche = DemarcheFactory()
    entrer()

    assert ou(demarche.reference) == fiche(demarche.allocataire)


def test_un_debit_d_une_reference_inconnue_mene_a_son_anomalie(entrer, ou):
    fait = FaitFactory(paiement=PaiementFactory(), statut="AUTHORISED", reference="FACTURE-77", uuid="f" * 32)
    porter([Recu(fait, resumer(fait))])
    entrer()

    assert ou("FACTURE-77") == fiche(Anomalie.objects.get(transaction="f" * 32))


def test_un_numero_de_deux_caf_se_dit(entrer, chercher, personne):
    paris = CafFactory(code="751", nom="Caf de Paris", boutique="75100001")
    autre = AllocataireFactory(caf=paris, numero="0000357", nom="Martin")
    entrer(cafs=[personne.caf, paris])

    page = chercher("0000357").content.decode()

    assert "Ce numéro existe dans 2 Caf" in page
    assert fiche(autre) in page
    assert fiche(personne) in page
    assert "Caf de Paris" in page


def test_rien_d_une_autre_caf_ne_se_trouve(entrer, chercher, paiement):
    entrer(cafs=[CafFactory(code="751", nom="Caf de Paris", boutique="75100001")])

    for saisie in ("6610000357", "0000357", "eloy", paiement.reference, "INS-661-000008", "0055", "7,00"):
        assert "Rien dans vos Caf ne correspond" in chercher(saisie).content.decode()


def test_un_operateur_cherche_partout(client, chercher, personne):
    entrer_en_agent(client, Utilisateur.objects.create_superuser("operateur", MOT_DE_PASSE))

    assert chercher("0000357").redirect_chain[-1][0] == fiche(personne)


def test_ce_que_l_on_tape_n_est_ni_dans_l_adresse_ni_au_journal(client, entrer, personne):
    entrer()

    renvoi = client.post(reverse("bureau:recherche"), {"q": "Éloÿ"})
    client.get(renvoi.url)

    assert "lo" not in renvoi.url.partition("?")[2]
    assert "Éloÿ" not in str(list(Evenement.objects.values()))


def test_un_numero_de_carte_ne_se_cherche_pas(entrer, chercher):
    entrer()

    page = chercher("4970 1000 0000 0055").content.decode()

    assert "les quatre derniers chiffres suffisent" in page
    assert "4970" not in page


def test_une_liste_comprend_la_meme_chose(client, entrer, paiement):
    entrer()

    for saisie in ("eloy", "661 0000357", "6610000357", paiement.reference, "7,00", paiement.trans_id):
        page = client.get(reverse("admin:paiements_paiement_changelist"), {"q": saisie}).content.decode()
        assert fiche(paiement) in page, saisie
    page = client.get(reverse("admin:comptes_allocataire_changelist"), {"q": "eloy"}).content.decode()
    assert fiche(paiement.demarche.allocataire) in page
