"""Imputer, placer un reste, livrer : deux écritures au même instant sur la même dette."""

from decimal import Decimal
from functools import partial

import pytest
from django.db import transaction
from django.utils import timezone

from dettes.importation import application
from dettes.models import Dette, Mouvement
from paiements.file.tenue import DejaResolue
from paiements.imputation import imputer
from paiements.imputation.imputer import ResteImpossible, imputer_un_lot
from paiements.models import Anomalie, Paiement
from paiements.passages import faire_interroger, verrouiller
from paiements.retours import reprise, restitution
from paiements.statuts import Statut
from tests.courses import compter, en_meme_temps, en_second, fenetre, rencontre
from tests.factories import DemarcheFactory, DetteFactory, PaiementFactory, UtilisateurFactory, dire
from tests.pannes.gestes import verifier_les_invariants
from tests.pannes.livraison import ouvrir_les_fichiers

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def reste():
    """120 € payés pour une dette que la Caf venait de solder : rien n'y tient plus."""
    return laisser_un_reste(PaiementFactory(verifie=True))


def laisser_un_reste(paiement):
    dette = paiement.demarche.lignes.get().dette
    Mouvement.objects.create(dette=dette, genre="AJUSTEMENT", montant=-dette.solde, origine="livraison")
    imputer_un_lot()
    return paiement.anomalies.get()


def placer(reste, dette, agent):
    return reprise.placer_le_reste(reste, {dette: Decimal(120)}, accord="oui", agent=agent)


def imputer_maintenant():
    """Ce qu'une dette tenue a fait remettre à plus tard."""
    Paiement.objects.update(imputer_le=timezone.now())
    imputer_un_lot()


@pytest.mark.parametrize("premier", ["imputer", "livrer"])
def test_imputer_pendant_que_la_caf_livre(premier):
    paiement = PaiementFactory(verifie=True)
    dette = paiement.demarche.lignes.get().dette

    with fenetre("dettes_dette"), ouvrir_les_fichiers(paiement.caf) as fichiers:
        gestes = {"imputer": imputer_un_lot, "livrer": lambda: fichiers.livrer(dette, Decimal(800), "EN_COURS")}
        [second] = gestes.keys() - {premier}
        issues = en_meme_temps(gestes[premier], lambda: en_second(gestes[second]))
    imputer_maintenant()

    dette.refresh_from_db()
    assert not compter(issues, Exception)
    assert dette.solde == 680
    verifier_les_invariants()


def test_imputer_entre_le_calcul_et_l_ajustement_de_la_caf(monkeypatch):
    paiement = PaiementFactory(verifie=True)
    dette = paiement.demarche.lignes.get().dette
    # Le temps d'imputer, après le calcul du solde visé et avant son ajustement.
    monkeypatch.setattr(application, "VISER_CHANGEES", f"{application.VISER_CHANGEES}; SELECT courses_attendre(1)")

    with rencontre(), ouvrir_les_fichiers(paiement.caf) as fichiers:
        issues = en_meme_temps(
            lambda: fichiers.livrer(dette, Decimal(800), "EN_COURS"), lambda: en_second(imputer_un_lot)
        )
    imputer_maintenant()

    dette.refresh_from_db()
    assert not compter(issues, Exception)
    assert dette.solde == 680
    verifier_les_invariants()


def test_deux_agents_placent_le_meme_reste(agents, reste):
    dettes = [DetteFactory(allocataire=reste.paiement.demarche.allocataire) for _ in agents]

    with fenetre("dettes_dette", autres=2):
        issues = en_meme_temps(
            *[
                partial(placer, Anomalie.objects.get(pk=reste.pk), dette, agent)
                for agent, dette in zip(agents, dettes, strict=True)
            ]
        )

    assert compter(issues, DejaResolue) == 2
    verifier_les_invariants()


