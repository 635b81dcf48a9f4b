"""Porter les bonnes lignes aux allocataires, à leurs comptes et à leurs dettes ; n'écrire que ce qui change."""

from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from typing import Any

from django.db.backends.utils import CursorWrapper

from dettes import signals
from dettes.importation.manifeste import Manifeste
from dettes.models import Dette, FichierRecu


@dataclass
class Bilan:
    """Ce que devient un fichier, en nombre de lignes. `changes` ne compte que des lignes du fichier."""

    lus: int = 0
    crees: int = 0
    changes: int = 0
    rejetes: int = 0

    @property
    def inchanges(self) -> int:
        return self.lus - self.crees - self.changes - self.rejetes


# Les verrous se prennent par tranches ; la transaction, elle, reste une : tout ou rien.
TRANCHES = 10

VUE_ALLOCATAIRES = """
CREATE TEMP VIEW allocataires_lus AS
SELECT caf, numero, civilite, nom, prenom, nullif(date_naissance, '')::date AS date_naissance, identite,
       nullif(radie_le, '')::date AS radie_le
FROM etape_allocataires
"""

CHANGER_ALLOCATAIRES = """
UPDATE comptes_allocataire a
SET civilite = l.civilite, nom = l.nom, prenom = l.prenom, date_naissance = l.date_naissance, identite = l.identite,
    radie_le = l.radie_le
FROM allocataires_lus l
WHERE a.caf_id = l.caf AND a.numero = l.numero
  AND (a.civilite, a.nom, a.prenom, a.date_naissance, a.identite, a.radie_le)
      IS DISTINCT FROM (l.civilite, l.nom, l.prenom, l.date_naissance, l.identite, l.radie_le)
"""

CREER_ALLOCATAIRES = """
INSERT INTO comptes_allocataire (caf_id, numero, civilite, nom, prenom, date_naissance, identite, radie_le)
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

# Une dette dont le dossier a une ligne rejetée n'est pas « absente » : sa ligne peut être celle qu'on n'a pas su lire.
AJOUTER_ABSENTES = """
INSERT INTO etape_dettes (absente, caf, numero, reference, creancier, nature, code, libelle, motif, periode_debut,
                          periode_fin, notifiee_le, montant_initial, solde, phase, situation, retenue_mensuelle)
SELECT true, d.caf_id, a.numero, d.reference, d.creancier, d.nature, d.code, d.libelle, d.motif,
       coalesce(d.periode_debut::text, ''), coalesce(d.periode_fin::text, ''), d.notifiee_le::text,
       trunc(d.montant_initial * 100)::text, '0', d.phase,
       CASE d.situation WHEN 'ANNULEE' THEN 'ANNULEE' ELSE 'SOLDEE' END, ''
FROM dettes_dette d JOIN comptes_allocataire a ON a.id = d.allocataire_id
WHERE d.caf_id = %(caf)s AND (d.solde > 0 OR d.situation NOT IN ('SOLDEE', 'ANNULEE'))
  AND NOT EXISTS (SELECT FROM etape_dettes e WHERE e.reference = d.reference)
  AND NOT EXISTS (SELECT FROM rejets r WHERE r.fichier = 'dettes.csv' AND (r.cle = d.reference OR r.numero = a.numero))
"""

# Nos écritures que la Caf n'a pas encore déduites : pas émises, ou émises après la dernière séquence qu'elle a prise.
VUE_DETTES = """
CREATE TEMP VIEW dettes_lues AS
SELECT e.ligne, e.absente, e.caf, a.id AS allocataire_id, e.reference, e.creancier, e.nature, e.code, e.libelle,
       e.motif, nullif(e.periode_debut, '')::date AS periode_debut, nullif(e.periode_fin, '')::date AS periode_fin,
       e.notifiee_le::date AS notifiee_le, e.montant_initial::numeric(11) / 100 AS montant_initial,
       e.solde::numeric(11) / 100 AS solde, e.phase, e.situation,
       nullif(e.retenue_mensuelle, '')::numeric(11) / 100 AS retenue_mensuelle,
       coalesce(nullif(e.solde_crediteur, '')::numeric(11) / 100, 0) AS crediteur,
       nullif(e.deduit, '')::numeric(11) / 100 AS deduit
