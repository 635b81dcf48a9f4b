"""L'impayé : la banque reprend un débit contesté ; annulé, le paiement revient sur les dettes."""

from decimal import Decimal

import pytest
from django.db import connection

from dettes.models import Dette
from paiements.file.en_jeu import avec_en_jeu
from paiements.imputation.imputer import imputer_un_lot
from paiements.models import Anomalie, Impaye, Paiement
from paiements.retours import impaye, ordres, restitution
from paiements.statuts import Statut
from paiements.surveillance import invariants
from tests.factories import PaiementFactory, dire
from tests.paiements.livres import approuver, crediter, relire, reprendre

pytestmark = pytest.mark.django_db

Genre, Etat = Anomalie.Genre, Anomalie.Etat


def _rendre_une_part(paiement, agent):
    """La banque en a remboursé 30 €, un agent a dit de quelle dette."""
    crediter(paiement, 30)
    reprendre(paiement.anomalies.ouvertes().get(genre=Genre.ANNULATION_BANQUE), agent)


def test_un_impaye_fait_remonter_la_dette_et_le_dit(comptable):
    paiement = PaiementFactory(impute=True)

    impaye.enregistrer(paiement, motif="journal des impayés du 3 mars", agent=comptable)

    paiement.refresh_from_db()
    dette = Dette.objects.get()
    assert (paiement.statut, paiement.demarche.etat) == (Statut.REJETE, "ANNULEE_PAR_LA_BANQUE")
    assert dette.solde == dette.montant_initial
    assert paiement.anomalies.get().genre == Genre.IMPAYE


def test_un_impaye_annule_remet_le_paiement_sur_les_dettes(comptable, agent):
    """Il n'est pas restitué : la banque tient l'argent, il s'impute de nouveau."""
    paiement = PaiementFactory(impute=True)
    impaye.enregistrer(paiement, motif="JRI", agent=comptable)
    anomalie = paiement.anomalies.get()

    impaye.annuler(anomalie, motif="enregistré à tort", agent=agent)
    relire(paiement)
    imputer_un_lot()

    paiement.refresh_from_db()
    anomalie.refresh_from_db()
    assert (paiement.statut, Dette.objects.get().solde) == (Statut.IMPUTE, 780)
    assert (anomalie.etat, anomalie.etapes.latest("pk").auteur) == (Etat.CLOSE, agent.identifiant)
    assert set(paiement.anomalies.values_list("genre", flat=True)) == {Genre.IMPAYE}
    assert list(Impaye.objects.order_by("pk").values_list("sens", "auteur")) == [(1, comptable.pk), (-1, agent.pk)]
    assert not list(invariants.verifier())


def test_un_impaye_annule_apres_une_part_restituee_revient(plateforme, rembourser, agent, comptable):
    """Rendre une part n'est pas rendre le paiement : ce que la banque tient encore s'impute de nouveau."""
    paiement = PaiementFactory(impute=True)
    dette = paiement.demarche.lignes.get().dette
    plateforme(paiement, "CAPTURED")
    rembourser(paiement, montant=Decimal(30))
    demande = restitution.demander_une_part(paiement, {dette.pk: Decimal(30)}, motif="trop", agent=agent)
    ordres.executer(restitution.decider(demande, accord=True, agent=comptable))
    impaye.enregistrer(paiement, motif="mauvaise ligne", agent=comptable)

    impaye.annuler(paiement.anomalies.get(genre=Genre.IMPAYE), motif="à tort", agent=comptable)

    paiement.refresh_from_db()
    assert paiement.statut == Statut.ACCEPTE


def test_apres_une_part_remboursee_un_impaye_est_du_seul_reste(comptable, agent):
    paiement = PaiementFactory(impute=True)
    _rendre_une_part(paiement, agent)

    impaye.enregistrer(paiement, motif="JRI", agent=comptable)

    paiement.refresh_from_db()
    dit = Impaye.objects.get()
    assert (dit.montant, paiement.solde.tenu, paiement.statut) == (90, 0, Statut.REJETE)
    assert Dette.objects.get().solde == 900
    assert [a.en_jeu for a in avec_en_jeu(paiement.anomalies.ouvertes())] == [-90]
    assert not list(invariants.verifier())


