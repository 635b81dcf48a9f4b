"""Les métriques, au format de Prometheus : l'état du service, mesuré à chaque lecture."""

from collections.abc import Iterable
from typing import Any

from django.db import DatabaseError, connection
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from caf_remboursement.surveillance.etat import mesurer
from caf_remboursement.surveillance.problemes import trouver


class Etat(Collector):
    """Ce que `etat_service` montre, en nombres ; `rembourser_base` vaut 0 quand rien d'autre ne se sait."""

    def collect(self) -> Iterable[GaugeMetricFamily]:
        """Une mesure par lecture : rien n'est retenu d'une fois sur l'autre."""
        try:
            etat = mesurer()
        except DatabaseError:
            return [GaugeMetricFamily("rembourser_base", "1 si la base répond", value=0)]
        finally:
            # Chaque lecture a son fil : sa connexion finit avec lui.
            if not connection.in_atomic_block:
                connection.close()
        return [
            GaugeMetricFamily("rembourser_base", "1 si la base répond", value=1),
            GaugeMetricFamily("rembourser_problemes", "problèmes ouverts", value=len(trouver(etat))),
            _par("rembourser_travail_du", "travail dont l'heure est passée", _champ(etat["travaux"], "nombre")),
            _par("rembourser_retard_secondes", "âge du plus vieux travail dû", _champ(etat["travaux"], "age_s")),
            _par("rembourser_file_messages", "messages dans chaque file", etat["files"] or {}),
            _par("rembourser_liaison_echecs", "échecs de suite de chaque liaison", _champ(etat["liaisons"], "echecs")),
            GaugeMetricFamily("rembourser_anomalies", "anomalies ouvertes", value=etat["argent"]["anomalies"]),
            GaugeMetricFamily(
                "rembourser_a_mettre_d_equerre_euros",
                "argent tenu que la file montre",
                value=float(etat["argent"]["a_mettre_d_equerre"]),
            ),
            GaugeMetricFamily("rembourser_disque_libre_pct", "disque libre", value=etat["disque_libre_pct"]),
            GaugeMetricFamily("rembourser_base_octets", "taille de la base", value=etat["base_octets"]),
        ]


def _champ(lignes: dict[str, dict[str, Any]], nom: str) -> dict[str, Any]:
    return {cle: ligne[nom] for cle, ligne in lignes.items()}


def _par(nom: str, aide: str, valeurs: dict[str, Any]) -> GaugeMetricFamily:
    famille = GaugeMetricFamily(nom, aide, labels=["nom"])
    for cle, valeur in valeurs.items():
        famille.add_metric([cle], valeur)
    return famille
