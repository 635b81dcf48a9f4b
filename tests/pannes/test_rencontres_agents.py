"""Deux agents au même instant : un seul geste compte, l'autre le sait."""

from decimal import Decimal
from functools import partial

import pytest

from dettes.models import Dette
from paiements.file.tenue import DejaResolue, mettre_de_cote
from paiements.models import Anomalie, Paiement, PartRestituee
from paiements.retours import cloture, impaye, mise_de_cote, reprise, restitution
from paiements.statuts import Statut
from paiements.verification import conclusions
from tests.courses import compter, en_meme_temps, en_second, fenetre
from tests.factories import PaiementFactory, dire
from tests.pannes.gestes import verifier_les_invariants

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def part_rendue():
    """Un paiement imputé dont la banque vient de rendre 20 € ; son alerte, et de quoi la reprendre."""
    paiement = PaiementFactory(impute=True)
    credit = {"operation": "CREDIT", "uuid": "c" * 32, "parent": paiement.debit_id, "trans_id": "900001"}
    dire(paiement, "CAPTURED", montant=Decimal(20), **credit)
    return paiement, paiement.anomalies.get(), {Dette.objects.get().pk: Decimal(20)}


def test_deux_agents_confirment_ensemble(agents):
    paiement = PaiementFactory(accepte=True)
    Paiement.objects.filter(pk=paiement.pk).update(confirme_le=paiement.cree_le, prochain_controle_le=None)

    with fenetre("paiements_paiement", autres=2):
        issues = en_meme_temps(*[partial(conclusions.confirmer, paiement, motif="vu", agent=a) for a in agents])

    assert not compter(issues, Exception)
    assert paiement.etapes.filter(geste="verifier").count() == 1


def test_deux_agents_mettent_de_cote_la_meme_anomalie(agents, part_rendue):
    _, alerte, _ = part_rendue

    with fenetre("paiements_anomalie", autres=2):
        issues = en_meme_temps(*[partial(mettre_de_cote, alerte, motif="vu", agent=a) for a in agents])

    assert compter(issues, DejaResolue) == 2
    assert alerte.etapes.filter(vers="ECARTEE").count() == 1


def test_deux_comptables_enregistrent_le_meme_impaye(agents):
    paiement = PaiementFactory(impute=True)

    with fenetre("dettes_dette", autres=2):
        issues = en_meme_temps(*[partial(impaye.enregistrer, paiement, motif="JRI", agent=a) for a in agents])

    assert compter(issues, impaye.ImpayeImpossible) == 2
    assert Dette.objects.get().solde == 900
    verifier_les_invariants()


def test_deux_comptables_annulent_le_meme_impaye(agents):
    paiement = PaiementFactory(impute=True)
    impaye.enregistrer(paiement, motif="JRI", agent=agents[0])
    alertes = [paiement.anomalies.get(genre="IMPAYE") for _ in agents]

    with fenetre("paiements_paiement", autres=2):
        issues = en_meme_temps(
            *[partial(impaye.annuler, x, motif="à tort", agent=a) for x, a in zip(alertes, agents, strict=True)]
        )

    assert compter(issues, impaye.ImpayeImpossible) == 2
    assert paiement.etapes.filter(geste="accepter").count() == 2


def test_deux_agents_reprennent_la_meme_part(agents, part_rendue):
    _, alerte, parts = part_rendue
    alertes = [Anomalie.objects.get(pk=alerte.pk) for _ in agents]

    with fenetre("dettes_dette", autres=2):
        issues = en_meme_temps(
            *[partial(reprise.reprendre, x, parts, motif="vu", agent=a) for x, a in zip(alertes, agents, strict=True)]
        )

    assert compter(issues, DejaResolue) == 2
    assert Dette.objects.get().solde == 800
    verifier_les_invariants()


def test_un_agent_reprend_une_part_pendant_que_la_banque_annule(agents, part_rendue):
    paiement, alerte, parts = part_rendue

    with fenetre("dettes_dette"):
        issues = en_meme_temps(
            lambda: reprise.reprendre(alerte, parts, motif="vu", agent=agents[0]),
            lambda: en_second(lambda: dire(paiement, "CANCELLED")),
        )

    assert not compter(issues, Exception)
    assert Dette.objects.get().solde == 900
    verifier_les_invariants()


def test_deux_agents_admettent_le_meme_montant(agents):
    paiement = PaiementFactory()
    dire(paiement, "AUTHORISED", montant=Decimal(100))
    alertes = [paiement.anomalies.get() for _ in agents]

    with fenetre("paiements_paiement", autres=2):
        issues = en_meme_temps(
            *[partial(reprise.admettre, x, motif="oui", agent=a) for x, a in zip(alertes, agents, strict=True)]
        )

    paiement.refresh_from_db()
    assert compter(issues, DejaResolue) == 2
    assert (paiement.statut, paiement.solde.tenu) == (Statut.ACCEPTE, 100)
    verifier_les_invariants()


def test_deux_agents_tranchent_la_meme_contradiction(agents):
    paiement = PaiementFactory(impute=True)
    for statut in ("CANCELLED", "CAPTURED"):
        dire(paiement, statut)
    alertes = [paiement.anomalies.ouvertes().get(genre="STATUT_INATTENDU") for _ in agents[:2]]

    with fenetre("paiements_transactionpayzen"):
        issues = en_meme_temps(
            lambda: reprise.trancher(alertes[0], "TENUE", motif="lu", agent=agents[0]),
            lambda: en_second(lambda: reprise.trancher(alertes[1], "DEFAITE", motif="lu", agent=agents[1])),
        )

    paiement.refresh_from_db()
    assert compter(issues, DejaResolue) == 1
    assert paiement.statut == Statut.ACCEPTE