def test_l_impaye_d_une_part_attend_qu_un_agent_dise_de_quelles_dettes(comptable, agent):
    paiement = PaiementFactory(impute=True)

    impaye.enregistrer(paiement, montant=Decimal(5), motif="JRI", agent=comptable)
    alertes = {a.genre: a for a in paiement.anomalies.ouvertes()}
    avant = paiement.statut, Dette.objects.get().solde
    reprendre(alertes[Genre.ANNULATION_BANQUE], agent)

    paiement.refresh_from_db()
    assert set(alertes) == {Genre.IMPAYE, Genre.ANNULATION_BANQUE}
    assert avant == (Statut.IMPUTE, 780)
    assert (paiement.statut, paiement.solde.tenu, Dette.objects.get().solde) == (Statut.IMPUTE, 115, 785)
    assert [a.genre for a in paiement.anomalies.ouvertes()] == [Genre.IMPAYE]
    assert not list(invariants.verifier())


@pytest.mark.parametrize("montant", [Decimal(0), Decimal("90.01"), Decimal("119.99"), Decimal("120.01")])
def test_un_impaye_est_du_debit_entier_ou_de_ce_qu_il_en_reste(comptable, agent, montant):
    paiement = PaiementFactory(impute=True)
    _rendre_une_part(paiement, agent)

    with pytest.raises(impaye.ImpayeImpossible, match="du débit entier"):
        impaye.enregistrer(paiement, montant=montant, motif="JRI", agent=comptable)


def test_un_debit_impaye_puis_baisse_ne_doit_rien(comptable):
    """La banque ne reprend jamais plus qu'elle n'a pris, dans quelque ordre que nous l'apprenions."""
    paiement = PaiementFactory(impute=True)
    impaye.enregistrer(paiement, motif="JRI", agent=comptable)

    dire(paiement, "CAPTURED", montant=Decimal(100))

    assert Paiement.objects.get().solde.tenu == 0


def test_ce_que_la_banque_tient_de_nouveau_apres_l_impaye_d_une_part_se_montre(comptable):
    paiement = PaiementFactory(impute=True)
    crediter(paiement, 115)
    impaye.enregistrer(paiement, montant=Decimal(5), motif="JRI", agent=comptable)
    rejete = paiement.statut, Paiement.objects.get().statut
    dire(paiement, "CANCELLED", operation="CREDIT", montant=Decimal(115), uuid="c" * 32, trans_id="900001")

    paiement.refresh_from_db()
    assert rejete == (Statut.IMPUTE, Statut.REJETE)
    assert paiement.solde.tenu == 115
    assert paiement.statut == Statut.ACCEPTE or paiement.anomalies.ouvertes().filter(genre=Genre.ECART).exists()


def test_un_impaye_annule_ne_s_annule_pas_deux_fois(comptable):
    paiement = PaiementFactory(impute=True)
    impaye.enregistrer(paiement, motif="JRI", agent=comptable)
    anomalie = paiement.anomalies.get()
    impaye.annuler(anomalie, motif="à tort", agent=comptable)

    with pytest.raises(impaye.ImpayeImpossible):
        impaye.annuler(anomalie, motif="encore", agent=comptable)


def test_un_impaye_revient_s_il_est_enregistre_de_nouveau(comptable):
    paiement = PaiementFactory(impute=True)
    impaye.enregistrer(paiement, motif="JRI", agent=comptable)
    impaye.annuler(paiement.anomalies.get(), motif="contesté avec succès", agent=comptable)

    impaye.enregistrer(paiement, motif="JRI de juin", agent=comptable)

    paiement.refresh_from_db()
    assert (paiement.statut, paiement.anomalies.get(genre=Genre.IMPAYE).etat) == (Statut.REJETE, Etat.OUVERTE)


def test_un_impaye_ne_s_enregistre_pas_pendant_une_restitution(agent, comptable):
    paiement = PaiementFactory(impute=True)
    approuver(paiement, agent, comptable)

    with pytest.raises(impaye.ImpayeImpossible, match="va être restitué"):
        impaye.enregistrer(paiement, motif="impayé", agent=comptable)


