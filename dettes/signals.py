"""Ce que les dettes annoncent aux apps du dessus, sans les connaître."""

from django.dispatch import Signal

# Le fichier de la Caf, moins nos imputations, mène une dette sous zéro : elle est mise à zéro (FICHIERS §3.4).
# Émis dans la transaction de l'import avec `dette`, `montant` (euros manquants, positif) et `origine`, à lire.
solde_negatif = Signal()

# Les soldes d'une livraison sont portés. Émis dans la même transaction avec `caf`, et `garder_positives` : de ces clés
# de dettes, celles que la livraison a lues et ne mène pas sous zéro.
soldes_lus = Signal()
