"""
L'ordre ne compte pas : permuter, répéter, partager entre notifications et lectures mène aux mêmes comptes.

Un jeu de faits cohérents est tiré de la banque modèle ; chaque permutation est portée sur la même base de départ.
`ENSEMBLES` règle combien de jeux sont tirés, `GRAINE` tire ailleurs (tests/pannes/graine.py). L'horloge est figée :
nos rendez-vous ont leurs propres essais.
"""

import itertools
import os
from collections.abc import Iterator
from contextlib import contextmanager

import hypothesis
import pytest
import time_machine
from django.conf import settings
from django.db import transaction
from django.utils import timezone
from hypothesis import strategies as st

from paiements import depart
from paiements.boutiques import get_boutique
from paiements.models import Anomalie, DebitTenu, MessagePayzen, Paiement, SoldePaiement, TransactionPayzen
from paiements.payzen import Client, Fait, read_notification
from paiements.reception.porter import Recu, porter, resumer
from paiements.verification.interroger import Lecture, conclure, get_repere
from tests.factories import demander, empreinte
from tests.pannes.banque import Banque
from tests.pannes.graine import GRAINE

pytestmark = pytest.mark.django_db

ENSEMBLES = int(os.environ.get("ENSEMBLES", "40"))
PERMUTATIONS_PAR_JEU = 5
# Ce que la banque peut faire à un instant ; le rang choisit sur quoi.
GESTES = ("AUTHORISED", "REFUSED", "WAITING_AUTHORISATION", "ABANDONED", "autre montant", "évoluer", "annuler")
GESTES += ("échouer", "baisser", "remettre", "rembourser", "défaire", "dupliquer", "ailleurs", "lire")
LOTS = st.lists(st.tuples(st.sampled_from(GESTES), st.integers(0, 3)), min_size=2, max_size=9)


