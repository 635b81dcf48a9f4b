"""Après une restauration, chaque paiement revient de la plateforme, au centime, ou se nomme (docs/adr/0055)."""

from decimal import Decimal
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from comptes.models import Caf
from demarches.models import Demarche
from dettes.encaissements import emettre
from dettes.models import Dette, FichierEmis, Mouvement
from paiements.causes import par_payzen
from paiements.feuille.calcul import calculer
from paiements.models import Anomalie, Impaye, LigneJournal, Paiement, TransactionPayzen
from paiements.retours.impaye import porter_du_journal
from paiements.statuts import Statut
from paiements.surveillance.invariants import verifier
from tests.factories import DemarcheFactory, DetteFactory, PaiementFactory, UtilisateurFactory
from tests.paiements.journaux import jri, jt
from tests.paiements.restauration import decrire, restaurer

pytestmark = pytest.mark.django_db


def test_un_paiement_oublie_redevient_le_meme_jusqu_aux_dettes(ramener, dettes, paye):
    paiement = paye(impute=True)
    journal, transaction = jt([paiement]), decrire(paiement)
    soldes = [dette.solde for dette in dettes if not dette.refresh_from_db()]
    restaurer()

    ramener(journal, [transaction])

    revenu = Paiement.objects.get()
    assert (revenu.reference, revenu.statut, revenu.montant) == (paiement.reference, Statut.IMPUTE, 150)
    assert (revenu.trans_id, revenu.demarche.allocataire) == (paiement.trans_id, paiement.demarche.allocataire)
    assert [dette.solde for dette in dettes if not dette.refresh_from_db()] == soldes == [800, 850]
    assert not Anomalie.objects.ouvertes().exists()
    assert list(verifier()) == []


def test_un_brouillon_que_la_sauvegarde_tenait_repart_comme_il_etait_paye(ramener):
    paiement = PaiementFactory(impute=True)
    journal, transaction = jt([paiement]), decrire(paiement)
    auteur, dette = paiement.demarche.auteur, paiement.demarche.lignes.get().dette
    restaurer()
    DemarcheFactory(auteur=auteur, reference=paiement.reference, lignes={dette: Decimal(7)})

    ramener(journal, [transaction])

    demarche = Demarche.objects.get()
    assert (demarche.montant, demarche.lignes.get().montant) == (120, 120)
    assert Paiement.objects.get().statut == Statut.IMPUTE


def test_le_brouillon_d_une_autre_demande_n_est_pas_touche(ramener):
    paiement = PaiementFactory(impute=True)
    journal, transaction = jt([paiement]), decrire(paiement)
    auteur, dette = paiement.demarche.auteur, paiement.demarche.lignes.get().dette
    restaurer()
    autre = DemarcheFactory(auteur=auteur, lignes={dette: Decimal(7)})

    ramener(journal, [transaction])

    autre.refresh_from_db()
    assert (autre.etat, autre.montant) == ("BROUILLON", 7)
    assert Paiement.objects.get().statut == Statut.IMPUTE


def test_une_dette_que_la_livraison_perdue_apportait_se_nomme(ramener):
    paiement = PaiementFactory(impute=True)
    journal, transaction = jt([paiement]), decrire(paiement)
    transaction["metadata"]["orderInfo"] = "A,PERDUE-1=12000"
    restaurer()

    compte_rendu = ramener(journal, [transaction])

    assert compte_rendu["lus"][0]["motif"] == "la dette PERDUE-1 manque : prenez d'abord la livraison perdue"
    assert Anomalie.objects.ouvertes().get().genre == "REFERENCE_INCONNUE"


def test_ce_qui_n_est_pas_ne_de_notre_formulaire_reste_une_anomalie(ramener):
    paiement = PaiementFactory(impute=True)
    journal, transaction = jt([paiement]), decrire(paiement)
    del transaction["metadata"]
    restaurer()

    ramener(journal, [transaction])

    assert not Paiement.objects.exists()
    assert Anomalie.objects.ouvertes().get().genre == "REFERENCE_INCONNUE"


def test_le_fichier_deja_publie_se_reprend_et_rien_ne_repart(ramener, tmp_path):
    paiement = PaiementFactory(impute=True)
    journal, transaction = jt([paiement]), decrire(paiement)
    emettre(paiement.caf, tmp_path / "emis")
    restaurer()

    ramener(journal, [transaction])
    call_command("reprendre_encaissements", "661", dossier=tmp_path / "emis", appliquer=True, stdout=StringIO())

    assert FichierEmis.objects.get().lignes == 1
    assert Mouvement.objects.filter(genre="IMPUTATION", ligne_emise=None).count() == 0
    assert emettre(Caf.objects.get(), tmp_path / "emis") is None


