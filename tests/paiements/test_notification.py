"""Ce que la banque notifie fait avancer le paiement, une seule fois, dans quelque ordre que cela vienne."""

import pytest

from demarches.etats import Etat
from dettes.models import Dette
from paiements.models import Anomalie, MessagePayzen
from paiements.statuts import Statut
from tests.factories import PaiementFactory, dire

pytestmark = pytest.mark.django_db

Sort = MessagePayzen.Sort


def test_un_accord_fait_accepter_le_paiement(notifier):
    paiement = PaiementFactory()

    reponse = notifier(paiement, "AUTHORISED")

    paiement.refresh_from_db()
    assert (reponse.status_code, reponse.content) == (200, b"OK")
    assert paiement.statut == Statut.ACCEPTE
    assert (paiement.debit.marque, paiement.debit.carte_masquee) == ("CB", "•••• 0055")
    assert paiement.demarche.etat == Etat.ENREGISTREE


def test_une_notification_repetee_ne_compte_qu_une_fois(notifier):
    paiement = PaiementFactory()

    reponses = [notifier(paiement, "AUTHORISED", vads_hash=str(fois)) for fois in range(3)]

    assert [reponse.status_code for reponse in reponses] == [200, 200, 200]
    assert [etape.geste for etape in paiement.etapes.order_by("pk")] == ["soumettre", "accepter"]
    sorts = paiement.messages.order_by("pk").values_list("sort", flat=True)
    assert list(sorts) == [Sort.NEUF, Sort.DEJA_SU, Sort.DEJA_SU]


@pytest.mark.parametrize(
    ("statut", "attendu", "etat"),
    [
        ("REFUSED", Statut.REFUSE, Etat.REFUSEE),
        ("ABANDONED", Statut.ABANDONNE, Etat.NON_REALISEE),
        ("EXPIRED", Statut.REFUSE, Etat.REFUSEE),
        ("WAITING_AUTHORISATION", Statut.EN_ATTENTE, Etat.A_LA_BANQUE),
        ("AUTHORISED_TO_VALIDATE", Statut.EN_ATTENTE, Etat.A_LA_BANQUE),
    ],
)
def test_chaque_reponse_de_la_banque_a_sa_fin(notifier, statut, attendu, etat):
    paiement = PaiementFactory()

    reponse = notifier(paiement, statut)

    paiement.refresh_from_db()
    assert (reponse.status_code, paiement.statut, paiement.demarche.etat) == (200, attendu, etat)


def test_un_abandon_sans_uuid_ni_operation_est_compris(notifier):
    paiement = PaiementFactory()

    notifier(paiement, "ABANDONED", vads_trans_uuid=None, vads_operation_type=None, vads_card_number=None)

    paiement.refresh_from_db()
    assert paiement.statut == Statut.ABANDONNE


@pytest.mark.parametrize("premier", ["REFUSED", "ABANDONED"])
def test_un_succes_l_emporte_dans_les_deux_ordres(notifier, premier):
    avant, apres = PaiementFactory(), PaiementFactory()

    notifier(avant, premier, vads_trans_uuid="a" * 32)
    notifier(avant, "AUTHORISED")
    notifier(apres, "AUTHORISED")
    notifier(apres, premier, vads_trans_uuid="b" * 32)

    for paiement in (avant, apres):
        paiement.refresh_from_db()
        assert paiement.statut == Statut.ACCEPTE


def test_un_accord_apres_expiration_n_est_jamais_perdu(notifier):
    paiement = PaiementFactory(expire=True)

    notifier(paiement, "AUTHORISED")

    paiement.refresh_from_db()
    assert paiement.statut == Statut.ACCEPTE
    assert paiement.anomalies.get().genre == Anomalie.Genre.PAIEMENT_TARDIF


def test_la_remise_en_banque_se_note(notifier):
    paiement = PaiementFactory(accepte=True)

    notifier(paiement, "CAPTURED", vads_url_check_src="BO")

    paiement.refresh_from_db()
    assert paiement.debit.is_remise
    assert paiement.statut == Statut.ACCEPTE


@pytest.mark.parametrize("statut", ["CANCELLED", "CAPTURE_FAILED"])
def test_une_annulation_a_la_banque_fait_remonter_la_dette(notifier, statut):
    paiement = PaiementFactory(impute=True)
    dette = paiement.demarche.lignes.get().dette

    notifier(paiement, statut, vads_url_check_src="MERCH_BO")

    paiement.refresh_from_db()
    dette.refresh_from_db()
    assert paiement.statut == Statut.REJETE
    assert dette.solde == dette.montant_initial
    assert paiement.anomalies.get().genre == Anomalie.Genre.ANNULATION_BANQUE


def test_une_annulation_arrivee_avant_l_accord_l_emporte(notifier):
    paiement = PaiementFactory()

    notifier(paiement, "CANCELLED", vads_url_check_src="MERCH_BO")
    notifier(paiement, "AUTHORISED")

    paiement.refresh_from_db()
    # Annulé, il avait été accordé : entendu dans l'autre ordre, le paiement finirait de même.
    assert paiement.statut == Statut.REJETE
    assert paiement.messages.order_by("pk").last().sort == Sort.DEJA_SU


def test_une_dette_soldee_par_un_paiement_repris_se_paie_de_nouveau(notifier):
    paiement = PaiementFactory(montant=900, impute=True)
    dettes = Dette.objects.filter(imputations__paiement=paiement).distinct()
    Dette.objects.update(situation=Dette.Situation.SOLDEE)

    notifier(paiement, "CANCELLED")

    assert dettes.payables().get().solde == 900


def test_un_accord_tardif_que_la_banque_a_deja_defait_n_est_pas_un_retard():
    paiement = PaiementFactory(expire=True)

    dire(paiement, "CANCELLED")

    paiement.refresh_from_db()
    assert paiement.statut == Statut.REJETE
    assert not paiement.anomalies.filter(genre="PAIEMENT_TARDIF").exists()
