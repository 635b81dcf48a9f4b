"""
La santé, pour qui sonde : à tout hôte, sans compte.

`/sante/` : peut-on payer ? C'est celle du répartiteur. `/sante/vie/` : ce processus répond. `/sante/pret/` : et le
travail dû se fait ; elle rougit quand personne ne le fait, ce dont un répartiteur ne doit pas se servir.
"""

from django.contrib.auth.decorators import login_not_required
from django.db import DatabaseError, connection
from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_safe

from caf_remboursement.surveillance import retards


@login_not_required
@require_safe
def sante(request: HttpRequest) -> JsonResponse:
    """Répond 200 quand la base répond, 503 sinon. Redis n'en est pas : le service paie sans lui."""
    try:
        with connection.cursor() as curseur:
            curseur.execute("SELECT 1")
    except DatabaseError:
        return JsonResponse({"etat": "base injoignable"}, status=503)
    return JsonResponse({"etat": "pret"})


@login_not_required
@require_safe
def vie(request: HttpRequest) -> JsonResponse:
    """Répond 200 tant que ce processus répond ; ne demande rien à personne."""
    return JsonResponse({"etat": "vivant"})


@login_not_required
@require_safe
def pret(request: HttpRequest) -> JsonResponse:
    """Répond 503, avec la cause, si la base manque, si un ouvrier ne bat plus, ou si du travail dû est trop vieux."""
    try:
        causes = [f"ouvrier {file} sans battement" for file in retards.get_sans_ouvrier()]
        causes += [f"{t.nombre} {t.nom} en retard" for t in retards.get_travaux() if t.is_en_retard]
    except DatabaseError:
        causes = ["base injoignable"]
    return JsonResponse({"etat": "en retard" if causes else "pret", "causes": causes}, status=503 if causes else 200)
