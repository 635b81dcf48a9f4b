"""Mettre de côté une grosse somme demande deux personnes, et vaut pour l'état des comptes que l'on a vu."""

from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction

from paiements.causes import par_agent
from paiements.file import tenue
from paiements.models import Anomalie, DemandeMiseDeCote, TransactionPayzen
from paiements.retours import mise_de_cote
from tests.factories import AgentFactory, PaiementFactory, dire
from tests.paiements.bureau import faire_un_reliquat

pytestmark = pytest.mark.django_db


@pytest.fixture
def reliquat():
    """100 € à placer, dans une Caf dont le seuil est de 100 €."""
    paiement, anomalie = faire_un_reliquat()
    paiement.caf.seuil_mise_de_cote = Decimal(100)
    paiement.caf.save()
    return Anomalie.objects.get(pk=anomalie.pk)


def test_au_dessus_du_seuil_une_personne_ne_suffit_pas(reliquat, agent):
    with pytest.raises(mise_de_cote.MiseDeCoteImpossible, match="un comptable"):
        mise_de_cote.mettre_de_cote(reliquat, motif="vu", agent=agent)

    reliquat.refresh_from_db()
    assert reliquat.is_ouverte


def test_une_somme_qui_ne_se_compte_pas_en_euros_demande_deux_personnes(agent):
    paiement = PaiementFactory()
    paiement.caf.seuil_mise_de_cote = Decimal(100)
    paiement.caf.save()
    dire(paiement, "AUTHORISED", devise="USD")
    anomalie = Anomalie.objects.ouvertes().get(paiement=paiement)

    with pytest.raises(mise_de_cote.MiseDeCoteImpossible, match="un comptable"):
        mise_de_cote.mettre_de_cote(anomalie, motif="vu", agent=agent)
    assert mise_de_cote.demander(anomalie, motif="vu", agent=agent).montant is None


def test_ce_qui_raconte_un_evenement_se_clot_et_ne_se_met_pas_de_cote(agent):
    paiement = PaiementFactory(expire=True)
    dire(paiement, "AUTHORISED")
    tardif = paiement.anomalies.get()

    with pytest.raises(mise_de_cote.MiseDeCoteImpossible, match="elle se clôt"):
        mise_de_cote.mettre_de_cote(tardif, motif="vu", agent=agent)


def test_une_anomalie_d_argent_ne_se_clot_pas(reliquat, agent):
    with pytest.raises(tenue.CloreImpossible):
        tenue.clore(reliquat, par_agent(agent, "réglé"))

    reliquat.refresh_from_db()
    assert reliquat.is_ouverte


@pytest.mark.parametrize("verdict", ["", *TransactionPayzen.Verdict.values])
def test_ce_qu_une_personne_peut_faire_ne_se_demande_pas(reliquat, agent, verdict):
    """Sous le seuil, on la met de côté soi-même ; et il n'y a rien à trancher d'un débit dont la banque est sûre."""
    reliquat.caf.seuil_mise_de_cote = Decimal("100.01")
    reliquat.caf.save()

    with pytest.raises(mise_de_cote.MiseDeCoteImpossible, match="une personne suffit"):
        mise_de_cote.demander(reliquat, motif="vu", agent=agent, verdict=verdict)

    assert not reliquat.demandes.exists()


@pytest.mark.parametrize("seuil", [None, Decimal("100.01")])
def test_en_dessous_une_personne_suffit(reliquat, agent, seuil):
    reliquat.caf.seuil_mise_de_cote = seuil
    reliquat.caf.save()

    mise_de_cote.mettre_de_cote(reliquat, motif="vu", agent=agent)

    reliquat.refresh_from_db()
    assert reliquat.etat == Anomalie.Etat.ECARTEE


def test_un_comptable_accorde_et_les_mots_des_deux_restent(reliquat, agent, comptable):
    demande = mise_de_cote.demander(reliquat, motif="rendu par chèque", agent=agent)

    mise_de_cote.decider(demande, accord=True, agent=comptable, motif="chèque vu")

    reliquat.refresh_from_db()
    assert reliquat.etat == Anomalie.Etat.ECARTEE
    derniere = reliquat.etapes.last()
    assert derniere.auteur == agent.identifiant
    assert derniere.motif == f"rendu par chèque ; approuvé par {comptable} : chèque vu"


def test_refusee_l_anomalie_reste_a_traiter(reliquat, agent, comptable):
    demande = mise_de_cote.demander(reliquat, motif="rendu", agent=agent)

    mise_de_cote.decider(demande, accord=False, agent=comptable, motif="non")

    reliquat.refresh_from_db()
    assert reliquat.is_ouverte


def test_celui_qui_demande_n_approuve_pas(reliquat, agent):
    demande = mise_de_cote.demander(reliquat, motif="rendu", agent=agent)

    with pytest.raises(mise_de_cote.MiseDeCoteImpossible, match="n'est pas celui qui demande"):
        mise_de_cote.decider(demande, accord=True, agent=agent, motif="moi")
    with pytest.raises(IntegrityError), transaction.atomic():
        DemandeMiseDeCote.objects.filter(pk=demande.pk).update(approbateur=agent)


def test_une_demande_se_decide_une_fois(reliquat, agent, comptable):
    demande = mise_de_cote.demander(reliquat, motif="rendu", agent=agent)
    mise_de_cote.decider(demande, accord=False, agent=comptable, motif="non")

    with pytest.raises(mise_de_cote.MiseDeCoteImpossible, match="déjà décidée"):
        mise_de_cote.decider(demande, accord=True, agent=comptable, motif="oui")


def test_une_demande_ne_se_fait_pas_deux_fois(reliquat, agent):
    mise_de_cote.demander(reliquat, motif="rendu", agent=agent)

    with pytest.raises(mise_de_cote.MiseDeCoteImpossible, match="déjà faite"):
        mise_de_cote.demander(reliquat, motif="encore", agent=AgentFactory().utilisateur)


def test_si_les_comptes_changent_il_n_y_a_plus_rien_a_approuver(reliquat, agent, comptable):
    demande = mise_de_cote.demander(reliquat, motif="rendu", agent=agent)
    paiement = reliquat.paiement
    dire(paiement, "CAPTURED", operation="CREDIT", montant=Decimal(20), uuid="c" * 32, parent=paiement.debit_id)

    with pytest.raises(mise_de_cote.MiseDeCoteImpossible, match="comptes ont changé"):
        mise_de_cote.decider(demande, accord=True, agent=comptable, motif="oui")


def test_ce_qui_est_de_cote_se_rouvre_avec_sa_raison(reliquat, agent):
    tenue.mettre_de_cote(reliquat, motif="vu", agent=agent)

    tenue.rouvrir(reliquat, motif="le chèque est revenu", agent=agent)

    reliquat.refresh_from_db()
    assert reliquat.is_ouverte
    assert reliquat.etapes.last().motif == "le chèque est revenu"
    with pytest.raises(tenue.DejaResolue):
        tenue.rouvrir(reliquat, motif="encore", agent=agent)
