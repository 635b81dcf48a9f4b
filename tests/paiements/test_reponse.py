"""« Avez-vous terminé le paiement ? » : la plateforme est interrogée aussitôt, et l'on ne croit qu'elle."""

from datetime import timedelta
from decimal import Decimal

import pytest
import requests
from django.utils import timezone

from demarches.etats import Etat
from demarches.services import recommencer
from dettes.models import Dette
from paiements.models import Anomalie, Paiement
from paiements.passages import get_libre_le
from paiements.statuts import Statut
from paiements.suivi.progres import dire_ou_en_est
from paiements.verification import interroger, reponse
from tests.factories import PaiementFactory, dire

pytestmark = pytest.mark.django_db


@pytest.fixture
def paiement():
    """120 € à la banque, depuis un instant."""
    return PaiementFactory()


def abandonner(paiement):
    return reponse.repondre(Paiement.objects.get(pk=paiement.pk), paye=False)


def lire(paiement):
    return Paiement.objects.select_related("demarche", "caf", "debit").get(pk=paiement.pk)


def test_qui_n_a_pas_paye_libere_ses_montants_quand_la_plateforme_ne_sait_rien(paiement, plateforme):
    plateforme(paiement)

    apres = abandonner(paiement)

    assert (apres.statut, lire(paiement).demarche.etat) == (Statut.ABANDONNE, Etat.NON_REALISEE)
    assert Dette.objects.with_disponible().get().disponible == 900
    assert apres.etapes.get(geste="abandonner").auteur == "allocataire"
    assert PaiementFactory(demarche=recommencer(lire(paiement).demarche)).statut == Statut.EN_ATTENTE


def test_abandonner_deux_fois_ne_fait_rien_de_plus(paiement, plateforme):
    plateforme(paiement)
    abandonner(paiement)

    apres = abandonner(paiement)

    assert apres.statut == Statut.ABANDONNE
    assert apres.etapes.filter(geste="abandonner").count() == 1
    assert len(plateforme.serveur.calls) == 1


def test_qui_dit_avoir_paye_ne_libere_rien(paiement, plateforme):
    plateforme(paiement)

    apres = reponse.repondre(paiement, paye=True)

    assert apres.statut == Statut.EN_ATTENTE
    assert Dette.objects.with_disponible().get().disponible == 780


@pytest.mark.parametrize("paye", [True, False])
def test_ce_que_la_plateforme_sait_l_emporte_sur_ce_qu_on_dit(paiement, plateforme, paye):
    plateforme(paiement, "AUTHORISED")

    apres = reponse.repondre(paiement, paye=paye)

    assert apres.statut == Statut.VERIFIE


@pytest.mark.parametrize("statut", ["WAITING_AUTHORISATION", "UNDER_VERIFICATION", "PARTIALLY_AUTHORISED"])
def test_rien_ne_se_libere_tant_que_la_banque_hesite(paiement, plateforme, statut):
    plateforme(paiement, statut)

    apres = abandonner(paiement)

    assert apres.statut == Statut.EN_ATTENTE
    assert Dette.objects.with_disponible().get().disponible == 780


def test_un_debit_inattendu_garde_les_montants_reserves(paiement, plateforme):
    plateforme(paiement, "AUTHORISED", montant=Decimal("1.00"))

    apres = abandonner(paiement)

    assert apres.statut == Statut.EN_ATTENTE
    assert apres.anomalies.get().genre == Anomalie.Genre.MONTANT_DIFFERENT


@pytest.mark.parametrize(
    "panne",
    [
        {"status": 500},
        {"body": requests.ConnectTimeout()},
        {"json": {"status": "ERROR", "answer": {"errorCode": "INT_905"}, "mode": "TEST"}},
    ],
)
def test_une_plateforme_muette_ne_change_rien(paiement, plateforme, settings, panne):
    plateforme.serveur.post(f"{settings.PAYZEN_URL_API}Order/Get", **panne)
    avant = lire(paiement).prochain_controle_le

    with pytest.raises(reponse.PlateformeMuette):
        abandonner(paiement)

    apres = lire(paiement)
    assert (apres.statut, apres.prochain_controle_le) == (Statut.EN_ATTENTE, avant)
    assert Dette.objects.with_disponible().get().disponible == 780


def test_un_paiement_abandonne_se_redemande_encore(paiement, plateforme, time_machine):
    """La page restée ouverte a pu servir, et sa notification se perdre."""
    plateforme(paiement)
    abandonner(paiement)
    assert lire(paiement).prochain_controle_le == get_libre_le(paiement)
    plateforme.serveur.reset()
    plateforme(paiement, "AUTHORISED")

    time_machine.move_to(get_libre_le(paiement), tick=False)
    interroger.interroger(paiement.pk)

    assert lire(paiement).statut == Statut.VERIFIE


def test_abandonner_puis_payer_dans_l_ancien_onglet_compte_et_s_explique(paiement, plateforme):
    plateforme(paiement)
    abandonner(paiement)

    dire(paiement, "AUTHORISED")

    paye = lire(paiement)
    assert paye.statut == Statut.ACCEPTE
    assert paye.anomalies.get().genre == Anomalie.Genre.PAIEMENT_TARDIF
    (phrase,) = dire_ou_en_est(paye).suite
    assert "Vous nous aviez dit ne pas avoir payé\u00a0: votre banque a pourtant accepté ce paiement" in phrase


def test_l_ancien_onglet_paye_apres_une_nouvelle_demande_dit_les_deux(paiement, plateforme):
    plateforme(paiement)
    abandonner(paiement)
    nouveau = PaiementFactory(demarche=recommencer(lire(paiement).demarche))

    dire(paiement, "AUTHORISED")
    en_attente = dire_ou_en_est(lire(paiement)).suite
    dire(nouveau, "AUTHORISED")

    assert any(
        f"La demande {nouveau.reference}, sur les mêmes dettes, est encore à la banque" in p for p in en_attente
    )
    for un, autre in ((paiement, nouveau), (nouveau, paiement)):
        assert any(autre.reference in phrase for phrase in dire_ou_en_est(lire(un)).suite)


def test_un_accord_appris_apres_le_delai_s_explique(paiement, plateforme, time_machine):
    plateforme(paiement)
    time_machine.move_to(get_libre_le(paiement), tick=False)
    interroger.interroger(paiement.pk)
    time_machine.move_to(timezone.now() + timedelta(minutes=5), tick=False)

    dire(paiement, "AUTHORISED")

    assert any("n’était pas réalisée" in phrase for phrase in dire_ou_en_est(lire(paiement)).suite)
