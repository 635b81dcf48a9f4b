"""La banque tient moins que demandé, et rien n'est encore imputé : un agent l'admet, ou rien n'avance."""

from decimal import Decimal

import pytest
from django.utils import timezone

from paiements.documents import attestations, tickets
from paiements.file.tenue import mettre_de_cote
from paiements.imputation.imputer import imputer_un_lot
from paiements.models import Anomalie, Paiement
from paiements.passages import TransitionImpossible
from paiements.retours import reprise
from paiements.statuts import Statut
from paiements.surveillance import invariants
from paiements.verification import conclusions, interroger
from tests.factories import dire
from tests.paiements.livres import approuver, baisser, get_soldes, relire, rembourser, reprendre

pytestmark = pytest.mark.django_db

Genre, Etat = Anomalie.Genre, Anomalie.Etat


def test_une_part_rendue_avant_la_verification_bloque_jusqu_a_ce_qu_un_agent_l_admette(paye, agent):
    paiement = paye(accepte=True)
    alerte = rembourser(paiement, 70)
    avant = paiement.statut, paiement.confirme_le

    reprise.admettre(alerte, motif="vu", agent=agent)
    relire(paiement)
    imputer_un_lot()

    alerte.refresh_from_db()
    assert avant == (Statut.ACCEPTE, None)
    assert (get_soldes(), alerte.etat) == ([820, 900], Etat.CLOSE)
    assert not paiement.anomalies.ouvertes().exists()
    assert not list(invariants.verifier())


@pytest.mark.parametrize("de_cote", [False, True])
def test_une_part_rendue_apres_la_verification_attend_qu_un_agent_l_admette(paye, agent, de_cote):
    paiement = paye(verifie=True)
    alerte = rembourser(paiement, 70)
    if de_cote:
        mettre_de_cote(alerte, motif="à voir", agent=agent)
    imputer_un_lot()
    avant = get_soldes()
    bloque = list(invariants.verifier())

    reprise.admettre(alerte, motif="vu", agent=agent)
    imputer_un_lot()

    alerte.refresh_from_db()
    assert (avant, get_soldes(), bloque) == ([900, 900], [820, 900], [])
    assert alerte.etat == Etat.CLOSE
    assert not paiement.anomalies.ouvertes().exists()
    assert not list(invariants.verifier())


def test_ce_qui_est_rendu_apres_la_verification_se_restitue_plutot_que_de_s_imputer(paye, agent, comptable):
    paiement = paye(verifie=True)
    rembourser(paiement, 70)

    demande = approuver(paiement, agent, comptable)

    assert demande.montant == 80


def test_une_hausse_apprise_apres_la_verification_attend_qu_un_agent_l_admette(paye, agent):
    paiement = paye(verifie=True)
    dire(paiement, "AUTHORISED", montant=Decimal(151))
    imputer_un_lot()
    avant = get_soldes()

    reprise.admettre(paiement.anomalies.ouvertes().get(), motif="vu", agent=agent)
    imputer_un_lot()

    paiement.refresh_from_db()
    assert (avant, paiement.statut, paiement.solde.impute) == ([900, 900], Statut.IMPUTE, 150)


def test_un_montant_baisse_et_admis_fait_aussitot_interroger_la_plateforme(paye, agent, plateforme):
    paiement = paye(accepte=True)
    plateforme(paiement, "AUTHORISED", montant=Decimal(90))
    interroger.interroger(paiement.pk)
    alerte = paiement.anomalies.get()

    reprise.admettre(alerte, motif="vu", agent=agent)
    du = list(interroger.reserver(10))
    interroger.interroger(paiement.pk)

    paiement.refresh_from_db()
    alerte.refresh_from_db()
    assert (du, paiement.statut, alerte.etat) == ([paiement.pk], Statut.VERIFIE, Etat.CLOSE)


