"""Deux personnes, deux agents ou deux ouvriers au même instant : un seul geste compte, l'autre le sait."""

import time
from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from demarches import services as parcours
from demarches.models import Demarche, LigneDemarche
from demarches.services import empreinte
from dettes.importation import application
from dettes.models import Dette, Mouvement
from paiements import anomalies, conservation, controle, impayes, invariants, reprise, restitution, services, tickets
from paiements.imputation import ResteImpossible, imputer_le_reste, imputer_un_lot
from paiements.models import Anomalie, DemandeRestitution, Paiement
from paiements.payzen import PlateformeInjoignable
from paiements.statuts import Statut
from tests.courses import en_meme_temps, fenetre
from tests.factories import (
    AgentFactory,
    DemarcheFactory,
    DetteFactory,
    FaitFactory,
    PaiementFactory,
    UtilisateurFactory,
    demander,
    dire,
)
from tests.pannes.banque import Banque, Session
from tests.pannes.livraison import ouvrir_les_fichiers

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def agents():
    return [AgentFactory().utilisateur, AgentFactory(role="COMPTABLE").utilisateur, AgentFactory().utilisateur]


@pytest.fixture
def reliquat():
    """120 € payés pour une dette que la Caf venait de solder : rien n'y tient plus."""
    paiement = PaiementFactory(verifie=True)
    dette = paiement.demarche.lignes.get().dette
    Mouvement.objects.create(dette=dette, genre="AJUSTEMENT", montant=-dette.solde, origine="livraison")
    imputer_un_lot()
    return paiement.anomalies.get()


def compter(issues, genre):
    return sum(isinstance(issue, genre) for issue in issues)


def verifier():
    assert not list(invariants.verifier())


def en_second(geste):
    """Part une fois que l'autre a lu, et avant qu'il ait écrit : dans sa fenêtre."""
    time.sleep(0.15)
    return geste()


@pytest.mark.parametrize("premier", ["payer", "ecrire"])
def test_un_onglet_ecrit_pendant_que_l_autre_paie(premier):
    demarche = demander(Decimal(120))
    dette, vue = demarche.lignes.get().dette, empreinte(demarche)
    gestes = {
        "payer": lambda: services.payer(demarche, empreinte_vue=vue),
        "ecrire": lambda: parcours.enregistrer_montants(demarche, {dette.pk: Decimal(500)}),
    }
    [second] = gestes.keys() - {premier}

    with fenetre("demarches_demarche"):
        passe, refuse = en_meme_temps(gestes[premier], lambda: en_second(gestes[second]))

    demarche.refresh_from_db()
    assert not isinstance(passe, Exception)
    assert isinstance(refuse, parcours.DemarcheFigee | services.RecapitulatifPerime)
    montant = 120 if premier == "payer" else 500
    assert (demarche.montant, demarche.lignes.get().montant) == (montant, montant)
    verifier()


def test_payer_pendant_que_la_caf_baisse_le_solde():
    demarche = demander(Decimal(120))
    dette, vue = demarche.lignes.get().dette, empreinte(demarche)

    with fenetre("dettes_dette"), ouvrir_les_fichiers(demarche.allocataire.caf) as fichiers:
        paye, livre = en_meme_temps(
            lambda: services.payer(demarche, empreinte_vue=vue),
            lambda: fichiers.livrer(dette, Decimal(50), "EN_COURS"),
        )

    dette.refresh_from_db()
    assert (livre, dette.solde) == (50, 50)
    assert isinstance(paye, services.Depart | services.RecapitulatifPerime)
    verifier()


def test_imputer_pendant_que_la_caf_livre():
    paiement = PaiementFactory(verifie=True)
    dette = paiement.demarche.lignes.get().dette

    with fenetre("dettes_dette"), ouvrir_les_fichiers(paiement.caf) as fichiers:
        issues = en_meme_temps(imputer_un_lot, lambda: fichiers.livrer(dette, Decimal(800), "EN_COURS"))

    dette.refresh_from_db()
    assert not compter(issues, Exception)
    assert dette.solde == 680
    verifier()


def test_imputer_entre_le_calcul_et_l_ajustement_de_la_caf(monkeypatch):
    paiement = PaiementFactory(verifie=True)
    dette = paiement.demarche.lignes.get().dette
    # Le temps d'imputer, après le calcul du solde visé et avant son ajustement.
    monkeypatch.setattr(application, "VISER_CHANGEES", f"{application.VISER_CHANGEES}; SELECT pg_sleep(0.6)")

    with ouvrir_les_fichiers(paiement.caf) as fichiers:
        issues = en_meme_temps(
            lambda: fichiers.livrer(dette, Decimal(800), "EN_COURS"), lambda: en_second(imputer_un_lot)
        )

    dette.refresh_from_db()
    assert not compter(issues, Exception)
    assert dette.solde == 680
    verifier()


