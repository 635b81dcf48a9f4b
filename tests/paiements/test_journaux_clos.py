"""Clore l'anomalie d'une ligne l'ôte du compte, de la feuille et de la file ; ce qui peut se porter l'est encore."""

from datetime import timedelta

import pytest
from django.core.management import CommandError
from django.utils import timezone

from paiements.causes import par_agent
from paiements.feuille.calcul import calculer
from paiements.file.suspens import lister_les_inconnues
from paiements.file.tenue import clore
from paiements.models import Anomalie, Impaye, LigneJournal
from paiements.retours import impaye, ordres
from paiements.statuts import Statut
from tests.factories import PaiementFactory, dire
from tests.paiements.bureau import geste
from tests.paiements.journaux import UUID, jo, jrb, jri, jt
from tests.paiements.maladies import refuser_d_ecrire

pytestmark = pytest.mark.django_db
LIGNES = Anomalie.objects.filter(genre="LIGNE_EN_SUSPENS")


@pytest.fixture
def clore_la_ligne(lire, agent, time_machine):
    """Quatre jours après, un agent clôt l'anomalie de la seule ligne en suspens ; elle n'attend plus nulle part."""

    def _clore(caf):
        time_machine.move_to(timezone.now() + timedelta(days=4))
        assert lire()["a_decider"] == 1
        clore(LIGNES.get(), par_agent(agent, "vu au Back Office"))
        assert (lire()["en_suspens"], calculer(caf, timezone.localdate()).suspens) == (0, [])

    return _clore


def test_clos_pendant_une_restitution_l_impaye_se_porte_quand_elle_finit(
    lire, comptable, ordre_sans_reponse, clore_la_ligne
):
    paiement = PaiementFactory(impute=True)
    demande = ordre_sans_reponse(paiement)
    assert lire(jri([paiement]))["a_decider"] == 0
    clore_la_ligne(paiement.caf)

    ordres.abandonner(demande, motif="la banque l'a repris", agent=comptable)
    lire()

    paiement.refresh_from_db()
    assert (paiement.statut, Impaye.objects.count()) == (Statut.REJETE, 1)


def test_clos_tant_que_la_banque_ne_tient_pas_le_debit_l_impaye_se_porte_quand_elle_le_tient(lire, clore_la_ligne):
    paiement = PaiementFactory()
    dire(paiement, "WAITING_AUTHORISATION")
    assert lire(jri([paiement]))["a_decider"] == 0
    clore_la_ligne(paiement.caf)

    dire(paiement, "AUTHORISED")
    lire()

    assert Impaye.objects.get().debit_id == UUID(paiement)


def test_clos_tant_qu_il_est_inconnu_l_impaye_se_porte_quand_sa_transaction_arrive(lire, clore_la_ligne):
    paiement = PaiementFactory()
    lire(jri([paiement]))
    clore_la_ligne(paiement.caf)

    lire(jt([paiement]))

    assert Impaye.objects.get().debit_id == UUID(paiement)


def test_close_tant_qu_elle_est_inconnue_sa_reference_se_demande_encore(lire, clore_la_ligne):
    paiement = PaiementFactory()
    lire(jrb([paiement]))
    clore_la_ligne(paiement.caf)

    assert (paiement.boutique, paiement.reference) in lister_les_inconnues()


def test_close_inconnue_puis_d_un_autre_montant_elle_revient_a_l_agent(lire, clore_la_ligne):
    paiement = PaiementFactory()
    lire(jo([paiement], OPERATION_AMOUNT="11000"))
    clore_la_ligne(paiement.caf)

    assert lire(jt([paiement]))["a_decider"] == 1


@pytest.mark.parametrize("montant", ["500", "700"], ids=["second impayé", "autre montant"])
def test_ce_qu_un_agent_a_decide_ne_se_porte_plus(lire, agent, comptable, montant):
    paiement = PaiementFactory(impute=True)
    lire(jri([paiement], SOURCE_AMOUNT="500"))
    lire(jri([paiement], jour="261128", SOURCE_AMOUNT=montant, UNPAID_DATE="20261128"))
    clore(LIGNES.get(), par_agent(agent, "la même, redite"))

    impaye.annuler(paiement.anomalies.get(genre="IMPAYE"), motif="à tort", agent=comptable)

    assert lire()["en_suspens"] == 0
    assert list(Impaye.objects.order_by("pk").values_list("sens", flat=True)) == [1, -1]


def test_malade_elle_n_est_plus_decidee(lire, agent, comptable):
    """Ce que l'agent clôt est l'échec d'une écriture, qui passera."""
    paiement = PaiementFactory(impute=True)
    lire(jri([paiement], SOURCE_AMOUNT="500"))
    lire(jri([paiement], jour="261128", SOURCE_AMOUNT="12000", UNPAID_DATE="20261128"))
    impaye.annuler(paiement.anomalies.get(genre="IMPAYE"), motif="à tort", agent=comptable)
    with refuser_d_ecrire(paiement, table="etapepaiement"), pytest.raises(CommandError):
        lire()
    clore(LIGNES.get(), par_agent(agent, "vu"))

    lire()

    assert Impaye.objects.latest("pk").montant == 120


def test_l_anomalie_d_une_version_d_avant_se_ferme_la_ligne_ayant_la_sienne(lire):
    """Avant, un impayé d'un montant impossible avait la sienne, d'une autre espèce et d'une autre clé."""
    paiement = PaiementFactory(impute=True)
    lire(jri([paiement], SOURCE_AMOUNT="99900"))
    communs = {"genre": "REPONSE_INATTENDUE", "paiement": paiement, "caf": paiement.caf}
    avant = Anomalie.objects.create(cle=f"impaye:{LigneJournal.objects.get().cle}", **communs)
    autre = Anomalie.objects.create(cle="incomplete:1", **communs)

    lire()

    avant.refresh_from_db()
    autre.refresh_from_db()
    assert (avant.etat, autre.etat) == ("SANS_OBJET", "OUVERTE")
    assert LIGNES.ouvertes().count() == 1


def test_seul_un_comptable_clot_une_ligne_d_impaye(lire, client, entrer, ordre_sans_reponse, time_machine):
    paiement = PaiementFactory(impute=True)
    ordre_sans_reponse(paiement)
    lire(jri([paiement]))
    time_machine.move_to(timezone.now() + timedelta(days=4), tick=False)
    lire()
    ligne = LIGNES.get()

    def presser(role, nom):
        entrer(role)
        client.post(geste(ligne, nom), {"motif": "vu au Back Office"})
        ligne.refresh_from_db()
        return ligne.etat

    assert (presser("GESTION", "clore"), presser("GESTION", "clore_la_ligne")) == ("OUVERTE", "OUVERTE")
    assert presser("COMPTABLE", "clore_la_ligne") == "CLOSE"
