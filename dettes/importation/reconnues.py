"""
Les lignes déjà prises telles quelles : reconnues à leur empreinte, elles ne vont pas plus loin (docs/adr/0068).

D'une nuit à l'autre, neuf lignes sur dix sont les mêmes. La dette qui est exactement ce que dit une ligne en garde
l'empreinte ; la même ligne n'a alors plus rien à lui apprendre, tant que son solde est celui de la ligne et qu'aucune
de nos écritures n'attend d'être déduite. Tout se juge sur ce qui est : rien n'est à tenir à jour.
"""

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from django.db.backends.utils import CursorWrapper

from dettes.importation import regles
from dettes.importation.lignes import Lecteur
from dettes.importation.manifeste import Manifeste

CLES = {"etape_allocataires": "numero", "etape_dettes": "reference"}
OCTETS = 16  # la taille d'un uuid
LOT = 10_000

# Nos écritures que la Caf n'a pas encore déduites : pas émises, ou émises après la dernière séquence qu'elle a prise.
PAS_DEDUITES = """
    m.genre IN ('IMPUTATION', 'REJET') AND NOT EXISTS (
        SELECT FROM dettes_ligneemise e JOIN dettes_fichieremis f ON f.id = e.fichier_id
        WHERE e.mouvement_id = m.id AND f.sequence <= %(deduits)s
    )
"""

RECONNAITRE = {
    "etape_allocataires": """
        CREATE TEMP TABLE reconnues AS
        SELECT r.ligne, a.id, a.numero AS cle
        FROM recues r JOIN comptes_allocataire a ON a.empreinte = r.empreinte
        WHERE a.caf_id = %(caf)s
    """,
    "etape_dettes": f"""
        CREATE TEMP TABLE reconnues AS
        SELECT r.ligne, d.id, d.reference AS cle, d.solde
        FROM recues r JOIN dettes_dette d ON d.empreinte = r.empreinte
        WHERE d.caf_id = %(caf)s
          AND d.solde = d.solde_recu -- garde: solde_de_la_ligne
          -- garde: rien_a_deduire
          AND NOT EXISTS (SELECT FROM dettes_mouvement m WHERE m.dette_id = d.id AND {PAS_DEDUITES})
    """,  # noqa: S608 (nos constantes)
}

A_VERSER = """
SELECT ligne, empreinte FROM recues r WHERE NOT EXISTS (SELECT FROM reconnues q WHERE q.ligne = r.ligne) ORDER BY ligne
"""

# Une clé répétée n'est celle d'aucune de ses lignes : les règles doivent les voir toutes.
ECARTER_LES_DOUBLES = """
CREATE TEMP TABLE ecartees AS
SELECT q.ligne, r.empreinte FROM reconnues q JOIN recues r ON r.ligne = q.ligne
WHERE q.cle IN (SELECT cle FROM reconnues GROUP BY cle HAVING count(*) > 1) OR q.cle IN (SELECT {cle} FROM {table});
DELETE FROM reconnues WHERE ligne IN (SELECT ligne FROM ecartees)
"""
ECARTEES = "SELECT ligne, empreinte FROM ecartees ORDER BY ligne"


def saler(manifeste: Manifeste, table: str, colonnes: list[str], bornes: Mapping[str, Any]) -> bytes:
    """
    Ce qui distingue deux lectures d'une même ligne : ses colonnes, les règles, le plus grand montant.

    Les jours possibles autour de la photo n'en sont pas : ils avancent, et une ligne qui y entrait y entre encore.
    """
    lecture = (manifeste.version, colonnes, regles.PAR_TABLE[table], regles.NETTOYES[table], bornes["montant_maximal"])
    return hashlib.blake2b(repr(lecture).encode(), digest_size=OCTETS).digest()


def relever(curseur: CursorWrapper, lecteur: Lecteur, sel: bytes) -> int:
    """Verse le numéro et l'empreinte de chaque ligne, sans la découper ; rend combien ne sont pas vides."""
    curseur.execute(
        "DROP TABLE IF EXISTS recues, reconnues, ecartees; CREATE TEMP TABLE recues (ligne bigint, empreinte uuid)"
    )
    lues = 0
    with curseur.copy("COPY recues FROM STDIN") as copie:
        for numero, texte in lecteur:
            if texte.strip("\r\n"):
                empreinte = hashlib.blake2b(sel + texte.encode(), digest_size=OCTETS).hexdigest()
                copie.write(f"{numero}\t{empreinte}\n")
                lues += 1
    return lues


def reconnaitre(curseur: CursorWrapper, table: str, manifeste: Manifeste) -> None:
    """Met de côté les lignes que nos dossiers ou nos dettes disent déjà."""
    valeurs: dict[str, Any] = {"caf": manifeste.caf, "deduits": manifeste.derniere_sequence_encaissements}
    with sans_boucles(curseur):
        curseur.execute(RECONNAITRE[table], valeurs)


def ecarter_les_doubles(curseur: CursorWrapper, table: str) -> None:
    """Ne reconnaît plus les lignes dont une autre a la clé : `ECARTEES` les donne à verser."""
    with sans_boucles(curseur):
        curseur.execute(ECARTER_LES_DOUBLES.format(table=table, cle=CLES[table]))


def lister(curseur: CursorWrapper, requete: str) -> Iterator[list[tuple[int, str]]]:
    """Le numéro et l'empreinte de ces lignes, dans l'ordre et par lots : le fichier entier ne tient pas en mémoire."""
    with sans_boucles(curseur):
        curseur.execute(f"DECLARE lignes NO SCROLL CURSOR FOR {requete}")
    curseur.execute(f"FETCH {LOT} FROM lignes")
    while lot := curseur.fetchall():
        yield lot
        curseur.execute(f"FETCH {LOT} FROM lignes")
    curseur.execute("CLOSE lignes")


@contextmanager
def sans_boucles(curseur: CursorWrapper) -> Iterator[None]:
    """
    Pour un ordre qui lit toute la Caf : une jointure par hachage, jamais une boucle.

    La base croit encore vide, ou presque, ce que cette transaction vient d'emplir ; elle y choisissait une boucle dans
    une boucle : dix minutes à 50 000 dettes.
    """
    curseur.execute("SET LOCAL enable_nestloop = off")
    yield
    curseur.execute("SET LOCAL enable_nestloop = on")
