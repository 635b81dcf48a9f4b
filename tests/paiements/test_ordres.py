"""Un ordre de restituer part une seule fois, et ce que la plateforme en dit fait suivre les comptes."""

from datetime import timedelta
from decimal import Decimal

import pytest
import requests
from django.utils import timezone

from dettes.models import Dette
from paiements import tasks
from paiements.models import Anomalie, DemandeRestitution
from paiements.payzen import PlateformeInjoignable
from paiements.retours import impaye, ordres, restitution
from paiements.statuts import Statut
from tests.factories import PaiementFactory, dire
from tests.paiements.journaux import jri
from tests.paiements.livres import approuver, faire_un_reliquat

pytestmark = pytest.mark.django_db

Etat = DemandeRestitution.Etat


def test_un_paiement_rendu_rouvre_la_dette(plateforme, rembourser, agent, comptable):
    paiement = PaiementFactory(impute=True)
    plateforme(paiement, "CAPTURED")
    rembourser(paiement)

    demande = ordres.executer(approuver(paiement, agent, comptable))

    paiement.refresh_from_db()
    dette = Dette.objects.get()
    assert (demande.etat, paiement.statut) == (Etat.FAITE, Statut.RESTITUE)
    assert dette.solde == dette.montant_initial
    assert paiement.demarche.etat == "RESTITUEE"


def test_une_reponse_perdue_ne_rembourse_pas_deux_fois(plateforme, rembourser, agent, comptable):
    paiement = PaiementFactory(impute=True)
    plateforme(paiement, "CAPTURED")
    ordre = rembourser(paiement, body=requests.ReadTimeout())
    demande = approuver(paiement, agent, comptable)

    with pytest.raises(PlateformeInjoignable):
        ordres.executer(demande)
    # La plateforme avait pourtant remboursé : à la reprise, on le voit avant de redemander.
    plateforme.serveur.reset()
    plateforme(paiement, "AUTHORISED", operation="CREDIT", uuid="c" * 32)
    demande = ordres.executer(demande)

    assert ordre.call_count == 1
    assert (demande.etat, demande.credit_id) == (Etat.FAITE, "c" * 32)


def test_un_ordre_que_l_on_ne_tient_plus_ne_part_pas(plateforme, rembourser, agent, comptable, time_machine):
    """La plateforme a répondu goutte à goutte : un autre ouvrier a pu prendre la demande entre-temps."""
    paiement = PaiementFactory(impute=True)
    plateforme(paiement, "CAPTURED")
    (lecture,) = plateforme.serveur.registered()
    plateforme.serveur.remove(lecture)
    durees = iter([timedelta(minutes=9), timedelta()])

    def repondre(_requete):
        time_machine.shift(next(durees))
        return 200, {}, lecture.body

    plateforme.serveur.add_callback("POST", lecture.url, callback=repondre)
    ordre = rembourser(paiement)
    demande = approuver(paiement, agent, comptable)
    time_machine.move_to(timezone.now())

    with pytest.raises(ordres.RestitutionPrise):
        ordres.executer(demande)
    assert ordre.call_count == 0

    assert ordres.executer(demande).etat == Etat.FAITE
    assert ordre.call_count == 1


def test_un_reliquat_se_rend_sans_toucher_aux_dettes(plateforme, rembourser, agent, comptable):
    paiement, anomalie = faire_un_reliquat()
    plateforme(paiement, "CAPTURED")
    ordre = rembourser(paiement, montant=Decimal(100))

    ordres.executer(approuver(paiement, agent, comptable, anomalie=anomalie))

    paiement.refresh_from_db()
    anomalie.refresh_from_db()
    assert b"REFUND_ONLY" in ordre.calls[0].request.body
    assert (paiement.statut, anomalie.etat) == (Statut.IMPUTE, Anomalie.Etat.CLOSE)
    assert anomalie.etapes.latest("pk").auteur == comptable.identifiant
    assert Dette.objects.get().solde == 0


def test_un_deuxieme_debit_se_rend_sur_sa_propre_transaction(plateforme, rembourser, agent, comptable):
    paiement = PaiementFactory(impute=True)
    dire(paiement, "AUTHORISED", uuid="d" * 32, trans_id="900001")
    anomalie = paiement.anomalies.get()
    plateforme(paiement, "CAPTURED")
    ordre = rembourser(paiement)

    ordres.executer(approuver(paiement, agent, comptable, anomalie=anomalie))

    paiement.refresh_from_db()
    assert ("d" * 32).encode() in ordre.calls[0].request.body
    assert paiement.statut == Statut.IMPUTE


def test_le_credit_que_nous_avons_demande_n_est_pas_une_surprise(plateforme, rembourser, agent, comptable):
    paiement = PaiementFactory(impute=True)
    plateforme(paiement, "CAPTURED")
    rembourser(paiement)
    ordres.executer(approuver(paiement, agent, comptable))

    dire(paiement, "CAPTURED", operation="CREDIT", uuid="c" * 32)

    assert not paiement.anomalies.exists()


def refuser(code):
    return {"json": {"status": "ERROR", "mode": "TEST", "answer": {"errorCode": code, "shopId": "66100001"}}}