def test_le_refus_dit_de_faire_refuser_la_restitution_demandee_et_l_impaye_passe(agent, comptable):
    paiement = PaiementFactory(impute=True)
    demande = restitution.demander(paiement, motif="à rendre", agent=agent)

    with pytest.raises(impaye.ImpayeImpossible) as refus:
        impaye.enregistrer(paiement, motif="JRI", agent=comptable)
    restitution.decider(demande, accord=False, agent=comptable, motif="impayé")
    impaye.enregistrer(paiement, motif="JRI", agent=comptable)

    assert f"n° {demande.pk}, demandée) : qu'un autre que {agent} la refuse d'abord, ou attendez" in str(refus.value)
    assert Impaye.objects.count() == 1


def test_le_refus_dit_d_arreter_l_ordre_approuve_et_l_impaye_passe(agent, comptable):
    paiement = PaiementFactory(impute=True)
    demande = approuver(paiement, agent, comptable)

    with pytest.raises(impaye.ImpayeImpossible) as refus:
        impaye.enregistrer(paiement, motif="JRI", agent=comptable)
    ordres.abandonner(demande, motif="impayé", agent=comptable)
    impaye.enregistrer(paiement, motif="JRI", agent=comptable)

    assert f"n° {demande.pk}, approuvée) : arrêtez d'abord son ordre, ou attendez" in str(refus.value)
    assert Impaye.objects.count() == 1


def test_un_impaye_s_enregistre_apres_une_restitution(agent, comptable, plateforme, rembourser):
    """La banque a pris deux fois : la Caf doit le voir, les dettes n'ont plus rien à reprendre."""
    paiement = PaiementFactory(impute=True)
    plateforme(paiement, "CAPTURED")
    rembourser(paiement)
    ordres.executer(approuver(paiement, agent, comptable))

    impaye.enregistrer(paiement, motif="JRI", agent=comptable)

    paiement.refresh_from_db()
    anomalie = paiement.anomalies.get(genre=Genre.IMPAYE)
    assert (paiement.statut, paiement.solde.tenu, Dette.objects.get().solde) == (Statut.RESTITUE, -120, 900)
    assert anomalie.is_ouverte


def test_un_impaye_apres_un_remboursement_de_la_banque_n_est_pas_un_paiement_tardif(comptable):
    paiement = PaiementFactory(impute=True)
    crediter(paiement, 120)
    restitue = paiement.statut

    impaye.enregistrer(paiement, motif="JRI", agent=comptable)

    assert (restitue, paiement.solde.tenu) == (Statut.RESTITUE, -120)
    assert set(paiement.anomalies.ouvertes().values_list("genre", flat=True)) == {Genre.IMPAYE}


@pytest.mark.parametrize("trait", [{}, {"refuse": True}, {"expire": True}])
def test_ce_qui_n_a_pas_ete_encaisse_n_est_pas_impaye(comptable, trait):
    with pytest.raises(impaye.ImpayeImpossible):
        impaye.enregistrer(PaiementFactory(**trait), motif="JRI", agent=comptable)


def test_l_accord_redit_par_la_banque_ne_defait_pas_un_impaye(comptable):
    """La plateforme ne montre pas l'impayé : elle redit CAPTURED, et cela ne change rien (PROTOCOLE §5)."""
    paiement = PaiementFactory(impute=True)
    impaye.enregistrer(paiement, motif="JRI", agent=comptable)

    dire(paiement, "CAPTURED")
    relire(paiement)

    assert (paiement.statut, Dette.objects.get().solde) == (Statut.REJETE, 900)
    assert paiement.anomalies.ouvertes().get().genre == Genre.IMPAYE


def test_un_impaye_qui_tait_son_montant_est_entier_et_se_rend_tel_qu_il_etait(comptable):
    """La version d'avant, à qui l'on peut revenir, écrit sans montant."""
    entier, part = PaiementFactory(impute=True).debit, PaiementFactory(impute=True)
    impaye.enregistrer(part, motif="JRI", agent=comptable, montant=Decimal(20))

    with connection.cursor() as curseur:
        for debit, sens in ((entier, 1), (entier, -1), (part.debit, -1)):
            curseur.execute(
                "INSERT INTO paiements_impaye (debit_id, sens, motif, le) VALUES (%s, %s, 'JRI', now())",
                [debit.pk, sens],
            )

    montants = Impaye.objects.order_by("pk").values_list("sens", "montant")
    assert list(montants) == [(1, 20), (1, entier.montant), (-1, entier.montant), (-1, 20)]