class Conteur:
    """Fait vivre la banque modèle, et garde ce qu'elle en dit : des notifications une à une, des lectures entières."""

    def __init__(self, parti: depart.Depart) -> None:
        self.banque = Banque(parti.paiement.boutique)
        self.banque.ouvrir(parti.champs)
        self.client = Client(get_boutique(parti.paiement.boutique))
        self.paiement = parti.paiement
        self.reference = parti.paiement.reference
        self.lots: list[list[Recu]] = []

    def jouer(self, geste: str, rang: int) -> None:
        self._agir(geste, rang)
        while self.banque.courrier:
            recue = read_notification(self.banque.signer(self.banque.courrier.pop(0)), settings.PAYZEN_BOUTIQUES)
            self.lots.append([Recu(recue.fait, recue.champs)])

    def _agir(self, geste: str, rang: int) -> None:
        banque, session = self.banque, self.banque.sessions[0]
        debits = [t for t in banque.transactions if t.operation == "DEBIT" and t.reference == self.reference]
        if geste in ("AUTHORISED", "REFUSED", "WAITING_AUTHORISATION") and session.ouverte:
            banque.debiter(session, geste)
        elif geste == "ABANDONED" and session.ouverte:
            banque.abandonner(session)
        elif geste == "autre montant" and session.ouverte:
            banque.debiter(session, "AUTHORISED", montant=int(session.champs["vads_amount"]) + 100)
        elif geste == "ailleurs":
            banque.encaisser_sans_nous("AUTRE-1", 4200)
        elif geste == "lire":
            self.lots.append(self.lire())
        elif debits:
            self._changer(geste, debits[rang % len(debits)])

    def _changer(self, geste: str, debit) -> None:
        banque = self.banque
        vivants = [t for t in banque.transactions if t.operation == "CREDIT" and t.statut == "AUTHORISED"]
        if geste == "évoluer" and debit.statut == "WAITING_AUTHORISATION":
            banque.changer(debit, "AUTHORISED")
        elif geste in ("annuler", "échouer") and debit.statut == "AUTHORISED":
            banque.changer(debit, "CANCELLED" if geste == "annuler" else "CAPTURE_FAILED")
        elif geste == "baisser" and debit.statut == "AUTHORISED" and debit.montant > 1:
            banque.changer(debit, "AUTHORISED", debit.montant // 2)
        elif geste == "remettre" and debit.statut == "AUTHORISED":
            banque.remettre(debit)
        elif geste == "rembourser" and debit.statut == "CAPTURED" and debit.montant > debit.rendu:
            banque.rembourser(debit, (debit.montant - debit.rendu + 1) // 2)
        elif geste == "défaire" and vivants:
            banque.defaire(vivants[0])
        elif geste == "dupliquer" and debit.statut in ("AUTHORISED", "CAPTURED"):
            banque.dupliquer(debit)

    def lire(self) -> list[Recu]:
        faits: list[Fait] = [
            self.client._to_fait(self.banque._ecrire(transaction))
            for transaction in self.banque.transactions
            if transaction.reference == self.reference
        ]
        return [Recu(fait, resumer(fait)) for fait in faits]


@contextmanager
def sans_rien_garder() -> Iterator[None]:
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def porter_et_conclure(paiement: Paiement, lots: list[list[Recu]], derniere: list[Recu]) -> dict[str, object]:
    """L'état final : les transactions, les soldes, la file ; une dernière lecture a tout redit."""
    with sans_rien_garder():
        for lot in lots:
            porter(lot)
        porter([recu for lot in lots if len(lot) == 1 for recu in lot])  # rien ne s'est perdu
        conclure(paiement.pk, Lecture([recu.fait for recu in derniere], get_repere(paiement)))
        colonnes = [champ.attname for champ in TransactionPayzen._meta.concrete_fields if champ.name != "apprise_le"]
        ouvertes = Anomalie.objects.ouvertes().d_argent()
        return {
            "transactions": list(TransactionPayzen.objects.order_by("uuid").values(*colonnes)),
            "tenus": list(DebitTenu.objects.order_by("transaction").values_list("transaction", "tenu")),
            "soldes": list(SoldePaiement.objects.values()),
            "file": sorted(ouvertes.values_list("genre", "cle", "situation")),
            "statut": Paiement.objects.get(pk=paiement.pk).statut,
        }


# Ce que la session peut dire de sa fin, tout ordre essayé : le mot de la fin n'en dépend pas.
FINS = [
    (("REFUSED", 0), ("ABANDONED", 0)),
    (("REFUSED", 0), ("WAITING_AUTHORISATION", 0)),
    (("REFUSED", 0), ("REFUSED", 0), ("ABANDONED", 0)),
    (("REFUSED", 0), ("WAITING_AUTHORISATION", 0), ("évoluer", 1)),
    (("REFUSED", 0), ("AUTHORISED", 0), ("annuler", 1), ("lire", 0)),
    (("REFUSED", 0), ("autre montant", 0), ("lire", 0)),
]


def commencer() -> Conteur:
    demarche = demander("120.00")
    return Conteur(depart.payer(demarche, empreinte_vue=empreinte(demarche)))


@pytest.mark.parametrize("gestes", FINS, ids=str)
def test_l_ordre_ne_change_pas_le_mot_de_la_fin(gestes):
    with time_machine.travel(timezone.now(), tick=False):
        conteur = commencer()
        for geste, rang in gestes:
            conteur.jouer(geste, rang)
        derniere = conteur.lire()
        fins = [porter_et_conclure(conteur.paiement, lots, derniere) for lots in itertools.permutations(conteur.lots)]

    assert len(fins) > 1
    assert all(fin == fins[0] for fin in fins)


def test_toutes_les_permutations_menent_aux_memes_comptes_et_a_la_meme_file():
    vus = {"jeux": 0, "permutations": 0}

    @hypothesis.seed(GRAINE)
    @hypothesis.settings(
        max_examples=ENSEMBLES,
        deadline=None,
        database=None,
        print_blob=False,
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    @hypothesis.given(LOTS, st.data())
    def jouer(gestes, tirage):
        with sans_rien_garder(), time_machine.travel(timezone.now(), tick=False):
            conteur = commencer()
            for geste, rang in gestes:
                conteur.jouer(geste, rang)
            if not conteur.lots:
                return
            derniere = conteur.lire()
            attendu = porter_et_conclure(conteur.paiement, conteur.lots, derniere)
            vus["jeux"] += 1
            for _ in range(PERMUTATIONS_PAR_JEU):
                repetes = tirage.draw(st.lists(st.sampled_from(conteur.lots), max_size=3))
                melange = tirage.draw(st.permutations(conteur.lots + repetes))
                assert porter_et_conclure(conteur.paiement, melange, derniere) == attendu
                vus["permutations"] += 1
        assert MessagePayzen.objects.count() == 0

    jouer()
    print(f"{vus['jeux']} jeux, {vus['permutations']} permutations")  # noqa: T201 (montré par pytest -s)
    assert vus["permutations"] >= ENSEMBLES
