"""
Les règles d'une ligne (FICHIERS §2) : une condition SQL qui la rejette, un motif qui le dit.

L'ordre compte : la première règle qui mord donne le motif, et les suivantes peuvent compter sur elle.
"""

from comptes.models import Allocataire
from dettes.models import Dette

Regles = list[tuple[str, str]]

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


ALLOCATAIRES: Regles = [
    ("ecart <> 0", "le nombre de champs n'est pas celui de l'en-tête"),
    ("caf <> %(caf)s", "le code de la Caf n'est pas celui du manifeste"),
    (_different("numero", "[0-9]{7}"), "le numéro allocataire n'a pas sept chiffres"),
    (_double("etape_allocataires", "numero"), "le numéro allocataire est en double"),
    (f"civilite NOT IN ({_valeurs(['', *Allocataire.Civilite.values])})", "la civilité est inconnue"),
    ("btrim(nom) = ''", "le nom manque"),
    ("length(nom) > 100 OR length(prenom) > 100", "le nom ou le prénom dépasse 100 caractères"),
    (_different("date_naissance", f"{DATE}?"), "la date de naissance ne se lit pas"),
    (_different("radie_le", f"{DATE}?"), "la date de radiation ne se lit pas"),
    (_different("identite", "([0-9a-f]{64})?"), "l'empreinte de l'identité n'a pas 64 signes hexadécimaux"),
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
    ("length(code) > 10", "le code dépasse 10 caractères"),
    ("btrim(libelle) = ''", "le libellé manque"),
    ("length(libelle) > 200", "le libellé dépasse 200 caractères"),
    (_different("periode_debut", f"{DATE}?"), "le début de la période ne se lit pas"),
    (_different("periode_fin", f"{DATE}?"), "la fin de la période ne se lit pas"),
    (
        "periode_debut <> '' AND periode_fin <> '' AND periode_fin < periode_debut",
        "la période finit avant de commencer",
    ),
    (_different("notifiee_le", DATE), "la date de notification manque ou ne se lit pas"),
    (_different("montant_initial", CENTIMES), "le montant initial ne se lit pas, en centimes entiers"),
    ("montant_initial::bigint = 0", "le montant initial est nul"),
    (_different("solde", CENTIMES), "le solde ne se lit pas, en centimes entiers"),
    ("solde::bigint > montant_initial::bigint", "le solde dépasse le montant initial"),
    (f"phase NOT IN ({_valeurs(Dette.Phase.values)})", "la phase est inconnue"),
    (f"situation NOT IN ({_valeurs(Dette.Situation.values)})", "la situation est inconnue"),
    (_different("retenue_mensuelle", f"({CENTIMES})?"), "la retenue mensuelle ne se lit pas, en centimes entiers"),
]
