"""Le ticket se redemande depuis la démarche, à une adresse corrigée, trois fois au plus."""

from decimal import Decimal

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse

from paiements.documents import envois
from paiements.documents.renvoi import renvoyer
from paiements.models import RENVOIS_AU_PLUS, Paiement, Ticket
from tests.factories import DemarcheFactory, DetteFactory, PaiementFactory, UtilisateurFactory
from tests.paiements.suivi.conftest import annuler, rembourser

pytestmark = pytest.mark.django_db
FAUSSE, JUSTE = "claire@gmial.example", "claire@gmail.example"


@pytest.fixture
def paiement(personne) -> Paiement:
    lignes = {DetteFactory(allocataire=personne.allocataire): Decimal(20)}
    return PaiementFactory(demarche=DemarcheFactory(auteur=personne, courriel=FAUSSE, lignes=lignes), accepte=True)


@pytest.fixture
def adresse(paiement) -> str:
    return reverse("suivi:ticket", args=[paiement.demarche.reference])


def envoyer_ce_qui_attend() -> None:
    for ticket in Ticket.objects.filter(etat=Ticket.Etat.A_ENVOYER):
        envois.envoyer(ticket.pk)


def test_une_adresse_corrigee_recoit_le_ticket(connecte, paiement, adresse):
    envoyer_ce_qui_attend()
    lien = connecte.get(reverse("suivi:detail", args=[paiement.demarche.reference])).content.decode()

    reponse = connecte.post(adresse, {"courriel": JUSTE}, follow=True)
    envoyer_ce_qui_attend()

    assert adresse in lien
    assert "Votre ticket part à cette adresse." in reponse.content.decode()
    assert [message.to for message in mail.outbox] == [[FAUSSE], [JUSTE]]
    paiement.demarche.refresh_from_db()
    assert paiement.demarche.courriel == JUSTE


def test_le_second_envoi_ne_passe_pas_pour_un_doublon_du_premier(connecte, paiement, adresse):
    envoyer_ce_qui_attend()
    connecte.post(adresse, {"courriel": FAUSSE})
    envoyer_ce_qui_attend()

    premier, second = [message.extra_headers["Message-ID"] for message in mail.outbox]

    assert premier != second


def test_qui_n_avait_pas_laisse_d_adresse_peut_en_donner_une(connecte, paiement, adresse):
    Ticket.objects.all().delete()
    paiement.demarche.courriel = ""
    paiement.demarche.save()

    connecte.post(adresse, {"courriel": JUSTE})
    envoyer_ce_qui_attend()

    assert [message.to for message in mail.outbox] == [[JUSTE]]


def test_une_adresse_mal_ecrite_se_corrige_sans_la_retaper(connecte, adresse):
    page = connecte.post(adresse, {"courriel": "claire@"}, follow=True).content.decode()

    assert "Écrivez une adresse électronique complète" in page
    assert 'value="claire@"' in page


def test_une_session_finie_rend_l_adresse_tapee(client: Client, paiement, adresse):
    personne = paiement.demarche.auteur
    connexion = client.post(adresse, {"courriel": "claire@", "pour": str(personne.pk)}).url

    lue = client.get(connexion).content.decode()
    client.force_login(personne)

    assert "Vous irez ensuite à l’envoi de votre ticket" in lue
    assert 'value="claire@"' in client.get(adresse).content.decode()


def test_la_quatrieme_demande_ne_fait_rien_partir(connecte, paiement, adresse):
    for _ in range(RENVOIS_AU_PLUS):
        connecte.post(adresse, {"courriel": JUSTE})
    envoyer_ce_qui_attend()
    partis = len(mail.outbox)

    page = connecte.post(adresse, {"courriel": FAUSSE}, follow=True).content.decode()
    envoyer_ce_qui_attend()

    assert "Vous avez déjà redemandé ce ticket trois fois." in page
    assert len(mail.outbox) == partis
    paiement.demarche.refresh_from_db()
    assert paiement.demarche.courriel == JUSTE


@pytest.mark.parametrize("qui", ["conjoint", "autre"])
def test_un_autre_ne_redemande_pas_mon_ticket(client, paiement, adresse, qui):
    dossier = {"allocataire": paiement.demarche.allocataire, "identifiant": "conjoint"} if qui == "conjoint" else {}
    client.force_login(UtilisateurFactory(**dossier))

    assert client.post(adresse, {"courriel": JUSTE}).status_code == 404


def test_ce_qui_n_est_pas_encaisse_n_a_pas_de_ticket(connecte, personne):
    lignes = {DetteFactory(allocataire=personne.allocataire): Decimal(20)}
    attente = PaiementFactory(demarche=DemarcheFactory(auteur=personne, lignes=lignes))

    assert connecte.get(reverse("suivi:ticket", args=[attente.demarche.reference])).status_code == 404


def test_un_envoi_commence_avant_la_correction_ne_la_tient_pas_pour_servie(paiement):
    ancien = Ticket.objects.get()

    renvoyer(paiement, JUSTE)

    assert not envois._conclure(ancien, etat=Ticket.Etat.ENVOYE)
    assert Ticket.objects.get().etat == Ticket.Etat.A_ENVOYER


def test_l_adresse_n_est_dans_aucun_journal(connecte, adresse, caplog):
    connecte.post(adresse, {"courriel": JUSTE})
    envoyer_ce_qui_attend()

    assert JUSTE not in caplog.text


@pytest.mark.parametrize(
    ("trait", "repartir", "phrase"),
    [
        ("accepte", None, "sera mis à jour après vérification de la Caf"),
        ("impute", None, "La Caf a pris ce paiement en compte."),
        ("accepte", annuler, "ce paiement a été annulé ou rendu"),
        ("accepte", rembourser, "ce paiement a été annulé ou rendu"),
    ],
    ids=["accepté", "imputé", "annulé", "remboursé"],
)
def test_le_courriel_dit_ou_en_est_le_paiement_le_jour_ou_il_part(connecte, payer, trait, repartir, phrase):
    paiement = payer(**{trait: True})
    if repartir:
        repartir(paiement)
    envoyer_ce_qui_attend()

    connecte.post(reverse("suivi:ticket", args=[paiement.demarche.reference]), {"courriel": JUSTE})
    envoyer_ce_qui_attend()

    corps = mail.outbox[-1].body
    assert phrase in corps
    assert ("sera mis à jour" in corps) is (phrase.startswith("sera"))
