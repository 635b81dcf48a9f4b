from contextlib import nullcontext

import pytest
from django.db import InternalError, ProgrammingError, connection, transaction

from demarches.etats import Etat
from paiements.causes import par_service
from paiements.models import EtapePaiement, Paiement, TransactionPayzen
from paiements.passages import CHANGEANTS, TransitionImpossible, avancer, verrouiller
from paiements.statuts import ENCAISSES, ETAT_DE_LA_DEMARCHE, TRANSITIONS, Geste, Statut
from tests.factories import PaiementFactory, dire

pytestmark = pytest.mark.django_db


def placer(statut):
    """Un paiement dans un statut, gardes éteintes le temps de l'y mettre : la table n'y mène pas toujours seule."""
    paiement = PaiementFactory(accepte=statut in ENCAISSES)
    with connection.cursor() as curseur:
        curseur.execute("SET LOCAL session_replication_role = replica")
        Paiement.objects.filter(pk=paiement.pk).update(statut=statut)
        curseur.execute("SET LOCAL session_replication_role = origin")
    return verrouiller(paiement.pk)


@pytest.mark.parametrize("depart", Statut)
@pytest.mark.parametrize("geste", Geste)
def test_seuls_les_chemins_de_la_table_sont_ouverts(geste, depart):
    paiement = placer(depart)
    etapes = paiement.etapes.count()
    permis = depart in TRANSITIONS[geste].depuis
    deja_fait = depart == TRANSITIONS[geste].vers
    if geste == Geste.ACCEPTER and permis:
        dire(paiement, "AUTHORISED", uuid="f" * 32, reference="P-INCONNUE")
        paiement.debit = TransactionPayzen.objects.get(pk="f" * 32)

    with nullcontext() if permis or deja_fait else pytest.raises(TransitionImpossible):
        avancer(geste, paiement, par_service("test"))

    paiement.refresh_from_db()
    assert paiement.statut == (TRANSITIONS[geste].vers if permis else depart)
    assert paiement.etapes.count() == etapes + permis


@pytest.mark.parametrize("vers", [Statut.INITIE, Statut.VERIFIE, Statut.IMPUTE, Statut.REJETE, Statut.RESTITUE])
def test_la_base_refuse_un_passage_hors_de_la_table(vers):
    paiement = PaiementFactory(refuse=True)

    with pytest.raises((InternalError, ProgrammingError)), transaction.atomic():
        Paiement.objects.filter(pk=paiement.pk).update(statut=vers)

    paiement.refresh_from_db()
    assert paiement.statut == Statut.REFUSE


def test_chaque_statut_se_traduit_pour_l_allocataire():
    assert set(ETAT_DE_LA_DEMARCHE) == set(Statut)
    assert Etat.BROUILLON not in ETAT_DE_LA_DEMARCHE.values()


def test_chaque_statut_est_atteint_ou_est_le_depart():
    atteints = {transition.vers for transition in TRANSITIONS.values()}

    assert atteints | {Statut.INITIE} == set(Statut)


@pytest.mark.parametrize("modele", ["etapes", "messages", "imputations"])
def test_les_journaux_ne_se_modifient_ni_ne_s_effacent(modele):
    paiement = PaiementFactory(impute=True)
    lignes = getattr(paiement, modele)
    champ = {"etapes": "motif", "messages": "motif", "imputations": "montant"}[modele]

    for toucher in (lambda: lignes.update(**{champ: "1"}), lambda: lignes.all().delete()):
        with pytest.raises((InternalError, ProgrammingError)), transaction.atomic():
            toucher()

    assert lignes.count() >= 1


def test_chaque_passage_laisse_son_etape():
    paiement = PaiementFactory(impute=True)

    suite = list(EtapePaiement.objects.filter(paiement=paiement).order_by("pk").values_list("geste", "de", "vers"))

    assert suite == [
        ("soumettre", "INITIE", "EN_ATTENTE"),
        ("accepter", "EN_ATTENTE", "ACCEPTE"),
        ("verifier", "ACCEPTE", "VERIFIE"),
        ("imputer", "VERIFIE", "IMPUTE"),
    ]


def test_un_passage_enregistre_tout_ce_qui_change_d_un_paiement():
    """Ce que la base dit immuable, ce qu'elle calcule, et la clé : tout le reste est à enregistrer."""
    immuables = {"id", "montant", "reference", "demarche_id", "caf_id", "trans_id", "cree_le", "boutique"}
    immuables |= {"mode", "code"}
    champs = {champ.attname for champ in Paiement._meta.concrete_fields if not champ.generated}

    assert champs - immuables == set(CHANGEANTS)
