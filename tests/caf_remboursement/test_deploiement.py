"""`check --deploy` refuse un expéditeur qui ferait se perdre les tickets."""

import pytest

from caf_remboursement.verifications import verifier_l_expediteur
from paiements.payzen import Mode


@pytest.fixture(autouse=True)
def production(settings):
    settings.PAYZEN_MODE = Mode.PRODUCTION
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"


@pytest.mark.parametrize(
    "expediteur",
    [
        "ne-pas-repondre@caf.example",
        "Rembourser ma Caf <ne-pas-repondre@caf.example>",
        "Rembourser ma Caf <ne-pas-repondre@caf-hérault.example>",
    ],
)
def test_une_adresse_avec_ou_sans_nom_convient(settings, expediteur):
    settings.DEFAULT_FROM_EMAIL = expediteur

    assert verifier_l_expediteur(None) == []


@pytest.mark.parametrize("expediteur", ["ne-pas-repondre", "Caf <a@b", "a@caf.invalid", "Rembourser ma Caf", ""])
def test_ce_qui_n_est_pas_une_adresse_est_refuse(settings, expediteur):
    settings.DEFAULT_FROM_EMAIL = expediteur

    assert [faute.id for faute in verifier_l_expediteur(None)] == ["service.E004"]


def test_des_courriels_ecrits_sur_la_console_sont_refuses(settings):
    settings.DEFAULT_FROM_EMAIL = "a@caf.example"
    settings.EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"

    assert [faute.id for faute in verifier_l_expediteur(None)] == ["service.E005"]