def test_un_agent_place_le_reste_que_l_autre_fait_rendre(agents, reste):
    dette = DetteFactory(allocataire=reste.paiement.demarche.allocataire)
    sien = Anomalie.objects.get(pk=reste.pk)

    with fenetre("dettes_dette"), fenetre("paiements_demanderestitution", "INSERT"):
        issues = en_meme_temps(
            lambda: placer(reste, dette, agents[0]),
            lambda: restitution.demander(sien.paiement, motif="erreur", agent=agents[2], anomalie=sien),
        )

    assert compter(issues, Exception) == 1
    verifier_les_invariants()


def test_un_agent_place_le_reste_que_la_banque_reprend(agents, reste):
    dette = DetteFactory(allocataire=reste.paiement.demarche.allocataire)

    with fenetre("dettes_dette"):
        issues = en_meme_temps(
            lambda: placer(reste, dette, agents[0]), lambda: en_second(lambda: dire(reste.paiement, "CANCELLED"))
        )

    dette.refresh_from_db()
    assert not compter(issues, Exception)
    assert dette.solde == 900
    verifier_les_invariants()


def test_deux_restes_ne_remplissent_pas_deux_fois_la_meme_dette(agents):
    moi = UtilisateurFactory()
    conjoint = UtilisateurFactory(allocataire=moi.allocataire, identifiant="conjoint")
    restes = []
    for personne in (moi, conjoint):
        lignes = {DetteFactory(allocataire=moi.allocataire): Decimal(120)}
        demarche = DemarcheFactory(auteur=personne, lignes=lignes)
        restes.append(laisser_un_reste(PaiementFactory(demarche=demarche, verifie=True)))
    dette = DetteFactory(allocataire=moi.allocataire, montant_initial=Decimal(150))

    with fenetre("dettes_dette"):
        issues = en_meme_temps(*[partial(placer, reste, dette, agents[0]) for reste in restes])

    assert compter(issues, ResteImpossible) == 1
    verifier_les_invariants()


def test_le_solde_ne_passe_jamais_sous_zero_sous_les_ecritures_simultanees():
    dette = DetteFactory(montant_initial=Decimal(100))

    with fenetre("dettes_dette", autres=2):
        issues = en_meme_temps(
            *[lambda: Mouvement.objects.create(dette=dette, genre="AJUSTEMENT", montant=-60, origine="essai")] * 3
        )

    assert compter(issues, Exception) == 2
    assert Dette.objects.get().solde == 40
    assert not Anomalie.objects.exists()


def test_un_lot_saute_le_paiement_qu_un_autre_tient():
    tenu, libre = PaiementFactory(verifie=True), PaiementFactory(verifie=True)

    @transaction.atomic
    def tenir():
        faire_interroger(verrouiller(tenu.pk))

    with fenetre("paiements_paiement"):
        issues = en_meme_temps(tenir, lambda: en_second(imputer_un_lot))

    libre.refresh_from_db()
    assert issues == [None, 1]
    assert libre.statut == Statut.IMPUTE


def test_deux_lots_sur_la_meme_dette_ne_s_y_bousculent_pas(monkeypatch):
    monkeypatch.setattr(imputer, "TAILLE_DU_LOT", 1)
    dette = DetteFactory(montant_initial=Decimal(200))
    for nom in ("un", "deux"):
        conjoint = UtilisateurFactory(allocataire=dette.allocataire, identifiant=nom)
        PaiementFactory(demarche=DemarcheFactory(auteur=conjoint, lignes={dette: Decimal(60)}), verifie=True)
    Mouvement.objects.create(dette=dette, genre="AJUSTEMENT", montant=-100, origine="livraison")

    with fenetre("dettes_dette"):
        issues = en_meme_temps(imputer_un_lot, lambda: en_second(imputer_un_lot))
    imputer_maintenant()

    assert issues == [1, 0]
    assert Dette.objects.get().solde == 0
    assert sum(paiement.a_placer for paiement in Paiement.objects.all()) == 20
