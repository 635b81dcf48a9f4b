"""Les droits sur une dette : des délais datés, un texte par situation (PARCOURS §2, DOMAINE §4)."""

from datetime import date, timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from dettes.droits import ajouter_des_mois, dater
from dettes.models import Dette
from tests.factories import DetteFactory, UtilisateurFactory

COURRIER = date(2022, 9, 4)
Situation = Dette.Situation


@pytest.fixture
def lire(db, client):
    """Les droits tels que la page d'une dette les dit, espaces insécables rendus ordinaires."""
    utilisateur = UtilisateurFactory()
    client.force_login(utilisateur)

    def _lire(**champs):
        dette = DetteFactory(allocataire=utilisateur.allocataire, **champs)
        reponse = client.get(reverse("dettes:detail", args=[dette.reference]))
        return " ".join(reponse.text.replace("\u00a0", " ").split()).partition("<h2>Vos droits</h2>")[2]

    return _lire


@pytest.mark.parametrize(
    ("courrier", "limite"),
    [
        (date(2022, 9, 4), date(2022, 11, 4)),
        (date(2025, 12, 31), date(2026, 2, 28)),
        (date(2023, 12, 30), date(2024, 2, 29)),
        (date(2026, 11, 15), date(2027, 1, 15)),
    ],
)
def test_deux_mois_finissent_au_meme_quantieme_ou_au_dernier_jour_du_mois(courrier, limite):
    assert ajouter_des_mois(courrier, 2) == limite


@pytest.mark.parametrize(("jour", "is_passe"), [(date(2022, 11, 4), False), (date(2022, 11, 5), True)])
def test_le_dernier_jour_compte_encore(jour, is_passe):
    droits = dater(Dette(notifiee_le=COURRIER), jour)

    assert (droits.contester.jusqu_au, droits.contester.is_passe) == (date(2022, 11, 4), is_passe)


def test_vingt_jours_pour_faire_corriger():
    assert dater(Dette(notifiee_le=COURRIER), COURRIER).corriger.jusqu_au == date(2022, 9, 24)


def test_un_delai_passe_est_dit_passe_et_ne_dit_plus_ou_ecrire(lire):
    droits = lire(notifiee_le=COURRIER)

    assert "<strong>Contester</strong>, jusqu’au 4 novembre 2022 : ce délai est passé." in droits
    assert (
        "<strong>Faire corriger une information</strong>, jusqu’au 24 septembre 2022 : ce délai est passé." in droits
    )
    assert "Écrivez" not in droits
    assert "Si votre situation est trop difficile, parlez-en quand même à votre Caf." in droits


@pytest.mark.parametrize(
    ("nature", "a_qui"),
    [("PPA", "à la commission de recours amiable de votre Caf"), ("RSA", "au président du conseil départemental")],
)
def test_un_delai_qui_court_dit_a_qui_ecrire(lire, nature, a_qui):
    droits = lire(notifiee_le=timezone.localdate() - timedelta(days=10), nature=nature)

    assert f"Écrivez {a_qui}." in droits
    assert "ce délai est passé" not in droits


def test_un_recours_deja_fait_ne_se_propose_plus(lire):
    droits = lire(notifiee_le=COURRIER, situation=Situation.RECOURS)

    assert "Vous contestez déjà cette dette." in droits
    assert "le recouvrement forcé est suspendu" in droits
    assert "<strong>Contester</strong>" not in droits
    assert "Faire corriger" not in droits


def test_sous_un_plan_on_ne_propose_pas_d_echeancier(lire):
    droits = lire(situation=Situation.PLAN)

    assert "Vous remboursez déjà cette dette par échéances." in droits
    assert "Changer vos échéances" in droits
    assert "demandez à votre Caf un échéancier" not in droits


def test_une_dette_transmise_renvoie_au_departement(lire):
    droits = lire(transmise=True, notifiee_le=timezone.localdate())

    assert "Adressez-vous au département, et non à votre Caf" in droits
    assert "Écrivez au président du conseil départemental." in droits
    assert "paierie départementale" in droits
    assert "demandez à votre Caf" not in droits


def test_une_dette_soldee_se_conteste_encore_mais_ne_s_etale_plus(lire):
    droits = lire(situation=Situation.SOLDEE)

    assert "Avoir payé n’enlève pas votre droit de contester." in droits
    assert "Étaler" not in droits
    assert "remise" not in droits


def test_une_dette_annulee_ne_laisse_rien_a_demander(lire):
    droits = lire(situation=Situation.ANNULEE)

    assert "ce qui avait déjà été pris vous est rendu" in droits
    assert "jusqu’au" not in droits


@pytest.mark.parametrize(("phase", "dite"), [("CONTENTIEUX", True), ("AMIABLE", False)])
def test_l_opposition_a_une_contrainte_ne_se_dit_qu_au_contentieux(lire, phase, dite):
    assert ("Vous opposer à une contrainte" in lire(phase=phase)) is dite
