"""Les formes qu'un journal de la plateforme peut prendre, et celles qui le font refuser en entier."""

import gzip
from decimal import Decimal

import pytest
from django.core.management import CommandError

from paiements.models import JournalPayzen, LigneJournal, Paiement, TransactionPayzen
from paiements.statuts import Statut
from tests.factories import PaiementFactory
from tests.paiements.journaux import jo, jrb, jri, jt

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "transformer",
    [
        lambda nom, octets: (f"{nom}.gz", gzip.compress(octets)),
        lambda nom, octets: (nom, octets.decode("iso-8859-1").encode()),
        lambda nom, octets: (nom, octets.replace(b"\r\n", b"\n")),
        lambda nom, octets: (nom, octets.replace(b";\r\n", b"\r\n")),
    ],
    ids=["gz", "UTF-8", "LF", "sans point-virgule final"],
)
def test_des_formes_permises(lire, transformer):
    paiement = PaiementFactory()

    lire(transformer(*jt([paiement])))

    paiement.refresh_from_db()
    assert paiement.statut == Statut.ACCEPTE


def test_un_journal_vide_se_lit(lire):
    assert lire(jrb([]), jri([]), jt([]), jo([]))["lignes"] == 0


def test_des_euros_avec_leur_virgule_sont_des_euros(lire):
    lire(jt([{"ORDER_ID": "FACTURE-77", "AMOUNT": "33,50", "TRANSACTION_UUID": "a" * 32}]))

    assert TransactionPayzen.objects.get().montant == Decimal("33.50")


def test_une_colonne_inconnue_se_garde_et_se_dit_sans_rien_de_la_carte(lire):
    paiement = PaiementFactory()
    en_plus = {"WALLET": "PAYLIB", "CARD_HOLDER": "Dupont", "ORDER_INFO": "A,INK-1=100", "NOTE": "4970100000000055"}

    compte_rendu = lire(jt([paiement], **en_plus))

    assert compte_rendu["colonnes_inconnues"] == {"JT": ["CARD_HOLDER", "NOTE", "ORDER_INFO", "WALLET"]}
    assert LigneJournal.objects.get().autres == {"WALLET": "PAYLIB"}


def test_les_colonnes_se_trouvent_par_leur_nom_quel_que_soit_leur_ordre(lire):
    paiement = PaiementFactory()
    nom, octets = jt([paiement])
    lignes = [ligne.rstrip(";\r").split(";") for ligne in octets.decode().splitlines()]
    a_l_envers = [lignes[0], *([champs[0], *reversed(champs[1:])] for champs in lignes[1:])]

    lire((nom, "".join(";".join(champs) + ";\r\n" for champs in a_l_envers).encode()))

    assert TransactionPayzen.objects.get().montant == 120


def test_un_nom_de_colonne_que_personne_ne_publie_se_regle(lire, settings):
    """UNCONFIRMED (PROTOCOLE §8) : `PAYZEN_JOURNAUX` dit celui de ce contrat."""
    settings.PAYZEN_JOURNAUX = {"JT": {"reference": "NUM_COMMANDE"}}
    nom, octets = jt([PaiementFactory()])

    lire((nom, octets.replace(b"ORDER_ID", b"NUM_COMMANDE")))

    assert Paiement.objects.get().statut == Statut.ACCEPTE


REFUS = [
    (lambda nom, o: ("transactions.csv", o), "JT_SHOP_12345678_261127.csv"),
    (lambda nom, o: (nom, o.replace(b"TRANSACTION_STATUS", b"ETAT")), "colonnes manquantes : TRANSACTION_STATUS"),
    (lambda nom, o: (nom, b""), "TITRE"),
    (
        lambda nom, o: (nom, o.replace(b"TRANSACTION;", b"OPERATION;", 1)),
        "ligne 3 : « OPERATION », TRANSACTION attendu",
    ),
    (lambda nom, o: (nom, o.replace(b";12000;978;", b";120 EUR;978;")), "montant attendu"),
    (lambda nom, o: (nom, o.replace(b"AUTHORISED", b"Authorised")), "TRANSACTION_STATUS attendu en capitales"),
    (lambda nom, o: (nom, o.replace(b"AUTHORISED", b"")), "TRANSACTION_STATUS attendu en capitales"),
    (lambda nom, o: (nom, o[:-20]), "champs, l'en-tête en a"),
    (lambda nom, o: (f"{nom}.gz", gzip.compress(o)[:-9]), "tronqué"),
]


@pytest.mark.parametrize(("transformer", "attendu"), REFUS)
def test_un_format_inconnu_est_refuse_entier_et_dit_ce_qui_etait_attendu(lire, transformer, attendu):
    paiement = PaiementFactory()

    with pytest.raises(CommandError, match="1 journal") as refus:
        lire(transformer(*jt([paiement])))

    assert refus.value.returncode == 1
    assert attendu in str(refus.value)
    assert not JournalPayzen.objects.exists()


def test_un_rapprochement_sans_fin_est_tronque(lire):
    nom, octets = jrb([PaiementFactory(impute=True)])

    with pytest.raises(CommandError, match="FIN"):
        lire((nom, octets.replace(b"FIN;\r\n", b"")))


def test_un_journal_refuse_n_empeche_pas_les_autres(lire):
    paiement = PaiementFactory()

    with pytest.raises(CommandError):
        lire(("n'importe quoi.csv", b"?"), jt([paiement]))

    paiement.refresh_from_db()
    assert paiement.statut == Statut.ACCEPTE