def test_deux_agents_confirment_ensemble(agents):
    paiement = PaiementFactory(accepte=True)
    Paiement.objects.filter(pk=paiement.pk).update(confirme_le=paiement.cree_le, prochain_controle_le=None)

    with fenetre("paiements_paiement"):
        issues = en_meme_temps(*[lambda a=a: controle.confirmer(paiement, motif="vu", agent=a) for a in agents])

    assert not compter(issues, Exception)
    assert paiement.etapes.filter(geste="verifier").count() == 1


def test_deux_agents_closent_la_meme_anomalie(agents, reliquat):
    with fenetre("paiements_anomalie"):
        issues = en_meme_temps(
            *[lambda a=a: anomalies.resoudre(reliquat, motif="vu", agent=a, issue="ECARTEE") for a in agents]
        )

    assert compter(issues, anomalies.DejaResolue) == 2


def test_deux_agents_placent_le_meme_reste(agents, reliquat):
    dettes = [DetteFactory(allocataire=reliquat.paiement.demarche.allocataire) for _ in agents]

    with fenetre("paiements_anomalie"):
        issues = en_meme_temps(
            *[
                lambda a=a, d=d: imputer_le_reste(reliquat, {d: reliquat.montant}, accord="oui", agent=a)
                for a, d in zip(agents, dettes, strict=True)
            ]
        )

    assert compter(issues, anomalies.DejaResolue) == 2
    verifier()


def test_un_agent_place_le_reste_que_l_autre_fait_rendre(agents, reliquat):
    dette = DetteFactory(allocataire=reliquat.paiement.demarche.allocataire)

    with fenetre("paiements_anomalie"), fenetre("paiements_demanderestitution", "INSERT", nom="bis"):
        issues = en_meme_temps(
            lambda: imputer_le_reste(reliquat, {dette: reliquat.montant}, accord="oui", agent=agents[0]),
            lambda: restitution.demander(reliquat.paiement, motif="erreur", agent=agents[2], anomalie=reliquat),
        )

    assert compter(issues, Exception) == 1
    verifier()


def test_un_agent_place_le_reste_que_la_banque_reprend(agents, reliquat):
    dette = DetteFactory(allocataire=reliquat.paiement.demarche.allocataire)

    with fenetre("dettes_dette"):
        issues = en_meme_temps(
            lambda: imputer_le_reste(reliquat, {dette: reliquat.montant}, accord="oui", agent=agents[0]),
            lambda: en_second(lambda: dire(reliquat.paiement, "CANCELLED")),
        )

    dette.refresh_from_db()
    assert not compter(issues, Exception)
    assert dette.solde == 900
    verifier()


def test_deux_restes_ne_remplissent_pas_deux_fois_la_meme_dette(agents):
    moi = UtilisateurFactory()
    conjoint = UtilisateurFactory(allocataire=moi.allocataire, identifiant="conjoint")
    restes = []
    for personne in (moi, conjoint):
        dette = DetteFactory(allocataire=moi.allocataire)
        demarche = DemarcheFactory(auteur=personne, lignes={dette: Decimal(120)})
        paiement = PaiementFactory(demarche=demarche, verifie=True)
        Mouvement.objects.create(dette=dette, genre="AJUSTEMENT", montant=-dette.solde, origine="livraison")
        imputer_un_lot()
        restes.append(paiement.anomalies.get())
    dette = DetteFactory(allocataire=moi.allocataire, montant_initial=Decimal(150))

    with fenetre("dettes_dette"):
        issues = en_meme_temps(
            *[lambda r=r: imputer_le_reste(r, {dette: r.montant}, accord="oui", agent=agents[0]) for r in restes]
        )

    assert compter(issues, ResteImpossible) == 1
    verifier()


def test_un_agent_ecarte_ce_que_l_autre_fait_rendre(agents, reliquat):
    with fenetre("paiements_demanderestitution", "INSERT"):
        demande, ecarte = en_meme_temps(
            lambda: restitution.demander(reliquat.paiement, motif="erreur", agent=agents[0], anomalie=reliquat),
            lambda: en_second(
                lambda: anomalies.resoudre(reliquat, motif="vu", agent=agents[2], issue=Anomalie.Issue.ECARTEE)
            ),
        )

    assert isinstance(demande, DemandeRestitution)
    assert isinstance(ecarte, anomalies.RestitutionEnCours)


