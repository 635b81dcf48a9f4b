from django.urls import path

from paiements.suivi import vues

app_name = "suivi"
urlpatterns = [
    path("", vues.liste, name="liste"),
    path("<str:reference>/", vues.detail, name="detail"),
    path("<str:reference>/ticket/", vues.ticket, name="ticket"),
    path("<str:reference>/paiement-termine/", vues.repondre, name="repondre"),
    path("<str:reference>/recommencer/", vues.recommencer, name="recommencer"),
]
