"""Ce qui est pareil d'une page à l'autre, ou d'une ligne à l'autre, ne se compose qu'une fois par processus."""

import re
from html import escape
from typing import Any

from django import template
from django.conf import settings
from django.template import Context, Node, NodeList
from django.template.base import FilterExpression, Parser, Token, VariableNode
from django.template.defaulttags import IfNode
from django.template.exceptions import TemplateSyntaxError
from django.utils.html import conditional_escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language

register = template.Library()

# Ne peut être dans aucun gabarit : ce n'est pas du texte que l'on écrit.
JETON = "\ue000jeton\ue000"
PLACE = "\ue000{}\ue000"
PLACES = re.compile(PLACE.format("([a-z_]+)"))
Moule = tuple[str, list[str]]
# Long, mêlé, à échapper : ce que tout filtre changerait.
TEMOIN = 'éa Z<"%1234.5>\n' + "x" * 300


class MemeNode(Node):
    """Les gabarits composés, par ce dont ils dépendent ; une poignée de pages, donc une poignée d'entrées."""

    def __init__(self, nodelist: NodeList, cles: list[FilterExpression]) -> None:
        self.nodelist, self.cles = nodelist, cles
        self.composes: dict[tuple[Any, ...], str] = {}

    def render(self, context: Context) -> SafeString:
        lues = (expression.resolve(context, ignore_failures=True) for expression in self.cles)
        cle = (get_language(), *lues)
        compose = self.composes.get(cle)
        if compose is None:
            with context.push(csrf_token=JETON):
                compose = str(self.nodelist.render(context))
            if not settings.DEBUG:  # qui dessine veut voir ce qu'il change
                self.composes[cle] = compose
        if JETON in compose:
            compose = compose.replace(JETON, str(context.get("csrf_token", "")))
        return mark_safe(compose)  # noqa: S308 (composé par un gabarit, qui a déjà tout échappé)


@register.tag
def meme(parser: Parser, token: Token) -> MemeNode:
    """
    ``{% meme cle… %}…{% endmeme %}`` : ne recompose ce qui est dedans que si une clé a changé.

    Les clés nomment tout ce dont le contenu dépend, jamais une personne ; la langue en est toujours une. Le jeton
    CSRF, lui, est remis à chaque fois.
    """
    cles = [parser.compile_filter(mot) for mot in token.split_contents()[1:]]
    nodelist = parser.parse(("endmeme",))
    parser.delete_first_token()
    return MemeNode(nodelist, cles)


class MouleNode(Node):
    """Les moules d'une ligne, par ce qui s'y montre ou non ; une poignée de formes, donc une poignée d'entrées."""

    def __init__(self, nodelist: NodeList, nom: str) -> None:
        self.nodelist, self.nom = nodelist, nom
        self.moules: dict[tuple[Any, ...], Moule | None] = {}

    def render(self, context: Context) -> SafeString:
        ligne, jeton = context[self.nom], context.get("csrf_token", "")
        forme = (get_language(), *((type(valeur), not valeur) for valeur in ligne.values()))
        if forme not in self.moules or settings.DEBUG:  # qui dessine veut voir ce qu'il change
            self.moules[forme] = self._mouler(context, ligne, jeton)
        moule = self.moules[forme]
        return _poser(moule, ligne, jeton) if moule else self._composer(context, ligne, jeton)

    def _composer(self, context: Context, ligne: dict[str, Any], jeton: Any) -> SafeString:
        """Ne voit que sa ligne : le moule ne peut rien garder d'une page ni d'une personne."""
        return self.nodelist.render(context.new({self.nom: ligne, "csrf_token": jeton}))

    def _mouler(self, context: Context, ligne: dict[str, Any], jeton: Any) -> Moule | None:
        """
        Le texte qui va autour des valeurs, et leurs places.

        None si une valeur n'est pas du texte, ou si ce que le gabarit en fait (une adresse, un filtre inclus) n'est
        pas de la poser : essayé sur cette ligne même, et sur une autre dont chaque texte se verrait changé.
        """
        if not all(isinstance(valeur, str | bool) for valeur in ligne.values()):
            return None
        textes = [nom for nom, valeur in ligne.items() if valeur and isinstance(valeur, str)]
        vides = ligne | {nom: mark_safe(PLACE.format(nom)) for nom in textes}  # noqa: S308 (un nom)
        compose = self._composer(context, vides, mark_safe(PLACE.format("csrf_token"))).replace("%", "%%")  # noqa: S308
        moule = PLACES.sub(r"%(\1)s", compose), sorted(set(PLACES.findall(compose)))
        essais = ligne, ligne | {nom: f"{nom} {TEMOIN}" for nom in textes}
        pareils = (_poser(moule, essai, jeton) == self._composer(context, essai, jeton) for essai in essais)
        return moule if all(pareils) else None


def _poser(moule: Moule, ligne: dict[str, Any], jeton: Any) -> SafeString:
    patron, places = moule
    valeurs = ligne | {"csrf_token": jeton}
    return mark_safe(patron % {place: _echapper(valeurs[place]) for place in places})  # noqa: S308 (échappé)


def _echapper(valeur: str) -> str:
    """Comme `conditional_escape`, qui y met cinq fois le temps : un texte nu s'échappe, un texte sûr reste."""
    return escape(valeur) if type(valeur) is str else conditional_escape(valeur)


@register.tag
def moule(parser: Parser, token: Token) -> MouleNode:
    """
    ``{% moule carte %}…{% endmoule %}`` : la ligne d'une liste, dont seules changent les valeurs que l'on y pose.

    Rien d'autre que `carte` ne s'y lit, et ses valeurs sont du texte, ou vrai ou faux : posées, ou demandées (`if`),
    jamais comparées ni filtrées, fût-ce par un gabarit inclus. Une ligne qui porte autre chose que du texte se compose
    comme sans moule.
    """
    _, nom = token.split_contents()
    nodelist = parser.parse(("endmoule",))
    parser.delete_first_token()
    poses: list[Any] = nodelist.get_nodes_by_type(VariableNode)
    choix: list[Any] = nodelist.get_nodes_by_type(IfNode)
    conditions = [condition for noeud in choix for condition, _ in noeud.conditions_nodelists if condition]
    if any(pose.filter_expression.filters for pose in poses) or any(map(_is_lue, conditions)):
        raise TemplateSyntaxError(
            f"Le moule de « {nom} » pose ses valeurs telles quelles : ni filtre, ni comparaison."
        )
    return MouleNode(nodelist, nom)


def _is_lue(condition: Any) -> bool:
    """Vrai si la condition demande plus que « y a-t-il une valeur ? »."""
    if condition.id == "literal":
        return bool(condition.value.filters)
    parties = (partie for partie in (condition.first, condition.second) if partie)
    return condition.id not in ("not", "and", "or") or any(_is_lue(partie) for partie in parties)