def test_ce_qu_un_fichier_publie_dit_impute_l_est_avant_d_etre_rendu_meme_au_dessus_du_seuil(ramener, tmp_path):
    paiement = PaiementFactory(impute=True)
    journal, debit = jt([paiement]), decrire(paiement)
    credit = {"uuid": "c" * 32, "operationType": "CREDIT"}
    credit["transactionDetails"] = debit["transactionDetails"] | {"parentTransactionUuid": debit["uuid"]}
    emettre(paiement.caf, tmp_path / "emis")
    Caf.objects.update(seuil_controle=100)
    restaurer()

    ramener(journal, [debit, debit | credit], "--publies", str(tmp_path / "emis"))
    call_command("reprendre_encaissements", "661", dossier=tmp_path / "emis", appliquer=True, stdout=StringIO())

    assert FichierEmis.objects.get().lignes == 1
    assert list(Mouvement.objects.order_by("pk").values_list("genre", flat=True))[-2:] == ["IMPUTATION", "REJET"]


@pytest.mark.parametrize(
    "depuis",
    [{"detailedStatus": "CANCELLED"}, {"detailedStatus": "CAPTURE_FAILED"}, {"amount": 5000}],
    ids=["annulé", "remise échouée", "baissé"],
)
def test_un_debit_publie_impute_l_est_de_nouveau_avant_ce_que_la_banque_en_a_defait(ramener, tmp_path, depuis):
    paiement = PaiementFactory(impute=True)
    publie, transaction = emettre(paiement.caf, tmp_path / "emis"), decrire(paiement) | depuis
    statut = "CANCELLED" if "amount" not in depuis else "CAPTURED"
    journal = jt([paiement], TRANSACTION_STATUS=statut, AMOUNT=str(transaction["amount"]))
    restaurer()

    ramener(journal, [transaction], "--publies", str(tmp_path / "emis"))
    call_command("reprendre_encaissements", "661", dossier=tmp_path / "emis", appliquer=True, stdout=StringIO())

    assert FichierEmis.objects.get().empreinte == publie.empreinte
    genres = list(Mouvement.objects.order_by("pk").values_list("genre", flat=True))[1:]
    assert genres == (["IMPUTATION"] if "amount" in depuis else ["IMPUTATION", "REJET"])
    assert list(verifier()) == []


def test_un_paiement_que_la_sauvegarde_tenait_en_vol_s_impute_d_abord(ramener, tmp_path):
    paiement = PaiementFactory(impute=True)
    emettre(paiement.caf, tmp_path / "emis")
    restaurer()
    auteur, dette = paiement.demarche.auteur, Dette.objects.get()
    demarche = DemarcheFactory(auteur=auteur, reference=paiement.reference, lignes={dette: Decimal(120)})
    en_vol = PaiementFactory(demarche=demarche, accepte=True)
    transaction = decrire(en_vol) | {"detailedStatus": "CANCELLED"}

    ramener(jt([]), [transaction], "--publies", str(tmp_path / "emis"))
    call_command("reprendre_encaissements", "661", dossier=tmp_path / "emis", appliquer=True, stdout=StringIO())

    assert Paiement.objects.get().statut == Statut.REJETE
    assert list(Mouvement.objects.order_by("pk").values_list("genre", flat=True))[-2:] == ["IMPUTATION", "REJET"]


def test_ce_qu_un_fichier_publie_dit_impute_ne_l_est_pas_deux_fois(ramener, tmp_path):
    """Imputé déjà, puis impayé, puis rendu : au-dessus du seuil, c'est de nouveau à un agent de le confirmer."""
    paiement = PaiementFactory(impute=True)
    emettre(paiement.caf, tmp_path / "emis")
    with connection.cursor() as curseur:
        curseur.execute("SET LOCAL session_replication_role = replica")
        curseur.execute(
            "INSERT INTO dettes_mouvementarendre (mouvement_id, caf_id) SELECT e.mouvement_id, f.caf_id"
            " FROM dettes_ligneemise e JOIN dettes_fichieremis f ON f.id = e.fichier_id;"
            " DELETE FROM dettes_ligneemise; DELETE FROM dettes_fichieremis"
        )
        curseur.execute("SET LOCAL session_replication_role = origin")
    Caf.objects.update(seuil_controle=100)
    for sens in (Impaye.Sens.PRIS, Impaye.Sens.RENDU):
        porter_du_journal(paiement.debit, sens, paiement.montant, par_payzen("journal"))
    suspens = {"ORDER_ID": paiement.reference, "AMOUNT": "1", "TRANSACTION_TYPE": "VERIFICATION"}

    ramener(jt([suspens]), [decrire(paiement)], "--publies", str(tmp_path / "emis"))

    assert Paiement.objects.get().statut == Statut.ACCEPTE
    assert Mouvement.objects.filter(genre="IMPUTATION").count() == 1