def test_deux_comptables_enregistrent_le_meme_impaye(agents):
    paiement = PaiementFactory(impute=True)

    with fenetre("dettes_dette"):
        issues = en_meme_temps(*[lambda a=a: impayes.constater(paiement, motif="JRI", agent=a) for a in agents])

    assert compter(issues, impayes.ImpayeImpossible) == 2
    assert Dette.objects.get().solde == 900
    verifier()


def test_la_purge_laisse_ses_lignes_a_la_demarche_que_l_on_paie():
    demarche = demander(Decimal(120))
    Demarche.objects.update(cree_le=timezone.now() - timedelta(days=31))

    vue = empreinte(demarche)

    with fenetre("demarches_lignedemarche", "DELETE", quand="AFTER"):
        purge, _ = en_meme_temps(
            conservation.effacer, lambda: en_second(lambda: services.payer(demarche, empreinte_vue=vue))
        )

    # L'une des deux passe, tout entière.
    assert not isinstance(purge, Exception), purge
    assert Demarche.objects.count() == LigneDemarche.objects.count()
    verifier()


@pytest.fixture
def part_rendue():
    """Un paiement imputé dont la banque vient de rendre 20 € ; son alerte, et de quoi la reprendre."""
    paiement = PaiementFactory(impute=True)
    dire(paiement, "CAPTURED", operation="CREDIT", montant=Decimal(20), uuid="c" * 32, trans_id="900001")
    alerte = paiement.anomalies.get()
    return paiement, alerte, {imputation.pk: part for imputation, part in reprise.proposer(alerte).items()}


def test_deux_agents_reprennent_la_meme_part(agents, part_rendue):
    _, alerte, parts = part_rendue

    with fenetre("dettes_dette"):
        issues = en_meme_temps(*[lambda a=a: reprise.reprendre(alerte, parts, motif="vu", agent=a) for a in agents])

    assert compter(issues, reprise.RepriseImpossible) == 2
    assert Dette.objects.get().solde == 800
    verifier()


def test_un_agent_reprend_une_part_pendant_que_la_banque_annule(agents, part_rendue):
    paiement, alerte, parts = part_rendue

    with fenetre("dettes_dette"):
        issues = en_meme_temps(
            lambda: reprise.reprendre(alerte, parts, motif="vu", agent=agents[0]),
            lambda: en_second(lambda: dire(paiement, "CANCELLED")),
        )

    assert not compter(issues, Exception)
    assert Dette.objects.get().solde == 900
    verifier()


def test_deux_agents_acceptent_le_meme_montant(agents):
    paiement = PaiementFactory()
    fait = FaitFactory(paiement=paiement, montant=Decimal(100))
    dire(paiement, "AUTHORISED", montant=Decimal(100))
    alerte = paiement.anomalies.get()

    with fenetre("paiements_paiement"):
        issues = en_meme_temps(
            *[
                lambda a=a: reprise.accepter_le_montant(
                    Anomalie.objects.get(pk=alerte.pk), [fait], motif="oui", agent=a
                )
                for a in agents
            ]
        )

    paiement.refresh_from_db()
    assert compter(issues, reprise.RepriseImpossible) == 2
    assert (paiement.statut, paiement.net) == (Statut.ACCEPTE, 100)
    verifier()


def test_deux_agents_demandent_la_meme_restitution(agents):
    paiement = PaiementFactory(impute=True)

    with fenetre("paiements_demanderestitution", "INSERT"):
        issues = en_meme_temps(*[lambda a=a: restitution.demander(paiement, motif="erreur", agent=a) for a in agents])

    assert compter(issues, restitution.RestitutionImpossible) == 2
    assert paiement.restitutions.count() == 1


@pytest.fixture
def demande(agents):
    return restitution.demander(PaiementFactory(impute=True), motif="erreur", agent=agents[0])


def test_deux_agents_decident_ensemble(agents, demande):
    with fenetre("paiements_demanderestitution"):
        issues = en_meme_temps(
            lambda: restitution.decider(demande, accord=True, agent=agents[1]),
            lambda: restitution.decider(demande, accord=False, agent=agents[2]),
        )

    assert compter(issues, restitution.RestitutionImpossible) == 1


def rembourser_chez(paiement):
    """La banque de ce paiement : le débit remis, prêt à être rendu, et lente à répondre."""
    banque = Banque(paiement.boutique, panne="lente")
    champs = {"vads_order_id": paiement.reference, "vads_trans_id": paiement.trans_id, "vads_amount": "12000"}
    champs |= {"vads_trans_date": paiement.cree_le.strftime("%Y%m%d%H%M%S")}
    debit = banque.debiter(Session(champs), "CAPTURED")
    debit.uuid = paiement.uuid
    # Un débit assez gros pour que la plateforme accepte le deuxième ordre, s'il partait.
    debit.montant *= 4
    return banque


