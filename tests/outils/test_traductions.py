"""Toute phrase est au catalogue, et chaque langue la dit : ni manque, ni doute, ni reste."""

import re
from pathlib import Path

import polib
import pytest
from django.utils import translation

from outils.traductions import compiler, extraire, get_catalogue, get_codes

LANGUES = pytest.mark.parametrize("code", get_codes())
# Ce que seuls lisent les agents, ou aucun humain, reste en français.
SANS_TRADUCTION = {"admin", "feuille", "acces_change.txt", "robots.txt"}
BALISES = re.compile(r"{% comment %}.*?{% endcomment %}|<!--.*?-->|<script.*?</script>|{%.*?%}|{{.*?}}|{#.*?#}", re.S)
# « entree » nomme le bouton que presse la touche Entrée : une valeur, pas un mot.
TRADUIT = r"{% blocktranslate.*?{% endblocktranslate %}|{% block entree %}.*?{% endblock %}"
# Ce qu'une balise dit à qui l'écoute, et ce qu'un gabarit passe à un autre pour qu'il le dise.
ATTRIBUTS = re.compile(r'\b(?:aria-label|alt|title|placeholder|data-phrase-\w+)="([^"]*[A-Za-zÀ-ÿ]{2}[^"]*)"')
PASSES = re.compile(r'\b(?:titre|texte|libelle|legende|courant|parent|si)="([^"]+)"')
PLACES = re.compile(r"%\(\w+\)s|{\w+}|%%|</?[a-z][^>]*>|\n")
# Ce qu'une traduction laisse en français le dit (RGAA 8.7) : la phrase d'origine n'avait rien à marquer.
GARDE_EN_FRANCAIS = re.compile(r'<span lang="fr">([^<]*)</span>')


@LANGUES
def test_chaque_langue_dit_tout_ce_que_le_code_dit_et_rien_de_plus(code):
    assert {entree.msgid for entree in polib.pofile(str(get_catalogue(code)))} == set(extraire())


@LANGUES
def test_aucune_phrase_n_est_a_traduire_ni_douteuse(code):
    catalogue = polib.pofile(str(get_catalogue(code)))

    assert [entree.msgid for entree in catalogue if not entree.translated() or entree.fuzzy or entree.obsolete] == []


@LANGUES
def test_chaque_traduction_garde_ses_valeurs_et_ses_balises(code):
    fautives = []
    for entree in polib.pofile(str(get_catalogue(code))):
        for dite in entree.msgstr_plural.values() or [entree.msgstr]:
            traduite = GARDE_EN_FRANCAIS.sub(r"\1", dite)
            if sorted(PLACES.findall(traduite)) != sorted(PLACES.findall(entree.msgid)):
                fautives.append((entree.msgid, dite))

    assert fautives == []


@LANGUES
def test_le_catalogue_verse_est_le_catalogue_compile(code):
    """Une machine nue n'a ni gettext, ni rien à compiler."""
    assert get_catalogue(code).with_suffix(".mo").read_bytes() == compiler(code)


def test_aucune_phrase_francaise_n_est_changee_par_le_catalogue_d_une_bibliotheque():
    """« active » est de l'anglais pour Django, qui en ferait « actif »."""
    with translation.override("fr"):
        assert [phrase for phrase in extraire() if translation.gettext(phrase) != phrase] == []


def test_aucun_gabarit_ne_dit_une_phrase_hors_du_catalogue():
    fautes = []
    gabarits = [f for f in Path("templates").rglob("*") if f.suffix in (".html", ".txt")]
    for gabarit in (f for f in gabarits if not SANS_TRADUCTION & set(f.parts)):
        texte = re.sub(TRADUIT, "", gabarit.read_text(), flags=re.S)
        balises = re.sub(r"{%.*?%}|{{.*?}}", "", texte, flags=re.S)
        fautes += [f"{gabarit} : {dit}" for dit in ATTRIBUTS.findall(balises) + PASSES.findall(texte)]
        texte = re.sub(r"<[^<>]*>", "", BALISES.sub("", texte))
        fautes += [
            f"{gabarit} : {' '.join(reste.split())}" for reste in re.findall(r"[^\n]*[A-Za-zÀ-ÿ]{2}[^\n]*", texte)
        ]

    assert fautes == []
