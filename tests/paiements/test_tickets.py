import io
from datetime import timedelta
from decimal import Decimal

import pytest
from aiosmtpd.controller import Controller
from django.core import mail
from django.urls import reverse
from django.utils import timezone
from pypdf import PdfReader

from comptes.models import Allocataire
from demarches.models import Demarche
from outils.systeme import find_port
from paiements import pdf, services, tickets
from paiements.models import Anomalie, Ticket
from paiements.statuts import Geste
from tests.factories import PaiementFactory, demander

pytestmark = pytest.mark.django_db

COURRIEL = "personne@exemple.fr"


@pytest.fixture
def ticket():
    demarche = demander(Decimal("1084.12") - Decimal("900.00"), courriel=COURRIEL)
    return PaiementFactory(demarche=demarche, accepte=True).ticket


class Boite:
    """Un vrai serveur SMTP, qui répond ce qu'on lui dit de répondre."""

    reponse = "250 OK"

    async def handle_RCPT(self, server, session, envelope, address, options):  # noqa: N802 (nom imposé par aiosmtpd)
        if not self.reponse.startswith("250"):
            return self.reponse
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):  # noqa: N802 (idem)
        return self.reponse


@pytest.fixture
def smtp(settings):
    boite = Boite()
    serveur = Controller(boite, hostname="127.0.0.1", port=find_port())
    serveur.start()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", serveur.port
    yield boite
    serveur.stop()


def lire_le_pdf(octets):
    return " ".join(page.extract_text() for page in PdfReader(io.BytesIO(octets)).pages)


def test_le_ticket_part_avec_son_pdf(ticket):
    tickets.envoyer(ticket.pk)

    ticket.refresh_from_db()
    [message] = mail.outbox
    nom, contenu, genre = message.attachments[0]
    assert (message.to, genre) == ([COURRIEL], "application/pdf")
    assert ticket.paiement.reference in nom
    assert "184,12\u00a0€" in lire_le_pdf(contenu).replace(" €", "\u00a0€")
    assert ticket.etat == Ticket.Etat.ENVOYE


def test_le_courriel_n_a_ni_lien_ni_montant_ni_nom_dans_l_objet(ticket):
    tickets.envoyer(ticket.pk)

    [message] = mail.outbox
    assert "http" not in message.body
    assert "www" not in message.body
    assert not any(mot in message.subject for mot in ("184", "€", "Colin", "Inès"))


def test_envoyer_deux_fois_n_envoie_qu_un_courriel(ticket):
    tickets.envoyer(ticket.pk)
    tickets.envoyer(ticket.pk)

    assert len(mail.outbox) == 1


def test_sans_courriel_il_n_y_a_pas_de_ticket_a_envoyer():
    paiement = PaiementFactory(accepte=True)

    assert not Ticket.objects.filter(paiement=paiement).exists()


def test_un_refus_passager_est_repris_plus_tard(ticket, smtp):
    smtp.reponse = "451 réessayez"

    tickets.envoyer(ticket.pk)
    ticket.refresh_from_db()
    reporte = (ticket.etat, ticket.essais)
    smtp.reponse = "250 OK"
    tickets.envoyer(ticket.pk)

    ticket.refresh_from_db()
    assert reporte == (Ticket.Etat.A_ENVOYER, 1)
    assert ticket.etat == Ticket.Etat.ENVOYE


def test_une_adresse_refusee_devient_une_anomalie(ticket, smtp):
    smtp.reponse = "550 adresse inconnue"

    tickets.envoyer(ticket.pk)

    ticket.refresh_from_db()
    assert ticket.etat == Ticket.Etat.IMPOSSIBLE
    assert ticket.paiement.anomalies.get().genre == Anomalie.Genre.COURRIEL_IMPOSSIBLE


@pytest.mark.parametrize("adresse", ["personne@\u200d.fr", '"\x0c.:b"@exemple.fr'])
def test_une_adresse_que_l_on_ne_sait_pas_ecrire_devient_une_anomalie(ticket, smtp, caplog, adresse):
    Demarche.objects.update(courriel=adresse)

    tickets.envoyer(ticket.pk)

    ticket.refresh_from_db()
    assert ticket.etat == Ticket.Etat.IMPOSSIBLE
    assert ticket.paiement.anomalies.get().genre == Anomalie.Genre.COURRIEL_IMPOSSIBLE
    assert adresse not in caplog.text


