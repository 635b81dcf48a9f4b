"""Un serveur de courriel éteint ne perd aucun ticket, et n'ouvre qu'une anomalie ; seule une adresse refusée perd."""

from datetime import timedelta
from io import StringIO
from smtplib import SMTPRecipientsRefused

import pytest
from django.core import mail
from django.core.management import call_command
from django.utils import timezone

from paiements import liaisons
from paiements.documents import envois
from paiements.models import Anomalie, Liaison, Ticket
from paiements.surveillance.invariants import verifier
from tests.factories import PaiementFactory, demander
from tests.paiements.conftest import COURRIEL

pytestmark = pytest.mark.django_db


@pytest.fixture
def tickets():
    """Cinq tickets à envoyer, de cinq personnes."""
    return [PaiementFactory(demarche=demander(20, courriel=COURRIEL), accepte=True).ticket for _ in range(5)]


@pytest.fixture
def serveur_eteint(settings):
    """Nul n'écoute à l'adresse du serveur ; `rallumer()` le rend."""
    courant = settings.EMAIL_BACKEND
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9

    def rallumer():
        settings.EMAIL_BACKEND = courant

    return rallumer


def passer_une_nuit(time_machine):
    """Douze heures d'un balayage toutes les cinq minutes."""
    for _ in range(12 * 12):
        time_machine.shift(timedelta(minutes=5))
        for cle in envois.reserver(50):
            envois.envoyer(cle)


def test_une_nuit_de_panne_ne_perd_aucun_ticket_et_n_ouvre_qu_une_anomalie(tickets, serveur_eteint, time_machine):
    time_machine.move_to(timezone.now())
    passer_une_nuit(time_machine)
    etats = set(Ticket.objects.values_list("etat", flat=True))
    ouvertes = list(Anomalie.objects.ouvertes().values_list("genre", "cle"))

    serveur_eteint()
    for _ in range(13):
        time_machine.shift(timedelta(minutes=5))
        for cle in envois.reserver(50):
            envois.envoyer(cle)

    assert etats == {Ticket.Etat.A_ENVOYER}
    assert ouvertes == [(Anomalie.Genre.LIAISON_MUETTE, liaisons.COURRIEL)]
    assert len(mail.outbox) == Ticket.objects.filter(etat=Ticket.Etat.ENVOYE).count() == len(tickets)
    assert not Anomalie.objects.ouvertes().exists()
    assert "rien_en_retard" not in {violation.invariant.nom for violation in verifier()}


def test_serveur_eteint_un_seul_ticket_va_voir_s_il_est_revenu(tickets, serveur_eteint):
    for cle in envois.reserver(50):
        envois.envoyer(cle)

    Ticket.objects.update(prochain_essai_le=timezone.now())  # leur heure est venue, et nul n'y va
    assert envois.reserver(50) == []
    assert Liaison.objects.get(pk=liaisons.COURRIEL).echecs == liaisons.SEUIL
    assert sum(Ticket.objects.values_list("essais", flat=True)) == liaisons.SEUIL


@pytest.mark.parametrize(
    ("code", "texte", "attendu"),
    [
        (550, b"5.1.1 unknown user", True),
        (550, b"adresse inconnue", True),
        (553, b"mailbox name not allowed", True),
        (550, b"5.2.1 mailbox disabled", True),
        (554, b"5.7.1 relay access denied", False),
        (550, b"5.7.1 blocked using a list", False),
        (552, b"5.2.2 mailbox full", False),
        (554, b"transaction failed", False),
        (451, b"4.1.1 try again", False),
    ],
)
def test_seul_un_refus_qui_parle_de_l_adresse_est_definitif(code, texte, attendu):
    assert envois.is_adresse_refusee(code, texte) is attendu


def test_un_relais_interdit_n_est_pas_la_faute_de_l_adresse(tickets, settings, monkeypatch):
    refus = SMTPRecipientsRefused({COURRIEL: (554, b"5.7.1 relay access denied")})

    def refuser(self, messages):
        raise refus

    # Le serveur qui refuse est dehors : c'est lui que l'on remplace, et non notre code.
    monkeypatch.setattr("django.core.mail.backends.locmem.EmailBackend.send_messages", refuser)
    envois.envoyer(tickets[0].pk)

    tickets[0].refresh_from_db()
    assert tickets[0].etat == Ticket.Etat.A_ENVOYER


def test_renvoyer_les_tickets_montre_puis_remet_a_envoyer(tickets):
    Ticket.objects.update(etat=Ticket.Etat.IMPOSSIBLE, prochain_essai_le=None)
    sortie = StringIO()

    call_command("renvoyer_tickets", "--impossibles", stdout=sortie)
    a_blanc = envois.reserver(50)
    call_command("renvoyer_tickets", "--impossibles", "--appliquer", stdout=sortie)

    assert a_blanc == []
    assert "5 ticket(s)" in sortie.getvalue()
    assert len(envois.reserver(50)) == len(tickets)


@pytest.mark.parametrize(("jours", "combien"), [(0, 5), (1, 0)])
def test_depuis_un_jour_les_paiements_d_avant_attendent(tickets, jours, combien):
    Ticket.objects.update(etat=Ticket.Etat.IMPOSSIBLE, prochain_essai_le=None)
    sortie = StringIO()
    depuis = timezone.localdate() + timedelta(days=jours)

    call_command("renvoyer_tickets", "--impossibles", "--depuis", depuis.isoformat(), stdout=sortie)

    assert f"{combien} ticket(s)" in sortie.getvalue()


def test_un_ticket_deja_parti_se_renvoie_par_sa_reference(tickets):
    envois.envoyer(tickets[0].pk)

    call_command("renvoyer_tickets", "--reference", tickets[0].paiement.reference, "--appliquer", stdout=StringIO())
    envois.envoyer(tickets[0].pk)

    assert len(mail.outbox) == 2


@pytest.mark.parametrize(
    ("expediteur", "attendu"),
    [
        ("ne-pas-repondre@caf.example", "<P-1@caf.example>"),
        ("Rembourser ma Caf <ne-pas-repondre@caf.example>", "<P-1@caf.example>"),
        ('"Caf, Paris" <ne-pas-repondre@caf-hérault.example>', "<P-1@xn--caf-hrault-f7a.example>"),
    ],
)
def test_l_identifiant_du_message_est_valide_quel_que_soit_l_expediteur(expediteur, attendu):
    assert envois.get_message_id("P-1", expediteur) == attendu


def test_le_courriel_dit_qu_une_machine_l_envoie(tickets, settings):
    settings.DEFAULT_FROM_EMAIL = "Rembourser ma Caf <ne-pas-repondre@caf.example>"

    envois.envoyer(tickets[0].pk)

    message = mail.outbox[0].message()
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Message-ID"] == f"<{tickets[0].paiement.reference}@caf.example>"
