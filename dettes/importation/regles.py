"""
Les règles d'une ligne (FICHIERS §2) : une condition SQL, un motif qui la dit.

Une règle d'un champ obligatoire rejette la ligne ; celle d'un champ facultatif le laisse vide, et avertit. L'ordre
compte : la première règle qui mord donne le motif, et les suivantes peuvent compter sur elle.
"""

from datetime import timedelta
from typing import Any, NamedTuple

from comptes.models import Allocataire
from dettes.importation.manifeste import PARIS, Manifeste
from dettes.models import Dette
from dettes.plausibilite import Plausibilite

Regles = list[tuple[str, str]]


class Facultatif(NamedTuple):
    """Un champ qui peut rester vide, la condition qui le rend inutilisable, et son motif."""

    champ: str
    condition: str
    motif: str


DATE = (
    "("
    "[12][0-9]{3}-(0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])"
    "|[12][0-9]{3}-(0[13-9]|1[0-2])-(29|30)"
    "|[12][0-9]{3}-(0[13578]|1[02])-31"
    "|([12][0-9](0[48]|[2468][048]|[13579][26])|(12|16|20|24|28)00)-02-29"
    ")"
)
CENTIMES = "[0-9]{1,9}"  # numeric(9, 2) en base


def _valeurs(choix: list[str]) -> str:
    return ", ".join(f"'{valeur}'" for valeur in choix)


def _different(colonne: str, motif: str) -> str:
    return f"{colonne} !~ '^{motif}$'"


def _double(table: str, cle: str) -> str:
    """Toutes les lignes d'une clé répétée : aucune ne fait foi plus qu'une autre."""
    return f"{cle} IN (SELECT {cle} FROM {table} GROUP BY {cle} HAVING count(*) > 1)"  # noqa: S608 (nos constantes)


# Ne se voient pas, ou retournent le sens de lecture : un nom n'en a pas besoin, et peut en être contrefait.
INVISIBLES = (
    r"[\u00AD\u034F\u061C\u115F\u1160\u17B4\u17B5\u180B-\u180F\u200B-\u200F\u2028-\u202E\u2060-\u206F\u3164"
    r"\uFE00-\uFE0F\uFEFF\uFFA0\uFFF0-\uFFFB\U000E0000-\U000E0FFF]"
)
COMMANDES = r"[\u0001-\u001F\u007F-\u009F]"
# Le motif d'une dette peut tenir sur plusieurs lignes.
COMMANDES_DU_MOTIF = r"[\u0001-\u0008\u000B\u000C\u000E-\u001F\u007F-\u009F]"
NETTOYES = {
    "etape_allocataires": {"nom": COMMANDES, "prenom": COMMANDES},
    "etape_dettes": {"code": COMMANDES, "libelle": COMMANDES, "motif": COMMANDES_DU_MOTIF},
}

# Les Caf naissent en 1946 ; un courrier se date parfois d'avance, une période ou une radiation aussi.
PREMIERE_NAISSANCE, PREMIER_JOUR = "1890-01-01", "1946-01-01"
# En centimes : aucune prestation mensuelle ne la vaut (DOMAINE §4).
RETENUE_MAXIMALE = 1_000_000
D_AVANCE, PERIODE_A_VENIR = timedelta(days=31), timedelta(days=731)


def get_bornes(manifeste: Manifeste, seuils: Plausibilite) -> dict[str, Any]:
    """Ce que comparent les règles : la Caf, les jours possibles autour de la photo, le plus grand montant."""
    photo = manifeste.arrete_le.astimezone(PARIS).date()
    return {
        "caf": manifeste.caf,
        "photo": photo.isoformat(),
        "bientot": (photo + D_AVANCE).isoformat(),
        "plus_tard": (photo + PERIODE_A_VENIR).isoformat(),
        "montant_maximal": int(seuils.montant_maximal * 100),
    }


def _hors_du_monde(champ: str, premier: str, dernier: str) -> str:
    return f"{champ} <> '' AND ({champ} < '{premier}' OR {champ} > %({dernier})s)"


# Une ligne entière, dont le numéro se lit : elle dit de qui elle parle, même de quelqu'un que nous ne connaissons pas.
NUMERO = "[0-9]{7}"
LISIBLE = f"(ecart = 0 AND caf = %(caf)s AND numero ~ '^{NUMERO}$')"

ALLOCATAIRES: Regles = [
    ("ecart <> 0", "le nombre de champs n'est pas celui de l'en-tête"),
    ("caf <> %(caf)s", "le code de la Caf n'est pas celui du manifeste"),
    (_different("numero", NUMERO), "le numéro allocataire n'a pas sept chiffres"),
    (_double("etape_allocataires", "numero"), "le numéro allocataire est en double"),
    ("btrim(nom) = ''", "le nom manque"),
    ("length(nom) > 100", "le nom dépasse 100 caractères"),
]

