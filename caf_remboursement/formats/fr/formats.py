"""À la seconde : d'un paiement, cinq étapes tiennent dans une minute."""

DATETIME_FORMAT = "d/m/Y H:i:s"
