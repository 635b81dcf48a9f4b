"""Une boutique sans clés : une anomalie et non mille ; une issue, à deux, pour ce que la banque a accepté."""

import logging
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from paiements import tasks
from paiements.bureau.conseils import conseiller
from paiements.bureau.recit import raconter
from paiements.feuille.calcul import calculer
from paiements.imputation.imputer import imputer_un_lot
from paiements.models import Anomalie, Paiement
from paiements.payzen import Mode
from paiements.retours import cloture, impaye
from paiements.statuts import Statut
from paiements.surveillance import invariants
from paiements.verification import interroger
from paiements.verification.absence import REPIT
from tests.connexion import entrer_en_agent
from tests.factories import PaiementFactory, dire
from tests.paiements.livres import crediter

pytestmark = pytest.mark.django_db


@pytest.fixture
def sans_cles(settings):
    """`sans_cles()` ôte les clés de toutes les boutiques, et rend de quoi les remettre."""
    reglees = settings.PAYZEN_BOUTIQUES

    def oter():
        settings.PAYZEN_BOUTIQUES = {}
        return lambda: setattr(settings, "PAYZEN_BOUTIQUES", reglees)

    return oter


def lire_les_absences():
    return Anomalie.objects.filter(genre=Anomalie.Genre.CLES_ABSENTES)


def test_mille_paiements_une_ligne_une_anomalie_et_un_essai_par_jour(sans_cles, caplog, time_machine):
    paiements = [PaiementFactory(**{trait: True}) for trait in ("accepte", "verifie", "impute")]
    sans_cles()

    with caplog.at_level(logging.ERROR):
        for _ in range(3):
            for paiement in paiements:
                interroger.interroger(paiement.pk)
            prochains = Paiement.objects.values_list("prochain_controle_le", flat=True)
            assert all(prochain - timezone.now() > timedelta(hours=23) for prochain in prochains)
            time_machine.move_to(timezone.now() + timedelta(days=1))

    assert len(caplog.records) == 1
    assert lire_les_absences().get().etapes.count() == 1
    assert "la confirmation s'il est accepté" in conseiller(lire_les_absences().get())


def test_un_paiement_dont_le_dernier_rendez_vous_est_venu_se_redemande_encore(sans_cles, time_machine):
    """Sans clés, son rendez-vous n'a pas eu lieu : PayZen peut avoir à en dire, au retour des clés."""
    paiement = PaiementFactory(impute=True)
    dire(paiement, "CAPTURED")
    sans_cles()
    time_machine.move_to(timezone.now() + timedelta(hours=73))

    interroger.interroger(paiement.pk)

    paiement.refresh_from_db()
    assert paiement.prochain_controle_le > timezone.now() + timedelta(hours=23)
    assert not [violation for violation in invariants.verifier() if violation.invariant.nom == "rien_d_oublie"]


def test_le_retour_des_cles_fait_tout_repartir_seul(sans_cles, plateforme, time_machine):
    paiement = PaiementFactory(accepte=True)
    remettre = sans_cles()
    interroger.interroger(paiement.pk)
    time_machine.move_to(timezone.now() + REPIT)
    tasks.balayer()
    assert lire_les_absences().ouvertes().exists()

    plateforme(paiement, "AUTHORISED")
    remettre()
    tasks.balayer()
    paiement.refresh_from_db()
    assert paiement.prochain_controle_le <= timezone.now() + interroger.BAIL
    interroger.interroger(paiement.pk)

    paiement.refresh_from_db()
    assert paiement.statut == Statut.VERIFIE
    assert lire_les_absences().get().etat == Anomalie.Etat.SANS_OBJET


def test_otees_de_nouveau_elles_se_redisent(sans_cles, plateforme, time_machine):
    paiement = PaiementFactory(accepte=True)
    remettre = sans_cles()
    interroger.interroger(paiement.pk)
    remettre()
    time_machine.move_to(timezone.now() + REPIT)
    tasks.balayer()
    sans_cles()

    interroger.interroger(paiement.pk)

    assert lire_les_absences().get().etat == Anomalie.Etat.OUVERTE


def test_un_ouvrier_qui_a_deja_les_cles_ne_se_dispute_pas_avec_l_autre(sans_cles):
    paiement = PaiementFactory(accepte=True)
    remettre = sans_cles()
    interroger.interroger(paiement.pk)
    remettre()

    tasks.balayer()

    paiement.refresh_from_db()
    assert paiement.prochain_controle_le > timezone.now()
    assert lire_les_absences().get().etat == Anomalie.Etat.OUVERTE


