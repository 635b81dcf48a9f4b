from decimal import Decimal

import pytest
import requests
from django.db import IntegrityError, transaction

from dettes.models import Dette, Mouvement
from paiements import anomalies, impayes, imputation, invariants, restitution, tasks
from paiements.models import Anomalie, DemandeRestitution
from paiements.payzen import PlateformeInjoignable, to_centimes
from paiements.statuts import Statut
from tests.factories import AgentFactory, DetteFactory, FaitFactory, PaiementFactory, dire

pytestmark = pytest.mark.django_db

Etat = DemandeRestitution.Etat


@pytest.fixture
def demandeur():
    return AgentFactory().utilisateur


@pytest.fixture
def comptable():
    return AgentFactory(role="COMPTABLE").utilisateur


@pytest.fixture
def rembourser(plateforme, settings):
    """La plateforme rembourse quand on le lui demande, et rend le crédit."""

    def repondre(paiement, montant=None, statut="AUTHORISED", **reponse):
        fait = FaitFactory(paiement=paiement)
        credit = {
            "shopId": fait.site,
            "uuid": "c" * 32,
            "detailedStatus": statut,
            "operationType": "CREDIT",
            "amount": to_centimes(montant or paiement.montant),
            "currency": "EUR",
            "orderDetails": {"orderId": fait.reference, "mode": fait.mode},
        }
        corps = {"status": "SUCCESS", "mode": fait.mode, "answer": credit}
        return plateforme.serveur.post(
            f"{settings.PAYZEN_URL_API}Transaction/CancelOrRefund", **(reponse or {"json": corps})
        )

    return repondre


def approuver(paiement, demandeur, comptable, **champs):
    demande = restitution.demander(paiement, motif="payé deux fois", agent=demandeur, **champs)
    return restitution.decider(demande, accord=True, agent=comptable)


def faire_un_reliquat():
    """Un paiement de 120 € dont 100 € ne tiennent plus sur la dette."""
    paiement = PaiementFactory(verifie=True)
    dette = paiement.demarche.lignes.get().dette
    Mouvement.objects.create(dette=dette, genre="AJUSTEMENT", montant=Decimal(-880), origine="livraison")
    imputation.imputer_un_lot()
    paiement.refresh_from_db()
    return paiement, paiement.anomalies.get()


def test_un_paiement_rendu_rouvre_la_dette(plateforme, rembourser, demandeur, comptable):
    paiement = PaiementFactory(impute=True)
    plateforme(paiement, "CAPTURED")
    rembourser(paiement)

    demande = restitution.executer(approuver(paiement, demandeur, comptable))

    paiement.refresh_from_db()
    dette = Dette.objects.get()
    assert (demande.etat, paiement.statut) == (Etat.FAITE, Statut.RESTITUE)
    assert dette.solde == dette.montant_initial
    assert paiement.demarche.etat == "RESTITUEE"


def test_une_reponse_perdue_ne_rembourse_pas_deux_fois(plateforme, rembourser, demandeur, comptable):
    paiement = PaiementFactory(impute=True)
    plateforme(paiement, "CAPTURED")
    ordre = rembourser(paiement, body=requests.ReadTimeout())
    demande = approuver(paiement, demandeur, comptable)

    with pytest.raises(PlateformeInjoignable):
        restitution.executer(demande)
    # La plateforme avait pourtant remboursé : à la reprise, on le voit avant de redemander.
    plateforme.serveur.reset()
    plateforme(paiement, "AUTHORISED", operation="CREDIT", uuid="c" * 32)
    demande = restitution.executer(demande)

    assert ordre.call_count == 1
    assert (demande.etat, demande.uuid) == (Etat.FAITE, "c" * 32)


def test_celui_qui_demande_n_approuve_pas(demandeur):
    demande = restitution.demander(PaiementFactory(impute=True), motif="erreur", agent=demandeur)

    with pytest.raises(restitution.RestitutionImpossible):
        restitution.decider(demande, accord=True, agent=demandeur)
    with pytest.raises(IntegrityError), transaction.atomic():
        DemandeRestitution.objects.filter(pk=demande.pk).update(approbateur=demandeur)


