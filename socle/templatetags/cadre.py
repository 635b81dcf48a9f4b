"""Ce qui est pareil d'une page à l'autre ne se compose qu'une fois par processus."""

from typing import Any

from django import template
from django.conf import settings
from django.template import Context, Node, NodeList
from django.template.base import FilterExpression, Parser, Token
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language

register = template.Library()

# Ne peut être dans aucun gabarit : ce n'est pas du texte que l'on écrit.
JETON = "\ue000jeton\ue000"


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
