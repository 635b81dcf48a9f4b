"""Chaque alerte du manuel, provoquée : elle se dit une fois, avec sa cause et quoi faire, puis sa fin."""

import os
import subprocess
import sys
from contextlib import contextmanager
from datetime import timedelta
from io import StringIO

import pytest
from django.conf import settings as reglages
from django.core import mail
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.utils import timezone

from caf_remboursement.surveillance import alertes, problemes
from caf_remboursement.surveillance.etat import mesurer
from comptes.models import Utilisateur
from dettes.models import FichierRecu
from outils.essai.courrier import Courrier
from outils.systeme import RACINE, find_port
from paiements import liaisons, tasks
from paiements.models import Alerte, DemandeRestitution, Paiement, Ticket
from paiements.statuts import Statut
from socle.commandes import Code
from tests.factories import PaiementFactory, UtilisateurFactory

pytestmark = pytest.mark.django_db

VIEUX = timedelta(minutes=6)


@contextmanager
def regler(settings, nom, valeur):
    """Un réglage, puis celui d'avant."""
    avant = getattr(settings, nom)
    setattr(settings, nom, valeur)
    yield
    setattr(settings, nom, avant)


@contextmanager
def se_taire(files, time_machine):
    """Quatre minutes sans un battement de ces files."""
    time_machine.move_to(timezone.now() + timedelta(minutes=4))
    for file in set(reglages.FILES) - set(files):
        tasks.battre(file=file)
    yield
    for file in reglages.FILES:
        tasks.battre(file=file)


@contextmanager
def vieillir(champ, lignes):
    """Un travail dû depuis six minutes, puis fait."""
    lignes.update(**{champ: timezone.now() - VIEUX})
    assert lignes.exists()
    yield
    lignes.update(**{champ: None})


@contextmanager
def couper(liaison):
    for _ in range(liaisons.SEUIL):
        liaisons.noter_silence(liaison, "rien")
    yield
    liaisons.noter_reponse(liaison)


@contextmanager
def ne_plus_livrer():
    FichierRecu.objects.update(pris_le=timezone.now() - timedelta(days=5))
    yield
    FichierRecu.objects.update(pris_le=timezone.now())


def demander_une_restitution():
    paiement = PaiementFactory(impute=True)
    demande = DemandeRestitution(
        paiement=paiement, debit=paiement.debit, montant=1, demandeur=UtilisateurFactory(), motif="essai"
    )
    DemandeRestitution.objects.bulk_create([demande])
    return DemandeRestitution.objects.all()


def emettre_un_ticket():
    Ticket.objects.get_or_create(paiement=PaiementFactory(impute=True))
    return Ticket.objects.all()


def provoquer(cle, settings, time_machine, monkeypatch):
    """La panne de cette alerte, le temps d'un bloc."""
    pannes = {
        "courtier": lambda: regler(settings, "REDIS_URL", "redis://127.0.0.1:9/0"),
        "planificateur": lambda: se_taire(settings.FILES, time_machine),
        "ouvrier tickets": lambda: se_taire(["tickets"], time_machine),
        "retard imputations": lambda: vieillir(
            "imputer_le", Paiement.objects.filter(pk=PaiementFactory(verifie=True).pk, statut=Statut.VERIFIE)
        ),
        "retard interrogations": lambda: vieillir(
            "prochain_controle_le", Paiement.objects.filter(pk=PaiementFactory(accepte=True).pk)
        ),
        "retard restitutions": lambda: vieillir("prochain_essai_le", demander_une_restitution()),
        "retard tickets": lambda: vieillir("prochain_essai_le", emettre_un_ticket()),
        "liaison PayZen 66100001": lambda: couper("PayZen 66100001"),
        "liaison courriel": lambda: couper(liaisons.COURRIEL),
        "liaison rendu des PDF": lambda: couper(liaisons.PDF),
        "livraison": ne_plus_livrer,
        "disque": lambda: regler(problemes, "DISQUE_PCT", 101),
        "certificat": lambda: regler(settings, "ADRESSE_PUBLIQUE", "https://127.0.0.1:9"),
    }
    return pannes[cle]()


def alerter():
    """Un passage de la minuterie ; rend son code."""
    try:
        call_command("etat_service", "--alerter", stdout=StringIO())
    except CommandError as fin:
        return fin.returncode
    return Code.BON


@pytest.mark.parametrize(
    ("cle", "faire"),
    [
        ("courtier", "systemctl restart valkey-server (Debian 12 : redis-server)"),
        ("planificateur", "systemctl restart rembourser-planificateur"),
        ("ouvrier tickets", "systemctl restart rembourser-ouvrier@tickets"),
        ("retard imputations", "journalctl -u 'rembourser-ouvrier@*'"),
        ("retard interrogations", "journalctl -u 'rembourser-ouvrier@*'"),
        ("retard restitutions", "journalctl -u 'rembourser-ouvrier@*'"),
        ("retard tickets", "journalctl -u 'rembourser-ouvrier@*'"),
        ("liaison PayZen 66100001", "etat_service"),
        ("liaison courriel", "etat_service"),
        ("liaison rendu des PDF", "etat_service"),
        ("livraison", "importer_livraison"),
        ("disque", "df -h"),
        ("certificat", "nginx -t"),
    ],
)
def test_chaque_alerte_part_une_fois_et_dit_sa_fin(bon_service, settings, time_machine, monkeypatch, cle, faire):
    settings.ALERTES_A = ["astreinte@caf.example"]

    with provoquer(cle, settings, time_machine, monkeypatch):
        codes = [alerter(), alerter(), alerter()]
    codes.append(alerter())

    debut, fin = mail.outbox
    assert codes == [Code.CONSTAT] * 3 + [Code.BON]
    assert debut.body.count("ALERTE") == 1
    assert faire in debut.body
    assert fin.body.count("FIN") == 1
    assert Alerte.objects.get().cle.startswith(cle)


