"""
La graine de tout ce qui est tiré au sort : la même chaque jour, pour qu'une livraison ne tombe que par sa faute.

`GRAINE=7 make test ARGS=tests/pannes/test_machine.py` tire ailleurs ; une graine trouvée ainsi rejoue sa faute.
"""

import os

GRAINE = int(os.environ.get("GRAINE") or 20261129)
