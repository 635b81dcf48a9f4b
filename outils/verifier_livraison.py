#!/usr/bin/env python3
"""
Vérifie une livraison avant de l'envoyer : `python3 verifier_livraison.py DOSSIER`.

Ce fichier se suffit : Python 3.10 ou plus, rien d'autre ; la Caf le garde chez elle. Il est écrit d'après le contrat
(docs/reference/fichiers.md), sans rien du service, et dit la même chose que lui : ce qui refuserait tout, les lignes
qui seraient rejetées, les champs qui seraient laissés vides. Ce que le service est seul à savoir ne se voit pas ici :
la suite des livraisons, un dossier déjà connu, une référence d'un autre, ce qui a trop changé depuis la veille.
Codes : 0 bonne, 1 à corriger, 2 mal appelé.
"""

import csv
import datetime
import hashlib
import io
import json
import re
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

Ligne = dict[str, str]
Lignes = list[tuple[int, bool, Ligne]]
Constat = tuple[str, int, str]

COLONNES = {
    "allocataires.csv": "caf numero civilite nom prenom date_naissance radie_le",
    "dettes.csv": "caf numero reference creancier nature code libelle motif periode_debut periode_fin notifiee_le"
    " montant_initial solde phase situation retenue_mensuelle",
}
CLES = {"allocataires.csv": "numero", "dettes.csv": "reference"}
FACULTATIVES: dict[str, list[str]] = {"allocataires.csv": ["courriel", "identite"], "dettes.csv": []}
VERSION_2: dict[str, list[str]] = {"allocataires.csv": [], "dettes.csv": ["deduit", "solde_crediteur"]}
# Un texte y perd ce qui ne se voit pas, ou retourne la lecture (§3.2) ; le motif garde ses fins de ligne.
INVISIBLES = (
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U000e0000-\U000e0fff]"
)
COMMANDES, DU_MOTIF = "[\x01-\x1f\x7f-\x9f]", "[\x01-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]"
NETTOYES = {
    "allocataires.csv": {"nom": COMMANDES, "prenom": COMMANDES},
    "dettes.csv": {"code": COMMANDES, "libelle": COMMANDES, "motif": DU_MOTIF},
}
VALEURS = {
    "creancier": "CAF ETAT DEPARTEMENT",
    "nature": "RSA PPA AAH APL ALF ALS AF CF ASF ARS PAJE AEEH AUTRE",
    "phase": "AMIABLE CONTENTIEUX",
    "situation": "EN_COURS RECOURS PLAN TRANSMISE SOLDEE ANNULEE",
}
CLES_DU_MANIFESTE = dict.fromkeys(["version", "sequence", "derniere_sequence_encaissements"], int) | {
    **dict.fromkeys(["caf", "arrete_le", "mode"], str),
    "fichiers": list,
}
ENTIER_MAX = 2_147_483_647
SEUIL = 0.01


class Refus(Exception):
    """Toute la livraison serait refusée."""


class Cadre(NamedTuple):
    """Ce à quoi une ligne se compare : le manifeste, les jours possibles, les clés répétées."""

    caf: str
    photo: str
    bientot: str
    plus_tard: str
    doubles: set[str]


Regle = tuple[str, Callable[[Ligne, Cadre], bool]]


def is_jour(texte: str) -> bool:
    """Un jour qui existe, écrit AAAA-MM-JJ."""
    try:
        return bool(re.fullmatch(r"[12]\d{3}-\d\d-\d\d", texte, re.ASCII)) and bool(datetime.date.fromisoformat(texte))
    except ValueError:
        return False


def is_centimes(texte: str) -> bool:
    """Des centimes entiers, neuf chiffres au plus."""
    return re.fullmatch(r"[0-9]{1,9}", texte) is not None


def _valeur(champ: str, phrase: str) -> Regle:
    return phrase, lambda ligne, _: ligne[champ] not in VALEURS[champ].split()


def _montant(champ: str) -> Regle:
    return f"« {champ} » ne se lit pas, en centimes entiers", lambda x, _: x[champ] != "" and not is_centimes(x[champ])


def _date(champ: str, premier: str, dernier: str) -> list[Regle]:
    """Une date ou rien ; puis, lisible, dans le monde : `dernier` est un jour du cadre."""
    return [
        (f"« {champ} » ne se lit pas", lambda ligne, _: ligne[champ] != "" and not is_jour(ligne[champ])),
        (
            f"« {champ} » n'est pas possible",
            lambda x, c: x[champ] != "" and not premier <= x[champ] <= getattr(c, dernier),
        ),
    ]


