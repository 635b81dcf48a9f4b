"""Les histoires que la machine a trouvées, réduites et nommées. Chacune finit par `finir` : chaque euro a sa case."""

from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal

import pytest

from demarches import services as parcours
from dettes.models import Dette
from paiements import anomalies, controle, impayes, imputation, reprise, restitution, services
from paiements.models import Anomalie, DemandeRestitution, Paiement
from paiements.payzen import rest
from paiements.statuts import Statut
from tests.pannes.guichet import Guichet

pytestmark = pytest.mark.django_db

Genre = Anomalie.Genre


@contextmanager
def ouvrir_le_guichet():
    """La machine, conduite à la main."""
    guichet = Guichet()
    try:
        yield guichet
    finally:
        guichet.pile.close()


@pytest.fixture
def guichet(monkeypatch):
    monkeypatch.setattr(rest, "ATTENTE_S", 0)
    with ouvrir_le_guichet() as guichet:
        yield guichet


@pytest.fixture
def accepte(guichet):
    """Un paiement accepté de 250 €, et son débit à la banque."""
    guichet.payer_d_un_trait(2, globale=False, part=1)
    return Paiement.objects.get(), guichet.banque.transactions[0]


@pytest.fixture
def reliquat(guichet, accepte):
    """Le même, imputé alors que la Caf avait annulé la dette : tout est resté sans dette."""
    paiement, debit = accepte
    Dette.objects.filter(lignes__demarche=paiement.demarche).update(situation="ANNULEE")
    guichet.controler()
    guichet.imputer()
    return paiement, debit, paiement.anomalies.get(genre=Genre.RELIQUAT)


def tout_livrer(guichet):
    while guichet.banque.courrier:
        guichet.livrer(0)


def rendre(guichet, paiement, **champs):
    demande = restitution.demander(paiement, motif="erreur", agent=guichet.agents[0], **champs)
    restitution.decider(demande, accord=True, agent=guichet.agents[1])
    guichet.restituer()
    demande.refresh_from_db()
    return demande


def test_un_double_debit_remis_en_banque_ne_se_retient_qu_une_fois(guichet, accepte):
    double = guichet.banque.dupliquer(accepte[1])
    guichet.banque.remettre(double)
    guichet.banque.poster(double, "BO")

    tout_livrer(guichet)

    assert accepte[0].anomalies.get().genre == Genre.DOUBLE_PAIEMENT
    guichet.finir()


def test_un_double_debit_annule_par_la_banque_n_est_plus_retenu(guichet, accepte):
    double = guichet.banque.dupliquer(accepte[1])
    guichet.banque.changer(double, "CANCELLED")

    tout_livrer(guichet)

    assert accepte[0].anomalies.get().issue == Anomalie.Issue.RESTITUEE
    guichet.finir()


def test_un_double_debit_annonce_annule_avant_d_etre_annonce_n_est_pas_retenu(guichet, accepte):
    guichet.banque.changer(guichet.banque.dupliquer(accepte[1]), "CANCELLED")

    guichet.livrer(1)
    guichet.livrer(0)

    assert not accepte[0].anomalies.exists()
    guichet.finir()


def test_un_double_debit_arrive_avant_l_original_ne_se_retient_qu_une_fois(guichet):
    guichet.ecrire(2, globale=False, part=1, courriel=False)
    guichet.payer(2, onglet=0)
    double = guichet.banque.dupliquer(guichet.banque.debiter(guichet.banque.sessions[0], "AUTHORISED"))

    guichet.livrer(1)
    guichet.livrer(0)
    guichet.banque.remettre(double)
    guichet.banque.poster(double, "BO")
    guichet.livrer(0)

    assert Paiement.objects.get().anomalies.count() == 1
    guichet.finir()


