"""Des rencontres rares : ce que la banque dit entre deux de nos gestes ne se perd pas, et ne part pas deux fois."""

from decimal import Decimal

import pytest

from paiements.documents import attestations
from paiements.imputation import imputer
from paiements.imputation.imputer import imputer_un_lot
from paiements.models import Anomalie, Imputation, Paiement, TransactionPayzen
from paiements.payzen import Client
from paiements.retours import ordres, reprise
from paiements.statuts import Geste, Statut
from paiements.suivi.progres import dire_ou_en_est
from paiements.surveillance import invariants
from paiements.verification import interroger
from tests.factories import FaitFactory, PaiementFactory, avancer_d_un, dire
from tests.paiements.livres import approuver, crediter, faire_un_reliquat

pytestmark = pytest.mark.django_db

AUTRE = "d" * 32


@pytest.fixture
def ordonner(monkeypatch):
    """Ce que la plateforme montre d'abord, puis répond à l'ordre ; rend les montants qu'on lui a ordonnés."""

    def _ordonner(montrees, reponse=None):
        donnes = []

        def repondre(_client, uuid, montant, _commentaire, **_options):
            donnes.append(montant)
            return reponse

        monkeypatch.setattr(Client, "get_order", lambda _client, _reference: montrees)
        monkeypatch.setattr(Client, "cancel_or_refund", repondre)
        return donnes

    return _ordonner


def dire_deux_fois(paiement):
    """La banque l'a remis, puis le dit annulé."""
    dire(paiement, "CAPTURED")
    dire(paiement, "CANCELLED")
    return Paiement.objects.get(pk=paiement.pk)


def test_ce_dont_la_banque_dit_deux_choses_ne_s_impute_pas():
    paiement = dire_deux_fois(PaiementFactory(verifie=True))

    imputer_un_lot()

    paiement.refresh_from_db()
    assert (paiement.statut, Imputation.objects.count()) == (Statut.VERIFIE, 0)
    assert not list(invariants.verifier())


def test_mille_echecs_d_un_paiement_n_arretent_pas_les_autres(monkeypatch):
    malade, sain = PaiementFactory(verifie=True), PaiementFactory(verifie=True)
    Paiement.objects.filter(pk=malade.pk).update(echecs=1000)
    vrai = imputer.imputer

    def tomber(paiements, *autres):
        if malade in paiements:
            raise RuntimeError("malade")
        vrai(paiements, *autres)

    monkeypatch.setattr(imputer, "imputer", tomber)
    imputer_un_lot()

    sain.refresh_from_db()
    assert sain.statut == Statut.IMPUTE


def refaire_imputer():
    """Imputé, annulé par la banque, puis accepté par un autre débit, et imputé de nouveau."""
    paiement = PaiementFactory(impute=True)
    premier = paiement.debit_id
    dire(paiement, "CANCELLED")
    dire(paiement, "AUTHORISED", uuid=AUTRE)
    paiement = Paiement.objects.get(pk=paiement.pk)
    avancer_d_un(Geste.VERIFIER, paiement)
    imputer_un_lot()
    return Paiement.objects.get(pk=paiement.pk), premier


def test_une_reprise_dit_le_debit_qu_elle_reprend():
    paiement, premier = refaire_imputer()

    dire(paiement, "CANCELLED", uuid=AUTRE)

    signes = [(imputation.montant > 0, imputation.debit_id) for imputation in Imputation.objects.order_by("pk")]
    assert signes == [(True, premier), (False, premier), (True, AUTRE), (False, AUTRE)]


def test_l_attestation_ne_compte_que_le_dernier_accord():
    paiement, _ = refaire_imputer()

    attestation = attestations.lire(paiement)

    assert (attestation.porte, attestation.repris_des_dettes) == (paiement.montant, 0)


@pytest.mark.parametrize("avant", [True, False], ids=["l'autre d'abord", "le sien d'abord"])
def test_un_autre_debit_tenu_prend_la_suite_dans_tous_les_ordres(avant):
    paiement = PaiementFactory(impute=True)
    dire(paiement, "AUTHORISED", uuid=AUTRE)
    suite = [lambda: dire(paiement, "CAPTURED", uuid=AUTRE), lambda: dire(paiement, "CANCELLED")]
    for geste in suite if avant else suite[::-1]:
        geste()

    paiement.refresh_from_db()
    assert (paiement.statut, paiement.debit_id) == (Statut.ACCEPTE, AUTRE)