CAF: Regle = ("le code de la Caf n'est pas celui du manifeste", lambda x, c: x["caf"] != c.caf)
NUMERO: Regle = ("le numéro n'a pas sept chiffres", lambda x, _: not re.fullmatch("[0-9]{7}", x["numero"]))
# Dans l'ordre du contrat : la première qui mord donne le motif, les suivantes peuvent compter sur elle.
REJETS: dict[str, list[Regle]] = {
    "allocataires.csv": [
        *(CAF, NUMERO),
        ("le numéro allocataire est en double", lambda x, c: x["numero"] in c.doubles),
        ("le nom manque, ou dépasse 100 caractères", lambda x, _: not x["nom"].strip(" ") or len(x["nom"]) > 100),
    ],
    "dettes.csv": [
        CAF,
        ("la référence ne se lit pas", lambda x, _: not re.fullmatch("[A-Z0-9-]{1,30}", x["reference"])),
        ("la référence est en double", lambda x, c: x["reference"] in c.doubles),
        NUMERO,
        _valeur("creancier", "le créancier est inconnu"),
        _valeur("nature", "la nature est inconnue"),
        ("le libellé manque, ou dépasse 200 caractères", lambda x, _: not 0 < len(x["libelle"].strip(" ")) <= 200),
        ("la date de notification manque", lambda x, _: x["notifiee_le"] == ""),
        *_date("notifiee_le", "1946-01-01", "bientot"),
        ("un montant manque", lambda x, _: "" in (x["montant_initial"], x["solde"])),
        _montant("montant_initial"),
        ("le montant initial est nul", lambda x, _: int(x["montant_initial"]) == 0),
        ("le montant initial dépasse 500 000 € : en centimes ?", lambda x, _: int(x["montant_initial"]) > 50_000_000),
        _montant("solde"),
        ("le solde dépasse le montant initial", lambda x, _: int(x["solde"]) > int(x["montant_initial"])),
        _montant("solde_crediteur"),
        ("un solde, et un solde créditeur", lambda x, _: int(x["solde_crediteur"] or 0) > 0 and int(x["solde"]) > 0),
        _valeur("phase", "la phase est inconnue"),
        _valeur("situation", "la situation est inconnue"),
    ],
}
COURRIEL = r"[^@\s]+@[^@\s]+\.[^@\s]+"
FACULTATIFS: dict[str, dict[str, list[Regle]]] = {
    "allocataires.csv": {
        "civilite": [("la civilité est inconnue", lambda x, _: x["civilite"] not in ("", "M", "MME"))],
        "prenom": [("le prénom dépasse 100 caractères", lambda x, _: len(x["prenom"]) > 100)],
        "date_naissance": _date("date_naissance", "1890-01-01", "photo"),
        "identite": [("pas 64 signes hexadécimaux", lambda x, _: not re.fullmatch("([0-9a-f]{64})?", x["identite"]))],
        "radie_le": _date("radie_le", "1946-01-01", "plus_tard"),
        "courriel": [
            ("l'adresse dépasse 254 caractères", lambda x, _: len(x["courriel"]) > 254),
            (
                "l'adresse ne se lit pas",
                lambda x, _: x["courriel"] != "" and not re.fullmatch(COURRIEL, x["courriel"]),
            ),
        ],
    },
    "dettes.csv": {
        "deduit": [_montant("deduit")],
        "code": [("le code dépasse 10 caractères", lambda x, _: len(x["code"]) > 10)],
        "periode_debut": _date("periode_debut", "1946-01-01", "plus_tard"),
        "periode_fin": [
            *_date("periode_fin", "1946-01-01", "plus_tard"),
            ("la période finit avant de commencer", lambda x, _: x["periode_fin"] < x["periode_debut"]),
        ],
        "retenue_mensuelle": [
            _montant("retenue_mensuelle"),
            ("plus qu'une prestation ne peut être", lambda x, _: int(x["retenue_mensuelle"] or 0) > 1_000_000),
        ],
    },
}


