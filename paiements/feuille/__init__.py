"""La feuille du jour : les trois livres d'une Caf, mis d'équerre."""
