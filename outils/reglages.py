"""Les réglages du service, et la galerie des composants en plus : ceux de la démonstration."""

import os
from datetime import timedelta
from typing import Any

from caf_remboursement.settings import *  # noqa: F403 (ce sont les mêmes réglages, à peu près)
from caf_remboursement.settings import BASE_DIR, TEMPLATES

# `make demo VERIFICATION=60` : le temps de voir « enregistrée », et son bandeau.
VERIFIER_APRES = timedelta(seconds=int(os.environ.get("VERIFICATION", "0")))

_gabarits: dict[str, Any] = TEMPLATES[0]

ROOT_URLCONF = "outils.galerie"
TEMPLATES = [_gabarits | {"DIRS": [*_gabarits["DIRS"], BASE_DIR / "outils" / "gabarits"]}]