def lire_manifeste(dossier: Path) -> dict[str, Any]:
    """Le manifeste, si tout y est ; `instant` y est la photo, datée."""
    try:
        manifeste: dict[str, Any] = json.loads((dossier / "manifeste.json").read_bytes().decode("utf-8-sig"))
    except (OSError, ValueError) as erreur:
        raise Refus(f"manifeste.json ne se lit pas : {erreur}") from erreur
    for cle, genre in CLES_DU_MANIFESTE.items():
        _exiger(manifeste, cle, genre)
    if manifeste["version"] not in (1, 2) or manifeste["mode"] not in ("complet", "differentiel"):
        raise Refus("manifeste.json : version 1 ou 2, mode complet ou differentiel")
    if len(manifeste["caf"]) != 3 or manifeste["sequence"] == 0:
        raise Refus("manifeste.json : « caf » a trois signes, et « sequence » part de 1")
    for fichier in manifeste["fichiers"]:
        _exiger(fichier, "nom", str)
    if sorted(fichier["nom"] for fichier in manifeste["fichiers"]) != sorted(COLONNES):
        raise Refus("manifeste.json : les fichiers sont allocataires.csv et dettes.csv, et rien d'autre")
    for fichier in manifeste["fichiers"]:
        _exiger(fichier, "lignes", int)
        _exiger(fichier, "sha256", str)
        if fichier["nom"] == "dettes.csv":
            _exiger(fichier, "somme_soldes", int, borne=None)
    return manifeste | {"instant": _lire_instant(manifeste["arrete_le"])}


def _exiger(objet: Any, cle: str, genre: type, borne: int | None = ENTIER_MAX) -> None:
    valeur = objet.get(cle) if isinstance(objet, dict) else None
    if type(valeur) is not genre or (isinstance(valeur, int) and not 0 <= valeur <= (borne or valeur)):
        raise Refus(f"manifeste.json : « {cle} » manque ou ne se lit pas")


def _lire_instant(texte: str) -> datetime.datetime:
    try:
        instant = datetime.datetime.fromisoformat(texte.replace("Z", "+00:00"))
    except ValueError as erreur:
        raise Refus("manifeste.json : « arrete_le » n'est pas une date ISO 8601") from erreur
    if instant.tzinfo is None:
        raise Refus("manifeste.json : « arrete_le » n'a pas de fuseau horaire")
    if instant > datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=1):  # noqa: UP017 (Python 3.10)
        raise Refus("manifeste.json : « arrete_le » est un jour à venir")
    return instant


def lire_fichier(dossier: Path, annonce: dict[str, Any], version: int) -> Lignes:
    """Rend les lignes : (numéro, vrai si le nombre de champs va, champs par nom)."""
    nom = annonce["nom"]
    attendues = COLONNES[nom].split() + (VERSION_2[nom] if version == 2 else [])
    texte = _lire_texte(dossier / nom, annonce["sha256"])
    try:
        # Pas `splitlines` : il coupe aussi à des signes qui ne finissent pas une ligne.
        lecteur = csv.reader(io.StringIO(texte, newline=""), delimiter=";", strict=True)
        entete = next(lecteur, [])
        lues = [(lecteur.line_num, champs) for champs in lecteur if champs]
    except csv.Error as erreur:
        raise Refus(f"{nom} : guillemets mal fermés, {erreur}") from erreur
    inconnues = set(entete) - set(attendues) - set(FACULTATIVES[nom])
    manquantes = [colonne for colonne in attendues if colonne not in entete]
    if inconnues or manquantes or len(set(entete)) != len(entete):
        raise Refus(f"{nom} : colonnes inconnues {sorted(inconnues)}, manquantes {manquantes}, ou une est répétée")
    if len(lues) != annonce["lignes"]:
        raise Refus(f"{nom} a {len(lues)} lignes, le manifeste en dit {annonce['lignes']}")
    vides = dict.fromkeys([*FACULTATIVES[nom], *VERSION_2[nom]], "")
    return [
        (n, len(champs) == len(entete), vides | dict.fromkeys(entete, "") | dict(zip(entete, champs, strict=False)))
        for n, champs in lues
    ]


def _lire_texte(chemin: Path, empreinte: str) -> str:
    try:
        octets = chemin.read_bytes()
        texte = octets.decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as erreur:
        raise Refus(f"{chemin.name} : {erreur}") from erreur
    if b"\0" in octets:
        raise Refus(f"{chemin.name} contient des octets nuls")
    if hashlib.sha256(octets).hexdigest() != empreinte.lower():
        raise Refus(f"{chemin.name} n'a pas l'empreinte du manifeste")
    return texte


