"""
Lire les journaux de la plateforme : JT, JO, JRB et JRI (PROTOCOLE §8).

Des octets en entrée, des lignes en sortie ; rien n'est cru ici. Les colonnes se trouvent par leur nom dans ENTETE ;
celles que personne ne publie (UNCONFIRMED) ont des noms qui se règlent. Un format qu'on ne reconnaît pas refuse le
fichier entier : mieux vaut un journal manquant qu'un journal compris de travers.
"""

import gzip
import hashlib
import re
import zlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal

from paiements.payzen.boutique import Mode
from paiements.payzen.colonnes import COLONNES, CONNUES_SANS_USAGE, DETAILS, JAMAIS_GARDEES, OPERATIONS
from paiements.payzen.fait import DEVISES
from paiements.payzen.montants import from_centimes
from socle.carte import LUE_AU_PLUS, has_numero_de_carte

NOM = re.compile(
    r"(?P<test>TEST_)?(?P<genre>JT|JO|JRB|JRI)_SHOP_(?P<boutique>\d{8})_(?P<jour>\d{6}|\d\d[WM]\d\d)\.csv"
)
ETAT = r"[A-Z_]{1,40}"
DEVISE = r"[0-9A-Z]{3}"
NOM_ATTENDU = "« JT_SHOP_12345678_261127.csv » (JT, JO, JRB ou JRI ; TEST_ devant en essai ; .gz permis)"


class JournalIllisible(Exception):
    """Ce fichier n'est pas un journal que nous savons lire ; le message dit ce qui était attendu."""


@dataclass(frozen=True)
class Ligne:
    """
    Une ligne d'un journal. Montant en euros, dates en UTC ; vide ou None, le journal ne le dit pas.

    :param numero: sa place dans le fichier, la première ligne est 1
    :param operation: DEBIT ou CREDIT ; d'un JO, le mot de la plateforme
    :param statut: d'un JT, l'état de la transaction ; d'un JRB, celui du rapprochement
    :param autres: les colonnes que nous ne connaissons pas, sans ce qui est d'une carte ou d'une personne
    :param cle: la même ligne relue, dans une reprise du même jour, a la même clé ; d'un JRI, la deuxième de deux
        jumelles d'un même fichier a la sienne
    """

    numero: int
    trans_id: str
    operation: str
    montant: Decimal
    devise: str
    jour: date | None
    instant: datetime | None
    reference: str
    uuid: str
    statut: str
    remise_le: datetime | None
    motif: str
    impaye_le: date | None
    autres: Mapping[str, str]
    cle: str


@dataclass(frozen=True)
class Journal:
    """Un journal lu : de quelle boutique, de quel jour, ses lignes, et les colonnes qu'il a en plus."""

    nom: str
    genre: str
    boutique: str
    mode: Mode
    jour: str
    modele: str
    empreinte: str
    lignes: tuple[Ligne, ...]
    inconnues: tuple[str, ...]


def read_journal(nom: str, octets: bytes, noms: Mapping[str, Mapping[str, str]] | None = None) -> Journal:
    """
    Lit un journal, nu ou gz, UTF-8 ou ISO-8859-1.

    :param nom: celui du fichier : lui seul dit la boutique, le mode et le jour
    :param noms: pour un genre, les noms de colonnes qui changent de ceux de `COLONNES`
    :raises JournalIllisible: au premier écart ; rien du fichier n'est alors à croire
    """
    trouve = NOM.fullmatch(nom.removesuffix(".gz"))
    if trouve is None:
        raise JournalIllisible(f"son nom n'est pas celui d'un journal : {NOM_ATTENDU}")
    genre = trouve["genre"]
    lignes = _decouper(octets)
    entete = _sans_la_fin(lignes[1])
    colonnes = _get_colonnes(genre, entete, (noms or {}).get(genre, {}))
    details = _get_details(genre, lignes)
    lecteur = _Lecteur(genre, trouve["boutique"], trouve["jour"], entete, colonnes)
    return Journal(
        nom=nom,
        genre=genre,
        boutique=trouve["boutique"],
        mode=Mode.TEST if trouve["test"] else Mode.PRODUCTION,
        jour=trouve["jour"],
        modele=lignes[0][3] if len(lignes[0]) > 3 else "",
        # Deux jours peuvent dire la même chose : le nom en fait deux journaux.
        empreinte=hashlib.sha256(nom.encode() + b"\n" + octets).hexdigest(),
        lignes=tuple(lecteur.lire(numero, champs) for numero, champs in details),
        inconnues=tuple(lecteur.inconnues),
    )


