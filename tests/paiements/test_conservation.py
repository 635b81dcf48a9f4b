"""Les durées promises par les mentions sont tenues, et les comptes restent justes."""

from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from django.contrib.admin.models import LogEntry
from django.core import mail
from django.core.management import CommandError
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.utils import timezone

from comptes import activation
from comptes.models import Allocataire, CodeActivation, Evenement, Utilisateur
from demarches.models import Demarche
from paiements.causes import par_service
from paiements.documents import envois
from paiements.models import Anomalie, MessagePayzen, Purge, Ticket, TransactionPayzen
from paiements.surveillance import conservation
from paiements.surveillance.invariants import verifier
from tests.factories import (
    DemarcheFactory,
    DetteFactory,
    PaiementFactory,
    UtilisateurFactory,
    demander,
)
from tests.paiements.purge import chercher, effacer

pytestmark = pytest.mark.django_db
DROITS = Path(__file__).parents[2] / "docs" / "droits.sql"


@pytest.fixture
def payee():
    demarche = demander(Decimal(50), courriel="personne@exemple.fr")
    paiement = PaiementFactory(demarche=demarche, impute=True)
    envois.envoyer(paiement.ticket.pk)
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


def test_l_adresse_d_un_ticket_redemande_attend_qu_il_parte(payee, time_machine):
    envois.renvoyer(payee.paiement.ticket, par_service("redemandé"))
    time_machine.move_to(timezone.now() + timedelta(days=92))

    effacer("--appliquer")
    payee.refresh_from_db()
    envois.envoyer(payee.paiement.ticket.pk)

    assert payee.courriel == "personne@exemple.fr"
    assert [message.to for message in mail.outbox] == [["personne@exemple.fr"]] * 2


def test_un_ticket_sans_adresse_n_est_jamais_dit_parti(payee):
    envois.renvoyer(payee.paiement.ticket, par_service("redemandé"))
    Demarche.objects.filter(pk=payee.pk).update(courriel="")

    envois.envoyer(payee.paiement.ticket.pk)

    assert Ticket.objects.get().etat == Ticket.Etat.IMPOSSIBLE
    assert Anomalie.objects.ouvertes().get().genre == Anomalie.Genre.COURRIEL_IMPOSSIBLE


@pytest.mark.parametrize(("jours", "carte"), [(455, "0055"), (457, "")])
def test_les_donnees_de_carte_s_effacent_au_bout_de_quinze_mois(payee, time_machine, jours, carte):
    time_machine.move_to(timezone.now() + timedelta(days=jours))

    effacer("--appliquer")

    transaction_payzen = TransactionPayzen.objects.get()
    assert (transaction_payzen.carte_fin, transaction_payzen.marque) == (carte, carte and "CB")
    assert bool(transaction_payzen.autorisation) == bool(carte)


def test_aucun_message_ne_garde_la_carte(notifier):
    notifier(PaiementFactory(), "AUTHORISED")

    [champs] = MessagePayzen.objects.values_list("champs", flat=True)
    assert champs["vads_trans_status"] == "AUTHORISED"
    assert not {nom for nom in champs if nom.startswith(("vads_card_", "vads_auth_number"))}
    assert not {"CB", "497010XXXXXX0055", "0055", "3fe85c"} & set(champs.values())


def test_la_base_refuse_une_carte_dans_un_message():
    with pytest.raises(IntegrityError, match="message_sans_carte"), transaction.atomic():
        MessagePayzen.objects.create(champs={"vads_card_number": "0055"}, sort="NEUF")


def test_au_bout_de_quinze_mois_la_carte_n_est_plus_nulle_part(notifier, time_machine):
    notifier(PaiementFactory(demarche=demander(Decimal(50))), "AUTHORISED")
    assert chercher("0055"), "la carte était bien quelque part"

    time_machine.move_to(timezone.now() + timedelta(days=457))
    effacer("--appliquer")

    assert [chercher(donnee) for donnee in ("0055", "3fe85c")] == [[], []]


def test_un_code_fini_s_efface_au_bout_d_un_mois(time_machine):
    activation.emettre([UtilisateurFactory()])

    time_machine.move_to(timezone.now() + timedelta(days=59))
    effacer("--appliquer")
    assert CodeActivation.objects.count() == 1
    time_machine.move_to(timezone.now() + timedelta(days=2))
    effacer("--appliquer")

    assert CodeActivation.objects.count() == 0


def test_un_dossier_vide_s_efface_au_bout_d_un_an_et_les_autres_restent(payee, saisie, time_machine):
    vide = UtilisateurFactory()
    time_machine.move_to(timezone.now() + timedelta(days=366))
    endette = DetteFactory(allocataire=UtilisateurFactory().allocataire).allocataire
    Utilisateur.objects.filter(allocataire=endette).update(cree_le=timezone.now() - timedelta(days=400))

    effacer("--appliquer")

    assert not Allocataire.objects.filter(pk=vide.allocataire_id).exists()
    assert Allocataire.objects.filter(pk__in=[payee.allocataire_id, saisie.allocataire_id, endette.pk]).count() == 3


def vieillir_les_journaux():
    """Une ligne qui a fait son temps et une qui ne l'a pas fait, dans chaque journal."""
    soi = UtilisateurFactory()
    for jours in (100, 400):
        Evenement.objects.create(genre="LISTE", cafs=[], le=timezone.now() - timedelta(days=jours))
        quand = timezone.now() - timedelta(days=jours + 100)
        LogEntry.objects.create(user=soi, action_flag=2, object_repr="geste", action_time=quand)


def test_le_compte_du_service_purge_les_journaux_et_rien_avant_leur_heure():
    vieillir_les_journaux()
    with connection.cursor() as curseur:
        curseur.execute(DROITS.read_text())
        curseur.execute("SET LOCAL ROLE rembourser_service")
        effacer("--appliquer")
        curseur.execute("RESET ROLE")

    assert (Evenement.objects.filter(genre="LISTE").count(), LogEntry.objects.count()) == (1, 1)


@pytest.mark.parametrize("faute", ["UPDATE django_admin_log SET object_repr = ''", "DELETE FROM django_admin_log"])
def test_la_base_refuse_de_retoucher_le_journal_du_bureau(faute):
    vieillir_les_journaux()

    with (
        pytest.raises(DatabaseError, match="ne se retouche pas"),
        transaction.atomic(),
        connection.cursor() as curseur,
    ):
        curseur.execute(faute)


def test_le_rapport_reste_et_prouve(payee, time_machine):
    time_machine.move_to(timezone.now() + timedelta(days=500))

    effacer("--appliquer")

    cartes = Purge.objects.get(regle="données de carte de plus de 15 mois")
    assert (cartes.effaces, cartes.restants) == (1, 0)
    assert Purge.objects.count() == len(conservation.REGLES)
    with pytest.raises(DatabaseError, match="Cannot update or delete"), transaction.atomic():
        cartes.delete()


def test_une_purge_qui_laisse_du_perime_echoue_et_le_dit(time_machine):
    # L'horloge de la base n'avance pas avec celle du test : elle refuse, et c'est elle qui a raison.
    vieillir_les_journaux()
    time_machine.move_to(timezone.now() + timedelta(days=300))

    with pytest.raises(CommandError, match="journal de sécurité de plus d'un an"):
        effacer("--appliquer")


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
