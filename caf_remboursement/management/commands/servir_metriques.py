import signal

from django.core.management.base import CommandParser
from prometheus_client import CollectorRegistry, start_http_server

from caf_remboursement.surveillance.metriques import Etat
from socle.commandes import CommandeSobre


class Command(CommandeSobre):
    help = "Sert les métriques à Prometheus, sur un port à elles, jusqu'à ce qu'on l'arrête."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--port", type=int, default=9109, help="(%(default)s)")
        parser.add_argument("--adresse", default="127.0.0.1", help="(%(default)s)")

    def handle(self, *, port: int, adresse: str, **options: object) -> None:
        registre = CollectorRegistry()
        registre.register(Etat())
        start_http_server(port, adresse, registre)
        self.stdout.write(f"Métriques sur http://{adresse}:{port}/metrics")
        signal.sigwait({signal.SIGINT, signal.SIGTERM})
