"""Le service, et les vues qui servent d'étalon : vide, écrites sans soin, au plus court."""

from decimal import Decimal

from django.contrib.auth.decorators import login_not_required
from django.db.models import Sum
from django.http import HttpRequest, HttpResponse
from django.template import engines
from django.urls import path

from bancs.ordinaire import en_un_ordre, par_l_orm
from caf_remboursement.urls import *  # noqa: F403
from caf_remboursement.urls import urlpatterns as du_service

# Ce qu'on écrirait un premier matin : une requête, une boucle, les filtres de Django.
ORDINAIRE = """{% extends "base.html" %}{% block contenu %}<h1>Mes dettes</h1>
<p>Reste : {{ reste|floatformat:2 }} €</p><ul>{% for dette in dettes %}
<li><a href="{% url "dettes:detail" dette.reference %}">{{ dette.libelle }}</a>
{{ dette.get_phase_display }} {{ dette.get_situation_display }} {{ dette.periode_debut|date:"F Y" }}
{{ dette.solde|floatformat:2 }} € sur {{ dette.montant_initial|floatformat:2 }} € {{ dette.reference }}
{% if dette.engage %}{{ dette.engage|floatformat:2 }} € en cours{% endif %}</li>{% endfor %}</ul>{% endblock %}"""


@login_not_required
def vide(request: HttpRequest) -> HttpResponse:
    return HttpResponse("")


def ordinaire(request: HttpRequest) -> HttpResponse:
    dettes = list(request.user.allocataire.dettes.annotate(engage=Sum("lignes__montant")).order_by("notifiee_le"))
    contexte = {"dettes": dettes, "reste": sum((dette.solde for dette in dettes), Decimal(0))}
    gabarit = engines["django"].from_string(ORDINAIRE)
    return HttpResponse(gabarit.render(contexte, request))


urlpatterns = [
    *du_service,
    path("bancs/vide/", vide),
    path("bancs/ordinaire/", ordinaire),
    path("bancs/notification/orm/", par_l_orm),
    path("bancs/notification/un-ordre/", en_un_ordre),
]