def test_ce_que_la_plateforme_refuse_pour_toujours_va_a_un_agent(plateforme, rembourser, agent, comptable):
    paiement = PaiementFactory(impute=True)
    plateforme(paiement, "CAPTURED")
    rembourser(paiement, **refuser("PSP_083"))

    demande = ordres.executer(approuver(paiement, agent, comptable))

    anomalie = paiement.anomalies.get()
    assert (demande.etat, demande.prochain_essai_le) == (Etat.ECHOUEE, None)
    assert (anomalie.genre, anomalie.restitution, anomalie.situation) == (
        Anomalie.Genre.RESTITUTION_REFUSEE,
        demande,
        "PSP_083",
    )
    # Le refus disait l'impayé : il peut enfin s'enregistrer.
    assert impaye.enregistrer(paiement, motif="JRI", agent=comptable).statut == Statut.REJETE


def test_ce_que_la_plateforme_remet_a_plus_tard_se_redemande(plateforme, rembourser, agent, comptable):
    paiement = PaiementFactory(impute=True)
    plateforme(paiement, "AUTHORISED")
    rembourser(paiement, **refuser("PSP_076"))
    demande = approuver(paiement, agent, comptable)

    tasks.restituer(demande_id=demande.pk)

    demande.refresh_from_db()
    assert demande.etat == Etat.ENVOYEE
    assert demande.prochain_essai_le is not None
    assert not paiement.anomalies.exists()


def test_un_deja_rendu_se_relit_avant_de_renoncer(plateforme, rembourser, agent, comptable):
    paiement = PaiementFactory(impute=True)
    plateforme(paiement, "CAPTURED")
    plateforme(paiement, "AUTHORISED", operation="CREDIT", uuid="c" * 32)
    rembourser(paiement, **refuser("PSP_104"))

    demande = ordres.executer(approuver(paiement, agent, comptable))

    assert (demande.etat, demande.credit_id) == (Etat.FAITE, "c" * 32)


@pytest.mark.parametrize("statut", ["CANCELLED", "REFUSED"])
def test_un_credit_mort_ne_tient_pas_lieu_de_restitution(plateforme, rembourser, agent, comptable, statut):
    paiement = PaiementFactory(impute=True)
    plateforme(paiement, statut, operation="CREDIT", uuid="d" * 32)
    ordre = rembourser(paiement)

    demande = ordres.executer(approuver(paiement, agent, comptable))

    assert ordre.call_count == 1
    assert (demande.etat, demande.credit_id) == (Etat.FAITE, "c" * 32)


def test_un_credit_refuse_en_reponse_n_a_rien_rendu(plateforme, rembourser, agent, comptable):
    paiement = PaiementFactory(impute=True)
    plateforme(paiement, "CAPTURED")
    rembourser(paiement, statut="REFUSED")

    demande = ordres.executer(approuver(paiement, agent, comptable))

    paiement.refresh_from_db()
    assert (demande.etat, paiement.statut) == (Etat.ECHOUEE, Statut.IMPUTE)


def test_un_credit_en_attente_se_regarde_de_nouveau(plateforme, rembourser, agent, comptable):
    paiement = PaiementFactory(impute=True)
    plateforme(paiement, "CAPTURED")
    ordre = rembourser(paiement, statut="UNDER_VERIFICATION")
    demande = ordres.executer(approuver(paiement, agent, comptable))
    en_attente = demande.etat

    plateforme.serveur.reset()
    plateforme(paiement, "AUTHORISED", operation="CREDIT", uuid="c" * 32)
    demande = ordres.executer(demande)

    assert (en_attente, demande.etat, ordre.call_count) == (Etat.ENVOYEE, Etat.FAITE, 1)


def test_un_credit_douteux_ne_se_renvoie_pas(plateforme, rembourser, agent, comptable):
    """Peut-être parti : un deuxième ordre rendrait deux fois. Un agent tranche."""
    paiement = PaiementFactory(impute=True)
    plateforme(paiement, "CAPTURED")
    ordre = rembourser(paiement, statut="MOT_INCONNU")
    demande = ordres.executer(approuver(paiement, agent, comptable))

    demande = ordres.executer(demande)

    assert (demande.etat, ordre.call_count) == (Etat.ENVOYEE, 1)
    assert paiement.anomalies.get().genre == Anomalie.Genre.STATUT_INATTENDU


def test_un_impaye_lu_apres_l_accord_arrete_l_ordre(lire, agent, comptable, plateforme, rembourser):
    paiement = PaiementFactory(impute=True)
    dire(paiement, "CAPTURED")
    demande = restitution.demander(paiement, motif="à rendre", agent=agent)
    demande = restitution.decider(demande, accord=True, agent=comptable)
    plateforme(paiement, "CAPTURED")
    ordre = rembourser(paiement)

    lire(jri([paiement]))
    demande = ordres.executer(demande)

    paiement.refresh_from_db()
    assert (demande.etat, ordre.call_count) == (demande.Etat.ECHOUEE, 0)
    assert (paiement.statut, paiement.solde.tenu) == (Statut.REJETE, 0)