def test_rien_ne_part_sans_approbation(demandeur):
    demande = restitution.demander(PaiementFactory(impute=True), motif="erreur", agent=demandeur)

    with pytest.raises(restitution.RestitutionImpossible):
        restitution.executer(demande)


def test_une_demande_refusee_ne_s_execute_pas(demandeur, comptable):
    demande = restitution.demander(PaiementFactory(impute=True), motif="erreur", agent=demandeur)

    demande = restitution.decider(demande, accord=False, agent=comptable)

    assert demande.etat == Etat.REFUSEE
    with pytest.raises(restitution.RestitutionImpossible):
        restitution.executer(demande)


@pytest.mark.parametrize("trait", [{}, {"refuse": True}, {"expire": True}])
def test_on_ne_rend_pas_ce_qui_n_a_pas_ete_pris(demandeur, trait):
    with pytest.raises(restitution.RestitutionImpossible):
        restitution.demander(PaiementFactory(**trait), motif="erreur", agent=demandeur)


def test_une_seule_restitution_a_la_fois(demandeur):
    paiement = PaiementFactory(impute=True)
    restitution.demander(paiement, motif="erreur", agent=demandeur)

    with pytest.raises(restitution.RestitutionImpossible):
        restitution.demander(paiement, motif="encore", agent=demandeur)


def test_un_reliquat_se_rend_sans_toucher_aux_dettes(plateforme, rembourser, demandeur, comptable):
    paiement, anomalie = faire_un_reliquat()
    plateforme(paiement, "CAPTURED")
    ordre = rembourser(paiement, montant=Decimal(100))

    restitution.executer(approuver(paiement, demandeur, comptable, anomalie=anomalie))

    paiement.refresh_from_db()
    anomalie.refresh_from_db()
    assert b"REFUND_ONLY" in ordre.calls[0].request.body
    assert (paiement.statut, anomalie.issue) == (Statut.IMPUTE, Anomalie.Issue.RESTITUEE)
    assert Dette.objects.get().solde == 0


def test_un_deuxieme_debit_se_rend_sur_sa_propre_transaction(plateforme, rembourser, demandeur, comptable):
    paiement = PaiementFactory(impute=True)
    dire(paiement, "AUTHORISED", uuid="d" * 32, trans_id="900001")
    anomalie = paiement.anomalies.get()
    plateforme(paiement, "CAPTURED")
    ordre = rembourser(paiement)

    restitution.executer(approuver(paiement, demandeur, comptable, anomalie=anomalie))

    paiement.refresh_from_db()
    assert ("d" * 32).encode() in ordre.calls[0].request.body
    assert paiement.statut == Statut.IMPUTE


def test_le_credit_que_nous_avons_demande_n_est_pas_une_surprise(plateforme, rembourser, demandeur, comptable):
    paiement = PaiementFactory(impute=True)
    plateforme(paiement, "CAPTURED")
    rembourser(paiement)
    restitution.executer(approuver(paiement, demandeur, comptable))

    dire(paiement, "CAPTURED", operation="CREDIT", uuid="c" * 32)

    assert not paiement.anomalies.exists()


def test_un_reliquat_se_porte_sur_d_autres_dettes_avec_accord(demandeur):
    paiement, anomalie = faire_un_reliquat()
    autre = DetteFactory(allocataire=paiement.demarche.allocataire)

    imputation.imputer_le_reste(
        anomalie, {autre: Decimal(100)}, accord="accord au téléphone le 3 mars", agent=demandeur
    )

    anomalie.refresh_from_db()
    autre.refresh_from_db()
    assert (anomalie.issue, autre.solde) == (Anomalie.Issue.IMPUTEE, Decimal(800))


