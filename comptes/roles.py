"""Qui peut faire quoi au bureau des agents : une table, rôle → droits. N'importe aucun modèle."""

from typing import Literal

Droit = Literal[
    "regarder",
    "verifier",
    "traiter_anomalie",
    "demander_restitution",
    "approuver_restitution",
    "suspendre_service",
    "regler_seuils",
    "lire_journal",
    "clore_le_jour",
]

GESTION: frozenset[Droit] = frozenset({"regarder", "verifier", "traiter_anomalie", "demander_restitution"})

DROITS: dict[str, frozenset[Droit]] = {
    "CONSULTATION": frozenset({"regarder"}),
    "GESTION": GESTION,
    # Qui approuve une restitution n'en demande pas : il y faut deux personnes.
    "COMPTABLE": frozenset({"regarder", "approuver_restitution", "clore_le_jour"}),
    "RESPONSABLE": GESTION | {"suspendre_service", "regler_seuils", "lire_journal", "clore_le_jour"},
}
