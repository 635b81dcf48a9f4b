"""
Les catalogues de traduction : ce que le code et les gabarits disent au lecteur, et ce que chaque langue en fait.

``python -m outils.traductions [code]`` met chaque `locale/<code>/LC_MESSAGES/django.po` au point et le compile ; avec
un code, en ouvre un neuf. Sans gettext à installer : l'extraction est celle de Django, la compilation celle de polib.
"""

import ast
import re
import sys
from pathlib import Path

import polib
from django.utils.translation.template import templatize

from outils.systeme import RACINE

APPS = ("caf_remboursement", "socle", "comptes", "dettes", "demarches", "paiements")
LOCALE = RACINE / "locale"
SIMPLES = {"gettext", "gettext_lazy", "gettext_noop"}
PLURIELS = {"ngettext", "ngettext_lazy"}
CHAINE = r"""('(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")"""
# Ce que `templatize` rend d'un gabarit : des appels à gettext au milieu de « X ».
APPEL = re.compile(rf"\b(?:_|n?gettext)\(\s*u?{CHAINE}(?:\s*,\s*u?{CHAINE})?")
PLURIEL_ORDINAIRE = "nplurals=2; plural=(n != 1);"


def extraire() -> dict[str, tuple[str, list[str]]]:
    """Chaque phrase source, avec son pluriel (vide sans pluriel) et les fichiers qui la disent, dans l'ordre lu."""
    phrases: dict[str, tuple[str, list[str]]] = {}
    gabarits = sorted(f for f in (RACINE / "templates").rglob("*") if f.suffix in (".html", ".txt"))
    modules = sorted(f for app in APPS for f in (RACINE / app).rglob("*.py") if "migrations" not in f.parts)
    for fichier in [*gabarits, *modules]:
        lues = _lire_un_module(fichier) if fichier.suffix == ".py" else _lire_un_gabarit(fichier)
        for phrase, pluriel in lues:
            ailleurs = phrases.setdefault(phrase, (pluriel, []))[1]
            lieu = str(fichier.relative_to(RACINE))
            if lieu not in ailleurs:
                ailleurs.append(lieu)
    return phrases


def _lire_un_gabarit(fichier: Path) -> list[tuple[str, str]]:
    appels = APPEL.findall(templatize(fichier.read_text(), origin=str(fichier)))
    return [(ast.literal_eval(simple), ast.literal_eval(pluriel) if pluriel else "") for simple, pluriel in appels]


def _lire_un_module(fichier: Path) -> list[tuple[str, str]]:
    lues = []
    for noeud in ast.walk(ast.parse(fichier.read_text())):
        if not isinstance(noeud, ast.Call) or not isinstance(noeud.func, ast.Name):
            continue
        dites = [argument.value for argument in noeud.args if isinstance(argument, ast.Constant)]
        if noeud.func.id in SIMPLES and len(dites) == 1:
            lues.append((str(dites[0]), ""))
        elif noeud.func.id in PLURIELS and len(dites) >= 2:
            lues.append((str(dites[0]), str(dites[1])))
    return lues


def get_catalogue(code: str) -> Path:
    return LOCALE / code / "LC_MESSAGES" / "django.po"


def get_codes() -> list[str]:
    """Les langues qui ont un catalogue."""
    return sorted(dossier.name for dossier in LOCALE.iterdir() if get_catalogue(dossier.name).exists())


def actualiser(code: str) -> None:
    """Ajoute au catalogue les phrases neuves, en ôte celles qu'on ne dit plus, garde les traductions, compile."""
    po = get_catalogue(code)
    ancien = polib.pofile(str(po)) if po.exists() else polib.POFile()
    neuf = polib.POFile(wrapwidth=110)
    neuf.metadata = {
        "Content-Type": "text/plain; charset=UTF-8",
        "Content-Transfer-Encoding": "8bit",
        "Language": code,
        "Plural-Forms": ancien.metadata.get("Plural-Forms", PLURIEL_ORDINAIRE),
    }
    for phrase, (pluriel, lieux) in extraire().items():
        entree = ancien.find(phrase) or polib.POEntry(msgid=phrase)
        entree.msgid_plural = pluriel
        if pluriel and not entree.msgstr_plural:
            entree.msgstr_plural = {0: "", 1: ""}
        entree.occurrences = [(lieu, "") for lieu in lieux]
        entree.flags = []
        neuf.append(entree)
    po.parent.mkdir(parents=True, exist_ok=True)
    neuf.save(str(po))
    po.with_suffix(".mo").write_bytes(compiler(code))


def compiler(code: str) -> bytes:
    """Le catalogue compilé, tel qu'il est versé : une machine nue n'a rien à faire."""
    return bytes(polib.pofile(str(get_catalogue(code))).to_binary())


def main() -> None:
    for code in sys.argv[1:] or get_codes():
        actualiser(code)
        po = polib.pofile(str(get_catalogue(code)))
        print(f"{code} : {len(po)} phrases, {len(po.untranslated_entries())} à traduire")


if __name__ == "__main__":
    main()
