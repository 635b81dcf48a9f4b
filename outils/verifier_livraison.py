#!/usr/bin/env python3
"""
Vérifie une livraison avant de l'envoyer : `python3 verifier_livraison.py DOSSIER`.

Ce fichier se suffit : Python 3.10 ou plus, rien d'autre ; la Caf le garde chez elle. Il est écrit d'après le contrat
(docs/reference/fichiers.md), sans rien du service, et dit la même chose que lui : ce qui refuserait tout, les lignes
qui seraient rejetées, les champs qui seraient laissés vides. Codes : 0 bonne, 1 à corriger, 2 mal appelé.
"""

import csv
import datetime
import hashlib
import json
import re
import sys
from collections import Counter
from pathlib import Path
from typing import Any

Ligne = dict[str, str]
Lignes = list[tuple[int, Ligne | None]]
Verdict = tuple[str | None, list[str]]

ALLOCATAIRES = ["caf", "numero", "civilite", "nom", "prenom", "date_naissance", "radie_le"]
DETTES = [
    *("caf", "numero", "reference", "creancier", "nature", "code", "libelle", "motif", "periode_debut", "periode_fin"),
    *("notifiee_le", "montant_initial", "solde", "phase", "situation", "retenue_mensuelle"),
]
VERSION_2 = ["deduit", "solde_crediteur"]
VALEURS = {
    "creancier": "CAF ETAT DEPARTEMENT",
    "nature": "RSA PPA AAH APL ALF ALS AF CF ASF ARS PAJE AEEH AUTRE",
    "phase": "AMIABLE CONTENTIEUX",
    "situation": "EN_COURS RECOURS PLAN TRANSMISE SOLDEE ANNULEE",
}
CLES = {"version": int, "caf": str, "arrete_le": str, "sequence": int, "mode": str}
SEUIL = 0.01


class Refus(Exception):
    """Toute la livraison serait refusée."""


def lire_manifeste(dossier: Path) -> dict[str, Any]:
    """Le manifeste, si tout y est."""
    try:
        manifeste: dict[str, Any] = json.loads((dossier / "manifeste.json").read_bytes().decode("utf-8-sig"))
    except (OSError, ValueError) as erreur:
        raise Refus(f"manifeste.json ne se lit pas : {erreur}") from erreur
    for cle, genre in {**CLES, "derniere_sequence_encaissements": int, "fichiers": list}.items():
        if type(manifeste.get(cle)) is not genre:
            raise Refus(f"manifeste.json : « {cle} » manque ou n'est pas de la bonne forme")
    if manifeste["version"] not in (1, 2) or manifeste["mode"] not in ("complet", "differentiel"):
        raise Refus("manifeste.json : version 1 ou 2, mode complet ou differentiel")
    try:
        instant = datetime.datetime.fromisoformat(manifeste["arrete_le"].replace("Z", "+00:00"))
    except ValueError as erreur:
        raise Refus("manifeste.json : « arrete_le » n'est pas une date ISO 8601") from erreur
    if instant.tzinfo is None:
        raise Refus("manifeste.json : « arrete_le » n'a pas de fuseau horaire")
    if sorted(fichier.get("nom", "") for fichier in manifeste["fichiers"]) != ["allocataires.csv", "dettes.csv"]:
        raise Refus("manifeste.json : les fichiers sont allocataires.csv et dettes.csv, et rien d'autre")
    return manifeste


def lire_fichier(dossier: Path, annonce: dict[str, Any], attendues: list[str], facultatives: set[str]) -> Lignes:
    """Rend les lignes : (numéro, champs par nom, ou None si leur nombre ne va pas)."""
    nom = annonce["nom"]
    try:
        octets = (dossier / nom).read_bytes()
        texte = octets.decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as erreur:
        raise Refus(f"{nom} : {erreur}") from erreur
    if b"\0" in octets:
        raise Refus(f"{nom} contient des octets nuls")
    if hashlib.sha256(octets).hexdigest() != str(annonce.get("sha256", "")).lower():
        raise Refus(f"{nom} n'a pas l'empreinte du manifeste")
    try:
        lecteur = csv.reader(texte.splitlines(keepends=True), delimiter=";", strict=True)
        entete = next(lecteur, [])
        lignes = [(lecteur.line_num, champs) for champs in lecteur if champs]
    except csv.Error as erreur:
        raise Refus(f"{nom} : guillemets mal fermés, {erreur}") from erreur
    inconnues = set(entete) - set(attendues) - facultatives
    manquantes = [colonne for colonne in attendues if colonne not in entete]
    if inconnues or manquantes or len(set(entete)) != len(entete):
        raise Refus(f"{nom} : colonnes inconnues {sorted(inconnues)}, manquantes {manquantes}, ou une est répétée")
    if len(lignes) != annonce.get("lignes"):
        raise Refus(f"{nom} a {len(lignes)} lignes, le manifeste en dit {annonce.get('lignes')}")
    return [
        (n, dict(zip(entete, champs, strict=True)) if len(champs) == len(entete) else None) for n, champs in lignes
    ]


def is_jour(texte: str) -> bool:
    """Un jour qui existe, écrit AAAA-MM-JJ."""
    try:
        return bool(re.fullmatch(r"\d{4}-\d\d-\d\d", texte, re.ASCII)) and bool(datetime.date.fromisoformat(texte))
    except ValueError:
        return False


