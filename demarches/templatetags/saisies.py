"""Écrire un montant tel qu'on le tape."""

from django import template

from demarches.champs import ecrire_saisie

register = template.Library()
register.filter("saisie", ecrire_saisie)
