"""Les journaux de la plateforme : ce qu'elle a fait sans nous le dire se voit le lendemain, sans main."""

from itertools import permutations

import pytest
from django.utils import timezone

from paiements.models import (
    Anomalie,
    Impaye,
    JournalPayzen,
    LigneJournal,
    MessagePayzen,
    Paiement,
    TransactionPayzen,
)
from paiements.retours import impaye, restitution
from paiements.statuts import Statut
from tests.factories import PaiementFactory, dire
from tests.paiements.journaux import UUID, jo, jrb, jri, jt

pytestmark = pytest.mark.django_db


def test_une_notification_perdue_se_rattrape_au_matin(lire):
    paiement = PaiementFactory()

    lire(jt([paiement]))

    paiement.refresh_from_db()
    assert paiement.statut == Statut.ACCEPTE
    assert paiement.debit_id == UUID(paiement)


def test_un_debit_inconnu_devient_une_anomalie(lire):
    lire(jt([{"ORDER_ID": "FACTURE-77", "AMOUNT": "3300", "TRANSACTION_UUID": "a" * 32}]))

    anomalie = Anomalie.objects.get()
    assert (anomalie.genre, anomalie.transaction_id) == ("REFERENCE_INCONNUE", "a" * 32)
    assert TransactionPayzen.objects.get().compte.tenu == 33


def test_un_remboursement_du_back_office_se_voit(lire):
    paiement = PaiementFactory(impute=True)
    credit = {"TRANSACTION_TYPE": "CREDIT", "TRANSACTION_ID": "912345", "TRANSACTION_UUID": "c" * 32}

    lire(jt([paiement, credit | {"ORDER_ID": paiement.reference, "AMOUNT": "12000"}]))

    assert Anomalie.objects.get().genre == "ANNULATION_BANQUE"


def test_une_remise_est_datee_par_le_rapprochement(lire):
    paiement = PaiementFactory(impute=True)

    lire(jrb([paiement]))

    debit = TransactionPayzen.objects.get()
    assert debit.statut == "CAPTURED"
    assert f"{debit.remise_le:%Y-%m-%d %H:%M}" == "2026-11-27 22:30"


def test_un_impaye_remonte_les_dettes_sans_main(lire):
    paiement = PaiementFactory(impute=True)

    lire(jri([paiement]))

    paiement.refresh_from_db()
    pris = Impaye.objects.get()
    assert (paiement.statut, pris.auteur) == (Statut.REJETE, None)
    assert pris.motif == "journal des impayés du 27/11/2026, motif 45"
    assert paiement.demarche.lignes.get().dette.solde == 900
    assert Anomalie.objects.ouvertes().get().genre == "IMPAYE"


def test_la_fin_d_un_impaye_remet_le_paiement(lire):
    paiement = PaiementFactory(impute=True)
    lire(jri([paiement]))

    lire(jri([paiement], jour="261128", OPERATION_TYPE="C", UNPAID_DATE="20261128"))

    paiement.refresh_from_db()
    assert paiement.statut == Statut.ACCEPTE
    assert not Anomalie.objects.ouvertes().filter(genre="IMPAYE").exists()


def test_la_fin_lue_avant_l_impaye_attend_son_tour(lire):
    paiement = PaiementFactory(impute=True)

    suspens = lire(jri([paiement], jour="261128", OPERATION_TYPE="C", UNPAID_DATE="20261128"))
    lire(jri([paiement]))

    assert suspens["en_suspens"] == 1
    assert list(Impaye.objects.order_by("pk").values_list("sens", flat=True)) == [1, -1]


def test_une_fin_en_retard_ne_rend_pas_l_impaye_suivant(lire, comptable):
    paiement = PaiementFactory(impute=True)
    lire(jri([paiement]))
    impaye.annuler(paiement.anomalies.get(genre="IMPAYE"), motif="rendu, lu au relevé", agent=comptable)

    apres_la_main = lire(jri([paiement], jour="261128", OPERATION_TYPE="C", UNPAID_DATE="20261128"))
    lire(jri([paiement], jour="261129", UNPAID_DATE="20261129"))
    lire()

    paiement.refresh_from_db()
    assert apres_la_main["en_suspens"] == 0
    assert paiement.statut == Statut.REJETE