def test_l_impaye_d_un_paiement_qui_ne_reviendra_jamais_va_a_son_debit(ramener, tmp_path):
    paiement = PaiementFactory(impute=True)
    journal, transaction = jri([paiement], ORDER_ID=paiement.reference), decrire(paiement)
    del transaction["metadata"]
    restaurer()

    ramener(journal, [transaction])

    ligne, debit = LigneJournal.objects.get(), TransactionPayzen.objects.get()
    assert (ligne.etat, ligne.transaction_id) == ("PORTEE", debit.pk)
    assert (debit.paiement, debit.compte.tenu) == (None, 0)
    assert calculer(Caf.objects.get(), timezone.localdate()).ecarts == []
    assert list(verifier()) == []


def test_l_impaye_d_un_paiement_qui_peut_encore_revenir_l_attend(ramener, tmp_path):
    paiement = PaiementFactory(impute=True)
    journal, transaction = jri([paiement], ORDER_ID=paiement.reference), decrire(paiement)
    transaction["metadata"]["orderInfo"] = "A,PERDUE-1=12000"
    restaurer()

    ramener(journal, [transaction])

    assert LigneJournal.objects.get().etat == "EN_SUSPENS"


@pytest.mark.parametrize("options", [["--journaux"], ["--reference", "P-RIEN"]])
def test_un_dossier_publie_vide_ou_de_trop_se_dit_avant_de_rien_ramener(options, tmp_path):
    with pytest.raises(CommandError, match=r"Aucun fichier d'encaissements|ne va qu'avec --journaux") as refus:
        call_command("interroger_payzen", *options, "--publies", str(tmp_path), "--appliquer")

    assert refus.value.returncode == 2


def test_une_dette_d_un_autre_dossier_ne_se_paie_pas_par_erreur(ramener):
    paiement = PaiementFactory(impute=True)
    journal, transaction = jt([paiement]), decrire(paiement)
    autre = DetteFactory(allocataire=UtilisateurFactory().allocataire)
    sienne = paiement.demarche.lignes.get().dette.reference
    transaction["metadata"]["orderInfo"] = f"A,{sienne}=11000,{autre.reference}=1000"
    restaurer()

    compte_rendu = ramener(journal, [transaction])

    assert compte_rendu["lus"][0]["motif"] == "ses dettes sont de plusieurs dossiers"


def test_ce_que_la_banque_a_repris_d_un_paiement_oublie_attend_qu_il_soit_revenu(ramener, tmp_path):
    paiement = PaiementFactory(impute=True)
    rendu = {"TRANSACTION_TYPE": "CREDIT", "TRANSACTION_ID": "912345", "TRANSACTION_UUID": "c" * 32}
    journal = jt([paiement, rendu | {"ORDER_ID": paiement.reference, "AMOUNT": "5000"}])
    transaction = decrire(paiement)
    restaurer()
    (tmp_path / "seul").mkdir()
    (tmp_path / "seul" / journal[0]).write_bytes(journal[1])

    call_command("lire_journaux", str(tmp_path / "seul"), "--appliquer", stdout=StringIO())
    attendent = LigneJournal.objects.filter(etat="EN_SUSPENS")
    suspens = sorted(attendent.values_list("operation", "pourquoi"))
    ramener(journal, [transaction])
    call_command("lire_journaux", str(tmp_path / "seul"), "--appliquer", stdout=StringIO())

    assert suspens == [(sens, "son paiement n'est pas encore revenu") for sens in ("CREDIT", "DEBIT")]
    assert not attendent.exists()
    assert Paiement.objects.get().statut == Statut.IMPUTE
    assert Anomalie.objects.ouvertes().get().genre == "ANNULATION_BANQUE"