def is_centimes(texte: str) -> bool:
    """Des centimes entiers."""
    return re.fullmatch(r"[0-9]{1,9}", texte) is not None


def juger_une_personne(ligne: Ligne, caf: str, doubles: Counter[str]) -> Verdict:
    """Ce qui rejette la ligne, ou None ; et les champs qui seraient laissés vides."""
    if ligne["caf"] != caf:
        return "le code de la Caf n'est pas celui du manifeste", []
    if not re.fullmatch(r"[0-9]{7}", ligne["numero"]):
        return "le numéro allocataire n'a pas sept chiffres", []
    if doubles[ligne["numero"]] > 1:
        return "le numéro allocataire est en double", []
    if not ligne["nom"].strip() or len(ligne["nom"]) > 100:
        return "le nom manque ou dépasse 100 caractères", []
    vides = [nom for nom in ("date_naissance", "radie_le") if ligne[nom] and not is_jour(ligne[nom])]
    vides += ["civilite"] if ligne["civilite"] not in ("", "M", "MME") else []
    vides += ["prenom"] if len(ligne["prenom"]) > 100 else []
    courriel = ligne.get("courriel", "")
    vides += ["courriel"] if courriel and not re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", courriel) else []
    vides += ["identite"] if not re.fullmatch(r"([0-9a-f]{64})?", ligne.get("identite", "")) else []
    return None, vides


def juger_une_dette(ligne: Ligne, caf: str, doubles: Counter[str]) -> Verdict:
    """Comme pour une personne."""
    crediteur = ligne.get("solde_crediteur", "")
    montants = [ligne["montant_initial"], ligne["solde"], crediteur or "0"]
    lisibles = all(map(is_centimes, montants))
    initial, solde, credit = map(int, montants) if lisibles else (1, 0, 0)
    rejets = {
        "le code de la Caf n'est pas celui du manifeste": ligne["caf"] != caf,
        "la référence ne se lit pas": not re.fullmatch(r"[A-Z0-9-]{1,30}", ligne["reference"]),
        "la référence est en double": doubles[ligne["reference"]] > 1,
        "le libellé manque ou dépasse 200 caractères": not 0 < len(ligne["libelle"].strip()) <= 200,
        "la date de notification manque ou ne se lit pas": not is_jour(ligne["notifiee_le"]),
        "un montant ne se lit pas, en centimes entiers": not lisibles,
        "le montant initial est nul, ou le solde le dépasse": initial == 0 or solde > initial,
        "la dette a un solde, et un solde créditeur": credit > 0 and solde > 0,
        **{f"« {nom} » n'a pas une de ses valeurs": ligne[nom] not in v.split() for nom, v in VALEURS.items()},
    }
    motif = next((phrase for phrase, is_faux in rejets.items() if is_faux), None)
    return (motif, []) if motif else (None, _lister_les_vides(ligne))


def _lister_les_vides(ligne: Ligne) -> list[str]:
    vides = [nom for nom in ("periode_debut", "periode_fin") if ligne[nom] and not is_jour(ligne[nom])]
    vides += ["code"] if len(ligne["code"]) > 10 else []
    vides += [nom for nom in ("retenue_mensuelle", "deduit") if ligne.get(nom) and not is_centimes(ligne[nom])]
    if not vides and ligne["periode_debut"] and ligne["periode_fin"] and ligne["periode_fin"] < ligne["periode_debut"]:
        vides.append("periode_fin")
    return vides


def verifier(dossier: Path) -> tuple[list[tuple[str, int, str]], list[tuple[str, int, str]]]:
    """Rend les rejets et les champs vidés, (fichier, ligne, phrase) ; lève Refus si toute la livraison est fausse."""
    manifeste = lire_manifeste(dossier)
    annonces = {fichier["nom"]: fichier for fichier in manifeste["fichiers"]}
    en_plus = set(VERSION_2) if manifeste["version"] == 2 else set()
    personnes = lire_fichier(dossier, annonces["allocataires.csv"], ALLOCATAIRES, {"courriel", "identite"})
    dettes = lire_fichier(dossier, annonces["dettes.csv"], DETTES + sorted(en_plus), set())
    soldes = [ligne["solde"] for _, ligne in dettes if ligne and re.fullmatch(r"-?[0-9]{1,15}", ligne["solde"])]
    if sum(map(int, soldes)) != annonces["dettes.csv"].get("somme_soldes"):
        raise Refus("dettes.csv : la somme des soldes n'est pas celle du manifeste")
    rejets: list[tuple[str, int, str]] = []
    vides: list[tuple[str, int, str]] = []
    for nom, lignes, cle, juger in (
        ("allocataires.csv", personnes, "numero", juger_une_personne),
        ("dettes.csv", dettes, "reference", juger_une_dette),
    ):
        doubles = Counter(ligne[cle] for _, ligne in lignes if ligne)
        for numero, ligne in lignes:
            motif, champs = juger(ligne, manifeste["caf"], doubles) if ligne else ("nombre de champs", [])
            if motif:
                rejets.append((nom, numero, motif))
            vides += [(nom, numero, f"« {champ} » serait laissé vide") for champ in champs]
        if sum(rejet[0] == nom for rejet in rejets) > SEUIL * len(lignes):
            rejets.append((nom, 0, "plus d'une ligne sur cent serait rejetée : TOUT le serait"))
    return rejets, vides


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