def _decouper(octets: bytes) -> list[list[str]]:
    texte = _decoder(octets)
    if "\0" in texte:  # garde: journal_sans_nul
        raise JournalIllisible("il contient un caractère nul, qu'aucun texte n'a")
    lignes = [ligne.split(";") for ligne in texte.splitlines() if ligne.strip()]
    if len(lignes) < 2 or lignes[0][0] != "TITRE" or lignes[1][0] != "ENTETE":
        raise JournalIllisible("il ne commence pas par une ligne TITRE puis une ligne ENTETE")
    return lignes


def _decoder(octets: bytes) -> str:
    """L'encodage n'est pas publié : l'UTF-8 se reconnaît, le reste est de l'ISO-8859-1."""
    if octets.startswith(b"\x1f\x8b"):
        try:
            octets = gzip.decompress(octets)
        except (OSError, EOFError, zlib.error) as erreur:
            raise JournalIllisible("il est compressé, et tronqué ou abîmé") from erreur
    try:
        return octets.decode("utf-8-sig")
    except UnicodeDecodeError:
        return octets.decode("iso-8859-1")


def _sans_la_fin(champs: list[str]) -> list[str]:
    """Sans le « ; » final, qui n'est pas une colonne (PROTOCOLE §8)."""
    return champs[:-1] if len(champs) > 1 and champs[-1] == "" else champs


def _get_colonnes(genre: str, entete: list[str], changes: Mapping[str, str]) -> dict[str, str]:
    """Pour chaque chose que nous lisons, sa colonne dans ce fichier."""
    attendues = {**COLONNES[genre], **changes}
    manquantes = [nom for nom in attendues.values() if not nom.endswith("?") and nom not in entete]
    if manquantes or len(set(entete)) != len(entete):
        raise JournalIllisible(
            f"colonnes manquantes : {', '.join(manquantes) or 'aucune, mais une est répétée'}."
            f" Un {genre} en a au moins {', '.join(nom for nom in attendues.values() if not nom.endswith('?'))}"
        )
    return {quoi: nom.rstrip("?") for quoi, nom in attendues.items() if nom.rstrip("?") in entete}


def _get_details(genre: str, lignes: list[list[str]]) -> list[tuple[int, list[str]]]:
    """Les lignes de détail ; tout journal finit par FIN, sauf le JT : sans elle, il est tronqué."""
    corps = list(enumerate(lignes[2:], start=3))
    if corps and corps[-1][1][0] == "FIN":
        corps.pop()
    elif genre != "JT":
        raise JournalIllisible("il ne finit pas par une ligne FIN : il est tronqué, redemandez-le")
    for numero, champs in corps:
        if champs[0] != DETAILS[genre]:
            raise JournalIllisible(f"ligne {numero} : « {champs[0][:20]} », {DETAILS[genre]} attendu")
    return corps


