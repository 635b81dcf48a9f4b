"""Ce qui ne passe pas par une page."""

import pytest
from django.test import Client
from django.urls import reverse

from comptes import activation, services
from comptes.views import CODE_REFUSE
from tests.courses import en_meme_temps
from tests.factories import AgentFactory, CafFactory, UtilisateurFactory


@pytest.mark.django_db
def test_on_ne_suspend_pas_sans_dire_pourquoi() -> None:
    caf = CafFactory()

    with pytest.raises(services.MessageAbsent):
        services.suspendre(caf, "  ", None, AgentFactory().utilisateur)

    caf.refresh_from_db()
    assert caf.ouverte


@pytest.mark.django_db(transaction=True)
def test_deux_personnes_en_meme_temps_n_echangent_le_code_qu_une_fois() -> None:
    utilisateur = UtilisateurFactory(password=None)
    code = activation.emettre([utilisateur])[utilisateur.identifiant]

    issues = en_meme_temps(
        lambda: activation.activer(utilisateur.identifiant, code, "lune-seau-brique-feu"),
        lambda: activation.activer(utilisateur.identifiant, code, "autre-seau-brique-feu"),
    )

    assert sorted(issues, key=bool) == [None, utilisateur]


@pytest.mark.django_db(transaction=True)
def test_dix_essais_simultanes_n_en_valent_que_cinq() -> None:
    utilisateur = UtilisateurFactory(password=None)
    code = activation.emettre([utilisateur])[utilisateur.identifiant]
    faux = code[::-1] if code != code[::-1] else "1000000001"
    saisie = {"identifiant": utilisateur.identifiant, "code": faux, "mot_de_passe": "lune-seau-brique-feu"}

    def essayer() -> bool:
        reponse = Client().post(
            reverse("comptes:premiere_connexion"), {**saisie, "confirmation": "lune-seau-brique-feu"}
        )
        return str(CODE_REFUSE) in reponse.content.decode()  # `context` se mêle d'un fil à l'autre

    issues = en_meme_temps(*[essayer] * 10)

    assert issues.count(True) == 5
