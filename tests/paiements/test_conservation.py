"""Les durées promises par les mentions sont tenues, et les comptes restent justes."""

from datetime import timedelta
from decimal import Decimal
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import IntegrityError, transaction
from django.utils import timezone

from demarches.models import Demarche
from paiements.documents import tickets
from paiements.models import MessagePayzen, TransactionPayzen
from paiements.surveillance.invariants import verifier
from tests.factories import DemarcheFactory, DetteFactory, PaiementFactory, UtilisateurFactory, demander

pytestmark = pytest.mark.django_db


def effacer(*options):
    sortie = StringIO()
    call_command("effacer_perimes", *options, stdout=sortie)
    return sortie.getvalue()


@pytest.fixture
def payee():
    demarche = demander(Decimal(50), courriel="personne@exemple.fr")
    paiement = PaiementFactory(demarche=demarche, impute=True)
    tickets.envoyer(paiement.ticket.pk)
    return demarche


@pytest.fixture
def saisie():
    auteur = UtilisateurFactory()
    return DemarcheFactory(auteur=auteur, lignes={DetteFactory(allocataire=auteur.allocataire): Decimal(10)})


@pytest.mark.parametrize(("jours", "reste"), [(29, 1), (31, 0)])
def test_une_saisie_sans_suite_s_efface_au_bout_de_trente_jours(saisie, time_machine, jours, reste):
    time_machine.move_to(timezone.now() + timedelta(days=jours))

    effacer("--appliquer")

    assert Demarche.objects.count() == reste


@pytest.mark.parametrize(("jours", "courriel"), [(90, "personne@exemple.fr"), (92, "")])
def test_un_courriel_s_efface_trois_mois_apres_l_envoi(payee, time_machine, jours, courriel):
    time_machine.move_to(timezone.now() + timedelta(days=jours))

    effacer("--appliquer")

    payee.refresh_from_db()
    assert payee.courriel == courriel


@pytest.mark.parametrize(("jours", "carte"), [(455, "0055"), (457, "")])
def test_les_donnees_de_carte_s_effacent_au_bout_de_quinze_mois(payee, time_machine, jours, carte):
    time_machine.move_to(timezone.now() + timedelta(days=jours))

    effacer("--appliquer")

    transaction_payzen = TransactionPayzen.objects.get()
    assert (transaction_payzen.carte_fin, transaction_payzen.marque) == (carte, carte and "CB")


def test_aucun_message_ne_garde_la_carte(notifier):
    notifier(PaiementFactory(), "AUTHORISED")

    [champs] = MessagePayzen.objects.values_list("champs", flat=True)
    assert champs["vads_trans_status"] == "AUTHORISED"
    assert not [valeur for valeur in champs.values() if "0055" in valeur or "CB" in valeur or "3fe85c" in valeur]


def test_la_base_refuse_une_carte_dans_un_message():
    with pytest.raises(IntegrityError, match="message_sans_carte"), transaction.atomic():
        MessagePayzen.objects.create(champs={"vads_card_number": "0055"}, sort="NEUF")


def test_sans_l_option_rien_ne_s_efface(payee, saisie, time_machine):
    time_machine.move_to(timezone.now() + timedelta(days=500))

    sortie = effacer()

    assert "1  saisies sans suite" in sortie
    assert Demarche.objects.count() == 2
    assert Demarche.objects.exclude(courriel="").count() == 1


def test_effacer_ne_fausse_aucun_compte(payee, saisie, time_machine):
    time_machine.move_to(timezone.now() + timedelta(days=500))

    effacer("--appliquer")

    assert list(verifier()) == []