FROM etape_dettes e JOIN comptes_allocataire a ON a.caf_id = e.caf AND a.numero = e.numero;

CREATE TEMP VIEW dettes_connues AS
SELECT d.id, l.ligne, l.absente, l.creancier, l.nature, l.code, l.libelle, l.motif, l.periode_debut, l.periode_fin,
       l.notifiee_le, l.phase, l.retenue_mensuelle, l.montant_initial,
       -- Créditrice, elle a reçu plus que son dû : c'est un solde sous zéro (docs/adr/0055).
       -- garde: solde_crediteur
       l.solde - l.crediteur + coalesce(r.somme, 0) AS reste, l.deduit, coalesce(r.somme, 0) AS pas_deduit,
       -- La Caf la croit soldée, mais la banque a repris un paiement qu'elle ne sait pas encore repris.
       CASE WHEN l.situation = 'SOLDEE' AND l.solde = 0 AND r.somme > 0 THEN 'EN_COURS' ELSE l.situation END
           AS situation
FROM dettes_lues l
JOIN dettes_dette d ON d.caf_id = l.caf AND d.reference = l.reference
LEFT JOIN (
    SELECT m.dette_id, sum(m.montant) AS somme FROM dettes_mouvement m
    WHERE m.genre IN ('IMPUTATION', 'REJET') AND NOT EXISTS (
        SELECT FROM dettes_ligneemise e JOIN dettes_fichieremis f ON f.id = e.fichier_id
        WHERE e.mouvement_id = m.id AND f.sequence <= %(deduits)s
    )
    GROUP BY m.dette_id
) r ON r.dette_id = d.id
"""

REPERER_CHANGEES = """
CREATE TEMP TABLE changees AS
SELECT d.id, c.absente, c.montant_initial <> d.montant_initial AS autre_montant_initial,
       ntile(%(tranches)s) OVER (ORDER BY d.id) AS tranche
FROM dettes_connues c JOIN dettes_dette d ON d.id = c.id
WHERE c.reste < 0 OR d.solde <> c.reste OR c.montant_initial <> d.montant_initial OR
      (d.creancier, d.nature, d.code, d.libelle, d.motif, d.periode_debut, d.periode_fin, d.notifiee_le, d.phase,
       d.situation, d.retenue_mensuelle)
      IS DISTINCT FROM
      (c.creancier, c.nature, c.code, c.libelle, c.motif, c.periode_debut, c.periode_fin, c.notifiee_le, c.phase,
       c.situation, c.retenue_mensuelle)
"""

# Même ordre que l'imputation : celui des clés, donc aucun interblocage.
VERROUILLER_CHANGEES = """
SELECT count(*) FROM (
    SELECT FROM dettes_dette WHERE id IN (SELECT id FROM changees WHERE tranche = %(tranche)s)
    -- garde: verrou_de_l_import
    ORDER BY id FOR NO KEY UPDATE
) AS verrouillees
"""

# Sous le verrou, une fois pour toutes : un paiement imputé entre-temps est dans le compte.
VISER_CHANGEES = """
TRUNCATE cibles;
INSERT INTO cibles
SELECT c.* FROM dettes_connues c JOIN changees d ON d.id = c.id AND d.tranche = %(tranche)s;
ANALYZE cibles
"""

AJUSTER_CHANGEES = """
INSERT INTO dettes_mouvement (dette_id, genre, montant, solde_apres, origine, motif, fichier_recu_id, le)
SELECT d.id, 'AJUSTEMENT', greatest(c.reste, 0) - d.solde, 0, %(origine)s,
       CASE WHEN c.absente THEN 'la Caf ne compte plus cette dette' ELSE 'la Caf annonce un autre solde' END,
       %(fichier_recu)s, now()
