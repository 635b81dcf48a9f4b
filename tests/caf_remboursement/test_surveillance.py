"""L'état du service se voit avant de se subir : sondes, commande, alertes dites une fois, métriques."""

import json
from datetime import timedelta
from io import StringIO
from pathlib import Path

import pytest
from django.conf import settings
from django.core import mail
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from caf_remboursement.surveillance.alertes import alerter
from caf_remboursement.surveillance.etat import mesurer
from caf_remboursement.surveillance.metriques import Etat
from caf_remboursement.surveillance.problemes import Probleme, trouver
from paiements import liaisons, tasks
from paiements.models import Alerte, Paiement, Ticket
from paiements.payzen import Mode
from socle.commandes import Code
from tests.factories import PaiementFactory

pytestmark = pytest.mark.django_db


def get_cles():
    return [probleme.cle for probleme in trouver(mesurer())]


def sonder(adresse, **entetes):
    return Client().get(adresse, headers=entetes)


def test_quand_tout_va_bien_rien_n_est_signale(bon_service):
    sortie = StringIO()

    call_command("etat_service", stdout=sortie)

    assert "Rien à signaler." in sortie.getvalue()
    assert sonder("/sante/pret/").status_code == 200


def test_ouvriers_arretes_la_sonde_rougit_et_dit_pourquoi(bon_service, time_machine):
    time_machine.move_to(timezone.now() + timedelta(minutes=4))

    reponse = sonder("/sante/pret/")

    assert reponse.status_code == 503
    assert "ouvrier argent sans battement" in reponse.json()["causes"]
    assert (sonder("/sante/vie/").status_code, sonder("/sante/").status_code) == (200, 200)


def test_du_travail_trop_vieux_rougit_meme_si_l_ouvrier_bat(bon_service):
    Paiement.objects.filter(pk=PaiementFactory(verifie=True).pk).update(
        imputer_le=timezone.now() - timedelta(minutes=6)
    )

    assert sonder("/sante/pret/").json()["causes"] == ["1 imputations en retard"]
    assert get_cles() == ["retard imputations"]


def test_un_paiement_d_essai_reste_en_production_n_est_pas_un_retard(bon_service, settings):
    Paiement.objects.filter(pk=PaiementFactory(verifie=True).pk).update(
        imputer_le=timezone.now() - timedelta(minutes=6)
    )
    settings.PAYZEN_MODE = Mode.PRODUCTION

    assert sonder("/sante/pret/").status_code == 200
    assert get_cles() == []


@pytest.mark.parametrize("adresse", ["/sante/", "/sante/vie/", "/sante/pret/"])
def test_les_sondes_repondent_a_tout_hote(bon_service, settings, adresse):
    settings.HTTPS = True

    assert sonder(adresse, Host="10.0.0.5:8000").status_code == 200


def test_ce_qui_attend_une_boutique_muette_n_est_pas_un_retard(bon_service):
    paiement = PaiementFactory(accepte=True)
    Paiement.objects.update(prochain_controle_le=timezone.now() - timedelta(hours=1))
    for _ in range(liaisons.SEUIL):
        liaisons.noter_silence(liaisons.get_nom(paiement.boutique), "rien")

    assert get_cles() == [f"liaison PayZen {paiement.boutique}"]
    assert sonder("/sante/pret/").status_code == 200


def test_la_pause_finie_une_liaison_qui_n_a_pas_repondu_reste_la_seule_alerte(bon_service, time_machine):
    """Entre deux essais, des milliers de tickets attendent : sinon « retard » paraîtrait et finirait toute la nuit."""
    Ticket.objects.create(
        paiement=PaiementFactory(accepte=True), prochain_essai_le=timezone.now() - timedelta(hours=1)
    )
    for _ in range(liaisons.SEUIL):
        liaisons.noter_silence(liaisons.COURRIEL, "rien")
    time_machine.move_to(timezone.now() + liaisons.PAUSES[0])

    assert get_cles() == ["liaison courriel"]


def test_un_seul_ouvrier_mort_est_nomme(bon_service, time_machine):
    time_machine.move_to(timezone.now() + timedelta(minutes=4))
    for file in ("argent", "payzen"):
        tasks.battre(file=file)

    assert get_cles() == ["ouvrier tickets"]


def test_json_rend_l_etat_et_les_problemes(time_machine):
    sortie = StringIO()

    with pytest.raises(CommandError) as fin:
        call_command("etat_service", "--json", stdout=sortie)

    etat = json.loads(sortie.getvalue())
    assert fin.value.returncode == Code.CONSTAT
    assert etat["problemes"][0]["cle"] == "planificateur"
    assert {"travaux", "ouvriers", "files", "liaisons", "cafs", "argent", "certificat"} <= set(etat)


def test_une_alerte_se_dit_une_fois_puis_sa_fin(settings):
    settings.ALERTES_A = ["astreinte@caf.example"]
    probleme = Probleme("disque", "il reste 3 % du disque", "df -h")

    alerter([probleme])
    alerter([probleme])
    alerter([])

    debut, fin = mail.outbox
    assert "il reste 3 % du disque" in debut.body
    assert "df -h" in debut.body
    assert "FIN" in fin.body
    assert Alerte.objects.get().finie_le


def test_ce_qui_revient_se_redit(settings):
    settings.ALERTES_A = ["astreinte@caf.example"]
    probleme = Probleme("disque", "plein", "df -h")

    for problemes in ([probleme], [], [probleme]):
        alerter(problemes)

    assert len(mail.outbox) == 3


def test_chaque_alerte_est_dans_le_manuel():
    manuel = (Path(settings.BASE_DIR) / "docs" / "exploitation.md").read_text()
    genres = (
        *("courtier", "planificateur", "ouvrier", "retard", "liaison", "livraison", "disque", "archivage"),
        *("certificat", "base"),
    )

    assert [genre for genre in genres if f"| `{genre}" not in manuel] == []


def test_les_metriques_disent_l_etat_en_nombres(bon_service):
    PaiementFactory(verifie=True)

    familles = {famille.name: famille.samples for famille in Etat().collect()}

    du = {mesure.labels["nom"]: mesure.value for mesure in familles["rembourser_travail_du"]}
    assert du["imputations"] == 1
    assert familles["rembourser_base"][0].value == 1
