"""Ce qui était dû pendant une absence de clés a lieu à leur retour : rien ne l'efface entre-temps."""

from datetime import timedelta

import pytest
from django.utils import timezone

from paiements import tasks
from paiements.models import Paiement
from paiements.payzen import EchecRest
from paiements.retours import ordres
from paiements.statuts import Statut
from paiements.verification import interroger
from tests.factories import AgentFactory, FaitFactory, PaiementFactory, dire, repondre
from tests.paiements.livres import approuver

pytestmark = pytest.mark.django_db

ABSENCE = timedelta(days=5)


@pytest.fixture
def s_absenter(settings, time_machine):
    """`s_absenter()` ôte les clés cinq jours, chaque interrogation due échouant à son heure, puis les remet."""

    def faire():
        reglees, settings.PAYZEN_BOUTIQUES = settings.PAYZEN_BOUTIQUES, {}
        fin = timezone.now() + ABSENCE
        while (prochain := Paiement.objects.get().prochain_controle_le) and prochain < fin:
            time_machine.move_to(max(prochain, timezone.now()) + timedelta(seconds=1))
            tenter()
        time_machine.move_to(fin)
        settings.PAYZEN_BOUTIQUES = reglees
        tasks.balayer()
        time_machine.move_to(timezone.now() + timedelta(days=1))

    return faire


def tenter():
    return [interroger.interroger(cle) for cle in interroger.reserver(50)]


def faire_un_ordre_arrete(plateforme, settings, time_machine, agent, comptable):
    """Parti, sa réponse perdue, puis arrêté à deux : PayZen l'a peut-être exécuté."""
    paiement = PaiementFactory(impute=True)
    dire(paiement, "CAPTURED")
    time_machine.move_to(timezone.now() + timedelta(hours=80))
    ordre = approuver(paiement, agent, comptable)
    plateforme.serveur.post(f"{settings.PAYZEN_URL_API}Order/Get", status=500)
    with pytest.raises(EchecRest):
        ordres.executer(ordre)
    reglees, settings.PAYZEN_BOUTIQUES = settings.PAYZEN_BOUTIQUES, {}
    ordres.abandonner(ordre, motif="contrat clos", agent=AgentFactory(role="COMPTABLE").utilisateur)
    settings.PAYZEN_BOUTIQUES = reglees
    return paiement


def test_un_ordre_arrete_se_revoit_au_retour_des_cles(
    agent, comptable, plateforme, rembourser, settings, time_machine, s_absenter
):
    paiement = faire_un_ordre_arrete(plateforme, settings, time_machine, agent, comptable)

    s_absenter()

    assert [reserve.pk for reserve in tenter()] == [paiement.pk]


def test_le_dernier_rendez_vous_d_un_impute_a_lieu_au_retour_des_cles(plateforme, time_machine, s_absenter):
    paiement = PaiementFactory(impute=True)
    dire(paiement, "CAPTURED")
    time_machine.move_to(paiement.cree_le + timedelta(hours=24, minutes=1))
    repondre(paiement, FaitFactory(paiement=paiement, statut="CAPTURED", source="REST"))

    s_absenter()
    plateforme(paiement, "CAPTURED")

    assert [reserve.pk for reserve in tenter()] == [paiement.pk]
    paiement.refresh_from_db()
    assert paiement.prochain_controle_le is None


def test_un_refuse_que_la_deuxieme_carte_a_paye_s_apprend_au_retour_des_cles(plateforme, s_absenter):
    paiement = PaiementFactory(refuse=True)

    s_absenter()
    plateforme(paiement, "AUTHORISED", uuid="e" * 32)
    tenter()

    paiement.refresh_from_db()
    assert paiement.statut == Statut.VERIFIE


def test_ce_que_rien_n_attendait_n_attend_rien_de_plus(settings):
    paiement = PaiementFactory(impute=True)
    Paiement.objects.update(prochain_controle_le=None)
    settings.PAYZEN_BOUTIQUES = {}

    interroger.interroger(paiement.pk)

    paiement.refresh_from_db()
    assert paiement.prochain_controle_le is None
