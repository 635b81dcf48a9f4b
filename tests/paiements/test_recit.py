"""Le récit d'un paiement : ce qu'il conclut quand plusieurs choses attendent à la fois."""

import re
from decimal import Decimal

import pytest
from django.utils import timezone

from paiements.bureau.recit import raconter
from paiements.file.tenue import mettre_de_cote
from paiements.models import Paiement, Ticket
from paiements.retours import cloture, impaye, ordres, restitution
from tests.factories import AgentFactory, DemarcheFactory, DetteFactory, PaiementFactory, UtilisateurFactory, dire
from tests.paiements.bureau import faire_un_reliquat, reprendre

pytestmark = pytest.mark.django_db


def lire(paiement):
    """Le récit, et ce qu'il dit de la suite."""
    recit = "\n".join(raconter(Paiement.objects.get(pk=paiement.pk)))
    return recit, recit.partition("quoi faire\n")[2]


@pytest.fixture
def remis():
    """Un paiement imputé aux dettes et remis en banque."""
    paiement = PaiementFactory(impute=True)
    dire(paiement, "CAPTURED")
    return paiement


def test_rien_de_plus_ne_se_dit_que_si_rien_n_attend(remis):
    _, suite = lire(remis)

    assert suite == "  Imputé aux dettes et remis en banque ; la banque en tient 120,00\xa0€. Rien de plus à faire."


def test_les_dettes_d_un_paiement_se_racontent_dans_l_ordre_ou_il_les_a_eteintes():
    auteur = UtilisateurFactory()
    lignes = {DetteFactory(allocataire=auteur.allocataire): Decimal(10 * rang) for rang in (1, 2, 3, 4)}
    paiement = PaiementFactory(
        demarche=DemarcheFactory(auteur=auteur, lignes=lignes), montant=Decimal(100), impute=True
    )

    recit, _ = lire(paiement)

    assert re.findall(r"(\d+),00\xa0€ imputés", recit) == ["10", "20", "30", "40"]


def test_une_anomalie_ouverte_dit_pourquoi_combien_et_quoi_faire(remis):
    dire(remis, "AUTHORISED", uuid="d" * 32, montant=Decimal(70), trans_id="900002")

    _, suite = lire(remis)

    assert "Rien de plus" not in suite
    assert (
        "à traiter sous /agents/ : deux débits pour une démarche, argent en jeu : 70,00\xa0€."
        " D'abord interroger PayZen : si tout s'accorde, cela se ferme seul."
        " Sinon, demander la restitution de ce débit." in suite
    )
    assert "De ce débit, la banque tient 70,00\xa0€, qui ne sont sur aucune dette." in suite


def rembourser(paiement):
    dire(
        paiement,
        "CAPTURED",
        operation="CREDIT",
        uuid="c" * 32,
        montant=Decimal(20),
        trans_id="900001",
        parent=paiement.debit_id,
    )


def test_ce_que_la_banque_ne_tient_plus_se_dit(remis):
    rembourser(remis)

    _, suite = lire(remis)

    assert "argent en jeu : 20,00\xa0€ en moins à la banque. Reprendre des dettes" in suite
    assert "la banque en tient 100,00\xa0€" in suite
    assert "Rien de plus" not in suite


def test_apres_une_reprise_ce_que_la_banque_tient_est_juste(remis):
    rembourser(remis)
    agent = AgentFactory().utilisateur
    reprendre(remis, agent)

    recit, suite = lire(remis)

    assert "la banque en tient 100,00\xa0€. Rien de plus à faire." in suite
    assert (
        f"20,00\xa0€ repris à la dette {remis.imputations.first().dette}, solde 800,00\xa0€, par {agent} : vu" in recit
    )


def test_un_reste_sans_dette_n_est_pas_rien():
    paiement, _ = faire_un_reliquat()
    dire(paiement, "CAPTURED")

    _, suite = lire(paiement)

    assert "Rien de plus" not in suite
    assert "argent en jeu : 100,00\xa0€. Placer le reste sur d'autres dettes" in suite


def test_le_recit_dit_le_numero_de_l_allocataire_et_jamais_son_nom(remis):
    allocataire = remis.demarche.allocataire

    recit, _ = lire(remis)

    assert f"Allocataire n° {allocataire.numero}" in recit
    assert allocataire.nom not in recit
    assert allocataire.prenom not in recit


