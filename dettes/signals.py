"""Ce que les dettes annoncent aux apps du dessus, sans les connaître."""

from django.dispatch import Signal

# Le fichier de la Caf, moins nos imputations, mène une dette sous zéro : elle est mise à zéro (FICHIERS §3.4).
# Émis dans la transaction de l'import avec `dette`, `montant` (euros manquants, positif) et `origine`, un texte qui
# reste le même tant que la situation dure : le même écart chaque nuit est le même fait.
solde_negatif = Signal()
