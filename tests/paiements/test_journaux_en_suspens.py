"""Une ligne en suspens n'attend que ce qui peut venir ; sinon, elle a son anomalie, et un agent la règle."""

from contextlib import suppress
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from paiements.bureau.conseils import conseiller
from paiements.causes import par_agent
from paiements.feuille.calcul import calculer
from paiements.file.tenue import clore
from paiements.models import Anomalie, LigneJournal
from paiements.statuts import Statut
from socle.commandes import Code
from tests.factories import CafFactory, PaiementFactory
from tests.paiements.journaux import jo, jrb, jri, jt
from tests.paiements.maladies import refuser_d_ecrire

pytestmark = pytest.mark.django_db


def lire_les_suspens(caf):
    return calculer(caf, timezone.localdate()).suspens


@pytest.mark.parametrize("ensemble", [True, False], ids=["le même matin", "l'un après l'autre"])
@pytest.mark.parametrize("a_l_envers", [True, False])
def test_une_remise_que_la_banque_rapproche_le_lendemain_n_attend_plus(lire, ensemble, a_l_envers):
    paiement = PaiementFactory(impute=True)
    journaux = [jrb([paiement], MATCH_STATUS="MATCH_KO"), jrb([paiement], jour="261128")]
    journaux = journaux[::-1] if a_l_envers else journaux

    for lot in [journaux] if ensemble else [[journal] for journal in journaux]:
        compte_rendu = lire(*lot)

    assert (compte_rendu["en_suspens"], lire_les_suspens(paiement.caf)) == (0, [])
    assert not Anomalie.objects.ouvertes().filter(genre="LIGNE_EN_SUSPENS").exists()


def test_une_remise_defaite_apres_coup_attend_encore(lire):
    paiement = PaiementFactory(impute=True)

    lire(jrb([paiement]))

    assert lire(jrb([paiement], jour="261128", MATCH_STATUS="MATCH_KO"))["en_suspens"] == 1


def test_une_operation_corrigee_le_lendemain_n_attend_plus(lire):
    paiement = PaiementFactory(impute=True)
    lire(jo([paiement], OPERATION_AMOUNT="11000"))

    assert lire(jo([paiement], jour="261128"))["en_suspens"] == 0


def composer(quoi, paiement):
    """Les lignes que nulle commande ne portera."""
    return {
        "pas rapprochée": jrb([paiement], MATCH_STATUS="MATCH_KO"),
        "inconnue": jt([paiement], TRANSACTION_TYPE="VERIFICATION"),
        "autre montant": jo([paiement], OPERATION_AMOUNT="11000"),
        "autre impayé": jri([paiement], SOURCE_AMOUNT="99900"),
    }[quoi]


@pytest.mark.parametrize("quoi", ["pas rapprochée", "inconnue", "autre montant", "autre impayé"])
def test_ce_que_nulle_commande_ne_portera_a_son_anomalie_qu_un_agent_clot(lire, agent, quoi):
    paiement = PaiementFactory(impute=True)
    lire(composer(quoi, paiement))

    anomalie = Anomalie.objects.get()
    [ligne] = lire_les_suspens(paiement.caf)
    assert (anomalie.genre, anomalie.caf) == ("LIGNE_EN_SUSPENS", paiement.caf)
    assert (ligne.proprietaire, ligne.anomalie) == ("gestion", anomalie.pk)
    assert ligne.geste == f"traiter l'anomalie n° {anomalie.pk}, sous /agents/"
    assert "puis la clôt en le disant" in conseiller(anomalie)

    clore(anomalie, par_agent(agent, "vu au Back Office"))

    assert (lire()["en_suspens"], lire_les_suspens(paiement.caf)) == (0, [])
    assert not Anomalie.objects.ouvertes().exists()


def test_une_transaction_qui_manque_trois_jours_va_a_un_agent(lire, time_machine):
    caf = CafFactory()
    lire(jri([{"TRANSACTION_ID": "zz9zz9", "SOURCE_AMOUNT": "500"}]))
    assert not Anomalie.objects.exists()

    time_machine.move_to(timezone.now() + timedelta(days=4))

    assert lire()["a_decider"] == 1
    assert lire_les_suspens(caf)[0].proprietaire == "gestion"


def test_la_feuille_d_un_jour_ne_dit_rien_de_ce_qui_est_venu_apres(lire):
    paiement = PaiementFactory(impute=True)
    lire(jrb([paiement], MATCH_STATUS="MATCH_KO"))

    assert calculer(paiement.caf, timezone.localdate() - timedelta(days=1)).suspens == []


def test_sur_la_feuille_elle_est_du_jour_ou_on_l_a_lue_pas_de_celui_du_paiement(lire, time_machine):
    paiement = PaiementFactory(impute=True)
    jour = timezone.localdate()
    time_machine.move_to(timezone.now() + timedelta(days=3))
    lire(jrb([paiement], MATCH_STATUS="MATCH_KO"))
    time_machine.move_to(timezone.now() + timedelta(days=2))

    [ligne] = calculer(paiement.caf, timezone.localdate()).suspens

    assert (ligne.depuis, ligne.jours) == (jour + timedelta(days=3), 2)
    assert calculer(paiement.caf, jour + timedelta(days=2)).suspens == []


@pytest.mark.parametrize("journal", [jt, jri], ids=["JT", "JRI"])
def test_une_ligne_malade_n_arrete_pas_les_autres_et_se_nomme(lire, journal):
    traits = {} if journal is jt else {"impute": True}
    malade, sain = PaiementFactory(**traits), PaiementFactory(**traits)

    with refuser_d_ecrire(malade, table="etapepaiement"), pytest.raises(CommandError) as refus:
        lire(journal([malade, sain]))

    malade.refresh_from_db()
    sain.refresh_from_db()
    assert sain.statut == (Statut.ACCEPTE if journal is jt else Statut.REJETE)
    assert malade.statut == (Statut.EN_ATTENTE if journal is jt else Statut.IMPUTE)
    assert str(refus.value).startswith("1 ligne(s) non portées : ")
    assert refus.value.returncode == Code.PAS_PU
    assert "l'écriture échoue" in LigneJournal.objects.get(etat="EN_SUSPENS").pourquoi


def test_guerie_elle_se_porte(lire):
    malade = PaiementFactory()
    with refuser_d_ecrire(malade, table="etapepaiement"), pytest.raises(CommandError):
        lire(jt([malade]))

    assert lire()["en_suspens"] == 0


def dire(tmp_path, journal):
    nom, octets = journal
    (tmp_path / nom).write_bytes(octets)
    sortie = StringIO()
    with suppress(CommandError):
        call_command("lire_journaux", str(tmp_path), "--appliquer", stdout=sortie)
    return sortie.getvalue()


def test_d_une_ligne_malade_la_commande_ne_dit_pas_que_sa_transaction_manque(tmp_path):
    malade = PaiementFactory(impute=True)
    with refuser_d_ecrire(malade, table="etapepaiement"):
        dit = dire(tmp_path, jri([malade]))

    assert "1 ligne attend, dont 0 qu'un agent règle" in dit
    assert "Les autres se reprennent à chaque lecture." in dit
    assert "il manque leur transaction" not in dit


def test_la_commande_ne_renvoie_pas_a_une_autre_qui_n_y_changera_rien(tmp_path):
    dit = dire(tmp_path, jrb([PaiementFactory(impute=True)], MATCH_STATUS="MATCH_KO"))

    assert "1 ligne attend, dont 1 qu'un agent règle" in dit
    assert "interroger_payzen" not in dit
