"""Django cherche ici les fiches du bureau : elles sont dans `paiements.bureau`."""
