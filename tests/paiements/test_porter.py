"""Porter des faits est une union : ni l'ordre, ni les répétitions, ni la façon de les grouper n'y changent rien."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import permutations

import pytest
from django.db import DatabaseError, transaction
from django.utils import timezone

from paiements.models import MessagePayzen, TransactionPayzen
from paiements.reception.porter import Recu, porter, resumer
from paiements.statuts import Statut
from paiements.verification import interroger
from tests.factories import FaitFactory, PaiementFactory, dire, repondre

pytestmark = pytest.mark.django_db

Sort = MessagePayzen.Sort
A_MIDI = datetime(2026, 11, 20, 12, tzinfo=UTC)
DITS = [
    {"statut": "WAITING_AUTHORISATION", "carte_fin": ""},
    {"statut": "AUTHORISED", "effectif": Decimal("120.00"), "devise_effective": "EUR"},
    {"statut": "CAPTURED", "montant": Decimal("90.00"), "remise_le": A_MIDI + timedelta(days=1)},
    {"statut": "CAPTURED", "source": "REST", "trans_id": "", "remise_le": A_MIDI, "creee_le": A_MIDI},
]


def decrire(paiement):
    """Ce que la base retient de la transaction d'un paiement, l'heure où nous l'avons apprise mise à part."""
    champs = TransactionPayzen.objects.filter(paiement=paiement).values().get()
    propres = {"uuid", "paiement_id", "reference", "trans_id", "apprise_le"}
    return {nom: valeur for nom, valeur in champs.items() if nom not in propres}


def porter_ensemble(*faits):
    return porter([Recu(fait, resumer(fait)) for fait in faits])


def test_des_faits_portes_dans_tous_les_ordres_donnent_la_meme_ligne():
    lignes = []
    for suite in permutations(DITS):
        paiement = PaiementFactory()
        for champs in suite:
            porter_ensemble(FaitFactory(paiement=paiement, **champs))
        lignes.append(decrire(paiement))

    assert all(ligne == lignes[0] for ligne in lignes)
    assert (lignes[0]["statut"], lignes[0]["montant"], lignes[0]["montant_haut"]) == ("CAPTURED", 90, 120)
    assert (lignes[0]["remise_le"], lignes[0]["creee_le"]) == (A_MIDI, A_MIDI)


def test_portes_ensemble_un_a_un_ou_deux_fois_ils_donnent_la_meme_ligne():
    ensemble, un_a_un, deux_fois = PaiementFactory(), PaiementFactory(), PaiementFactory()

    porter_ensemble(*(FaitFactory(paiement=ensemble, **champs) for champs in DITS))
    for champs in DITS:
        porter_ensemble(FaitFactory(paiement=un_a_un, **champs))
    porter_ensemble(*(FaitFactory(paiement=deux_fois, **champs) for champs in DITS * 2))

    assert decrire(ensemble) == decrire(un_a_un) == decrire(deux_fois)


def test_une_lecture_qui_n_apprend_rien_n_ecrit_aucun_message():
    paiement = PaiementFactory(accepte=True)
    lecture = FaitFactory(paiement=paiement, source="REST")

    sorts = [*porter_ensemble(lecture), *porter_ensemble(FaitFactory(paiement=paiement))]

    # La notification répétée reste une preuve de plus ; la lecture, non.
    assert sorts == [Sort.DEJA_SU, Sort.DEJA_SU]
    assert list(paiement.messages.order_by("pk").values_list("sort", flat=True)) == [Sort.NEUF, Sort.DEJA_SU]


def test_d_une_lecture_rien_de_libre_ne_se_garde():
    """Le texte d'une commande nomme des dettes, ou quelqu'un si elle n'est pas de nous."""
    paiement = PaiementFactory(accepte=True)

    porter_ensemble(FaitFactory(paiement=paiement, statut="CAPTURED", source="REST", contexte="Mme DUPONT"))

    champs = paiement.messages.get(source="REST").champs
    assert champs["statut"] == "CAPTURED"
    assert "Mme DUPONT" not in champs.values()
    assert not {"contexte", "marque", "carte_fin", "autorisation"} & champs.keys()


def test_une_lecture_qui_apprend_quelque_chose_en_ecrit_un():
    paiement = PaiementFactory(accepte=True)

    porter_ensemble(FaitFactory(paiement=paiement, statut="CAPTURED", source="REST"))

    assert paiement.messages.filter(source="REST", sort=Sort.NEUF).count() == 1


@pytest.mark.parametrize(
    "vieux",
    [
        {"statut": "WAITING_AUTHORISATION"},
        {"statut": "AUTHORISED"},
        {"statut": "CAPTURED", "montant": Decimal("120.00")},
        {"statut": "CAPTURED", "remise_le": A_MIDI + timedelta(days=3)},
    ],
    ids=str,
)
def test_une_vieille_lecture_ne_fait_rien_reculer(vieux):
    paiement = PaiementFactory(accepte=True)
    dire(paiement, "CAPTURED", montant=Decimal("90.00"), remise_le=A_MIDI)
    avant = decrire(paiement)

    repondre(paiement, FaitFactory(paiement=paiement, source="REST", **vieux))

    assert decrire(paiement) == avant


def test_ce_que_tait_une_lecture_depassee_ne_prouve_rien():
    """La banque a parlé pendant qu'on lisait : rien n'est conclu, et l'on relit aussitôt."""
    paiement = PaiementFactory()
    lecture = interroger.Lecture([], interroger.get_repere(paiement))
    dire(paiement, "AUTHORISED")

    rendu = interroger.conclure(paiement.pk, lecture)

    paiement.refresh_from_db()
    assert (rendu, paiement.statut) == (None, Statut.ACCEPTE)
    assert paiement.prochain_controle_le <= timezone.now()


@pytest.mark.parametrize(
    "recul",
    [
        {"statut": "AUTHORISED"},
        {"statut": "CANCELLED"},
        {"montant": Decimal("121.00")},
        {"montant_haut": Decimal("1.00")},
        {"remise_le": None},
        {"reference": "P-AUTRE"},
        {"operation": "CREDIT"},
        {"devise": "840"},
        {"paiement": None},
    ],
    ids=str,
)
def test_la_base_refuse_tout_recul(recul):
    paiement = PaiementFactory(accepte=True)
    dire(paiement, "CAPTURED", remise_le=A_MIDI)

    with pytest.raises(DatabaseError), transaction.atomic():
        TransactionPayzen.objects.filter(paiement=paiement).update(**recul)


def test_un_mot_contraire_mene_a_la_contradiction_dans_les_deux_ordres():
    uns = []
    for suite in permutations(("CAPTURED", "CANCELLED")):
        paiement = PaiementFactory()
        for statut in suite:
            dire(paiement, statut)
        uns.append(paiement.transactions.get().statut)

    assert uns == ["CONTRADICTOIRE", "CONTRADICTOIRE"]