def test_le_certificat_qui_expire_bientot_se_dit(bon_service):
    certificat = {"jours": 5, "motif": ""}

    (probleme,) = problemes.trouver(mesurer() | {"certificat": certificat})

    assert (probleme.cle, probleme.phrase) == ("certificat", "le certificat expire dans 5 jours")


def test_un_courriel_mort_ne_tait_pas_l_etat_et_l_alerte_repart(bon_service, settings, monkeypatch):
    settings.ALERTES_A = ["astreinte@caf.example"]
    settings.ADRESSE_PUBLIQUE = "https://127.0.0.1:9"
    sortie = StringIO()

    with regler(settings, "EMAIL_BACKEND", "django.core.mail.backends.smtp.EmailBackend"):
        settings.EMAIL_PORT = find_port()
        with pytest.raises(CommandError, match="n'ont pas pu être prévenus") as fin:
            call_command("etat_service", "--alerter", stdout=sortie)

    assert fin.value.returncode == Code.PAS_PU
    assert "l'adresse publique ne se joint pas" in sortie.getvalue()
    assert not Alerte.objects.exists()
    assert (alerter(), len(mail.outbox)) == (Code.CONSTAT, 1)


def test_sans_aucune_adresse_rien_ne_passe_pour_dit(bon_service, settings):
    """Ni ALERTES_A, ni courriel d'opérateur : chaque passage le redit, jusqu'à ce qu'il y en ait une."""
    settings.ADRESSE_PUBLIQUE = "https://127.0.0.1:9"

    for _ in range(2):
        with pytest.raises(CommandError, match="aucune adresse : ALERTES_A") as fin:
            call_command("etat_service", "--alerter", stdout=StringIO())
        assert fin.value.returncode == Code.PAS_PU
        with pytest.raises(alertes.PasPrevenus, match="aucune adresse : ALERTES_A"):
            alertes.dire_la_base_eteinte("connexion refusée")
    settings.ALERTES_A = ["astreinte@caf.example"]

    assert (alerter(), len(mail.outbox)) == (Code.CONSTAT, 1)


def test_un_etat_qui_ne_se_lit_plus_se_dit(bon_service, settings):
    """Une table changée sous nos pieds : chaque minute échoue, un seul courriel part."""
    settings.ALERTES_A = ["astreinte@caf.example"]
    with connection.cursor() as curseur:
        curseur.execute("ALTER TABLE paiements_liaison RENAME TO ailleurs")

    for _ in range(2):
        # Une requête refusée défait la transaction de l'essai : chaque passage a la sienne.
        with pytest.raises(CommandError, match=r"^Arrêt imprévu : ProgrammingError") as fin, transaction.atomic():
            call_command("etat_service", "--alerter", stdout=StringIO())
        assert fin.value.returncode == Code.PAS_PU

    (message,) = mail.outbox
    assert "état du service illisible" in message.subject
    assert "ProgrammingError" in message.body


def test_une_unite_en_echec_s_ecrit_aux_operateurs(settings):
    """Ce que lance `OnFailure=` (rembourser-echec@)."""
    settings.ALERTES_A = ["astreinte@caf.example"]
    Utilisateur.objects.create_superuser("operateur", courriel="operateur@caf.example")

    call_command("etat_service", "--echec", "rembourser-commande@purger.service", stdout=StringIO())

    (message,) = mail.outbox
    assert "rembourser-commande@purger.service" in message.subject
    assert "journalctl -u rembourser-commande@purger.service" in message.body
    assert message.to == ["astreinte@caf.example", "operateur@caf.example"]


def test_une_unite_en_echec_que_l_on_ne_peut_dire_se_retente(settings):
    with pytest.raises(CommandError, match="n'ont pas pu être prévenus") as fin:
        call_command("etat_service", "--echec", "rembourser-nuit.service", stdout=StringIO())

    assert fin.value.returncode == Code.PAS_PU


def test_la_base_eteinte_se_dit_une_fois_puis_sa_fin(bon_service, settings):
    """Deux passages d'une vraie commande, sans base ; puis elle revient."""
    courrier = Courrier()
    port = find_port()
    environnement = os.environ | {
        "DATABASE_URL": f"postgresql://rembourser@127.0.0.1:{port}/rembourser",
        "REDIS_URL": settings.REDIS_URL,
        "EMAIL_URL": f"smtp://127.0.0.1:{courrier.port}",
        "ALERTES_A": "astreinte@caf.example",
    }
    commande = [sys.executable, "manage.py", "etat_service", "--alerter"]
    faites = [
        subprocess.run(commande, cwd=RACINE, env=environnement, capture_output=True, text=True, check=False)
        for _ in range(2)
    ]
    courrier.controleur.stop()
    settings.ALERTES_A = ["astreinte@caf.example"]

    assert [faite.returncode for faite in faites] == [Code.PAS_PU] * 2
    assert ["Traceback" in faite.stderr for faite in faites] == [False] * 2
    assert len(courrier.textes) == 1
    assert (alerter(), alerter()) == (Code.BON, Code.BON)
    assert [("FIN     la base répond de nouveau" in message.body) for message in mail.outbox] == [True]