@pytest.mark.parametrize("ordre", list(permutations(range(3))))
@pytest.mark.parametrize("date", [True, False])
def test_la_derniere_ligne_vaut_quel_que_soit_l_ordre_des_journaux(lire, ordre, date):
    paiement = PaiementFactory(impute=True)
    journaux = [
        jri([paiement], jour=f"2611{jour}", OPERATION_TYPE=sens, UNPAID_DATE=f"202611{jour}" if date else "")
        for jour, sens in (("01", "D"), ("05", "C"), ("10", "D"))
    ]

    for rang in ordre:
        lire(journaux[rang])

    paiement.refresh_from_db()
    assert (paiement.statut, LigneJournal.objects.filter(etat="EN_SUSPENS").count()) == (Statut.REJETE, 0)


def test_trois_journaux_sans_date_gardent_leur_ordre(lire):
    paiement = PaiementFactory(impute=True)

    lire(
        jri([paiement], jour="261101", UNPAID_DATE=""),
        jri([paiement], jour="261105", OPERATION_TYPE="C", UNPAID_DATE=""),
        jri([paiement], jour="261110", UNPAID_DATE=""),
    )

    paiement.refresh_from_db()
    assert paiement.statut == Statut.REJETE
    assert list(Impaye.objects.order_by("pk").values_list("sens", flat=True)) == [1, -1, 1]


def test_un_journal_de_la_semaine_ne_depasse_pas_celui_d_un_jour(lire, time_machine):
    paiement = PaiementFactory(impute=True)
    time_machine.move_to("2026-10-05")
    lire(jri([paiement], jour="26W40", UNPAID_DATE=""))
    time_machine.move_to("2026-11-28")

    lire(jri([paiement], jour="261127", OPERATION_TYPE="C", UNPAID_DATE=""))

    paiement.refresh_from_db()
    assert paiement.statut == Statut.ACCEPTE


def test_un_impaye_deja_enregistre_a_la_main_ne_se_double_pas(lire, comptable):
    paiement = PaiementFactory(impute=True)
    impaye.enregistrer(paiement, motif="lu au Back Office", agent=comptable)

    assert lire(jri([paiement]))["en_suspens"] == 0
    assert Impaye.objects.count() == 1


def test_un_impaye_attend_la_fin_d_un_ordre_de_restitution(lire, ordre_sans_reponse):
    paiement = PaiementFactory(impute=True)
    ordre_sans_reponse(paiement)

    suspens = lire(jri([paiement]))["en_suspens"]

    assert (suspens, Impaye.objects.count()) == (1, 0)
    assert LigneJournal.objects.get().pourquoi == "l'ordre de restituer ce débit est parti, sans réponse encore"


def test_un_impaye_lu_avant_l_accord_arrete_la_restitution(lire, agent, comptable):
    paiement = PaiementFactory(impute=True)
    demande = restitution.demander(paiement, motif="à rendre", agent=agent)

    lire(jri([paiement]))

    with pytest.raises(restitution.RestitutionImpossible, match="refusez cette demande"):
        restitution.decider(demande, accord=True, agent=comptable)
    assert (Impaye.objects.count(), restitution.is_en_cours(paiement)) == (1, True)


def test_l_impaye_d_un_debit_que_la_banque_ne_tient_plus_attend(lire):
    paiement = PaiementFactory(impute=True)
    dire(paiement, "CANCELLED")

    assert lire(jri([paiement]))["en_suspens"] == 1
    assert not Impaye.objects.exists()