@pytest.mark.parametrize("part", [Decimal("99.99"), Decimal("100.01")])
def test_un_reste_se_place_en_entier(demandeur, part):
    paiement, anomalie = faire_un_reliquat()
    autre = DetteFactory(allocataire=paiement.demarche.allocataire)

    with pytest.raises(imputation.ResteImpossible, match="doivent faire 100,00\xa0€"):
        imputation.imputer_le_reste(anomalie, {autre: part}, accord="oui", agent=demandeur)


def test_un_reste_ne_va_pas_sur_la_dette_d_un_autre(demandeur):
    _, anomalie = faire_un_reliquat()

    with pytest.raises(imputation.ResteImpossible, match="ne peut recevoir 100,00\xa0€"):
        imputation.imputer_le_reste(anomalie, {DetteFactory(): Decimal(100)}, accord="oui", agent=demandeur)


def test_une_anomalie_close_ne_se_clot_pas_deux_fois(demandeur):
    _, anomalie = faire_un_reliquat()
    anomalies.resoudre(anomalie, motif="vu", agent=demandeur, issue=Anomalie.Issue.ECARTEE)

    with pytest.raises(anomalies.DejaResolue):
        anomalies.resoudre(anomalie, motif="vu", agent=demandeur, issue=Anomalie.Issue.ECARTEE)


def test_un_impaye_rouvre_la_dette_et_le_dit(comptable):
    paiement = PaiementFactory(impute=True)

    impayes.constater(paiement, motif="journal des impayés du 3 mars", agent=comptable)

    paiement.refresh_from_db()
    dette = Dette.objects.get()
    assert (paiement.statut, paiement.demarche.etat) == (Statut.REJETE, "ANNULEE_PAR_LA_BANQUE")
    assert dette.solde == dette.montant_initial
    assert paiement.anomalies.get().genre == Anomalie.Genre.IMPAYE


def test_un_impaye_ne_s_ajoute_pas_a_une_restitution(demandeur, comptable):
    paiement = PaiementFactory(impute=True)
    approuver(paiement, demandeur, comptable)

    with pytest.raises(impayes.ImpayeImpossible):
        impayes.constater(paiement, motif="impayé", agent=comptable)


def refuser(code):
    return {"json": {"status": "ERROR", "mode": "TEST", "answer": {"errorCode": code, "shopId": "66100001"}}}


def test_ce_que_la_plateforme_refuse_pour_toujours_va_a_un_agent(plateforme, rembourser, demandeur, comptable):
    paiement = PaiementFactory(impute=True)
    plateforme(paiement, "CAPTURED")
    rembourser(paiement, **refuser("PSP_083"))

    demande = restitution.executer(approuver(paiement, demandeur, comptable))

    anomalie = paiement.anomalies.get()
    assert (demande.etat, demande.prochain_essai_le) == (Etat.ECHOUEE, None)
    assert (anomalie.genre, anomalie.constat["refus"]) == (Anomalie.Genre.RESTITUTION_REFUSEE, "PSP_083")
    # Le refus disait l'impayé : il peut enfin s'enregistrer.
    assert impayes.constater(paiement, motif="JRI", agent=comptable).statut == Statut.REJETE


def test_ce_que_la_plateforme_remet_a_plus_tard_se_redemande(plateforme, rembourser, demandeur, comptable):
    paiement = PaiementFactory(impute=True)
    plateforme(paiement, "AUTHORISED")
    rembourser(paiement, **refuser("PSP_076"))
    demande = approuver(paiement, demandeur, comptable)

    tasks.restituer(demande_id=demande.pk)

    demande.refresh_from_db()
    assert demande.etat == Etat.ENVOYEE
    assert demande.prochain_essai_le is not None
    assert not paiement.anomalies.exists()


