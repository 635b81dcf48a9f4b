"""Un paiement que l'on n'arrive pas à conclure n'arrête pas les autres, et se reprend de plus en plus tard."""

from contextlib import contextmanager
from datetime import timedelta
from io import StringIO
from operator import attrgetter

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from paiements import tasks
from paiements.causes import par_agent
from paiements.file.tenue import clore
from paiements.models import Anomalie, Paiement
from paiements.statuts import Statut
from paiements.verification.interroger import RELANCE_APRES_PANNE
from socle.commandes import Code
from tests.factories import PaiementFactory
from tests.paiements.journaux import jrb
from tests.paiements.maladies import refuser_d_ecrire, tenir_sa_dette

pytestmark = pytest.mark.django_db

Genre = Anomalie.Genre


def interroger(paiement):
    tasks.interroger(paiement_id=paiement.pk)
    paiement.refresh_from_db()
    return paiement.prochain_controle_le - timezone.now()


def test_la_tache_reessaie_de_plus_en_plus_tard_et_un_agent_le_voit(plateforme, time_machine):
    paiement = PaiementFactory(accepte=True)
    plateforme(paiement, "AUTHORISED")
    delais = []

    with refuser_d_ecrire(paiement, table="etapepaiement"):
        for _ in range(13):
            time_machine.move_to(Paiement.objects.get().prochain_controle_le, tick=False)
            delais.append(interroger(paiement))

    assert delais[:4] == [timedelta(minutes=minutes) for minutes in (1, 2, 4, 8)]
    assert delais[-1] == timedelta(days=1)
    anomalie = Anomalie.objects.get()
    assert (anomalie.genre, anomalie.etat) == (Genre.IMPUTATION_IMPOSSIBLE, Anomalie.Etat.OUVERTE)
    assert anomalie.detail.startswith("l'interrogation échoue")


def test_gueri_il_se_conclut_et_son_anomalie_se_ferme(plateforme):
    paiement = PaiementFactory(accepte=True)
    plateforme(paiement, "AUTHORISED")
    with refuser_d_ecrire(paiement, table="etapepaiement"):
        interroger(paiement)

    interroger(paiement)

    assert paiement.statut == Statut.VERIFIE
    assert paiement.anomalies.get().etat == Anomalie.Etat.SANS_OBJET


def test_close_par_un_agent_elle_se_redit_le_lendemain_et_l_attente_repart_de_peu(plateforme, time_machine, agent):
    paiement = PaiementFactory(accepte=True)
    plateforme(paiement, "AUTHORISED")
    with refuser_d_ecrire(paiement, table="etapepaiement"):
        interroger(paiement)
        clore(paiement.anomalies.get(), par_agent(agent, "exploitant prévenu"))
        time_machine.move_to(timezone.now() + timedelta(days=60), tick=False)
        delai = interroger(paiement)

    assert paiement.anomalies.get().etat == Anomalie.Etat.OUVERTE
    assert delai == timedelta(minutes=1)


@pytest.mark.parametrize(
    ("options", "ordre"), [(["--jour", "{jour}"], "pk"), (["--journaux"], "reference")], ids=["un jour", "journaux"]
)
def test_la_commande_passe_aux_autres_et_nomme_ce_qui_reste(plateforme, lire, options, ordre):
    malade, sain = sorted((PaiementFactory(), PaiementFactory()), key=attrgetter(ordre))
    for paiement in (malade, sain):
        plateforme(paiement, "AUTHORISED")
    lire(jrb([malade, sain]))
    options = [option.format(jour=timezone.localdate()) for option in options]

    with refuser_d_ecrire(malade, table="etapepaiement"), pytest.raises(CommandError) as refus:
        call_command("interroger_payzen", *options, "--appliquer", stdout=StringIO(), stderr=StringIO())

    malade.refresh_from_db()
    sain.refresh_from_db()
    assert (malade.statut, sain.statut) == (Statut.EN_ATTENTE, Statut.VERIFIE)
    assert str(refus.value) == f"1 paiement(s) non conclus : {malade.reference}. Plus tard, relancez la même commande."
    assert refus.value.returncode == Code.PAS_PU


@pytest.mark.django_db(transaction=True)
def test_une_dette_qu_un_import_tient_ne_fait_que_remettre(plateforme):
    paiement = PaiementFactory(impute=True)
    plateforme(paiement, "CANCELLED")

    with tenir_sa_dette(paiement), refuser_d_attendre():
        delai = interroger(paiement)

    assert timedelta(0) < delai <= RELANCE_APRES_PANNE
    assert (paiement.statut, Anomalie.objects.count()) == (Statut.IMPUTE, 0)


@contextmanager
def refuser_d_attendre():
    """Un verrou tenu s'attend quatre secondes au service ; ici, pas du tout."""
    with connection.cursor() as curseur:
        curseur.execute("SET lock_timeout = '10ms'")
    yield
    with connection.cursor() as curseur:
        curseur.execute("RESET lock_timeout")