@pytest.fixture
def accepte(sans_cles, comptable):
    """Un impayé annulé : le paiement est accepté de nouveau, et sa boutique n'a plus de clés."""
    paiement = PaiementFactory(impute=True)
    impaye.enregistrer(paiement, motif="lu au journal", agent=comptable)
    impaye.annuler(paiement.anomalies.get(genre="IMPAYE"), motif="rendu", agent=comptable)
    sans_cles()
    paiement.refresh_from_db()
    return paiement


def test_la_feuille_et_le_recit_disent_l_issue(accepte):
    [ecart] = calculer(accepte.caf, timezone.localdate()).ecarts

    assert ecart.geste == "demander sa confirmation d'après le Back Office, sur sa fiche"
    assert any("à deux personnes, sur sa fiche" in phrase for phrase in raconter(accepte))


def test_deux_personnes_le_confirment_et_il_s_impute(accepte, agent, comptable):
    demande = cloture.demander_de_confirmer(accepte, motif="remis, lu au Back Office", agent=agent)

    cloture.decider(demande, accord=True, agent=comptable)
    imputer_un_lot()

    accepte.refresh_from_db()
    etape = accepte.etapes.get(geste="verifier", auteur=comptable.identifiant)
    assert (accepte.statut, accepte.solde.impute) == (Statut.IMPUTE, 120)
    assert etape.motif == "confirmé d'après le Back Office : remis, lu au Back Office"
    assert str(demande) == f"confirmation d'après le Back Office de {accepte}"
    assert not list(invariants.verifier())


def test_la_meme_personne_ne_suffit_pas(accepte, agent):
    demande = cloture.demander_de_confirmer(accepte, motif="remis", agent=agent)

    with pytest.raises(cloture.ClotureImpossible, match="n'est pas celui qui demande"):
        cloture.decider(demande, accord=True, agent=agent)


def test_avec_ses_cles_on_interroge_payzen(agent):
    with pytest.raises(cloture.ClotureImpossible, match="interrogez PayZen"):
        cloture.demander_de_confirmer(PaiementFactory(accepte=True), motif="remis", agent=agent)


def test_les_cles_revenues_entre_la_demande_et_l_accord(agent, comptable, sans_cles):
    accepte = PaiementFactory(accepte=True)
    remettre = sans_cles()
    demande = cloture.demander_de_confirmer(accepte, motif="remis", agent=agent)
    remettre()

    with pytest.raises(cloture.ClotureImpossible, match="les clés de sa boutique sont revenues"):
        cloture.decider(demande, accord=True, agent=comptable)

    accepte.refresh_from_db()
    assert accepte.statut == Statut.ACCEPTE


@pytest.mark.parametrize("quand", ["avant la demande", "avant l'accord"])
def test_ce_que_la_banque_a_rendu_ne_se_confirme_pas(accepte, agent, comptable, quand):
    if quand == "avant la demande":
        crediter(accepte, 30)
        with pytest.raises(cloture.ClotureImpossible, match="n'en tient plus"):
            cloture.demander_de_confirmer(accepte, motif="remis", agent=agent)
        return
    demande = cloture.demander_de_confirmer(accepte, motif="remis", agent=agent)
    crediter(accepte, 30)

    with pytest.raises(cloture.ClotureImpossible, match="n'en tient plus"):
        cloture.decider(demande, accord=True, agent=comptable)


def test_une_carte_d_essai_ne_se_confirme_pas_en_production(agent, settings):
    paiement = PaiementFactory(accepte=True)
    settings.PAYZEN_MODE = Mode.PRODUCTION
    settings.PAYZEN_BOUTIQUES = {}

    assert not cloture.is_confirmable(paiement)


def test_le_bureau_le_demande_et_l_approuve(client, accepte, agent, comptable):
    fiche = reverse("admin:paiements_paiement_change", args=[accepte.pk])
    entrer_en_agent(client, agent)
    assert "Demander la confirmation d&#x27;après le Back Office" in client.get(fiche).content.decode()
    geste = reverse("admin:paiement_geste", args=[accepte.pk, "confirmer_a_deux"])
    client.post(geste, {"motif": "remis, lu au Back Office"})
    demande = accepte.clotures.get()

    entrer_en_agent(client, comptable)
    page = client.get(reverse("admin:paiements_demandecloture_change", args=[demande.pk])).content.decode()
    client.post(reverse("admin:demandecloture_geste", args=[demande.pk, "approuver"]), {"motif": "lu aussi"})

    accepte.refresh_from_db()
    assert "vérifié sans que PayZen le redise" in page
    assert accepte.statut == Statut.VERIFIE
