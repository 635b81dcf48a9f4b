"""Un navigateur dit en clair dans la liste des sessions."""

from django import template

register = template.Library()

# Dans cet ordre : Edge se dit aussi Chrome, qui se dit aussi Safari ; Android se dit aussi Linux.
NAVIGATEURS = {"Edg": "Edge", "Firefox": "Firefox", "Chrome": "Chrome", "Safari": "Safari"}
MACHINES = {
    "iPhone": "sur iPhone",
    "iPad": "sur iPad",
    "Android": "sous Android",
    "Windows": "sous Windows",
    "Mac OS": "sur Mac",
    "Linux": "sous Linux",
}


@register.filter
def appareil(agent: str) -> str:
    """« Firefox sous Windows » ; ce qu'on ne reconnaît pas se dit « Navigateur inconnu »."""
    navigateur = next((nom for indice, nom in NAVIGATEURS.items() if indice in agent), "Navigateur inconnu")
    machine = next((nom for indice, nom in MACHINES.items() if indice in agent), "")
    return f"{navigateur} {machine}".strip()