def juger(nom: str, lignes: Lignes, cadre: Cadre) -> tuple[list[Constat], list[Constat]]:
    """Les rejets et les champs vidés d'un fichier."""
    rejets: list[Constat] = []
    vides: list[Constat] = []
    for numero, is_entiere, ligne in lignes:
        nettoyes = [champ for champ, signes in NETTOYES[nom].items() if _nettoyer(ligne, champ, signes)]
        motif = next((phrase for phrase, is_fausse in REJETS[nom] if is_fausse(ligne, cadre)), None)
        motif = motif if is_entiere else "le nombre de champs n'est pas celui de l'en-tête"
        if motif:
            rejets.append((nom, numero, motif))
            continue
        vides += [(nom, numero, f"« {champ} » perdrait des signes invisibles") for champ in nettoyes]
        vides += [(nom, numero, phrase) for phrase in _vider(nom, ligne, cadre)]
    return rejets, vides


def _vider(nom: str, ligne: Ligne, cadre: Cadre) -> list[str]:
    phrases = []
    for champ, regles in FACULTATIFS[nom].items():
        motif = next((phrase for phrase, is_fausse in regles if ligne[champ] and is_fausse(ligne, cadre)), None)
        if motif:
            ligne[champ] = ""
            phrases.append(f"« {champ} » serait laissé vide : {motif}")
    return phrases


def _nettoyer(ligne: Ligne, champ: str, commandes: str) -> bool:
    texte = ligne[champ]
    if re.search(f"{INVISIBLES}|{commandes}", texte):
        ligne[champ] = re.sub(f"{commandes}+", " ", re.sub(INVISIBLES, "", texte)).strip(" ")
    return ligne[champ] != texte


def verifier(dossier: Path) -> tuple[list[Constat], list[Constat]]:
    """Rend les rejets et les champs vidés, (fichier, ligne, phrase) ; lève Refus si toute la livraison est fausse."""
    manifeste = lire_manifeste(dossier)
    annonces = {fichier["nom"]: fichier for fichier in manifeste["fichiers"]}
    fichiers = {nom: lire_fichier(dossier, annonces[nom], manifeste["version"]) for nom in COLONNES}
    soldes = [x["solde"] for _, _, x in fichiers["dettes.csv"] if re.fullmatch("-?[0-9]{1,15}", x["solde"])]
    if sum(map(int, soldes)) != annonces["dettes.csv"]["somme_soldes"]:
        raise Refus("dettes.csv : la somme des soldes n'est pas celle du manifeste")
    rejets: list[Constat] = []
    vides: list[Constat] = _chercher_les_inconnus(fichiers) if manifeste["mode"] == "complet" else []
    for nom, lignes in fichiers.items():
        compte = Counter(ligne[CLES[nom]] for _, _, ligne in lignes)
        doubles = {cle for cle, fois in compte.items() if fois > 1}
        faux, laisses = juger(nom, lignes, _cadrer(manifeste, doubles))
        rejets += faux
        vides += laisses
        if len(faux) > SEUIL * len(lignes):
            rejets.append((nom, 0, "plus d'une ligne sur cent serait rejetée : TOUT le serait"))
    return rejets, vides


def _chercher_les_inconnus(fichiers: dict[str, Lignes]) -> list[Constat]:
    """Les dettes d'un allocataire absent : le service le connaît peut-être, une personne le sait."""
    nommes = {ligne["numero"] for _, _, ligne in fichiers["allocataires.csv"]}
    phrase = "l'allocataire n'est pas dans allocataires.csv : la ligne serait rejetée s'il n'est pas déjà connu"
    return [("dettes.csv", n, phrase) for n, _, ligne in fichiers["dettes.csv"] if ligne["numero"] not in nommes]


def _cadrer(manifeste: dict[str, Any], doubles: set[str]) -> Cadre:
    photo = manifeste["instant"].date()
    bientot, plus_tard = (photo + datetime.timedelta(days=jours) for jours in (31, 731))
    return Cadre(manifeste["caf"], photo.isoformat(), bientot.isoformat(), plus_tard.isoformat(), doubles)


def main(arguments: list[str]) -> int:
    """Le verdict, à l'écran ; rend le code de sortie."""
    if len(arguments) != 1:
        print(__doc__)
        return 2
    try:
        rejets, vides = verifier(Path(arguments[0]))
    except Refus as refus:
        print(f"REFUSÉE : {refus}.")
        return 1
    for titre, lignes in (("rejet", rejets), ("avertissement", vides)):
        for nom, numero, phrase in lignes:
            print(f"{titre} : {nom}, ligne {numero} : {phrase}")
    print(f"{len(rejets)} rejet(s), {len(vides)} avertissement(s).")
    return 1 if rejets else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
