"""Les réglages du service, et la galerie des composants en plus : ceux de la démonstration."""

from typing import Any

from caf_remboursement.settings import *  # noqa: F403 (ce sont les mêmes réglages, à deux près)
from caf_remboursement.settings import BASE_DIR, TEMPLATES

_gabarits: dict[str, Any] = TEMPLATES[0]

ROOT_URLCONF = "outils.galerie"
TEMPLATES = [_gabarits | {"DIRS": [*_gabarits["DIRS"], BASE_DIR / "outils" / "gabarits"]}]