def test_un_montant_plus_petit_s_accepte_et_s_impute_a_la_plus_ancienne(paye, agent):
    paiement = paye()
    alerte = baisser(paiement, 120)

    reprise.admettre(alerte, motif="oui", agent=agent)
    relire(paiement)
    imputer_un_lot()

    paiement.refresh_from_db()
    assert (paiement.statut, paiement.solde.tenu, get_soldes()) == (Statut.IMPUTE, 120, [800, 880])
    assert paiement.etapes.get(geste="accepter").auteur == agent.identifiant
    assert not list(invariants.verifier())


def test_un_montant_dit_trop_haut_puis_juste_s_admet(paye, agent):
    """La banque a d'abord dit 151 €, puis les 150 € demandés : rien ne se vérifie sans qu'un agent l'admette."""
    paiement = paye(accepte=True)
    dire(paiement, "AUTHORISED", montant=Decimal(151))
    alerte = paiement.anomalies.get()

    reprise.admettre(alerte, motif="vu au Back Office", agent=agent)
    relire(paiement)

    paiement.refresh_from_db()
    assert (paiement.statut, alerte.genre) == (Statut.VERIFIE, Genre.MONTANT_DIFFERENT)
    assert not paiement.anomalies.ouvertes().exists()


@pytest.mark.parametrize(
    "autre", [{"montant": Decimal(160)}, {"montant": Decimal(120), "devise": "840"}, {"trans_id": "900001"}], ids=str
)
def test_seul_un_debit_plus_petit_ne_de_notre_formulaire_s_admet(paye, agent, autre):
    paiement = paye()
    dire(paiement, "AUTHORISED", **autre)

    with pytest.raises(reprise.RepriseImpossible):
        reprise.admettre(paiement.anomalies.get(), motif="oui", agent=agent)

    paiement.refresh_from_db()
    assert (paiement.statut, paiement.montant_admis) == (Statut.EN_ATTENTE, None)


def test_ce_qui_est_admis_ne_l_est_que_pour_ce_montant(paye, agent):
    paiement = paye(accepte=True)
    reprise.admettre(baisser(paiement, 120), motif="oui", agent=agent)
    baisser(paiement, 90)

    relire(paiement)

    assert (paiement.statut, paiement.anomalies.ouvertes().get().situation) == (Statut.ACCEPTE, "90.00")


def test_un_agent_ne_confirme_pas_ce_dont_la_banque_a_rendu_une_part(paye, agent):
    paiement = paye(accepte=True)
    alerte = rembourser(paiement, 70)
    Paiement.objects.filter(pk=paiement.pk).update(confirme_le=timezone.now())

    with pytest.raises(TransitionImpossible, match="réglez d'abord son anomalie"):
        conclusions.confirmer(paiement, motif="vu", agent=agent)
    reprise.admettre(alerte, motif="vu", agent=agent)
    conclusions.confirmer(paiement, motif="vu", agent=agent)
    imputer_un_lot()

    assert sum(imputation.montant for imputation in paiement.imputations.all()) == 80


def test_rien_ne_s_admet_d_un_paiement_deja_impute(paye, agent):
    paiement = paye(impute=True)
    alerte = baisser(paiement, 120)

    with pytest.raises(reprise.RepriseImpossible):
        reprise.admettre(alerte, motif="oui", agent=agent)


def test_l_attestation_et_le_ticket_disent_le_vrai_montant(paye, agent):
    paiement = paye()
    reprise.admettre(baisser(paiement, 120), motif="oui", agent=agent)
    relire(paiement)
    imputer_un_lot()
    reprendre(rembourser(paiement, 10), agent)
    paiement = Paiement.objects.get()

    ticket, attestation = tickets.lire(paiement), attestations.lire(paiement)

    assert (ticket.montant, ticket.demande, ticket.rendu) == (120, 150, 10)
    assert (attestation.porte, attestation.reste_a_placer, attestation.repris_des_dettes) == (120, 0, 10)