def test_un_deja_rendu_se_relit_avant_de_renoncer(plateforme, rembourser, demandeur, comptable):
    paiement = PaiementFactory(impute=True)
    plateforme(paiement, "CAPTURED")
    plateforme(paiement, "AUTHORISED", operation="CREDIT", uuid="c" * 32)
    rembourser(paiement, **refuser("PSP_104"))

    demande = restitution.executer(approuver(paiement, demandeur, comptable))

    assert (demande.etat, demande.uuid) == (Etat.FAITE, "c" * 32)


@pytest.mark.parametrize("statut", ["CANCELLED", "REFUSED"])
def test_un_credit_mort_ne_tient_pas_lieu_de_restitution(plateforme, rembourser, demandeur, comptable, statut):
    paiement = PaiementFactory(impute=True)
    plateforme(paiement, statut, operation="CREDIT", uuid="d" * 32)
    ordre = rembourser(paiement)

    demande = restitution.executer(approuver(paiement, demandeur, comptable))

    assert ordre.call_count == 1
    assert (demande.etat, demande.uuid) == (Etat.FAITE, "c" * 32)


def test_un_credit_refuse_en_reponse_n_a_rien_rendu(plateforme, rembourser, demandeur, comptable):
    paiement = PaiementFactory(impute=True)
    plateforme(paiement, "CAPTURED")
    rembourser(paiement, statut="REFUSED")

    demande = restitution.executer(approuver(paiement, demandeur, comptable))

    paiement.refresh_from_db()
    assert (demande.etat, paiement.statut) == (Etat.ECHOUEE, Statut.IMPUTE)


def test_un_credit_en_attente_se_regarde_de_nouveau(plateforme, rembourser, demandeur, comptable):
    paiement = PaiementFactory(impute=True)
    plateforme(paiement, "CAPTURED")
    ordre = rembourser(paiement, statut="UNDER_VERIFICATION")
    demande = restitution.executer(approuver(paiement, demandeur, comptable))
    en_attente = demande.etat

    plateforme.serveur.reset()
    plateforme(paiement, "AUTHORISED", operation="CREDIT", uuid="c" * 32)
    demande = restitution.executer(demande)

    assert (en_attente, demande.etat, ordre.call_count) == (Etat.ENVOYEE, Etat.FAITE, 1)


def test_un_reliquat_rendu_n_empeche_pas_de_rendre_le_reste(plateforme, rembourser, demandeur, comptable):
    paiement, anomalie = faire_un_reliquat()
    plateforme(paiement, "CAPTURED")
    rembourser(paiement, montant=Decimal(100))
    restitution.executer(approuver(paiement, demandeur, comptable, anomalie=anomalie))

    demande = restitution.demander(paiement, motif="le reste aussi", agent=demandeur)

    assert (demande.montant, list(invariants.verifier())) == (20, [])


def test_un_debit_ne_ailleurs_que_de_notre_formulaire_se_rend(plateforme, rembourser, demandeur, comptable):
    paiement = PaiementFactory()
    dire(paiement, "AUTHORISED", uuid="d" * 32, trans_id="900001")
    anomalie = paiement.anomalies.get()
    plateforme(paiement)
    ordre = rembourser(paiement)

    demande = restitution.executer(approuver(paiement, demandeur, comptable, anomalie=anomalie))

    assert anomalie.genre == Anomalie.Genre.STATUT_INATTENDU
    assert ("d" * 32).encode() in ordre.calls[0].request.body
    assert demande.etat == Etat.FAITE


@pytest.mark.parametrize("champs", [{"site": "75100001"}, {"uuid": ""}])
def test_un_debit_que_notre_boutique_ne_peut_rendre_n_a_pas_de_bouton(demandeur, champs):
    paiement = PaiementFactory()
    dire(paiement, "AUTHORISED", **champs)
    anomalie = paiement.anomalies.get()

    assert anomalie.montant == 120
    assert not restitution.is_a_rendre(anomalie)
    with pytest.raises(restitution.RestitutionImpossible):
        restitution.demander(paiement, motif="erreur", agent=demandeur, anomalie=anomalie)
