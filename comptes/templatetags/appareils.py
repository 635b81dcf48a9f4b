"""Un navigateur dit en clair dans la liste des sessions."""

from django import template
from django.utils.translation import gettext, gettext_lazy

register = template.Library()

# Dans cet ordre : Edge se dit aussi Chrome, qui se dit aussi Safari ; Android se dit aussi Linux.
NAVIGATEURS = {"Edg": "Edge", "Firefox": "Firefox", "Chrome": "Chrome", "Safari": "Safari"}
MACHINES = {
    "iPhone": gettext_lazy("sur iPhone"),
    "iPad": gettext_lazy("sur iPad"),
    "Android": gettext_lazy("sous Android"),
    "Windows": gettext_lazy("sous Windows"),
    "Mac OS": gettext_lazy("sur Mac"),
    "Linux": gettext_lazy("sous Linux"),
}


@register.filter
def appareil(agent: str) -> str:
    """« Firefox sous Windows » ; ce qu'on ne reconnaît pas se dit « Navigateur inconnu »."""
    navigateur = next((nom for indice, nom in NAVIGATEURS.items() if indice in agent), gettext("Navigateur inconnu"))
    machine = next((nom for indice, nom in MACHINES.items() if indice in agent), "")
    return f"{navigateur} {machine}".strip()