ALLOCATAIRES_FACULTATIFS = [
    Facultatif(
        "civilite", f"civilite NOT IN ({_valeurs(['', *Allocataire.Civilite.values])})", "la civilité est inconnue"
    ),
    Facultatif("prenom", "length(prenom) > 100", "le prénom dépasse 100 caractères"),
    Facultatif("date_naissance", _different("date_naissance", f"{DATE}?"), "la date de naissance ne se lit pas"),
    Facultatif(
        "date_naissance",
        _hors_du_monde("date_naissance", PREMIERE_NAISSANCE, "photo"),
        "la date de naissance n'est pas possible",
    ),
    Facultatif(
        "identite",
        _different("identite", "([0-9a-f]{64})?"),
        "l'empreinte de l'identité n'a pas 64 signes hexadécimaux",
    ),
    Facultatif("radie_le", _different("radie_le", f"{DATE}?"), "la date de radiation ne se lit pas"),
    Facultatif(
        "radie_le", _hors_du_monde("radie_le", PREMIER_JOUR, "plus_tard"), "la date de radiation n'est pas possible"
    ),
    Facultatif(
        "courriel",
        "courriel <> '' AND (length(courriel) > 254 OR "
        + _different("courriel", "[^@[:space:]]+@[^@[:space:]]+[.][^@[:space:]]+")
        + ")",
        "l'adresse électronique ne se lit pas",
    ),
]

DETTES: Regles = [
    ("ecart <> 0", "le nombre de champs n'est pas celui de l'en-tête"),
    ("caf <> %(caf)s", "le code de la Caf n'est pas celui du manifeste"),
    (_different("reference", "[A-Z0-9-]{1,30}"), "la référence ne se lit pas"),
    (_double("etape_dettes", "reference"), "la référence est en double"),
    (
        "NOT EXISTS (SELECT FROM comptes_allocataire a WHERE a.caf_id = %(caf)s AND a.numero = etape_dettes.numero)",
        "l'allocataire est inconnu",
    ),
    (
        "EXISTS (SELECT FROM dettes_dette d JOIN comptes_allocataire a ON a.id = d.allocataire_id"
        " WHERE d.caf_id = %(caf)s AND d.reference = etape_dettes.reference AND a.numero <> etape_dettes.numero)",
        "la référence est celle d'un autre dossier",
    ),
    (f"creancier NOT IN ({_valeurs(Dette.Creancier.values)})", "le créancier est inconnu"),
    (f"nature NOT IN ({_valeurs(Dette.Nature.values)})", "la nature est inconnue"),
    ("btrim(libelle) = ''", "le libellé manque"),
    ("length(libelle) > 200", "le libellé dépasse 200 caractères"),
    (_different("notifiee_le", DATE), "la date de notification manque ou ne se lit pas"),
    (_hors_du_monde("notifiee_le", PREMIER_JOUR, "bientot"), "la date de notification n'est pas possible"),
    (_different("montant_initial", CENTIMES), "le montant initial ne se lit pas, en centimes entiers"),
    ("montant_initial::bigint = 0", "le montant initial est nul"),
    (
        "montant_initial::bigint > %(montant_maximal)s",
        "le montant initial dépasse ce que cette Caf peut réclamer : est-il bien en centimes ?",
    ),
    (_different("solde", CENTIMES), "le solde ne se lit pas, en centimes entiers"),
    ("solde::bigint > montant_initial::bigint", "le solde dépasse le montant initial"),
    (_different("solde_crediteur", f"({CENTIMES})?"), "le solde créditeur ne se lit pas, en centimes entiers"),
    (
        f"CASE WHEN solde_crediteur ~ '^{CENTIMES}$' THEN solde_crediteur::bigint > 0 AND solde::bigint > 0 END",
        "la dette a un solde, et un solde créditeur",
    ),
    (f"phase NOT IN ({_valeurs(Dette.Phase.values)})", "la phase est inconnue"),
    (f"situation NOT IN ({_valeurs(Dette.Situation.values)})", "la situation est inconnue"),
]

DETTES_FACULTATIFS = [
    Facultatif(
        "deduit", _different("deduit", f"({CENTIMES})?"), "ce que la Caf a déduit ne se lit pas, en centimes entiers"
    ),
    Facultatif("code", "length(code) > 10", "le code dépasse 10 caractères"),
    Facultatif("periode_debut", _different("periode_debut", f"{DATE}?"), "le début de la période ne se lit pas"),
    Facultatif(
        "periode_debut",
        _hors_du_monde("periode_debut", PREMIER_JOUR, "plus_tard"),
        "le début de la période n'est pas possible",
    ),
    Facultatif("periode_fin", _different("periode_fin", f"{DATE}?"), "la fin de la période ne se lit pas"),
    Facultatif(
        "periode_fin",
        _hors_du_monde("periode_fin", PREMIER_JOUR, "plus_tard"),
        "la fin de la période n'est pas possible",
    ),
    Facultatif(
        "periode_fin",
        "periode_debut <> '' AND periode_fin <> '' AND periode_fin < periode_debut",
        "la période finit avant de commencer",
    ),
    Facultatif(
        "retenue_mensuelle",
        _different("retenue_mensuelle", f"({CENTIMES})?"),
        "la retenue mensuelle ne se lit pas, en centimes entiers",
    ),
    Facultatif(
        "retenue_mensuelle",
        f"CASE WHEN retenue_mensuelle ~ '^{CENTIMES}$' THEN retenue_mensuelle::bigint > {RETENUE_MAXIMALE} END",
        "la retenue mensuelle dépasse ce qu'une prestation peut être",
    ),
]

PAR_TABLE = {
    "etape_allocataires": (ALLOCATAIRES, ALLOCATAIRES_FACULTATIFS),
    "etape_dettes": (DETTES, DETTES_FACULTATIFS),
}
