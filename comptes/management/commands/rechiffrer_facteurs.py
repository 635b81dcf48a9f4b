"""Après un changement de SECRET_KEY : plus rien ne doit dépendre de l'ancienne."""

from allauth.mfa.models import Authenticator
from cryptography.fernet import InvalidToken
from django.core.management.base import CommandError
from django.db import transaction

from comptes.chiffrement import rechiffrer
from socle.commandes import Code, Commande

SECRETS = ("secret", "seed")


class Command(Commande):
    help = "Rechiffre par la SECRET_KEY du jour les seconds facteurs chiffrés par une des SECRET_KEY_FALLBACKS."
    ecrit = True
    seule = True

    @transaction.atomic
    def handle(self, **_: object) -> None:
        facteurs = Authenticator.objects.select_for_update().exclude(type=Authenticator.Type.WEBAUTHN)
        for facteur in facteurs:
            try:
                facteur.data |= {nom: rechiffrer(facteur.data[nom]) for nom in SECRETS if nom in facteur.data}
            except InvalidToken as perdue:
                raise CommandError(
                    f"Aucune clé connue ne lit le second facteur de « {facteur.user} » : rien n'a été changé. "
                    "Remettez l'ancienne clé dans SECRET_KEY_FALLBACKS, ou rendez-lui son accès (rendre_acces).",
                    returncode=Code.CONSTAT,
                ) from perdue
            facteur.save(update_fields=["data"])
        transaction.set_rollback(self.a_blanc)
        fait = "à rechiffrer" if self.a_blanc else "rechiffrés"
        self.montrer({"facteurs": len(facteurs)}, [f"{len(facteurs)} seconds facteurs {fait}."])