FROM cibles c JOIN dettes_dette d ON d.id = c.id
WHERE d.solde <> greatest(c.reste, 0)
ORDER BY d.id
"""

CHANGER_DETTES = """
UPDATE dettes_dette d
SET creancier = c.creancier, nature = c.nature, code = c.code, libelle = c.libelle, motif = c.motif,
    periode_debut = c.periode_debut, periode_fin = c.periode_fin, notifiee_le = c.notifiee_le, phase = c.phase,
    situation = c.situation, retenue_mensuelle = c.retenue_mensuelle
FROM cibles c
WHERE d.id = c.id
  AND (d.creancier, d.nature, d.code, d.libelle, d.motif, d.periode_debut, d.periode_fin, d.notifiee_le, d.phase,
       d.situation, d.retenue_mensuelle)
      IS DISTINCT FROM
      (c.creancier, c.nature, c.code, c.libelle, c.motif, c.periode_debut, c.periode_fin, c.notifiee_le, c.phase,
       c.situation, c.retenue_mensuelle)
"""

REPERER_NEGATIVES = "SELECT id, -reste FROM cibles WHERE reste < 0 ORDER BY id"

CREER_DETTES = """
CREATE TEMP TABLE neuves (id bigint, solde numeric);

WITH creees AS (
    INSERT INTO dettes_dette (caf_id, allocataire_id, reference, creancier, nature, code, libelle, motif,
                              periode_debut, periode_fin, notifiee_le, montant_initial, solde, phase, situation,
                              retenue_mensuelle)
    SELECT l.caf, l.allocataire_id, l.reference, l.creancier, l.nature, l.code, l.libelle, l.motif,
           l.periode_debut, l.periode_fin, l.notifiee_le, l.montant_initial, l.montant_initial, l.phase, l.situation,
           l.retenue_mensuelle
    FROM dettes_lues l
    WHERE NOT EXISTS (SELECT FROM dettes_dette d WHERE d.caf_id = l.caf AND d.reference = l.reference)
    ORDER BY l.ligne
    RETURNING id, reference
)
INSERT INTO neuves SELECT c.id, l.solde FROM creees c JOIN dettes_lues l ON l.reference = c.reference
"""

CONSTATER_NEUVES = """
INSERT INTO dettes_mouvement (dette_id, genre, montant, solde_apres, origine, motif, fichier_recu_id, le)
SELECT d.id, 'CONSTAT', d.montant_initial, 0, %(origine)s, '', %(fichier_recu)s, now()
FROM neuves n JOIN dettes_dette d ON d.id = n.id
ORDER BY d.id
"""

AJUSTER_NEUVES = """
INSERT INTO dettes_mouvement (dette_id, genre, montant, solde_apres, origine, motif, fichier_recu_id, le)
SELECT d.id, 'AJUSTEMENT', n.solde - d.montant_initial, 0, %(origine)s,
       'déjà remboursé quand ce service a reçu la dette', %(fichier_recu)s, now()
FROM neuves n JOIN dettes_dette d ON d.id = n.id
WHERE n.solde <> d.montant_initial
ORDER BY d.id
"""


def appliquer_allocataires(curseur: CursorWrapper, manifeste: Manifeste, bilan: Bilan) -> int:
    """Crée et met à jour les dossiers, puis ouvre un compte à ceux qui n'en ont aucun ; rend le nombre de comptes."""
    curseur.execute(VUE_ALLOCATAIRES)
    curseur.execute(CHANGER_ALLOCATAIRES)
    bilan.changes = curseur.rowcount
    curseur.execute(CREER_ALLOCATAIRES)
    bilan.crees = curseur.rowcount
    curseur.execute(CREER_COMPTES, {"caf": manifeste.caf})
    comptes: int = curseur.rowcount
    return comptes


