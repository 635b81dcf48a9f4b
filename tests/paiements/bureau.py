"""Les adresses du bureau des agents : la fiche d'un objet, et ses boutons."""

from django.db.models import Model
from django.urls import reverse


def fiche(objet: Model) -> str:
    return reverse(f"admin:{objet._meta.app_label}_{objet._meta.model_name}_change", args=[objet.pk])


def geste(objet: Model, nom: str) -> str:
    return reverse(f"admin:{objet._meta.model_name}_geste", args=[objet.pk, nom])
