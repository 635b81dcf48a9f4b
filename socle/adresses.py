"""Les adresses d'une liste."""

from collections.abc import Callable

from django.urls import reverse


def chercher(route: str) -> Callable[[str], str]:
    """
    L'adresse de cette route pour une référence : la route se cherche une fois, et non à chaque ligne.

    :param route: une route dont la référence est le seul argument
    """
    avant, _, apres = reverse(route, args=["0"]).rpartition("/0/")
    return lambda reference: f"{avant}/{reference}/{apres}"