def test_deux_agents_demandent_la_meme_restitution(agents):
    paiement = PaiementFactory(impute=True)

    with fenetre("paiements_demanderestitution", "INSERT", autres=2):
        issues = en_meme_temps(*[partial(restitution.demander, paiement, motif="erreur", agent=a) for a in agents])

    assert compter(issues, restitution.RestitutionImpossible) == 2
    assert paiement.restitutions.count() == 1


def test_deux_agents_decident_ensemble(agents, demande):
    with fenetre("paiements_demanderestitution"):
        issues = en_meme_temps(
            lambda: restitution.decider(demande, accord=True, agent=agents[1]),
            lambda: restitution.decider(demande, accord=False, agent=agents[2]),
        )

    assert compter(issues, restitution.RestitutionImpossible) == 1


def test_deux_agents_decident_ensemble_d_une_cloture(agents):
    paiement = PaiementFactory()
    close = cloture.demander(paiement, motif="rien au Back Office", agent=agents[0])
    memes = [paiement.clotures.get(pk=close.pk) for _ in range(2)]

    with fenetre("paiements_demandecloture"):
        issues = en_meme_temps(
            lambda: cloture.decider(memes[0], accord=True, agent=agents[1]),
            lambda: cloture.decider(memes[1], accord=False, agent=agents[2]),
        )

    assert compter(issues, cloture.ClotureImpossible) == 1


def test_deux_agents_demandent_la_meme_cloture(agents):
    paiement = PaiementFactory()

    with fenetre("paiements_demandecloture", "INSERT", autres=2):
        issues = en_meme_temps(*[partial(cloture.demander, paiement, motif="rien", agent=a) for a in agents])

    assert compter(issues, cloture.ClotureImpossible) == 2
    assert paiement.clotures.count() == 1


@pytest.fixture
def imputee():
    """Un paiement imputé de 120 €, et 20 € à en rendre."""
    paiement = PaiementFactory(impute=True)
    return paiement, {Dette.objects.get().pk: Decimal(20)}


def test_deux_agents_demandent_une_part_du_meme_paiement(agents, imputee):
    paiement, parts = imputee
    demander = partial(restitution.demander_une_part, paiement, parts, motif="trop")

    with fenetre("paiements_demanderestitution", "INSERT", autres=2):
        issues = en_meme_temps(*[partial(demander, agent=agent) for agent in agents])

    assert compter(issues, restitution.RestitutionImpossible) == 2
    assert PartRestituee.objects.count() == 1


def test_une_part_approuvee_deux_fois_par_la_meme_personne_ne_remonte_qu_une_fois(agents, imputee):
    paiement, parts = imputee
    demande = restitution.demander_une_part(paiement, parts, motif="trop", agent=agents[0])
    approuver = partial(restitution.decider, demande, accord=True, agent=agents[1], motif="vu")

    with fenetre("dettes_dette"):
        issues = en_meme_temps(approuver, approuver)

    assert compter(issues, restitution.RestitutionImpossible) == 1
    assert Dette.objects.get().solde == 800
    verifier_les_invariants()


def test_une_part_s_approuve_pendant_que_la_banque_annule_le_debit(agents, imputee):
    paiement, parts = imputee
    demande = restitution.demander_une_part(paiement, parts, motif="trop", agent=agents[0])

    with fenetre("dettes_dette"):
        issues = en_meme_temps(
            lambda: restitution.decider(demande, accord=True, agent=agents[1], motif="vu"),
            lambda: en_second(lambda: dire(paiement, "CANCELLED")),
        )

    assert not compter(issues, Exception)
    assert Dette.objects.get().solde == 900
    verifier_les_invariants()


@pytest.fixture
def a_laisser():
    """Un deuxième débit de 120 €, au-dessus du seuil de la Caf."""
    paiement = PaiementFactory(impute=True)
    dire(paiement, "AUTHORISED", uuid="d" * 32, trans_id="900002")
    paiement.caf.seuil_mise_de_cote = Decimal(100)
    paiement.caf.save()
    return paiement.anomalies.get()


def test_deux_agents_demandent_de_laisser_le_meme_argent(agents, a_laisser):
    with fenetre("paiements_demandemisedecote", "INSERT", autres=2):
        issues = en_meme_temps(*[partial(mise_de_cote.demander, a_laisser, motif="vu", agent=a) for a in agents])

    assert compter(issues, mise_de_cote.MiseDeCoteImpossible) == 2
    assert a_laisser.demandes.count() == 1


def test_deux_comptables_decident_ensemble_de_laisser_de_l_argent(agents, a_laisser):
    demande = mise_de_cote.demander(a_laisser, motif="vu", agent=agents[0])

    with fenetre("paiements_demandemisedecote"):
        issues = en_meme_temps(
            lambda: mise_de_cote.decider(demande, accord=True, agent=agents[1], motif="oui"),
            lambda: mise_de_cote.decider(demande, accord=False, agent=agents[2], motif="non"),
        )

    demande.refresh_from_db()
    a_laisser.refresh_from_db()
    assert compter(issues, mise_de_cote.MiseDeCoteImpossible) == 1
    assert (a_laisser.etat == "ECARTEE") == demande.accord
