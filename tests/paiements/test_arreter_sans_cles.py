"""Un ordre de restitution d'une boutique dont les clés ne sont plus réglées s'arrête quand même."""

import pytest

from paiements.boutiques import BoutiqueAbsente
from paiements.models import DemandeRestitution
from paiements.payzen import EchecRest
from paiements.retours import ordres, restitution
from paiements.surveillance import invariants
from tests.factories import AgentFactory, PaiementFactory

pytestmark = pytest.mark.django_db

Etat = DemandeRestitution.Etat


@pytest.fixture
def ordre(agent, comptable):
    demande = restitution.demander(PaiementFactory(impute=True), motif="erreur", agent=agent)
    return restitution.decider(demande, accord=True, agent=comptable)


def test_un_ordre_jamais_parti_s_arrete_sans_regarder(ordre, comptable, settings):
    settings.PAYZEN_BOUTIQUES = {}

    assert ordres.abandonner(ordre, motif="contrat clos", agent=comptable).etat == Etat.ECHOUEE
    assert not restitution.is_en_cours(ordre.paiement)
    assert not list(invariants.verifier())


def test_sans_cles_un_ordre_ne_part_pas(ordre, settings):
    settings.PAYZEN_BOUTIQUES = {}

    with pytest.raises(BoutiqueAbsente):
        ordres.executer(ordre)

    ordre.refresh_from_db()
    assert ordre.etat == Etat.APPROUVEE


def test_un_ordre_parti_s_arrete_a_deux_et_dit_quoi_verifier(ordre, comptable, plateforme, settings):
    plateforme.serveur.post(f"{settings.PAYZEN_URL_API}Order/Get", status=500)
    with pytest.raises(EchecRest):
        ordres.executer(ordre)
    settings.PAYZEN_BOUTIQUES = {}

    with pytest.raises(restitution.RestitutionImpossible, match="un autre que celui qui l'a approuvé"):
        ordres.abandonner(ordre, motif="contrat clos", agent=comptable)
    arretee = ordres.abandonner(ordre, motif="contrat clos", agent=AgentFactory(role="COMPTABLE").utilisateur)

    anomalie = ordre.paiement.anomalies.ouvertes().get()
    assert (arretee.etat, anomalie.genre) == (Etat.ECHOUEE, "RESTITUTION_REFUSEE")
    assert "vérifier au Back Office" in anomalie.situation
    assert "contrat clos" in arretee.cause
