"""Restituer se demande, s'approuve à deux, et ne touche que ce que la banque tient."""

from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction

from paiements.models import Anomalie, DemandeRestitution
from paiements.retours import ordres, restitution
from paiements.surveillance import invariants
from tests.factories import PaiementFactory, dire
from tests.paiements.livres import approuver, faire_un_reliquat

pytestmark = pytest.mark.django_db

Etat = DemandeRestitution.Etat


def test_celui_qui_demande_n_approuve_pas(agent):
    demande = restitution.demander(PaiementFactory(impute=True), motif="erreur", agent=agent)

    with pytest.raises(restitution.RestitutionImpossible):
        restitution.decider(demande, accord=True, agent=agent)
    with pytest.raises(IntegrityError), transaction.atomic():
        DemandeRestitution.objects.filter(pk=demande.pk).update(approbateur=agent)


def test_rien_ne_part_sans_approbation(agent):
    demande = restitution.demander(PaiementFactory(impute=True), motif="erreur", agent=agent)

    with pytest.raises(restitution.RestitutionImpossible):
        ordres.executer(demande)


def test_une_demande_refusee_ne_s_execute_pas(agent, comptable):
    demande = restitution.demander(PaiementFactory(impute=True), motif="erreur", agent=agent)

    demande = restitution.decider(demande, accord=False, agent=comptable)

    assert demande.etat == Etat.REFUSEE
    with pytest.raises(restitution.RestitutionImpossible):
        ordres.executer(demande)


@pytest.mark.parametrize("trait", [{}, {"refuse": True}, {"expire": True}])
def test_on_ne_rend_pas_ce_qui_n_a_pas_ete_pris(agent, trait):
    with pytest.raises(restitution.RestitutionImpossible):
        restitution.demander(PaiementFactory(**trait), motif="erreur", agent=agent)


def test_une_seule_restitution_a_la_fois(agent):
    paiement = PaiementFactory(impute=True)
    restitution.demander(paiement, motif="erreur", agent=agent)

    with pytest.raises(restitution.RestitutionImpossible):
        restitution.demander(paiement, motif="encore", agent=agent)


def test_un_reliquat_rendu_n_empeche_pas_de_rendre_le_reste(plateforme, rembourser, agent, comptable):
    paiement, anomalie = faire_un_reliquat()
    plateforme(paiement, "CAPTURED")
    rembourser(paiement, montant=Decimal(100))
    ordres.executer(approuver(paiement, agent, comptable, anomalie=anomalie))

    demande = restitution.demander(paiement, motif="le reste aussi", agent=agent)

    assert (demande.montant, list(invariants.verifier())) == (20, [])


def test_un_debit_ne_ailleurs_que_de_notre_formulaire_se_rend(plateforme, rembourser, agent, comptable):
    paiement = PaiementFactory()
    dire(paiement, "AUTHORISED", uuid="d" * 32, trans_id="900001")
    anomalie = paiement.anomalies.get()
    plateforme(paiement)
    ordre = rembourser(paiement)

    demande = ordres.executer(approuver(paiement, agent, comptable, anomalie=anomalie))

    assert anomalie.genre == Anomalie.Genre.STATUT_INATTENDU
    assert ("d" * 32).encode() in ordre.calls[0].request.body
    assert demande.etat == Etat.FAITE


@pytest.mark.parametrize("champs", [{"site": "75100001"}, {"devise": "952"}], ids=str)
def test_un_debit_que_notre_boutique_ne_peut_rendre_en_euros_ne_se_demande_pas(agent, champs):
    paiement = PaiementFactory()
    dire(paiement, "AUTHORISED", **champs)
    anomalie = paiement.anomalies.get()

    assert anomalie.transaction.montant == 120
    assert restitution.get_a_restituer_d_une(paiement, anomalie) is None
    with pytest.raises(restitution.RestitutionImpossible):
        restitution.demander(paiement, motif="erreur", agent=agent, anomalie=anomalie)


def test_un_debit_dont_la_devise_effective_n_est_pas_l_euro_non_plus(agent):
    paiement = PaiementFactory(accepte=True)
    dire(paiement, "AUTHORISED", devise_effective="840")
    paiement = type(paiement).objects.get()

    assert restitution.get_a_restituer(paiement) is None
    with pytest.raises(restitution.RestitutionImpossible):
        restitution.demander(paiement, motif="erreur", agent=agent)
