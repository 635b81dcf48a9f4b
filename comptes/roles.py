"""Qui peut faire quoi au bureau des agents : une table, rôle → gestes. N'importe aucun modèle."""

from typing import Literal

Geste = Literal[
    "regarder",
    "verifier",
    "traiter_anomalie",
    "demander_restitution",
    "approuver_restitution",
    "suspendre_service",
]

GESTION: frozenset[Geste] = frozenset({"regarder", "verifier", "traiter_anomalie", "demander_restitution"})

GESTES: dict[str, frozenset[Geste]] = {
    "CONSULTATION": frozenset({"regarder"}),
    "GESTION": GESTION,
    # Qui approuve une restitution n'en demande pas : il y faut deux personnes.
    "COMPTABLE": frozenset({"regarder", "approuver_restitution"}),
    "RESPONSABLE": GESTION | {"suspendre_service"},
}