def test_chaque_transaction_et_chaque_message_de_la_banque_sont_racontes(remis):
    rembourser(remis)

    recit, _ = lire(remis)

    assert f"accordé (CAPTURED), transaction {remis.debit_id}" in recit
    assert f"transaction {'c' * 32}" in recit
    assert f"PayZen dit (PAY) DEBIT AUTHORISED {remis.debit_id} de 120,00\xa0€ ; a appris quelque chose" in recit
    assert f"PayZen dit (PAY) CREDIT CAPTURED {'c' * 32} de 20,00\xa0€" in recit


def test_le_journal_d_une_anomalie_est_raconte_avec_ses_auteurs():
    paiement, anomalie = faire_un_reliquat()
    agent = AgentFactory().utilisateur
    mettre_de_cote(anomalie, motif="vu", agent=agent)

    recit, _ = lire(paiement)

    assert f"anomalie n° {anomalie.pk} ({anomalie}), à traiter, par service" in recit
    assert f"anomalie n° {anomalie.pk} ({anomalie}), mise de côté, par {agent} : vu" in recit


def test_un_impaye_et_son_annulation_sont_racontes(remis):
    comptable = AgentFactory(role="COMPTABLE").utilisateur
    impaye.enregistrer(remis, motif="journal du 3", agent=comptable)
    impaye.annuler(remis.anomalies.get(genre="IMPAYE"), motif="mauvaise ligne", agent=comptable)

    recit, _ = lire(remis)

    assert f"impayé de 120,00\xa0€ pris par la banque, noté par {comptable} : journal du 3" in recit
    rendu = "impayé de 120,00\xa0€ rendu par la banque, ou enregistré à tort"
    assert f"{rendu}, noté par {comptable} : mauvaise ligne" in recit


def test_une_cloture_sans_debit_est_racontee_puis_attendue():
    paiement = PaiementFactory()
    demandeur, comptable = AgentFactory().utilisateur, AgentFactory(role="COMPTABLE").utilisateur
    demande = cloture.demander(paiement, motif="clés perdues", agent=demandeur)
    _, avant = lire(paiement)
    cloture.decider(demande, accord=True, agent=comptable)

    recit, apres = lire(paiement)

    assert "Clôture sans débit n° " in avant
    assert "Clôture sans débit" not in apres
    assert f"demandée par {demandeur} : clés perdues" in recit
    assert f"approuvée par {comptable}" in recit


def test_un_debit_d_un_autre_montant_n_attend_plus_la_banque():
    paiement = PaiementFactory()
    dire(paiement, "AUTHORISED", montant=Decimal(70))

    _, suite = lire(paiement)

    assert "70,00\xa0€ débités à part : un agent décide." in suite
    assert "La réponse de la banque" not in suite


def test_une_restitution_sans_effet_dit_laquelle_et_pourquoi(remis, plateforme):
    comptable = AgentFactory(role="COMPTABLE").utilisateur
    demande = restitution.demander(remis, motif="erreur", agent=AgentFactory().utilisateur)
    restitution.decider(demande, accord=True, agent=comptable)
    plateforme(remis, "CAPTURED")
    ordres.abandonner(demande, motif="vu au Back Office", agent=comptable)

    recit, suite = lire(remis)

    arretee = f"arrêtée par {comptable} : vu au Back Office"
    assert (
        f"(une restitution est restée sans effet), à traiter, par service : restitution n° {demande.pk} : {arretee}"
        in recit
    )
    assert f"La restitution n° {demande.pk} de 120,00\xa0€ est restée sans effet : {arretee}." in suite


def test_une_restitution_demandee_n_est_pas_rien(remis):
    restitution.demander(remis, motif="payé deux fois", agent=AgentFactory().utilisateur)

    _, suite = lire(remis)

    assert "Rien de plus" not in suite
    assert "un comptable l'approuve" in suite


@pytest.mark.parametrize(("essais", "dit"), [(1, "au 1er essai"), (2, "au 2e essai")])
def test_un_ticket_dit_a_quel_essai_il_est_parti(remis, essais, dit):
    Ticket.objects.create(paiement=remis, etat="ENVOYE", essais=essais, envoye_le=timezone.now())

    recit, _ = lire(remis)

    assert dit in recit


def test_aucun_montant_ne_s_ecrit_avec_un_point(remis):
    rembourser(remis)
    a_confirmer = PaiementFactory(accepte=True)
    Paiement.objects.filter(pk=a_confirmer.pk).update(confirme_le=timezone.now())
    a_confirmer.caf.seuil_controle = Decimal(500)
    a_confirmer.caf.save()

    recit = lire(remis)[0] + lire(a_confirmer)[0]

    assert "à partir de 500,00\xa0€" in recit
    assert not re.search(r"\d\.\d\d\s?€", recit)
