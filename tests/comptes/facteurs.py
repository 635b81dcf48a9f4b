"""Les gestes d'un agent qui reçoit, active ou retrouve sa deuxième preuve."""

from django.test import Client
from django.urls import reverse

from comptes import activation
from comptes.models import Agent, Utilisateur
from tests.connexion import calculer_code, entrer
from tests.factories import MOT_DE_PASSE

NOUVEAU = "lune-seau-brique-feu"


def entrer_par_code(client: Client, utilisateur: Utilisateur, mot_de_passe: str = NOUVEAU):
    code = activation.emettre_pour_un_agent(utilisateur)
    saisie = {"identifiant": utilisateur.identifiant, "code": code, "mot_de_passe": mot_de_passe}
    return client.post(reverse("comptes:premiere_connexion"), {**saisie, "confirmation": mot_de_passe})


def activer(client: Client, decalage: int = 0) -> str:
    """Active l'application d'authentification ; rend son secret."""
    secret = client.get(reverse("mfa_activate_totp")).context["form"].secret
    reponse = client.post(reverse("mfa_activate_totp"), {"code": calculer_code(secret, decalage)})
    assert reponse.status_code == 302
    return secret


def presenter(agent: Agent, code: str, mot_de_passe: str = MOT_DE_PASSE):
    """Donne ce code dans une visite neuve, ouverte par le mot de passe."""
    visite = Client()
    entrer(visite, agent.utilisateur.identifiant, mot_de_passe)
    return visite.post(reverse("mfa_authenticate"), {"code": code})
