"""Ce que la banque ne tient plus d'un paiement imputé : un agent dit de quelles dettes c'est repris."""

from decimal import Decimal

import pytest

from dettes.models import Mouvement
from paiements.file.tenue import DejaResolue, mettre_de_cote
from paiements.imputation.imputer import imputer_un_lot
from paiements.models import Anomalie, Imputation
from paiements.retours import reprise, restitution
from paiements.statuts import Statut
from paiements.surveillance import invariants
from tests.factories import dire
from tests.paiements.livres import baisser, get_soldes, rembourser, reprendre

pytestmark = pytest.mark.django_db

Genre, Etat = Anomalie.Genre, Anomalie.Etat


def test_une_part_rendue_par_la_banque_fait_remonter_la_dette_la_plus_recente(paye, agent):
    paiement = paye(impute=True)
    alerte = rembourser(paiement, 70)

    reprendre(alerte, agent)

    paiement.refresh_from_db()
    alerte.refresh_from_db()
    assert get_soldes() == [820, 900]
    assert (paiement.statut, paiement.solde.tenu, paiement.solde.impute) == (Statut.IMPUTE, 80, 80)
    assert (alerte.etat, alerte.etapes.latest("pk").auteur) == (Etat.CLOSE, agent.identifiant)
    assert not list(invariants.verifier())


def test_l_agent_choisit_de_quelles_dettes_reprendre(paye, agent):
    alerte = rembourser(paye(impute=True), 70)

    reprendre(alerte, agent, 60, 10)

    assert get_soldes() == [860, 860]
    rejets = Mouvement.objects.filter(genre="REJET").order_by("dette__notifiee_le")
    assert list(rejets.values_list("montant", "motif")) == [(60, "vu au Back Office"), (10, "vu au Back Office")]
    reprises = Imputation.objects.filter(montant__lt=0).order_by("montant")
    assert set(reprises.values_list("motif", "auteur")) == {("vu au Back Office", agent.identifiant)}


@pytest.mark.parametrize(
    ("parts", "raison"),
    [
        ((10, 10), "doivent faire 70"),
        ((70, 10), "doivent faire 70"),
        ((10, 60), "plus que ce que ce paiement y a imputé"),
        ((-10, 80), "plus que ce que ce paiement y a imputé"),
    ],
)
def test_des_parts_qui_ne_vont_pas_ne_changent_rien(paye, agent, parts, raison):
    alerte = rembourser(paye(impute=True), 70)

    with pytest.raises(reprise.RepriseImpossible, match=raison):
        reprendre(alerte, agent, *parts)

    alerte.refresh_from_db()
    assert (get_soldes(), alerte.etat) == ([800, 850], Etat.OUVERTE)


def test_une_part_ne_se_reprend_pas_deux_fois(paye, agent):
    alerte = rembourser(paye(impute=True), 70)
    reprendre(alerte, agent)

    with pytest.raises(DejaResolue):
        reprise.reprendre(alerte, {}, motif="encore", agent=agent)

    assert get_soldes() == [820, 900]


def test_la_somme_restee_sans_dette_est_reprise_la_premiere(paye, agent, dettes):
    paiement = paye(verifie=True)
    Mouvement.objects.create(dette=dettes[0], genre="AJUSTEMENT", montant=-860, origine="livraison")
    imputer_un_lot()
    reliquat = paiement.anomalies.get(genre=Genre.RELIQUAT)

    rembourser(paiement, 45)
    apres_la_premiere = paiement.a_placer, get_soldes()
    reprendre(rembourser(paiement, 35, uuid="d" * 32), agent)

    reliquat.refresh_from_db()
    assert apres_la_premiere == (15, [0, 850])
    assert (reliquat.etat, get_soldes()) == (Etat.SANS_OBJET, [0, 870])
    assert not list(invariants.verifier())


def test_tout_repris_le_paiement_est_restitue(paye, agent):
    paiement = paye(impute=True)
    reprendre(rembourser(paiement, 60), agent)

    rembourser(paiement, 90, uuid="d" * 32)

    paiement.refresh_from_db()
    assert (paiement.statut, paiement.demarche.etat, get_soldes()) == (Statut.RESTITUE, "RESTITUEE", [900, 900])
    assert not list(invariants.verifier())


def test_deux_parts_rendues_sans_que_personne_reprenne_restituent_aussi_le_paiement(paye):
    paiement = paye(impute=True)

    for montant, uuid in ((60, "c"), (90, "d")):
        rembourser(paiement, montant, uuid=uuid * 32)

    assert (paiement.statut, get_soldes()) == (Statut.RESTITUE, [900, 900])
    assert not paiement.anomalies.ouvertes().exists()
    assert not list(invariants.verifier())


def test_une_annulation_de_la_banque_ne_reprend_que_ce_qui_tient_encore(paye, agent):
    paiement = paye(impute=True)
    reprendre(baisser(paiement, 90), agent)

    dire(paiement, "CANCELLED", montant=Decimal(90))

    paiement.refresh_from_db()
    assert (paiement.statut, get_soldes()) == (Statut.REJETE, [900, 900])
    assert not list(invariants.verifier())


def test_un_montant_baisse_deux_fois_se_reprend_en_une(paye, agent):
    paiement = paye(impute=True)
    baisser(paiement, 120)

    reprendre(baisser(paiement, 90), agent)
    dire(paiement, "CAPTURED", montant=Decimal(120))

    assert get_soldes() == [810, 900]
    assert not paiement.anomalies.ouvertes().exists()


def test_rien_ne_se_reprend_pendant_une_restitution(paye, agent):
    paiement = paye(impute=True)
    restitution.demander(paiement, motif="erreur", agent=agent)
    alerte = rembourser(paiement, 70)

    with pytest.raises(reprise.RepriseImpossible, match="restitution de ce paiement est en cours"):
        reprendre(alerte, agent)


def test_une_restitution_attend_que_la_part_rendue_soit_reprise(paye, agent):
    paiement = paye(impute=True)
    alerte = rembourser(paiement, 70)

    with pytest.raises(restitution.RestitutionImpossible, match="se reprend d'abord"):
        restitution.demander(paiement, motif="erreur", agent=agent)
    reprendre(alerte, agent)

    assert restitution.demander(paiement, motif="erreur", agent=agent).montant == 80


def test_une_alerte_mise_de_cote_par_erreur_se_reprend_encore(paye, agent, comptable):
    alerte = rembourser(paye(impute=True), 70)
    mettre_de_cote(alerte, motif="le crédit d'un autre débit", agent=comptable)

    reprendre(alerte, agent)

    alerte.refresh_from_db()
    assert (alerte.etat, get_soldes()) == (Etat.CLOSE, [820, 900])
    assert list(alerte.etapes.values_list("motif", "auteur"))[-2:] == [
        ("le crédit d'un autre débit", comptable.identifiant),
        ("vu au Back Office", agent.identifiant),
    ]
