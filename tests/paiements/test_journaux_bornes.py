"""Une colonne qui ne tient pas dans sa case fait refuser, ou couper, son seul journal : les autres se lisent."""

from contextlib import suppress

import pytest
from django.core.management import CommandError

from paiements.models import JournalPayzen, LigneJournal
from paiements.payzen.colonnes import COLONNES
from paiements.statuts import Statut
from tests.factories import PaiementFactory
from tests.paiements.journaux import jo, jrb, jri, jt

pytestmark = pytest.mark.django_db

COMPOSER = {"JT": jt, "JO": jo, "JRB": jrb, "JRI": jri}
LUES = [(genre, nom.rstrip("?")) for genre, noms in COLONNES.items() for nom in [*noms.values(), "INCONNUE"]]
VALEURS = ["X" * 300, "9" * 300, "é" * 50, "EURO", "99991231", "\0"]


@pytest.mark.parametrize(("genre", "colonne"), LUES)
def test_quoi_que_dise_une_colonne_les_autres_journaux_se_lisent(lire, genre, colonne):
    paiement, sain = PaiementFactory(impute=True), PaiementFactory()
    faux = [COMPOSER[genre]([paiement], jour=f"26110{n}", **{colonne: dit}) for n, dit in enumerate(VALEURS, 1)]

    with suppress(CommandError):
        lire(*faux, jt([sain], jour="261128"))

    sain.refresh_from_db()
    assert sain.statut == Statut.ACCEPTE


@pytest.mark.parametrize("devise", ["EURO", "EU", "eur", "€", "97 8"])
def test_une_devise_qui_n_en_est_pas_une_fait_refuser_son_journal(lire, devise):
    nom, octets = jt([PaiementFactory()])

    with pytest.raises(CommandError, match="devise de trois signes attendue") as refus:
        lire((nom, octets.replace(b";978;", f";{devise};".encode())))

    assert refus.value.returncode == 1
    assert not JournalPayzen.objects.exists()


@pytest.mark.parametrize("ou", [b"TITRE;Caf", b"WALLET", b"PAYLIB"], ids=["titre", "nom de colonne", "valeur"])
def test_un_caractere_nul_fait_refuser_son_journal(lire, ou):
    nom, octets = jt([PaiementFactory()], WALLET="PAYLIB")

    with pytest.raises(CommandError, match="un caractère nul"):
        lire((nom, octets.replace(ou, ou + b"\0")))

    assert not JournalPayzen.objects.exists()


@pytest.mark.parametrize(
    ("composer", "colonne", "champ"), [(jri, "REASON_CODE", "motif"), (jo, "OPERATION_NAME", "operation")]
)
def test_un_texte_trop_long_se_coupe(lire, composer, colonne, champ):
    lire(composer([PaiementFactory(impute=True)], **{colonne: "X" * 300}))

    assert getattr(LigneJournal.objects.get(), champ) == "X" * 20