@dataclass
class _Lecteur:
    genre: str
    boutique: str
    jour: str
    entete: list[str]
    colonnes: dict[str, str]
    jumelles: Counter[str] = field(default_factory=Counter)

    @property
    def inconnues(self) -> list[str]:
        connues = {"ENTETE", *self.colonnes.values(), *CONNUES_SANS_USAGE}
        return [nom for nom in self.entete if nom not in connues]

    def lire(self, numero: int, champs: list[str]) -> Ligne:
        if len(champs) != len(self.entete):
            champs = _sans_la_fin(champs)
        if len(champs) != len(self.entete):
            raise JournalIllisible(f"ligne {numero} : {len(champs)} champs, l'en-tête en a {len(self.entete)}")
        lus = dict(zip(self.entete, (champ.strip() for champ in champs), strict=True))
        dits = {quoi: lus[nom] for quoi, nom in self.colonnes.items()}
        try:
            return self._composer(numero, dits, lus)
        except ValueError as erreur:
            raise JournalIllisible(f"ligne {numero} : {erreur}") from erreur

    def _composer(self, numero: int, dits: dict[str, str], lus: dict[str, str]) -> Ligne:
        if not re.fullmatch(r"[0-9A-Za-z]{6}", dits["trans_id"]):
            raise ValueError(f"TRANSACTION_ID de six signes attendu, « {dits['trans_id'][:20]} » lu")
        if self.genre == "JT" and not re.fullmatch(ETAT, dits["statut"]):  # garde: etat_lisible
            raise ValueError(f"TRANSACTION_STATUS attendu en capitales, « {dits['statut'][:20]} » lu")
        devise = dits.get("devise") or "978"
        if not re.fullmatch(DEVISE, devise):  # garde: devise_lisible
            raise ValueError(f"devise de trois signes attendue, « {devise[:20]} » lu")
        return Ligne(
            numero=numero,
            trans_id=dits["trans_id"].lower(),
            operation=OPERATIONS.get(dits["operation"], dits["operation"])[:20],
            montant=_to_montant(dits["montant"]),
            devise=DEVISES.get(devise, devise),
            jour=_to_jour(dits.get("jour", "")),
            # Un jour sans heure ne vaut pas l'instant que la plateforme dira.
            instant=_to_instant(dits.get("jour", ""), dits["heure"]) if dits.get("heure") else None,
            reference=_garder(dits.get("reference", ""), r"[A-Za-z0-9_-]{1,64}"),
            uuid=_garder(dits.get("uuid", ""), r"[0-9A-Fa-f]{32}").lower(),
            statut=_garder(dits.get("statut", ""), ETAT),
            remise_le=_to_instant(dits.get("remis_le", ""), dits.get("remis_a", "")),
            motif=dits.get("motif", "")[:20],
            impaye_le=_to_jour(dits.get("impaye_le", "")),
            autres={nom: lus[nom][:200] for nom in self.inconnues if _is_gardable(nom, lus[nom])},
            cle=self._get_cle(dits),
        )

    def _get_cle(self, dits: dict[str, str]) -> str:
        # Un impayé sans date ne se distingue d'un second que par le jour de son journal.
        jour = self.jour if self.genre == "JRI" and not dits.get("impaye_le") else ""
        texte = ";".join([self.genre, self.boutique, jour, *(f"{quoi}={dits[quoi]}" for quoi in sorted(dits))])
        self.jumelles[texte] += 1
        # Deux impayés d'un même débit se disent parfois en lignes jumelles ; les autres journaux disent des faits.
        if self.genre == "JRI" and self.jumelles[texte] > 1:  # garde: jumelles_d_un_journal
            texte += f";jumelle={self.jumelles[texte]}"
        return hashlib.sha256(texte.encode()).hexdigest()


def _is_gardable(nom: str, valeur: str) -> bool:
    return not (JAMAIS_GARDEES.search(nom) or "@" in valeur or has_numero_de_carte(valeur[:LUE_AU_PLUS]))


def _garder(valeur: str, motif: str) -> str:
    return valeur if re.fullmatch(motif, valeur) else ""


def _to_montant(texte: str) -> Decimal:
    """Le format des montants se règle au Back Office : des centimes, ou des euros avec leur virgule."""
    if re.fullmatch(r"\d{1,9}", texte):
        return from_centimes(int(texte))
    if re.fullmatch(r"\d{1,7}[.,]\d\d", texte):
        return Decimal(texte.replace(",", "."))
    raise ValueError(f"montant attendu, en centimes ou avec deux décimales, « {texte[:20]} » lu")


def _to_jour(texte: str) -> date | None:
    """`AAAAMMJJ`, `AAAA-MM-JJ` ou `AAMMJJ` (PROTOCOLE §8)."""
    if not texte:
        return None
    for forme in ("%Y%m%d", "%Y-%m-%d", "%y%m%d"):
        try:
            return datetime.strptime(texte[:10], forme).replace(tzinfo=UTC).date()
        except ValueError:
            continue
    raise ValueError(f"date attendue, « {texte[:20]} » lu")


def _to_instant(jour: str, heure: str) -> datetime | None:
    """Un jour et son heure UTC ; sans heure lisible, minuit."""
    lu = _to_jour(jour)
    if lu is None:
        return None
    chiffres = re.sub(r"\D", "", heure)[:6].ljust(6, "0")
    try:
        moment = datetime.strptime(chiffres, "%H%M%S")  # noqa: DTZ007 (seule l'heure en est gardée)
    except ValueError:
        moment = datetime(1900, 1, 1)  # noqa: DTZ001 (idem)
    return datetime.combine(lu, moment.time(), UTC)
