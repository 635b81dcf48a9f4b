"""Ce qui ne se compose qu'une fois : jamais d'une personne à l'autre, jamais le jeton d'un autre."""

import pytest
from django.template import Context, TemplateSyntaxError, engines
from django.utils.safestring import mark_safe


def composer(texte, **contexte):
    gabarit = engines["django"].from_string("{% load cadre %}" + texte)
    return [gabarit.template.render(Context(valeurs)) for valeurs in zip_contextes(contexte)]


def zip_contextes(contexte):
    noms = list(contexte)
    return [dict(zip(noms, valeurs, strict=True)) for valeurs in zip(*contexte.values(), strict=True)]


def test_ce_qui_a_la_meme_cle_ne_se_recompose_pas():
    assert composer("{% meme cle %}{{ mot }}{% endmeme %}", cle=[1, 1], mot=["a", "b"]) == ["a", "a"]


def test_une_autre_cle_se_compose():
    assert composer("{% meme cle %}{{ mot }}{% endmeme %}", cle=[1, 2], mot=["a", "b"]) == ["a", "b"]


def test_chacun_garde_son_jeton():
    premier, second = composer("{% meme %}{% csrf_token %}{% endmeme %}", csrf_token=["moi", "toi"])

    assert 'value="moi"' in premier
    assert 'value="toi"' in second


def test_qui_dessine_voit_ce_qu_il_change(settings):
    settings.DEBUG = True

    assert composer("{% meme cle %}{{ mot }}{% endmeme %}", cle=[1, 1], mot=["a", "b"]) == ["a", "b"]


@pytest.mark.parametrize("mot", ["<b>", "é&"])
def test_une_valeur_reste_echappee(mot):
    [compose] = composer("{% meme %}{{ mot }}{% endmeme %}", mot=[mot])

    assert compose == mot.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def poser(texte, *lignes, **contexte):
    return composer("{% moule ligne %}" + texte + "{% endmoule %}", ligne=lignes, **contexte)


def test_un_moule_pose_les_valeurs_de_chaque_ligne_echappees():
    lignes = {"mot": "<b> 100 %"}, {"mot": 'l\'"été" %(mot)s'}, {"mot": mark_safe("<i>sûr</i>")}

    assert poser("a{{ ligne.mot }}% b", *lignes) == [
        "a&lt;b&gt; 100 %% b",
        "al&#x27;&quot;été&quot; %(mot)s% b",
        "a<i>sûr</i>% b",
    ]


def test_un_moule_montre_ce_que_chaque_ligne_a_a_dire():
    texte = "{% if ligne.mot and not ligne.tu %}({{ ligne.mot }}){% else %}rien{% endif %}"
    lignes = {"mot": "", "tu": False}, {"mot": "a", "tu": False}, {"mot": "b", "tu": True}, {"mot": "c", "tu": False}

    assert poser(texte, *lignes) == ["rien", "(a)", "rien", "(c)"]


def test_un_moule_ne_garde_rien_de_la_page_ni_de_qui_la_lit():
    assert poser("{{ ligne.mot }}{% firstof nom %}", {"mot": "a"}, {"mot": "b"}, nom=["Inès", "Ali"]) == ["a", "b"]


def test_dans_un_moule_chacun_garde_son_jeton():
    jetons = poser("{% csrf_token %}{{ ligne.mot }}", {"mot": "a"}, {"mot": "b"}, csrf_token=["moi", "toi"])

    assert ['value="moi">a' in jetons[0], 'value="toi">b' in jetons[1]] == [True, True]


def test_un_moule_dit_ses_mots_dans_la_langue_de_qui_lit():
    mot = (
        '{% language langue %}{% moule ligne %}{% translate "Retour" %} {{ ligne.mot }}{% endmoule %}{% endlanguage %}'
    )

    dits = composer(mot, ligne=[{"mot": "a"}, {"mot": "b"}, {"mot": "c"}], langue=["fr", "en", "fr"])

    assert dits == ["Retour a", "Back b", "Retour c"]


def test_une_ligne_qui_porte_autre_chose_que_du_texte_se_compose_sans_moule():
    texte = "{% for mot in ligne.mots %}{{ mot }}{% endfor %}{{ ligne.fin }}"
    lignes = {"mots": ["a", "<"], "fin": "."}, {"mots": ["b"], "fin": "&"}, {"mots": "", "fin": "!"}

    assert poser(texte, *lignes) == ["a&lt;.", "b&amp;", "!"]


def test_un_moule_qui_fait_autre_chose_de_ses_valeurs_que_les_poser_se_compose_a_chaque_ligne():
    adresse = "{% url 'dettes:detail' ligne.mot %}"

    assert poser(adresse, {"mot": "ING 1"}, {"mot": "ING-2"}) == [
        "/mon-compte/dettes/ING%201/",
        "/mon-compte/dettes/ING-2/",
    ]


@pytest.mark.parametrize(
    ("texte", "dits"),
    [
        ("{% with m=ligne.mot|capfirst %}{{ m }}{% endwith %}", ["Abc", "Def"]),
        ("{% blocktranslate with m=ligne.mot|slice:'1' %}{{ m }}{% endblocktranslate %}", ["A", "d"]),
    ],
)
def test_un_filtre_que_la_premiere_ligne_ne_montre_pas_se_voit_quand_meme(texte, dits):
    assert poser(texte, {"mot": dits[0] if len(dits[0]) == 1 else "Abc"}, {"mot": "def"}) == dits


def test_deux_lignes_de_valeurs_d_un_autre_genre_n_ont_pas_le_meme_moule():
    lignes = {"mot": False}, {"mot": 0}, {"mot": True}, {"mot": "oui"}, {"mot": []}

    assert poser("{{ ligne.mot }}", *lignes) == ["False", "0", "True", "oui", "[]"]


@pytest.mark.parametrize(
    "texte",
    [
        "{{ ligne.mot|upper }}",
        '{% if ligne.mot == "a" %}b{% endif %}',
        '{% if not ligne.mot and "a" in ligne.mot %}b{% endif %}',
        "{% if ligne.mot|length %}{% endif %}",
    ],
)
def test_un_moule_refuse_de_lire_les_valeurs_qu_il_pose(texte):
    with pytest.raises(TemplateSyntaxError):
        poser(texte, {"mot": "a"})