def test_une_remise_que_la_banque_n_a_pas_rapprochee_attend(lire):
    assert lire(jrb([PaiementFactory(impute=True)], MATCH_STATUS="MATCH_KO"))["en_suspens"] == 1
    assert TransactionPayzen.objects.get().remise_le is None


def test_une_operation_que_nous_ne_connaissons_pas_attend(lire):
    assert lire(jt([PaiementFactory()], TRANSACTION_TYPE="VERIFICATION"))["en_suspens"] == 1
    assert LigneJournal.objects.get().pourquoi == "opération « VERIFICATION » inconnue"


def test_une_operation_d_un_autre_montant_fait_interroger(lire):
    paiement = PaiementFactory(impute=True)
    Paiement.objects.update(prochain_controle_le=None)

    suspens = lire(jo([paiement], OPERATION_AMOUNT="11000"))["en_suspens"]

    paiement.refresh_from_db()
    assert suspens == 1
    assert paiement.prochain_controle_le <= timezone.now()


def test_un_journal_lu_n_est_pas_une_notification(lire):
    """Sinon le silence de PayZen ne se verrait plus, et rejouer_notification rejouerait une ligne de journal."""
    lire(jt([PaiementFactory()]))

    assert MessagePayzen.objects.get().source == "JT"
    assert not MessagePayzen.objects.notifications().exists()


@pytest.mark.parametrize("fois", [1, 2, 3])
def test_relire_les_memes_journaux_ne_change_rien(lire, fois):
    paiement = PaiementFactory(impute=True)
    for _ in range(fois):
        compte_rendu = lire(jt([paiement]), jrb([paiement]), jri([paiement]))

    assert (JournalPayzen.objects.count(), LigneJournal.objects.count(), Impaye.objects.count()) == (3, 3, 1)
    assert len(compte_rendu["deja_lus"]) == (0 if fois == 1 else 3)


def test_une_reprise_du_meme_jour_n_ajoute_que_ses_lignes_neuves(lire):
    ancien, neuf = PaiementFactory(impute=True), PaiementFactory(impute=True)
    lire(jri([ancien]))

    compte_rendu = lire(jri([ancien, neuf]))

    assert compte_rendu["lignes"] == 1
    assert Impaye.objects.count() == 2


def test_ce_qui_n_apprend_rien_n_est_pas_un_message(lire):
    paiement = PaiementFactory(impute=True)
    lire(jt([paiement]))
    avant = MessagePayzen.objects.count()

    lire(jt([paiement], jour="261128"))

    assert MessagePayzen.objects.count() == avant


def test_une_ligne_sans_transaction_attend_celle_ci(lire):
    paiement = PaiementFactory()

    avant = lire(jrb([paiement]))
    apres = lire(jt([paiement]))

    assert (avant["en_suspens"], apres["en_suspens"]) == (1, 0)
    assert TransactionPayzen.objects.get().remise_le is not None


def test_une_operation_deja_connue_n_apprend_rien_et_l_autre_fait_interroger(lire):
    connu, perdu = PaiementFactory(impute=True), PaiementFactory()

    compte_rendu = lire(jo([connu, perdu]))

    perdu.refresh_from_db()
    assert compte_rendu["portees"]["JO"] == 1
    assert perdu.prochain_controle_le <= timezone.now()


def test_un_autre_mode_reste_en_suspens(lire):
    paiement = PaiementFactory()
    nom, octets = jt([paiement])

    lire((nom.removeprefix("TEST_"), octets))

    paiement.refresh_from_db()
    assert paiement.statut == Statut.EN_ATTENTE


def test_a_blanc_tout_se_montre_et_rien_ne_s_ecrit(lire):
    paiement = PaiementFactory()

    compte_rendu = lire(jt([paiement]), appliquer=False)

    paiement.refresh_from_db()
    assert (compte_rendu["applique"], compte_rendu["lignes"], compte_rendu["portees"]["JT"]) == (False, 1, 1)
    assert (paiement.statut, JournalPayzen.objects.count()) == (Statut.EN_ATTENTE, 0)
