"""Une deuxième source confirme avant que les dettes baissent ; tout désaccord va à un agent."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from paiements.imputation.imputer import imputer_un_lot
from paiements.models import Anomalie
from paiements.passages import TransitionImpossible
from paiements.retours import reprise
from paiements.statuts import Statut
from paiements.verification import conclusions, interroger
from tests.factories import AgentFactory, FaitFactory, PaiementFactory, demander, repondre

pytestmark = pytest.mark.django_db

Genre = Anomalie.Genre


def test_un_paiement_confirme_par_la_plateforme_est_verifie(plateforme):
    paiement = PaiementFactory(accepte=True)
    plateforme(paiement, "AUTHORISED")

    interroger.interroger(paiement.pk)

    paiement.refresh_from_db()
    assert paiement.statut == Statut.VERIFIE
    assert paiement.prochain_controle_le == paiement.cree_le + timedelta(hours=24)


@pytest.mark.parametrize(
    ("champs", "genres"),
    [
        ({"montant": Decimal("1.00")}, [Genre.MONTANT_DIFFERENT]),
        ({"uuid": "f" * 32}, [Genre.DESACCORD, Genre.DOUBLE_PAIEMENT]),
    ],
    ids=["un autre montant", "un autre débit"],
)
def test_un_desaccord_va_a_un_agent_et_rien_ne_se_verifie(plateforme, settings, champs, genres):
    settings.VERIFICATION_RELANCES = []
    paiement = PaiementFactory(accepte=True)
    plateforme(paiement, "AUTHORISED", **champs)

    interroger.interroger(paiement.pk)

    paiement.refresh_from_db()
    assert paiement.statut == Statut.ACCEPTE
    assert list(paiement.anomalies.order_by("genre").values_list("genre", flat=True)) == genres


def test_un_debit_qui_reparait_ferme_le_desaccord(plateforme, settings):
    settings.VERIFICATION_RELANCES = []
    paiement = PaiementFactory(accepte=True)
    plateforme(paiement)
    interroger.interroger(paiement.pk)
    desaccord = paiement.anomalies.get(genre=Genre.DESACCORD)
    plateforme.serveur.reset()
    plateforme(paiement, "AUTHORISED")

    interroger.interroger(paiement.pk)

    paiement.refresh_from_db()
    desaccord.refresh_from_db()
    assert (paiement.statut, desaccord.etat) == (Statut.VERIFIE, Anomalie.Etat.SANS_OBJET)


def test_un_paiement_pas_encore_visible_est_redemande(plateforme):
    paiement = PaiementFactory(accepte=True)
    plateforme(paiement)

    interroger.interroger(paiement.pk)

    paiement.refresh_from_db()
    assert paiement.statut == Statut.ACCEPTE
    assert paiement.prochain_controle_le > timezone.now()
    assert not paiement.anomalies.exists()


def test_un_paiement_annule_entre_temps_n_est_pas_verifie(plateforme):
    paiement = PaiementFactory(accepte=True)
    plateforme(paiement, "CANCELLED")

    interroger.interroger(paiement.pk)

    paiement.refresh_from_db()
    assert paiement.statut == Statut.REJETE


@pytest.mark.parametrize("trait", ["accepte", "verifie"])
def test_un_remboursement_partiel_avant_l_imputation_attend_un_agent(plateforme, trait):
    """Avant la vérification ou après, rien n'avance ; puis seul ce que la banque tient s'impute."""
    paiement = PaiementFactory(**{trait: True})
    debit = FaitFactory(paiement=paiement, statut="CAPTURED", source="REST")
    credit = FaitFactory(
        paiement=paiement,
        operation="CREDIT",
        uuid="c" * 32,
        montant=Decimal(70),
        trans_id="900001",
        parent=debit.uuid,
        source="REST",
    )

    repondre(paiement, debit, credit)

    paiement.refresh_from_db()
    anomalie = paiement.anomalies.get()
    assert (anomalie.genre, anomalie.transaction_id) == (Genre.ANNULATION_BANQUE, debit.uuid)
    assert paiement.statut == getattr(Statut, trait.upper())
    imputer_un_lot()
    assert not paiement.imputations.exists()
    reprise.admettre(anomalie, motif="vu", agent=AgentFactory().utilisateur)
    repondre(paiement, debit, credit)
    imputer_un_lot()
    assert paiement.imputations.get().montant == 50


def test_au_dessus_du_seuil_un_agent_confirme(plateforme):
    demarche = demander(Decimal(500))
    caf = demarche.allocataire.caf
    caf.seuil_controle = Decimal(500)
    caf.save()
    paiement = PaiementFactory(demarche=demarche, accepte=True)
    plateforme(paiement, "AUTHORISED")

    interroger.interroger(paiement.pk)
    paiement.refresh_from_db()
    en_attente = paiement.statut
    conclusions.confirmer(paiement, motif="pièce vue", agent=AgentFactory().utilisateur)

    paiement.refresh_from_db()
    assert (en_attente, paiement.statut) == (Statut.ACCEPTE, Statut.VERIFIE)
    assert paiement.etapes.order_by("pk").last().auteur.startswith("agent-")


def test_un_agent_ne_confirme_pas_ce_que_la_plateforme_n_a_pas_confirme():
    paiement = PaiementFactory(accepte=True)

    with pytest.raises(TransitionImpossible):
        conclusions.confirmer(paiement, motif="pressé", agent=AgentFactory().utilisateur)
