"""Le ticket part une fois par courriel, et son échec n'empêche jamais le paiement."""

from datetime import timedelta

import pytest
from aiosmtpd.controller import Controller
from django.core import mail
from django.utils import timezone

from demarches.models import Demarche
from outils.systeme import find_port
from paiements.documents import envois, pdf, tickets
from paiements.models import Anomalie, Ticket
from tests.factories import PaiementFactory
from tests.paiements.conftest import COURRIEL
from tests.paiements.livres import lire_le_pdf

pytestmark = pytest.mark.django_db


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


def test_le_ticket_part_avec_son_pdf(ticket):
    envois.envoyer(ticket.pk)

    ticket.refresh_from_db()
    [message] = mail.outbox
    nom, contenu, genre = message.attachments[0]
    assert (message.to, genre) == ([COURRIEL], "application/pdf")
    assert ticket.paiement.demarche.reference in nom
    assert "184,12\u00a0€" in lire_le_pdf(contenu).replace(" €", "\u00a0€")
    assert ticket.etat == Ticket.Etat.ENVOYE


def test_le_ticket_du_courriel_ne_dit_pas_de_qui_il_est(ticket):
    """L'adresse a été tapée : celle d'un inconnu, parfois. Le ticket à télécharger, lui, porte le nom."""
    dossier = ticket.paiement.demarche.allocataire

    envois.envoyer(ticket.pk)

    [message] = mail.outbox
    ecrit = " ".join(lire_le_pdf(message.attachments[0][1]).split())
    assert not [mot for mot in (dossier.nom, dossier.prenom, dossier.numero) if mot in ecrit + message.body]
    assert "ne porte ni votre nom ni votre numéro" in ecrit
    complet = lire_le_pdf(tickets.rendre_pdf(tickets.lire(ticket.paiement)))
    assert all(mot in complet for mot in (dossier.nom, dossier.numero))


def test_le_courriel_n_a_ni_lien_ni_montant_ni_nom_dans_l_objet(ticket):
    envois.envoyer(ticket.pk)

    [message] = mail.outbox
    assert "http" not in message.body
    assert "www" not in message.body
    assert not any(mot in message.subject for mot in ("184", "€", "Colin", "Inès"))


def test_envoyer_deux_fois_n_envoie_qu_un_courriel(ticket):
    envois.envoyer(ticket.pk)
    envois.envoyer(ticket.pk)

    assert len(mail.outbox) == 1


def test_sans_courriel_il_n_y_a_pas_de_ticket_a_envoyer():
    paiement = PaiementFactory(accepte=True)

    assert not Ticket.objects.filter(paiement=paiement).exists()


def test_un_refus_passager_est_repris_plus_tard(ticket, smtp):
    smtp.reponse = "451 réessayez"

    envois.envoyer(ticket.pk)
    ticket.refresh_from_db()
    reporte = (ticket.etat, ticket.essais)
    smtp.reponse = "250 OK"
    envois.envoyer(ticket.pk)

    ticket.refresh_from_db()
    assert reporte == (Ticket.Etat.A_ENVOYER, 1)
    assert ticket.etat == Ticket.Etat.ENVOYE


def test_une_adresse_refusee_devient_une_anomalie(ticket, smtp):
    smtp.reponse = "550 adresse inconnue"

    envois.envoyer(ticket.pk)

    ticket.refresh_from_db()
    assert ticket.etat == Ticket.Etat.IMPOSSIBLE
    assert ticket.paiement.anomalies.get().genre == Anomalie.Genre.COURRIEL_IMPOSSIBLE


@pytest.mark.parametrize("adresse", ["personne@\u200d.fr", '"\x0c.:b"@exemple.fr'])
def test_une_adresse_que_l_on_ne_sait_pas_ecrire_devient_une_anomalie(ticket, smtp, caplog, adresse):
    Demarche.objects.update(courriel=adresse)

    envois.envoyer(ticket.pk)

    ticket.refresh_from_db()
    assert ticket.etat == Ticket.Etat.IMPOSSIBLE
    assert ticket.paiement.anomalies.get().genre == Anomalie.Genre.COURRIEL_IMPOSSIBLE
    assert adresse not in caplog.text


def test_un_ticket_reserve_n_est_pas_pris_deux_fois(ticket, time_machine):
    premier, second = envois.reserver(10), envois.reserver(10)
    time_machine.move_to(timezone.now() + envois.BAIL)

    assert (premier, second, envois.reserver(10)) == ([ticket.pk], [], [ticket.pk])


@pytest.fixture
def sans_feuille_de_style(settings, tmp_path):
    """Le vrai rendu échoue, comme il le ferait sans police ou sans bibliothèque."""
    settings.BASE_DIR = tmp_path
    pdf._load.cache_clear()
    yield
    pdf._load.cache_clear()


def test_un_pdf_impossible_se_retente_sans_fin(ticket, settings, sans_feuille_de_style, time_machine):
    time_machine.move_to(timezone.now())
    for _ in range(len(settings.TICKET_RELANCES) + 1):
        envois.envoyer(ticket.pk)
        time_machine.shift(timedelta(hours=1))

    ticket.refresh_from_db()
    assert (ticket.etat, ticket.dernier_motif) == (Ticket.Etat.A_ENVOYER, "PDF impossible à rendre")
    assert Anomalie.objects.get().genre == Anomalie.Genre.LIAISON_MUETTE
    assert mail.outbox == []
