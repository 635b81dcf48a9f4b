"""Le processus `serveur` : gunicorn, un seul worker à seize fils, et le moteur des IPN dans ce worker."""

from typing import Any

import django
from django.core.management import call_command
from django.db import connections
from gunicorn.app.base import BaseApplication

FILS = 16


class Serveur(BaseApplication):
    """Gunicorn réglé par le code, sans ligne de commande."""

    def __init__(self, adresse: str, port: int) -> None:
        self.ecoute = f"{adresse}:{port}"
        super().__init__()

    def load_config(self) -> None:
        """Un seul worker : le moteur et les pages partagent la même base SQLite et la même horloge."""
        for nom, valeur in {
            "bind": self.ecoute,
            "worker_class": "gthread",
            "workers": 1,
            "threads": FILS,
            "loglevel": "warning",
            "graceful_timeout": 5,
            "control_socket_disable": True,
            "post_worker_init": demarrer_moteur,
            "worker_exit": arreter_moteur,
        }.items():
            self.cfg.set(nom, valeur)

    def load(self) -> Any:
        """Charge l'application dans le worker."""
        from .wsgi import application

        return application


def demarrer_moteur(_worker: Any) -> None:
    """Lance le moteur une fois l'application chargée."""
    from . import moteur

    moteur.demarrer()


def arreter_moteur(_serveur: Any, _worker: Any) -> None:
    """Laisse finir l'appel en cours, puis arrête le moteur."""
    from . import moteur

    moteur.arreter()


def servir(adresse: str, port: int) -> None:
    """Migre la base puis sert ; rend la main à l'arrêt."""
    django.setup()
    call_command("migrate", interactive=False, verbosity=0)
    connections.close_all()  # une connexion SQLite ne traverse pas un fork
    Serveur(adresse, port).run()