def test_deux_ouvriers_executent_la_meme_restitution(agents, demande):
    restitution.decider(demande, accord=True, agent=agents[1])
    banque = rembourser_chez(demande.paiement)

    with banque.servir():
        issues = en_meme_temps(*[lambda: restitution.executer(demande)] * 2)

    assert compter(issues, restitution.RestitutionPrise) == 1
    assert banque.ordres == {f"restitution {demande.pk}": 1}
    assert DemandeRestitution.objects.get().etat == "FAITE"
    verifier()


def test_notre_annulation_et_celle_que_la_banque_annonce_n_en_font_qu_une(agents, demande):
    restitution.decider(demande, accord=True, agent=agents[1])
    banque = rembourser_chez(demande.paiement)
    [debit] = banque.transactions
    debit.statut, debit.montant, banque.panne = "AUTHORISED", 12000, "perdue"
    with banque.servir(), pytest.raises(PlateformeInjoignable):
        restitution.executer(demande)
    banque.panne = ""

    with banque.servir(), fenetre("dettes_dette"):
        issues = en_meme_temps(
            lambda: restitution.executer(demande), lambda: dire(demande.paiement, "CANCELLED", uuid=debit.uuid)
        )

    assert not compter(issues, Exception)
    assert Mouvement.objects.filter(genre="REJET").count() == 1
    verifier()


def test_deux_ouvriers_ne_prennent_pas_le_meme_ticket():
    PaiementFactory(demarche=demander(Decimal(120), courriel="personne@exemple.fr"), accepte=True)

    with fenetre("paiements_ticket"):
        pris = en_meme_temps(*[lambda: tickets.reserver(10)] * 2)

    assert sorted(len(cles) for cles in pris) == [0, 1]


def test_deux_etats_d_une_transaction_inconnue_ne_retiennent_que_ce_que_la_banque_tient():
    paiement = PaiementFactory()

    with fenetre("paiements_notificationpayzen", "INSERT"):
        issues = en_meme_temps(
            lambda: dire(paiement, "AUTHORISED", reference="AUTRE-1"),
            lambda: en_second(lambda: dire(paiement, "CANCELLED", reference="AUTRE-1")),
        )

    assert not compter(issues, Exception)
    assert not Anomalie.objects.ouvertes().exists()


def test_deux_ouvriers_ne_prennent_pas_le_meme_travail(agents, demande):
    restitution.decider(demande, accord=True, agent=agents[1])
    Paiement.objects.update(prochain_controle_le=demande.demandee_le)

    with fenetre("paiements_demanderestitution"), fenetre("paiements_paiement", nom="bis"):
        demandes = en_meme_temps(*[lambda: restitution.reserver(10)] * 2)
        controles = en_meme_temps(*[lambda: controle.reserver(10)] * 2)

    assert sorted(demandes) == [[], [demande.pk]]
    assert sorted(controles) == [[], [demande.paiement_id]]


def test_controle_et_notification_au_meme_instant_n_acceptent_qu_une_fois():
    paiement = PaiementFactory()
    banque = Banque(paiement.boutique)
    champs = {"vads_order_id": paiement.reference, "vads_trans_id": paiement.trans_id, "vads_amount": "12000"}
    champs |= {"vads_trans_date": paiement.cree_le.strftime("%Y%m%d%H%M%S")}
    debit = banque.debiter(Session(champs), "AUTHORISED")

    with banque.servir(), fenetre("paiements_paiement"):
        issues = en_meme_temps(
            lambda: controle.controler(paiement.pk), lambda: dire(paiement, "AUTHORISED", uuid=debit.uuid)
        )

    paiement.refresh_from_db()
    assert not compter(issues, Exception)
    assert paiement.statut in (Statut.ACCEPTE, Statut.VERIFIE)
    assert paiement.etapes.filter(geste="accepter").count() == 1


def test_le_solde_ne_passe_jamais_sous_zero_sous_les_ecritures_simultanees():
    dette = DetteFactory(montant_initial=Decimal(100))

    with fenetre("dettes_dette"):
        issues = en_meme_temps(
            *[lambda: Mouvement.objects.create(dette=dette, genre="AJUSTEMENT", montant=-60, origine="essai")] * 3
        )

    assert compter(issues, Exception) == 2
    assert Dette.objects.get().solde == 40
    assert not Anomalie.objects.exists()