def preparer_dettes(curseur: CursorWrapper, manifeste: Manifeste) -> None:
    """Ajoute les absentes d'une livraison complète, et pose les vues qui disent ce que chaque dette deviendrait."""
    valeurs: dict[str, Any] = {"caf": manifeste.caf, "deduits": manifeste.derniere_sequence_encaissements}
    if manifeste.is_complet:
        curseur.execute(AJOUTER_ABSENTES, valeurs)
    curseur.execute(VUE_DETTES, valeurs)


def appliquer_dettes(
    curseur: CursorWrapper, manifeste: Manifeste, fichier_recu: FichierRecu, bilan: Bilan
) -> dict[str, int]:
    """
    Porte les dettes préparées, verrou pris dans l'ordre des clés ; rend les comptes propres aux dettes.

    Le solde visé se calcule sous le verrou : un paiement imputé pendant la lecture n'est ni perdu ni compté deux fois.
    """
    valeurs: dict[str, Any] = {
        "origine": str(manifeste),
        "fichier_recu": fichier_recu.pk,
    }
    curseur.execute(REPERER_CHANGEES, {"tranches": TRANCHES})
    # Rien de neuf ne peut être tenu par un autre : les verrous viennent après.
    curseur.execute(CREER_DETTES)
    curseur.execute(CONSTATER_NEUVES, valeurs)
    bilan.crees = curseur.rowcount
    curseur.execute(AJUSTER_NEUVES, valeurs)
    curseur.execute("ANALYZE changees; CREATE TEMP TABLE cibles AS SELECT * FROM dettes_connues WITH NO DATA")
    negatives = sum(_changer_une_tranche(curseur, manifeste, valeurs | {"tranche": n + 1}) for n in range(TRANCHES))
    signals.soldes_lus.send(sender=Dette, caf=manifeste.caf, garder_positives=partial(_garder_positives, curseur))
    curseur.execute(
        "SELECT count(*) FILTER (WHERE NOT absente), count(*) FILTER (WHERE absente),"
        " count(*) FILTER (WHERE autre_montant_initial) FROM changees"
    )
    bilan.changes, absentes, autres = curseur.fetchone()
    return {"soldees_par_absence": absentes, "montants_initiaux_gardes": autres, "soldes_negatifs": negatives}


def _changer_une_tranche(curseur: CursorWrapper, manifeste: Manifeste, valeurs: dict[str, Any]) -> int:
    """
    Verrouille, vise, ajuste et change une part des dettes changées ; rend combien iraient sous zéro.

    Une dette n'est tenue que de sa tranche à la fin de l'import, et non pendant tout ce qui précède.
    """
    curseur.execute(VERROUILLER_CHANGEES, valeurs)
    curseur.execute(VISER_CHANGEES, valeurs)
    negatives = _signaler_negatives(curseur, manifeste)
    curseur.execute(AJUSTER_CHANGEES, valeurs)
    curseur.execute(CHANGER_DETTES)
    return negatives


def _signaler_negatives(curseur: CursorWrapper, manifeste: Manifeste) -> int:
    """Annonce les dettes que la Caf mènerait sous zéro ; rend leur nombre."""
    curseur.execute(REPERER_NEGATIVES)
    manques: dict[int, Decimal] = dict(curseur.fetchall())
    dettes = Dette.objects.select_related("caf").in_bulk(manques)
    for cle, manque in manques.items():
        signals.solde_negatif.send(
            sender=Dette,
            dette=dettes[cle],
            montant=manque.quantize(Decimal("0.01")),
            origine=f"encaissements {manifeste.caf} déduits jusqu'au n° {manifeste.derniere_sequence_encaissements}",
        )
    return len(manques)


def _garder_positives(curseur: CursorWrapper, cles: list[int]) -> list[int]:
    """De ces dettes, celles que la livraison dit et ne mène pas sous zéro ; d'une ligne rejetée, elle ne dit rien."""
    if not cles:
        return []
    curseur.execute("SELECT id FROM dettes_connues WHERE id = ANY(%s) AND reste >= 0", [cles])
    return [cle for (cle,) in curseur.fetchall()]
