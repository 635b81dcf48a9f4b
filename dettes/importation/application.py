"""Porter les bonnes lignes aux dettes ; n'écrire que ce qui change."""

from decimal import Decimal
from functools import partial
from typing import Any

from django.db.backends.utils import CursorWrapper

from dettes import signals
from dettes.importation import rejets
from dettes.importation.bilan import Bilan
from dettes.importation.manifeste import Manifeste
from dettes.importation.reconnues import PAS_DEDUITES, sans_boucles
from dettes.models import Dette, FichierRecu

# Les verrous se prennent par tranches ; la transaction, elle, reste une : tout ou rien.
TRANCHES = 10

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
  AND NOT EXISTS (SELECT FROM reconnues q WHERE q.id = d.id)
  AND NOT EXISTS (SELECT FROM etape_dettes e WHERE e.reference = d.reference)
  AND NOT EXISTS (SELECT FROM rejets r WHERE r.fichier = 'dettes.csv' AND r.cle = d.reference)
  AND NOT EXISTS (SELECT FROM rejets r WHERE r.fichier = 'dettes.csv' AND r.numero = a.numero)
"""

# Lues une fois, avec la clé de la dette, connue ou à naître : tout ce qui suit se joint par elle.
LIRE_DETTES = """
CREATE TEMP TABLE dettes_lues AS
SELECT coalesce(d.id, nextval(pg_get_serial_sequence('dettes_dette', 'id'))) AS id, d.id IS NULL AS neuve,
       d.montant_initial AS montant_tenu, e.ligne, e.empreinte, e.absente, e.caf, a.id AS allocataire_id, e.reference,
       e.creancier, e.nature, e.code, e.libelle, e.motif, nullif(e.periode_debut, '')::date AS periode_debut,
       nullif(e.periode_fin, '')::date AS periode_fin, e.notifiee_le::date AS notifiee_le,
       e.montant_initial::numeric(11) / 100 AS montant_initial, e.solde::numeric(11) / 100 AS solde, e.phase,
       e.situation, nullif(e.retenue_mensuelle, '')::numeric(11) / 100 AS retenue_mensuelle,
       coalesce(nullif(e.solde_crediteur, '')::numeric(11) / 100, 0) AS crediteur,
       nullif(e.deduit, '')::numeric(11) / 100 AS deduit
FROM etape_dettes e
JOIN comptes_allocataire a ON a.caf_id = e.caf AND a.numero = e.numero
LEFT JOIN dettes_dette d ON d.caf_id = e.caf AND d.reference = e.reference;
ANALYZE dettes_lues
"""

# Le rejet d'un trop-payé : son ajustement, qui n'est d'aucune livraison, a laissé la dette où elle était.
RETENU = """
    m.genre = 'REJET' AND EXISTS (
        SELECT FROM dettes_mouvement a
        WHERE a.dette_id = m.dette_id AND a.genre = 'AJUSTEMENT' AND a.fichier_recu_id IS NULL
          AND a.origine = m.origine AND a.montant = -m.montant AND a.id > m.id
    )
"""

VUE_DETTES = f"""
CREATE TEMP VIEW dettes_connues AS
SELECT l.id, l.ligne, l.absente, l.creancier, l.nature, l.code, l.libelle, l.motif, l.periode_debut, l.periode_fin,
       l.notifiee_le, l.phase, l.retenue_mensuelle, l.montant_initial, s.reste, z.muette, l.deduit,
       r.somme AS pas_deduit,
       -- La Caf la croit soldée, mais la banque a repris un paiement qu'elle ne sait pas encore repris.
       CASE WHEN l.situation = 'SOLDEE' AND s.reste > 0 THEN 'EN_COURS' ELSE l.situation END AS situation,
       -- Une dette garde l'empreinte de la ligne qu'elle dit exactement, et aucune autre.
       CASE WHEN r.nombre = 0 AND l.crediteur = 0 AND l.montant_initial = l.montant_tenu THEN l.empreinte END
           AS empreinte
FROM dettes_lues l
CROSS JOIN LATERAL (
    SELECT coalesce(sum(m.montant), 0) AS somme, count(*) AS nombre,
           coalesce(sum(m.montant) FILTER (WHERE {RETENU}), 0) AS retenu
    FROM dettes_mouvement m WHERE m.dette_id = l.id AND {PAS_DEDUITES}
) r
-- La version 1, ou une absence, dit zéro de tout ce qui est dessous.
CROSS JOIN LATERAL (SELECT l.solde = 0 AND (l.absente OR %(version)s = 1) AS muette) z
CROSS JOIN LATERAL (
    SELECT CASE
        -- Ce qui est retenu n'en remonte pas.
        -- garde: trop_paye_retenu_ne_remonte_pas
        WHEN z.muette AND r.somme > 0 THEN greatest(r.somme - r.retenu, 0)
        -- Créditrice, elle a reçu plus que son dû : c'est un solde sous zéro (docs/adr/0055).
        -- garde: solde_crediteur
        ELSE l.solde - l.crediteur + r.somme
    END AS reste
) s
WHERE NOT l.neuve
"""  # noqa: S608 (nos constantes)

# Ce que la Caf dit d'une dette, hors son solde.
AUTREMENT = """
    (d.creancier, d.nature, d.code, d.libelle, d.motif, d.periode_debut, d.periode_fin, d.notifiee_le, d.phase,
     d.situation, d.retenue_mensuelle)
    IS DISTINCT FROM
    (c.creancier, c.nature, c.code, c.libelle, c.motif, c.periode_debut, c.periode_fin, c.notifiee_le, c.phase,
     c.situation, c.retenue_mensuelle)
