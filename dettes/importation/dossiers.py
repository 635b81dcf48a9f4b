"""Porter les bonnes lignes aux allocataires et à leurs comptes ; n'écrire que ce qui change."""

from django.db.backends.utils import CursorWrapper

from dettes.importation.bilan import Bilan
from dettes.importation.manifeste import Manifeste
from dettes.importation.reconnues import sans_boucles

VUE_ALLOCATAIRES = """
CREATE TEMP VIEW allocataires_lus AS
SELECT caf, numero, civilite, nom, prenom, nullif(date_naissance, '')::date AS date_naissance, identite,
       nullif(radie_le, '')::date AS radie_le, empreinte
FROM etape_allocataires
"""

CHANGER_ALLOCATAIRES = """
UPDATE comptes_allocataire a
SET civilite = l.civilite, nom = l.nom, prenom = l.prenom, date_naissance = l.date_naissance, identite = l.identite,
    radie_le = l.radie_le, empreinte = l.empreinte
FROM allocataires_lus l
WHERE a.caf_id = l.caf AND a.numero = l.numero
  AND (a.civilite, a.nom, a.prenom, a.date_naissance, a.identite, a.radie_le)
      IS DISTINCT FROM (l.civilite, l.nom, l.prenom, l.date_naissance, l.identite, l.radie_le)
"""

# La ligne n'est plus écrite pareil, et ne dit rien de plus.
GARDER_LES_EMPREINTES = """
UPDATE comptes_allocataire a SET empreinte = l.empreinte FROM allocataires_lus l
WHERE a.caf_id = l.caf AND a.numero = l.numero AND a.empreinte IS DISTINCT FROM l.empreinte
"""

CREER_ALLOCATAIRES = """
INSERT INTO comptes_allocataire (caf_id, numero, civilite, nom, prenom, date_naissance, identite, radie_le, empreinte)
SELECT l.* FROM allocataires_lus l
WHERE NOT EXISTS (SELECT FROM comptes_allocataire a WHERE a.caf_id = l.caf AND a.numero = l.numero)
"""

# Le mot de passe est inutilisable, à la manière de make_password(None) : « ! » et quarante signes tirés au sort.
CREER_COMPTES = """
INSERT INTO comptes_utilisateur (identifiant, password, allocataire_id, is_active, is_staff, is_superuser, cree_le)
SELECT lower(a.caf_id || a.numero),
       '!' || left(replace(gen_random_uuid()::text || gen_random_uuid()::text, '-', ''), 40),
       a.id, true, false, false, now()
FROM comptes_allocataire a
WHERE a.caf_id = %(caf)s AND NOT EXISTS (SELECT FROM comptes_utilisateur u WHERE u.allocataire_id = a.id)
ON CONFLICT (identifiant) DO NOTHING
"""


def appliquer_allocataires(curseur: CursorWrapper, manifeste: Manifeste, bilan: Bilan) -> int:
    """Crée et met à jour les dossiers, puis ouvre un compte à ceux qui n'en ont aucun ; rend le nombre de comptes."""
    curseur.execute(VUE_ALLOCATAIRES)
    curseur.execute(CHANGER_ALLOCATAIRES)
    bilan.changes = curseur.rowcount
    curseur.execute(GARDER_LES_EMPREINTES)
    curseur.execute(CREER_ALLOCATAIRES)
    bilan.crees = curseur.rowcount
    with sans_boucles(curseur):
        curseur.execute(CREER_COMPTES, {"caf": manifeste.caf})
        comptes: int = curseur.rowcount
    return comptes
