#!/usr/bin/env python
"""Les commandes du service : `python manage.py help`."""

import os
import sys
import traceback

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line

PAS_PU = 3  # celui de socle/commandes.py, qui ne se charge pas sans réglages


def lire_les_reglages() -> None:
    """Un réglage absent, ou qui ne se lit pas, est une ligne et le code 3 ; sa valeur, un secret parfois, se tait."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "caf_remboursement.settings")
    try:
        _ = settings.DATABASES
    except Exception as faute:
        lignes = [c.line for c in traceback.extract_tb(faute.__traceback__) if c.filename.endswith("settings.py")]
        dit = faute if isinstance(faute, ImproperlyConfigured) else f"{type(faute).__name__}, {lignes[-1:]}"
        sys.stderr.write(f"Réglage manquant ou faux : {dit}\n")
        sys.exit(PAS_PU)


if __name__ == "__main__":
    lire_les_reglages()
    execute_from_command_line(sys.argv)