"""

REPERER_CHANGEES = f"""
CREATE TEMP TABLE changees AS
SELECT *, ntile(%(tranches)s) OVER (ORDER BY id) AS tranche FROM (
    SELECT d.id, c.absente, c.montant_initial <> d.montant_initial AS autre_montant_initial,
           c.reste < 0 OR d.solde <> c.reste OR c.montant_initial <> d.montant_initial OR {AUTREMENT} AS autre,
           d.empreinte IS DISTINCT FROM c.empreinte OR d.solde_recu < 0 AS relue
    FROM dettes_connues c JOIN dettes_dette d ON d.id = c.id
) AS comparees WHERE autre OR relue
"""  # noqa: S608 (nos constantes)

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

CHANGER_DETTES = f"""
UPDATE dettes_dette d
SET creancier = c.creancier, nature = c.nature, code = c.code, libelle = c.libelle, motif = c.motif,
    periode_debut = c.periode_debut, periode_fin = c.periode_fin, notifiee_le = c.notifiee_le, phase = c.phase,
    situation = c.situation, retenue_mensuelle = c.retenue_mensuelle, empreinte = c.empreinte, solde_recu = c.reste,
    -- garde: trop_paye_a_reprendre
    a_reprendre = CASE WHEN c.reste < 0 THEN -c.reste WHEN c.muette AND c.reste = 0 THEN d.a_reprendre END
FROM cibles c
WHERE d.id = c.id
  AND (d.empreinte IS DISTINCT FROM c.empreinte OR d.solde_recu IS DISTINCT FROM c.reste OR c.reste < 0
       OR d.a_reprendre IS NOT NULL OR {AUTREMENT})
"""  # noqa: S608 (nos constantes)

REPERER_NEGATIVES = "SELECT id, -reste FROM cibles WHERE reste < 0 ORDER BY id"

CREER_DETTES = """
INSERT INTO dettes_dette (id, caf_id, allocataire_id, reference, creancier, nature, code, libelle, motif,
                          periode_debut, periode_fin, notifiee_le, montant_initial, solde, phase, situation,
                          retenue_mensuelle, empreinte, solde_recu)
SELECT id, caf, allocataire_id, reference, creancier, nature, code, libelle, motif, periode_debut, periode_fin,
       notifiee_le, montant_initial, montant_initial, phase, situation, retenue_mensuelle,
       CASE WHEN crediteur = 0 AND coalesce(deduit, 0) = 0 THEN empreinte END, solde - crediteur
FROM dettes_lues WHERE neuve ORDER BY ligne
"""

CONSTATER_NEUVES = """
INSERT INTO dettes_mouvement (dette_id, genre, montant, solde_apres, origine, motif, fichier_recu_id, le)
SELECT id, 'CONSTAT', montant_initial, 0, %(origine)s, '', %(fichier_recu)s, now()
FROM dettes_lues WHERE neuve ORDER BY ligne
"""

AJUSTER_NEUVES = """
INSERT INTO dettes_mouvement (dette_id, genre, montant, solde_apres, origine, motif, fichier_recu_id, le)
SELECT id, 'AJUSTEMENT', solde - montant_initial, 0, %(origine)s,
       'déjà remboursé quand ce service a reçu la dette', %(fichier_recu)s, now()
FROM dettes_lues WHERE neuve AND solde <> montant_initial ORDER BY ligne
"""


def preparer_dettes(curseur: CursorWrapper, manifeste: Manifeste) -> int:
    """
    Ajoute les absentes d'une livraison complète, et dit ce que chaque dette lue deviendrait.

    Rend le nombre des lignes rejetées qui ne disent ni dette ni dossier : s'il y en a, aucune dette n'est absente.
    """
    valeurs: dict[str, Any] = {
        "caf": manifeste.caf,
        "deduits": manifeste.derniere_sequence_encaissements,
        "version": manifeste.version,
    }
    meconnaissables = rejets.compter_les_meconnaissables(curseur, manifeste) if manifeste.is_complet else 0
    if manifeste.is_complet and not meconnaissables:  # garde: rejet_meconnaissable
        with sans_boucles(curseur):
            curseur.execute(AJOUTER_ABSENTES, valeurs)
    curseur.execute(LIRE_DETTES)
    curseur.execute(VUE_DETTES, valeurs)
    return meconnaissables


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
        "SELECT count(*) FILTER (WHERE autre AND NOT absente), count(*) FILTER (WHERE autre AND absente),"
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
    curseur.execute(
        "SELECT id FROM dettes_connues WHERE id = ANY(%(cles)s) AND reste >= 0"
        " UNION SELECT id FROM reconnues WHERE id = ANY(%(cles)s)",
        {"cles": cles},
    )
    return [cle for (cle,) in curseur.fetchall()]