def test_un_serveur_absent_n_empeche_jamais_le_paiement(ticket, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9

    for _ in range(len(settings.TICKET_RELANCES) + 1):
        tickets.envoyer(ticket.pk)

    ticket.refresh_from_db()
    assert ticket.etat == Ticket.Etat.IMPOSSIBLE
    assert ticket.paiement.statut == "ACCEPTE"


def test_un_ticket_reserve_n_est_pas_pris_deux_fois(ticket, time_machine):
    premier, second = tickets.reserver(10), tickets.reserver(10)
    time_machine.move_to(timezone.now() + timedelta(minutes=2))

    assert (premier, second, tickets.reserver(10)) == ([ticket.pk], [], [ticket.pk])


def test_le_pdf_se_telecharge_et_tient_sur_une_page(client, ticket):
    client.force_login(ticket.paiement.demarche.auteur)

    reponse = client.get(reverse("paiements:ticket", args=[ticket.paiement.reference]))

    pdf = PdfReader(io.BytesIO(reponse.content))
    assert reponse["Content-Type"] == "application/pdf"
    assert len(pdf.pages) == 1
    assert tickets.get_code(ticket.paiement, ticket.paiement.montant) in lire_le_pdf(reponse.content)


@pytest.mark.parametrize(
    ("geste", "titre"),
    [(Geste.REJETER, "Ce paiement a été annulé"), (Geste.RESTITUER, "La Caf vous a rendu cet argent")],
)
def test_le_ticket_et_la_page_d_un_paiement_reparti_depuis_le_disent(client, ticket, geste, titre):
    client.force_login(ticket.paiement.demarche.auteur)

    def lire_mentions():
        adresses = {nom: reverse(f"paiements:{nom}", args=[ticket.paiement.reference]) for nom in ("ticket", "retour")}
        imprime = " ".join(lire_le_pdf(client.get(adresses["ticket"]).content).split())
        page = client.get(adresses["retour"], follow=True).content.decode()
        return "Depuis, ce paiement a été annulé ou rendu" in imprime, titre in page

    avant = lire_mentions()
    services.appliquer(geste, ticket.paiement, motif="test", auteur="test")

    assert (avant, lire_mentions()) == ((False, False), (True, True))


def test_un_nom_d_un_seul_tenant_ne_sort_pas_de_la_page(ticket):
    # Une minuscule : les références, tirées au sort, ont des W majuscules.
    Allocataire.objects.update(nom="w" * 100)

    texte = lire_le_pdf(tickets.rendre_pdf(tickets.lire(ticket.paiement)))

    assert "w" * 100 not in texte
    assert texte.count("w") == 100


def test_le_pdf_est_balise_pour_les_lecteurs_d_ecran(ticket):
    pdf = PdfReader(io.BytesIO(tickets.rendre_pdf(tickets.lire(ticket.paiement))))
    racine = pdf.trailer["/Root"]

    assert racine["/MarkInfo"]["/Marked"]
    assert racine["/Lang"] == "fr"
    assert b"pdfuaid" in racine["/Metadata"].get_data()


def test_un_paiement_qui_n_a_pas_abouti_n_a_pas_de_ticket(client):
    paiement = PaiementFactory(refuse=True)
    client.force_login(paiement.demarche.auteur)

    assert client.get(reverse("paiements:ticket", args=[paiement.reference])).status_code == 404


@pytest.fixture
def sans_feuille_de_style(settings, tmp_path):
    """Le vrai rendu échoue, comme il le ferait sans police ou sans bibliothèque."""
    settings.BASE_DIR = tmp_path
    pdf._load.cache_clear()
    yield
    pdf._load.cache_clear()


def test_un_pdf_impossible_se_retente_puis_va_a_un_agent(ticket, settings, sans_feuille_de_style):
    etats = []

    for _ in range(len(settings.TICKET_RELANCES) + 1):
        tickets.envoyer(ticket.pk)
        ticket.refresh_from_db()
        etats.append(ticket.etat)

    assert set(etats[:-1]) == {Ticket.Etat.A_ENVOYER}
    assert etats[-1] == Ticket.Etat.IMPOSSIBLE
    assert Anomalie.objects.get().constat["motif"] == "PDF impossible à rendre"
    assert mail.outbox == []
