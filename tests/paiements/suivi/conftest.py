"""Une personne connectée, qui suit ses demandes."""

from tests.demarches.conftest import connecte, envoyer, personne, voir

__all__ = ["connecte", "envoyer", "personne", "voir"]
