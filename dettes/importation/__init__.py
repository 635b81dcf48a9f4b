"""La livraison de la Caf, du dossier reçu aux dettes : manifeste, étape, règles, application (FICHIERS §1 à §3)."""

from dettes.importation.barriere import EcartTropGrand
from dettes.importation.livraison import importer
from dettes.importation.manifeste import LivraisonRefusee

__all__ = ["EcartTropGrand", "LivraisonRefusee", "importer"]