def test_un_accord_dont_le_montant_a_baisse_avant_d_arriver_ne_compte_qu_une_fois(guichet):
    guichet.ecrire(2, globale=False, part=1, courriel=False)
    guichet.payer(2, onglet=0)
    debit = guichet.banque.debiter(guichet.banque.sessions[0], "AUTHORISED")
    guichet.banque.changer(debit, "AUTHORISED", debit.montant // 2)

    guichet.livrer(1)
    guichet.livrer(0)

    assert Paiement.objects.get().statut == Statut.EN_ATTENTE
    assert Anomalie.objects.get().montant == Decimal("112.50")
    guichet.finir()


def test_un_double_debit_baisse_a_la_banque_baisse_sa_retenue(guichet, accepte):
    double = guichet.banque.dupliquer(accepte[1])
    guichet.banque.changer(double, "AUTHORISED", 1000)

    tout_livrer(guichet)

    assert accepte[0].anomalies.get().montant == Decimal(10)
    guichet.finir()


def test_un_montant_baisse_puis_remis_en_banque_est_une_seule_anomalie(guichet, accepte):
    paiement, debit = accepte
    guichet.banque.changer(debit, "AUTHORISED", 100)
    guichet.banque.remettre(debit)
    guichet.banque.poster(debit, "BO")

    tout_livrer(guichet)

    assert paiement.anomalies.get().genre == Genre.MONTANT_DIFFERENT
    guichet.finir()


def test_un_reliquat_part_avec_le_paiement_que_la_banque_annule(guichet, reliquat):
    _, debit, anomalie = reliquat
    guichet.banque.changer(debit, "CANCELLED")

    tout_livrer(guichet)

    anomalie.refresh_from_db()
    assert anomalie.issue == Anomalie.Issue.RESTITUEE
    guichet.finir()


def test_le_reste_d_un_paiement_annule_ne_se_porte_plus_sur_une_dette(guichet, reliquat):
    _, debit, anomalie = reliquat
    guichet.devoir(2, Decimal(900))
    guichet.banque.changer(debit, "CANCELLED")
    tout_livrer(guichet)

    with pytest.raises(anomalies.DejaResolue):
        imputation.imputer_le_reste(
            anomalie, {Dette.objects.latest("pk"): anomalie.montant}, accord="oui", agent=guichet.agents[0]
        )

    guichet.finir()


@pytest.mark.parametrize("etat", ["DEMANDEE", "APPROUVEE"])
def test_un_reste_en_cours_de_restitution_ne_se_place_ni_ne_s_ecarte(guichet, reliquat, etat):
    paiement, _, anomalie = reliquat
    guichet.devoir(2, Decimal(900))
    demande = restitution.demander(paiement, motif="erreur", agent=guichet.agents[0], anomalie=anomalie)
    if etat == "APPROUVEE":
        restitution.decider(demande, accord=True, agent=guichet.agents[1])

    with pytest.raises(anomalies.RestitutionEnCours):
        imputation.imputer_le_reste(
            anomalie, {Dette.objects.latest("pk"): anomalie.montant}, accord="oui", agent=guichet.agents[0]
        )
    with pytest.raises(anomalies.RestitutionEnCours):
        anomalies.resoudre(anomalie, motif="vu", agent=guichet.agents[0], issue=Anomalie.Issue.ECARTEE)

    assert not paiement.imputations.exists()


def test_une_banque_qui_hesite_trois_jours_est_encore_interrogee(guichet):
    guichet.ecrire(2, globale=False, part=1, courriel=False)
    guichet.payer(2, onglet=0)
    debit = guichet.banque.debiter(guichet.banque.sessions[0], "WAITING_AUTHORISATION")
    for _ in range(5):
        guichet.attendre(timedelta(hours=25))
        guichet.controler()
        guichet.tenir()

    debit.statut = "AUTHORISED"
    guichet.attendre(timedelta(hours=25))
    guichet.controler()

    assert Paiement.objects.get().statut in (Statut.ACCEPTE, Statut.VERIFIE)


def test_un_montant_different_une_fois_clos_libere_la_dette(guichet):
    guichet.ecrire(2, globale=False, part=4, courriel=False)
    guichet.payer(2, onglet=0)
    guichet.banque.debiter(guichet.banque.sessions[0], "AUTHORISED", montant=100)
    tout_livrer(guichet)
    guichet.attendre(timedelta(hours=80))
    guichet.controler()
    guichet.clore(0)

    guichet.tenir()
    guichet.attendre(timedelta(hours=25))
    guichet.controler()

    assert Paiement.objects.get().statut == Statut.EXPIRE
    guichet.finir()


def test_un_desaccord_clos_se_rouvre_tant_qu_il_dure(guichet, accepte):
    guichet.banque.changer(accepte[1], "AUTHORISED", 100)
    tout_livrer(guichet)
    guichet.controler()
    desaccords = accepte[0].anomalies.filter(genre=Genre.DESACCORD)
    anomalies.resoudre(desaccords.get(), motif="vu", agent=guichet.agents[0], issue=Anomalie.Issue.ECARTEE)

    guichet.tenir()
    guichet.attendre(timedelta(hours=25))
    guichet.controler()

    assert desaccords.count() == 2
    assert desaccords.filter(resolue_le=None).count() == 1


def test_une_reference_inconnue_ne_retient_que_ce_que_la_banque_tient(guichet):
    debit = guichet.banque.encaisser_sans_nous("AUTRE-1", 4200)
    guichet.banque.remettre(debit)
    guichet.banque.poster(debit, "BO")
    guichet.banque.rembourser(debit, 4200)
    guichet.banque.changer(guichet.banque.encaisser_sans_nous("AUTRE-2", 4200), "CANCELLED")

    tout_livrer(guichet)

    assert sum(a.montant for a in Anomalie.objects.ouvertes()) == 42
    guichet.finir()


def test_un_credit_deja_porte_ne_tient_pas_lieu_de_restitution_d_un_double(guichet, accepte):
    paiement, debit = accepte
    guichet.banque.remettre(debit)
    guichet.banque.rembourser(debit, debit.montant)
    tout_livrer(guichet)
    guichet.controler()
    double = guichet.banque.dupliquer(debit)
    tout_livrer(guichet)

    demande = rendre(guichet, paiement, anomalie=paiement.anomalies.get(genre=Genre.DOUBLE_PAIEMENT))

    assert demande.etat == DemandeRestitution.Etat.FAITE
    assert double.statut == "CANCELLED"
    guichet.finir()


def test_un_credit_pendant_qu_un_double_est_retenu_attend_un_agent(guichet, accepte):
    paiement, debit = accepte
    double = guichet.banque.dupliquer(debit)
    guichet.banque.remettre(double)
    guichet.banque.rembourser(double, double.montant)

    tout_livrer(guichet)

    paiement.refresh_from_db()
    assert paiement.statut == Statut.ACCEPTE
    assert {a.genre for a in paiement.anomalies.all()} == {Genre.DOUBLE_PAIEMENT, Genre.ANNULATION_BANQUE}
    guichet.finir()


@pytest.mark.parametrize("d_abord", ["le nôtre", "celui du Back Office"])
def test_un_credit_venu_pendant_qu_un_ordre_est_en_route_n_est_pas_avale(guichet, accepte, d_abord):
    paiement, debit = accepte
    double = guichet.banque.dupliquer(debit)
    tout_livrer(guichet)
    guichet.banque.remettre(debit)
    guichet.banque.remettre(double)
    demande = restitution.demander(paiement, motif="erreur", agent=guichet.agents[0])
    restitution.decider(demande, accord=True, agent=guichet.agents[1])
    guichet.restituer(panne="perdue")
    guichet.banque.rembourser(double, double.montant)
    if d_abord == "celui du Back Office":
        guichet.banque.transactions.reverse()

    tout_livrer(guichet)
    guichet.attendre(timedelta(hours=2))
    guichet.restituer()

    assert paiement.anomalies.ouvertes().filter(genre=Genre.ANNULATION_BANQUE).count() == 1
    guichet.finir()


def test_notre_credit_renvoye_par_la_banque_ferme_l_alerte_qu_il_avait_ouverte(guichet, accepte):
    paiement, debit = accepte
    guichet.banque.remettre(debit)
    demande = restitution.demander(paiement, motif="erreur", agent=guichet.agents[0])
    restitution.decider(demande, accord=True, agent=guichet.agents[1])
    guichet.restituer(panne="perdue")
    guichet.banque.poster(guichet.banque.transactions[-1], "BO")

    tout_livrer(guichet)
    guichet.attendre(timedelta(hours=2))
    guichet.restituer()

    assert not paiement.anomalies.ouvertes().exists()
    guichet.finir()


def test_un_double_rendu_n_empeche_pas_de_rendre_le_paiement(guichet, accepte):
    paiement, debit = accepte
    guichet.banque.dupliquer(debit)
    tout_livrer(guichet)
    rendre(guichet, paiement, anomalie=paiement.anomalies.get())

    demande = rendre(guichet, paiement)

    assert demande.etat == DemandeRestitution.Etat.FAITE
    guichet.finir()


def ecarts(paiement):
    return paiement.anomalies.ouvertes().filter(genre=Genre.ECART)


def reprendre(guichet, alerte):
    parts = {imputation.pk: part for imputation, part in reprise.proposer(alerte).items()}
    return reprise.reprendre(alerte, parts, motif="vu", agent=guichet.agents[0])


@pytest.fixture
def impute(guichet, accepte):
    """Un paiement de 250 € vérifié, imputé, et son débit remis en banque."""
    paiement, debit = accepte
    guichet.banque.remettre(debit)
    guichet.controler()
    guichet.imputer()
    paiement.refresh_from_db()
    assert paiement.statut == Statut.IMPUTE
    return paiement, debit


def test_un_double_mal_rembourse_se_rend_sur_son_propre_debit(guichet, impute):
    paiement, debit = impute
    double = guichet.banque.dupliquer(debit)
    tout_livrer(guichet)
    guichet.banque.remettre(double)
    rendre(guichet, paiement, anomalie=paiement.anomalies.get())
    guichet.banque.defaire(guichet.banque.transactions[-1])
    tout_livrer(guichet)

    demande = rendre(guichet, paiement, anomalie=paiement.anomalies.ouvertes().get())

    assert (demande.etat, demande.debit) == (DemandeRestitution.Etat.FAITE, double.uuid)
    guichet.finir()


@pytest.fixture
def rendu_avant_d_etre_connu(guichet):
    """Le crédit est annoncé, et mis de côté par un agent, alors que la notification du débit s'est perdue."""

    def rendre(part):
        guichet.ecrire(2, globale=False, part=1, courriel=False)
        guichet.payer(2, onglet=0)
        debit = guichet.banque.debiter(guichet.banque.sessions[0], "AUTHORISED")
        guichet.banque.courrier.clear()
        guichet.banque.remettre(debit)
        guichet.banque.rembourser(debit, debit.montant * part // 4)
        tout_livrer(guichet)
        paiement = Paiement.objects.get()
        anomalies.resoudre(paiement.anomalies.get(), motif="?", agent=guichet.agents[0], issue=Anomalie.Issue.ECARTEE)
        guichet.attendre(timedelta(minutes=26))
        guichet.controler()
        guichet.imputer()
        paiement.refresh_from_db()
        return paiement

    return rendre


def test_une_part_rendue_avant_que_le_debit_soit_connu_n_impute_rien(guichet, rendu_avant_d_etre_connu):
    paiement = rendu_avant_d_etre_connu(1)
    bloque = paiement.statut, paiement.anomalies.ouvertes().get().genre

    reprendre(guichet, paiement.anomalies.get(genre=Genre.ANNULATION_BANQUE))
    guichet.controler()
    guichet.imputer()

    paiement.refresh_from_db()
    assert bloque == (Statut.ACCEPTE, Genre.DESACCORD)
    assert paiement.statut == Statut.IMPUTE
    assert paiement.net == paiement.montant * 3 / 4
    guichet.finir()


def test_un_debit_rendu_avant_d_etre_connu_est_restitue(guichet, rendu_avant_d_etre_connu):
    paiement = rendu_avant_d_etre_connu(4)

    assert paiement.statut == Statut.RESTITUE
    assert not paiement.imputations.exists()
    guichet.finir()


def test_un_montant_deja_rendu_ne_s_accepte_pas(guichet):
    guichet.ecrire(2, globale=False, part=1, courriel=False)
    guichet.payer(2, onglet=0)
    debit = guichet.banque.debiter(guichet.banque.sessions[0], "AUTHORISED")
    guichet.banque.courrier.clear()
    guichet.banque.changer(debit, "AUTHORISED", debit.montant // 2)
    guichet.banque.remettre(debit)
    guichet.banque.rembourser(debit, debit.montant)
    tout_livrer(guichet)
    paiement = Paiement.objects.get()
    alerte = paiement.anomalies.get(genre=Genre.MONTANT_DIFFERENT)

    with pytest.raises(reprise.RepriseImpossible, match="déjà rendu"):
        reprise.accepter_le_montant(alerte, controle.interroger(paiement).faits, motif="oui", agent=guichet.agents[0])

    guichet.finir()


def test_une_part_reprise_puis_defaite_puis_tout_rendu_se_reprend_en_entier(guichet, impute):
    paiement, debit = impute
    part = guichet.banque.rembourser(debit, 4000)
    tout_livrer(guichet)
    reprendre(guichet, paiement.anomalies.get())
    guichet.banque.defaire(part)
    tout_livrer(guichet)
    guichet.banque.rembourser(debit, debit.montant)
    tout_livrer(guichet)

    reprendre(guichet, paiement.anomalies.ouvertes().get(montant=0))

    paiement.refresh_from_db()
    assert paiement.statut == Statut.RESTITUE
    assert not paiement.anomalies.ouvertes().exists()
    guichet.finir()


def test_un_remboursement_defait_meurt_avec_son_debit(guichet, impute):
    paiement, debit = impute
    part = guichet.banque.rembourser(debit, 4000)
    tout_livrer(guichet)
    reprendre(guichet, paiement.anomalies.get())
    guichet.banque.defaire(part)
    guichet.banque.changer(debit, "CAPTURE_FAILED")

    tout_livrer(guichet)

    assert not paiement.anomalies.ouvertes().filter(montant__gt=0).exists()
    guichet.finir()


def test_un_debit_perdu_apres_un_remboursement_partiel_se_dit(guichet, impute):
    paiement, debit = impute
    guichet.banque.rembourser(debit, 4000)
    tout_livrer(guichet)
    reprendre(guichet, paiement.anomalies.get())
    guichet.banque.changer(debit, "CAPTURE_FAILED")
    tout_livrer(guichet)

    guichet.attendre(timedelta(minutes=2))
    guichet.controler()

    assert ecarts(paiement).get().constat["vu"] == {"montant": "-40.00"}


def test_le_remboursement_d_un_double_libere_le_double_des_que_la_plateforme_le_nomme(guichet, impute):
    paiement, debit = impute
    double = guichet.banque.dupliquer(debit)
    guichet.banque.remettre(double)
    guichet.banque.rembourser(double, double.montant)
    tout_livrer(guichet)

    controle.conclure(paiement.pk, controle.interroger(paiement))

    paiement.refresh_from_db()
    assert paiement.statut == Statut.IMPUTE
    assert not paiement.anomalies.ouvertes().exists()
    assert paiement.anomalies.get(genre=Genre.DOUBLE_PAIEMENT).issue == Anomalie.Issue.RESTITUEE
    guichet.finir()


def test_une_baisse_mise_de_cote_par_erreur_se_voit_et_se_reprend(guichet, impute):
    paiement, debit = impute
    guichet.banque.changer(debit, "CAPTURED", debit.montant // 2)
    tout_livrer(guichet)
    baisse = paiement.anomalies.get()
    anomalies.resoudre(baisse, motif="?", agent=guichet.agents[0], issue=Anomalie.Issue.ECARTEE)

    controle.conclure(paiement.pk, controle.interroger(paiement))
    vu = ecarts(paiement).get().constat
    reprendre(guichet, baisse)
    controle.conclure(paiement.pk, controle.interroger(paiement))

    assert (vu["attendu"], vu["vu"]) == ({"montant": "225.00"}, {"montant": "112.50"})
    assert not ecarts(paiement).exists()
    guichet.finir()


def test_une_notification_au_montant_faux_n_empeche_pas_le_vrai(guichet):
    guichet.ecrire(2, globale=False, part=1, courriel=False)
    guichet.payer(2, onglet=0)
    debit = guichet.banque.debiter(guichet.banque.sessions[0], "AUTHORISED")
    [juste] = guichet.banque.courrier
    guichet.poster(juste | {"vads_amount": str(debit.montant + 100)})
    paiement = Paiement.objects.get()
    faux = paiement.anomalies.get().montant

    guichet.livrer(0)

    paiement.refresh_from_db()
    assert (faux, paiement.statut) == (226, Statut.ACCEPTE)
    assert paiement.anomalies.get().issue == Anomalie.Issue.CADUQUE
    guichet.finir()


def test_un_reste_ne_se_place_pas_quand_la_banque_en_a_rendu_une_part(guichet, reliquat):
    _, debit, anomalie = reliquat
    guichet.devoir(2, Decimal(900))
    guichet.banque.remettre(debit)
    guichet.banque.rembourser(debit, 1000)
    tout_livrer(guichet)

    with pytest.raises(imputation.ResteImpossible, match="reprenez-la d'abord"):
        imputation.imputer_le_reste(
            anomalie, {Dette.objects.latest("pk"): anomalie.montant}, accord="oui", agent=guichet.agents[0]
        )

    guichet.finir()


def test_un_impaye_que_la_banque_ne_montre_pas_n_est_pas_un_ecart(guichet, impute):
    paiement, debit = impute
    impayes.constater(paiement, motif="JRI", agent=guichet.agents[1])
    debit.repris = True

    controle.conclure(paiement.pk, controle.interroger(paiement))

    assert not ecarts(paiement).exists()
    guichet.finir()


def test_un_remboursement_defait_apres_l_impaye_ne_retient_rien(guichet, impute):
    paiement, debit = impute
    part = guichet.banque.rembourser(debit, 4000)
    tout_livrer(guichet)
    reprendre(guichet, paiement.anomalies.get())
    guichet.banque.defaire(part)
    impayes.constater(paiement, motif="JRI", agent=guichet.agents[1])
    debit.repris = True

    tout_livrer(guichet)

    defait = paiement.anomalies.ouvertes().get(genre=Genre.ANNULATION_BANQUE)
    assert (defait.montant, defait.constat["vu"]["statut"]) == (0, "CANCELLED")
    guichet.finir()


@pytest.fixture
def double(guichet, impute):
    """Le paiement imputé, et un deuxième débit de la même démarche, remis en banque."""
    copie = guichet.banque.dupliquer(impute[1])
    guichet.banque.remettre(copie)
    return copie


@pytest.mark.parametrize("en_le_disant", [True, False])
def test_un_double_rendu_au_back_office_et_mis_de_cote_ne_rend_pas_le_paiement(guichet, impute, double, en_le_disant):
    paiement, _ = impute
    tout_livrer(guichet)
    guichet.banque.rembourser(double, double.montant, en_le_disant=en_le_disant)
    anomalie = paiement.anomalies.get()
    anomalies.resoudre(anomalie, motif="rendu au Back Office", agent=guichet.agents[0], issue=Anomalie.Issue.ECARTEE)

    tout_livrer(guichet)
    controle.conclure(paiement.pk, controle.interroger(paiement))

    paiement.refresh_from_db()
    assert paiement.statut == Statut.IMPUTE
    assert not paiement.retenu
    assert not paiement.anomalies.ouvertes().exists()
    guichet.finir()


def test_le_credit_d_un_double_annonce_avant_lui_ne_rend_pas_le_paiement(guichet, impute, double):
    paiement, _ = impute
    guichet.banque.rembourser(double, double.montant)
    guichet.livrer(1)
    guichet.livrer(0)

    controle.conclure(paiement.pk, controle.interroger(paiement))

    paiement.refresh_from_db()
    assert paiement.statut == Statut.IMPUTE
    assert not paiement.anomalies.ouvertes().exists()
    guichet.finir()


def test_le_credit_d_un_double_n_est_pas_la_reponse_a_notre_ordre(guichet, impute, double):
    paiement, debit = impute
    tout_livrer(guichet)
    demande = restitution.demander(paiement, motif="erreur", agent=guichet.agents[0])
    restitution.decider(demande, accord=True, agent=guichet.agents[1])
    guichet.banque.rembourser(double, double.montant, en_le_disant=False)

    guichet.restituer()

    demande.refresh_from_db()
    assert demande.etat == DemandeRestitution.Etat.FAITE
    assert debit.rendu == debit.montant
    guichet.finir()


def test_un_credit_d_un_double_defait_laisse_le_double_a_un_agent(guichet, impute, double):
    paiement, _ = impute
    tout_livrer(guichet)
    credit = guichet.banque.rembourser(double, double.montant)
    tout_livrer(guichet)
    controle.conclure(paiement.pk, controle.interroger(paiement))

    guichet.banque.defaire(credit)
    tout_livrer(guichet)

    retenue = paiement.anomalies.ouvertes().get()
    assert (retenue.montant, retenue.constat["vu"]["parent"]) == (paiement.montant, double.uuid)
    guichet.finir()


def test_une_restitution_defaite_en_silence_se_voit(guichet, impute):
    paiement, _ = impute
    guichet.attendre(timedelta(hours=80))
    guichet.controler()
    rendre(guichet, paiement)
    guichet.controler()
    guichet.banque.defaire(guichet.banque.transactions[-1], en_le_disant=False)

    guichet.attendre(timedelta(hours=25))
    guichet.controler()

    assert paiement.anomalies.ouvertes().get().montant == paiement.montant
    guichet.finir()


def test_un_impaye_enregistre_a_tort_s_annule_et_l_argent_se_rend(guichet, impute):
    paiement, _ = impute
    impayes.constater(paiement, motif="mauvaise ligne", agent=guichet.agents[1])
    impayes.annuler(paiement.anomalies.get(), motif="c'était un autre", agent=guichet.agents[1])
    guichet.controler()

    demande = rendre(guichet, paiement, anomalie=ecarts(paiement).get())

    assert demande.etat == DemandeRestitution.Etat.FAITE
    assert guichet.banque.get_net(paiement.reference) == 0
    guichet.finir()


def test_un_debit_represente_apres_un_echec_de_remise_est_a_un_agent(guichet, accepte):
    paiement, debit = accepte
    guichet.controler()
    guichet.imputer()
    guichet.banque.changer(debit, "CAPTURE_FAILED")
    tout_livrer(guichet)
    guichet.controler()
    guichet.banque.changer(debit, "CAPTURED")
    tout_livrer(guichet)

    guichet.controler()

    assert ecarts(paiement).get().montant == paiement.montant
    guichet.finir()


def test_un_ordre_que_la_plateforme_n_execute_pas_s_arrete(guichet, impute):
    paiement, debit = impute
    demande = restitution.demander(paiement, motif="erreur", agent=guichet.agents[0])
    restitution.decider(demande, accord=True, agent=guichet.agents[1])
    guichet.restituer(panne="500")

    restitution.abandonner(demande, motif="rendu par virement", agent=guichet.agents[1])
    guichet.attendre(timedelta(days=20))
    guichet.restituer()

    demande.refresh_from_db()
    refus = paiement.anomalies.get(genre=Genre.RESTITUTION_REFUSEE).constat["refus"]
    assert (demande.etat, debit.rendu) == (DemandeRestitution.Etat.ECHOUEE, 0)
    assert "rendu par virement" in refus


def test_un_ordre_deja_execute_ne_s_arrete_plus(guichet, impute):
    paiement, _ = impute
    demande = restitution.demander(paiement, motif="erreur", agent=guichet.agents[0])
    restitution.decider(demande, accord=True, agent=guichet.agents[1])
    guichet.restituer(panne="perdue")

    with pytest.raises(restitution.RestitutionImpossible, match="déjà exécuté"):
        restitution.abandonner(demande, motif="trop long", agent=guichet.agents[1])

    demande.refresh_from_db()
    paiement.refresh_from_db()
    assert (demande.etat, paiement.statut) == (DemandeRestitution.Etat.FAITE, Statut.RESTITUE)
    guichet.finir()


def test_un_desaccord_reprend_la_confirmation(guichet):
    guichet.payer_d_un_trait(2, globale=False, part=4)
    paiement, debit = Paiement.objects.get(), guichet.banque.transactions[0]
    guichet.controler()
    debit.statut = "EXPIRED"
    guichet.attendre(timedelta(hours=25))
    guichet.controler()

    with pytest.raises(services.TransitionImpossible):
        controle.confirmer(paiement, motif="vu", agent=guichet.agents[0])

    assert paiement.anomalies.ouvertes().filter(genre=Genre.DESACCORD).exists()


def test_un_ecart_revenu_se_redit(guichet, impute):
    paiement, debit = impute
    for _ in range(2):
        part = guichet.banque.rembourser(debit, 4000)
        tout_livrer(guichet)
        alerte = paiement.anomalies.ouvertes().get(genre=Genre.ANNULATION_BANQUE)
        anomalies.resoudre(alerte, motif="?", agent=guichet.agents[0], issue=Anomalie.Issue.ECARTEE)
        controle.conclure(paiement.pk, controle.interroger(paiement))
        controle.conclure(paiement.pk, controle.interroger(paiement))
        vus = ecarts(paiement).count()
        guichet.banque.defaire(part)
        tout_livrer(guichet)
        controle.conclure(paiement.pk, controle.interroger(paiement))

        assert vus == 1
        assert not ecarts(paiement).exists()


def test_une_remise_toujours_absente_se_redit(guichet, accepte):
    paiement, _ = accepte
    guichet.controler()
    guichet.imputer()
    guichet.attendre(timedelta(hours=73))
    guichet.controler()
    absente = paiement.anomalies.get(genre=Genre.REMISE_ABSENTE)
    anomalies.resoudre(absente, motif="attendue demain", agent=guichet.agents[0], issue=Anomalie.Issue.ECARTEE)

    guichet.attendre(timedelta(hours=25))
    guichet.controler()

    assert paiement.anomalies.ouvertes().get().genre == Genre.REMISE_ABSENTE


def test_une_lecture_depassee_par_une_notification_ne_conclut_rien(guichet, impute):
    paiement, debit = impute
    debit.statut = "AUTHORISED"
    guichet.attendre(timedelta(hours=73))
    lecture = controle.interroger(paiement)
    guichet.banque.changer(debit, "CAPTURE_FAILED")
    tout_livrer(guichet)

    controle.conclure(paiement.pk, lecture)

    assert not ecarts(paiement).exists()
    paiement.refresh_from_db()
    assert paiement.statut == Statut.REJETE
    guichet.finir()


def test_un_premier_refus_puis_deux_paiements_se_disent(guichet):
    guichet.ecrire(2, globale=False, part=1, courriel=False)
    guichet.payer(2, onglet=0)
    guichet.banque.debiter(guichet.banque.sessions[0], "REFUSED")
    tout_livrer(guichet)
    guichet.attendre(timedelta(minutes=2))
    guichet.recommencer(0)
    guichet.payer(2, onglet=0)
    guichet.banque.debiter(guichet.banque.sessions[1], "AUTHORISED")
    guichet.banque.debiter(guichet.banque.sessions[0], "AUTHORISED")

    tout_livrer(guichet)

    assert Anomalie.objects.get().genre == Genre.PAIEMENT_TARDIF
    guichet.finir()


def test_un_remboursement_deja_repris_n_est_pas_la_reponse_a_notre_ordre(guichet, impute):
    paiement, debit = impute
    guichet.banque.rembourser(debit, debit.montant // 2)
    tout_livrer(guichet)
    reprendre(guichet, paiement.anomalies.get())

    demande = rendre(guichet, paiement)

    assert demande.etat == DemandeRestitution.Etat.FAITE
    assert debit.rendu == debit.montant
    guichet.finir()


def test_une_part_rendue_d_un_paiement_dit_impaye_a_tort_se_deduit_de_l_ecart(guichet, impute):
    paiement, debit = impute
    impayes.constater(paiement, motif="mauvaise ligne", agent=guichet.agents[1])
    guichet.banque.rembourser(debit, 4000)
    tout_livrer(guichet)
    impayes.annuler(paiement.anomalies.get(genre=Genre.IMPAYE), motif="erreur", agent=guichet.agents[1])

    guichet.controler()

    assert ecarts(paiement).get().montant == paiement.montant - 40
    guichet.finir()


def test_un_remboursement_defait_puis_refait_ne_retient_plus_rien(guichet, impute):
    paiement, debit = impute
    part = guichet.banque.rembourser(debit, debit.montant)
    tout_livrer(guichet)
    guichet.controler()
    guichet.banque.defaire(part)
    tout_livrer(guichet)
    retenu = paiement.retenu
    guichet.banque.rembourser(debit, debit.montant)
    tout_livrer(guichet)

    guichet.controler()

    assert (retenu, paiement.retenu) == (paiement.montant, 0)
    assert not paiement.anomalies.ouvertes().exists()
    guichet.finir()


def test_un_credit_en_attente_connu_tard_se_revoit(guichet, impute):
    paiement, debit = impute
    guichet.attendre(timedelta(hours=80))
    guichet.controler()
    credit = guichet.banque.rembourser(debit, debit.montant, "UNDER_VERIFICATION")
    tout_livrer(guichet)
    guichet.controler()
    guichet.banque.remettre(credit)

    guichet.attendre(timedelta(hours=25))
    guichet.controler()

    paiement.refresh_from_db()
    assert paiement.statut == Statut.RESTITUE
    guichet.finir()


def test_un_double_mis_de_cote_puis_annule_ne_cache_rien(guichet, impute):
    paiement, debit = impute
    double = guichet.banque.dupliquer(debit)
    tout_livrer(guichet)
    anomalies.resoudre(paiement.anomalies.get(), motif="annulé", agent=guichet.agents[0], issue=Anomalie.Issue.ECARTEE)
    guichet.banque.changer(double, "CANCELLED")
    tout_livrer(guichet)
    retenu = paiement.retenu
    impayes.constater(paiement, motif="mauvaise ligne", agent=guichet.agents[1])
    impayes.annuler(paiement.anomalies.get(genre=Genre.IMPAYE), motif="erreur", agent=guichet.agents[1])

    guichet.controler()

    assert retenu == 0
    assert ecarts(paiement).get().montant == paiement.montant
    guichet.finir()


def test_un_montant_different_mis_de_cote_puis_annule_laisse_recommencer(guichet):
    guichet.ecrire(2, globale=False, part=4, courriel=False)
    guichet.payer(2, onglet=0)
    debit = guichet.banque.debiter(guichet.banque.sessions[0], "AUTHORISED", montant=100)
    tout_livrer(guichet)
    paiement = Paiement.objects.get()
    anomalies.resoudre(paiement.anomalies.get(), motif="annulé", agent=guichet.agents[0], issue=Anomalie.Issue.ECARTEE)

    guichet.banque.changer(debit, "CANCELLED")
    tout_livrer(guichet)

    paiement.refresh_from_db()
    assert (paiement.statut, paiement.retenu) == (Statut.ABANDONNE, 0)
    assert parcours.recommencer(paiement.demarche)


def test_un_ecart_mis_de_cote_puis_regle_se_redit_s_il_revient(guichet, impute):
    paiement, debit = impute
    impayes.constater(paiement, motif="mauvaise ligne", agent=guichet.agents[1])
    impayes.annuler(paiement.anomalies.get(), motif="erreur", agent=guichet.agents[1])
    guichet.controler()
    ecart = ecarts(paiement).get()
    anomalies.resoudre(ecart, motif="rendu", agent=guichet.agents[0], issue=Anomalie.Issue.ECARTEE)
    credit = guichet.banque.rembourser(debit, debit.montant)
    tout_livrer(guichet)
    guichet.controler()
    regle = paiement.retenu
    guichet.banque.defaire(credit, en_le_disant=False)

    guichet.attendre(timedelta(hours=25))
    guichet.controler()

    assert regle == 0
    assert ecarts(paiement).get().montant == paiement.montant
    guichet.finir()


def test_une_lecture_depassee_par_notre_propre_ordre_ne_conclut_rien(guichet, impute):
    paiement, _ = impute
    demande = restitution.demander(paiement, motif="erreur", agent=guichet.agents[0])
    restitution.decider(demande, accord=True, agent=guichet.agents[1])
    lecture = controle.interroger(paiement)
    guichet.restituer()

    assert controle.conclure(paiement.pk, lecture) is None

    assert not ecarts(paiement).exists()
    guichet.finir()


@pytest.fixture
def represente(guichet, impute, double):
    """Le double a échoué, puis la banque l'a représenté : elle tient deux débits, et personne n'en retient un."""
    tout_livrer(guichet)
    guichet.banque.changer(double, "CAPTURE_FAILED")
    tout_livrer(guichet)
    guichet.banque.changer(double, "CAPTURED")
    tout_livrer(guichet)
    guichet.controler()
    controle.conclure(impute[0].pk, controle.interroger(impute[0]))
    return double


def test_un_ecart_ne_se_rend_pas_sur_un_debit_porte_aux_dettes(guichet, impute, represente):
    paiement, debit = impute

    with pytest.raises(restitution.RestitutionImpossible):
        rendre(guichet, paiement, anomalie=ecarts(paiement).get())

    assert debit.rendu == 0


def test_le_credit_d_un_autre_debit_ne_se_reprend_pas_aux_dettes(guichet, impute, represente):
    paiement, _ = impute
    guichet.banque.rembourser(represente, represente.montant)
    tout_livrer(guichet)
    controle.conclure(paiement.pk, controle.interroger(paiement))

    alerte = paiement.anomalies.ouvertes().get(genre=Genre.ANNULATION_BANQUE, constat__vu__operation="CREDIT")

    assert reprise.get_part(alerte) == 0
    assert not ecarts(paiement).exists()


def test_un_paiement_dont_une_part_est_rendue_ne_se_verifie_pas_meme_si_un_double_la_cache(guichet, accepte):
    paiement, debit = accepte
    double = guichet.banque.dupliquer(debit)
    for transaction in (debit, double):
        guichet.banque.remettre(transaction)
    guichet.banque.rembourser(debit, 10000)
    tout_livrer(guichet)

    guichet.controler()
    guichet.imputer()

    paiement.refresh_from_db()
    assert paiement.statut == Statut.ACCEPTE
    guichet.finir()


def test_un_remboursement_defait_apres_l_echec_de_son_debit_ne_retient_rien(guichet, accepte):
    paiement, debit = accepte
    guichet.controler()
    guichet.imputer()
    debit.statut = "CAPTURED"
    part = guichet.banque.rembourser(debit, 4000)
    tout_livrer(guichet)
    reprendre(guichet, paiement.anomalies.get())
    guichet.banque.changer(debit, "CAPTURE_FAILED")
    tout_livrer(guichet)

    guichet.banque.defaire(part)
    tout_livrer(guichet)

    assert paiement.retenu == 0
    guichet.finir()


def test_un_impaye_annule_peut_arriver_pour_de_bon(guichet, impute):
    paiement, debit = impute
    impayes.constater(paiement, motif="mauvaise ligne", agent=guichet.agents[1])
    impayes.annuler(paiement.anomalies.get(), motif="erreur", agent=guichet.agents[1])
    guichet.controler()

    impayes.constater(paiement, motif="JRI", agent=guichet.agents[1])
    debit.repris = True

    assert (paiement.is_impaye, paiement.retenu) == (True, 0)
    assert Dette.objects.get(lignes__demarche=paiement.demarche).solde == 900
    guichet.finir()


def test_un_ordre_refuse_fait_relire_les_credits_venus_entre_temps(guichet, impute, double):
    paiement, _ = impute
    tout_livrer(guichet)
    retenue = paiement.anomalies.get()
    demande = restitution.demander(paiement, motif="double", agent=guichet.agents[0], anomalie=retenue)
    restitution.decider(demande, accord=True, agent=guichet.agents[1])
    guichet.restituer(panne="500")
    guichet.banque.rembourser(double, 10000)
    tout_livrer(guichet)
    guichet.attendre(timedelta(hours=1))
    guichet.restituer()

    guichet.attendre(timedelta(hours=1))
    guichet.controler()

    retenue.refresh_from_db()
    demande.refresh_from_db()
    assert (demande.etat, retenue.montant) == (DemandeRestitution.Etat.ECHOUEE, paiement.montant - 100)
    guichet.finir()


def test_un_ordre_arrete_puis_execute_en_retard_se_voit(guichet, impute):
    paiement, _ = impute
    guichet.attendre(timedelta(hours=80))
    guichet.controler()
    demande = restitution.demander(paiement, motif="erreur", agent=guichet.agents[0])
    restitution.decider(demande, accord=True, agent=guichet.agents[1])
    guichet.restituer(panne="perdue")
    publiees = guichet.banque.transactions
    guichet.banque.transactions = publiees[:1]  # Order/Get ne dit pas encore le crédit
    restitution.abandonner(demande, motif="rendu par virement", agent=guichet.agents[1])
    guichet.banque.transactions = publiees

    guichet.attendre(timedelta(hours=1))
    guichet.controler()

    paiement.refresh_from_db()
    assert paiement.statut == Statut.RESTITUE
    guichet.finir()
