"""Ce qui ne se compose qu'une fois : jamais d'une personne à l'autre, jamais le jeton d'un autre."""

import pytest
from django.template import Context, engines


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