def test_un_montant_admis_puis_baisse_encore_puis_annule_se_rejette(agent):
    paiement = PaiementFactory()
    dire(paiement, "AUTHORISED", montant=Decimal(80))
    reprise.admettre(paiement.anomalies.get(), motif="vu", agent=agent)
    dire(paiement, "AUTHORISED", montant=Decimal(70))

    dire(paiement, "CANCELLED", montant=Decimal(70))

    paiement.refresh_from_db()
    assert paiement.statut == Statut.REJETE
    assert not list(invariants.verifier())


def test_un_reste_que_le_back_office_vient_de_rendre_ne_part_pas_une_deuxieme_fois(ordonner, agent, comptable):
    paiement, alerte = faire_un_reliquat()
    dire(paiement, "CAPTURED")
    demande = approuver(paiement, agent, comptable, anomalie=alerte)
    montrees = [
        FaitFactory(paiement=paiement, statut="CAPTURED", source="REST"),
        FaitFactory(
            paiement=paiement,
            statut="CAPTURED",
            operation="CREDIT",
            montant=Decimal(60),
            uuid="c" * 32,
            parent=paiement.debit_id,
            source="REST",
        ),
    ]
    donnes = ordonner(montrees)

    demande = ordres.executer(demande)

    assert (donnes, demande.etat) == ([], "ECHOUEE")


def test_une_part_que_des_dettes_gardent_ne_se_restitue_pas(ordonner, agent, comptable):
    """Un petit crédit a mordu sur le reste : rendre le reste entier reprendrait de l'argent aux dettes."""
    paiement, alerte = faire_un_reliquat()
    dire(paiement, "CAPTURED")
    demande = approuver(paiement, agent, comptable, anomalie=alerte)
    crediter(paiement, 15)
    donnes = ordonner([])

    demande = ordres.executer(demande)

    assert (donnes, demande.etat) == ([], "ECHOUEE")


def test_un_debit_que_nous_avons_fait_annuler_est_restitue_pas_rejete(ordonner, agent, comptable):
    paiement = PaiementFactory(impute=True)
    demande = approuver(paiement, agent, comptable)
    ordonner(
        [FaitFactory(paiement=paiement, statut="AUTHORISED", source="REST")],
        FaitFactory(paiement=paiement, statut="CANCELLED", source="REST"),
    )

    ordres.executer(demande)

    paiement.refresh_from_db()
    assert paiement.statut == Statut.RESTITUE
    assert not paiement.anomalies.ouvertes().exists()
    assert not list(invariants.verifier())


def test_un_credit_dont_le_sort_est_inconnu_se_tranche_pendant_sa_restitution(ordonner, agent, comptable):
    paiement = PaiementFactory(impute=True)
    dire(paiement, "CAPTURED")
    demande = approuver(paiement, agent, comptable)
    credit = FaitFactory(
        paiement=paiement,
        statut="INCONNU_NEUF",
        operation="CREDIT",
        uuid="e" * 32,
        parent=paiement.debit_id,
        source="REST",
    )
    ordonner([FaitFactory(paiement=paiement, statut="CAPTURED", source="REST")], credit)
    ordres.executer(demande)

    alerte = paiement.anomalies.get(genre=Anomalie.Genre.STATUT_INATTENDU)
    reprise.trancher(alerte, TransactionPayzen.Verdict.TENUE, motif="vu", agent=agent)
    demande = ordres.executer(demande)

    paiement.refresh_from_db()
    assert (demande.etat, paiement.statut) == ("FAITE", Statut.RESTITUE)


def test_rien_ne_se_reprend_tant_que_la_banque_dit_deux_choses(agent):
    paiement = dire_deux_fois(PaiementFactory(impute=True))
    parts = paiement.imputations.par_dette()

    with pytest.raises(reprise.RepriseImpossible):
        reprise.reprendre(paiement.anomalies.get(), parts, motif="vu", agent=agent)

    assert not any("elles remonteront" in phrase for phrase in dire_ou_en_est(paiement).suite)


def test_un_verdict_que_la_banque_dement_se_voit(agent, plateforme):
    paiement = dire_deux_fois(PaiementFactory(accepte=True))
    reprise.trancher(paiement.anomalies.get(), TransactionPayzen.Verdict.DEFAITE, motif="vu", agent=agent)

    plateforme(paiement, "CAPTURED")
    interroger.interroger(paiement.pk)

    assert paiement.anomalies.ouvertes().filter(genre=Anomalie.Genre.ECART).exists()
