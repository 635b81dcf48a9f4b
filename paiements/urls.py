from django.urls import path

from paiements import views
from paiements.reception.vue import notification

app_name = "paiements"
urlpatterns = [
    # Avec ou sans barre finale : une redirection perdrait le message, et compterait pour un succès (PROTOCOLE §3.1).
    path("payzen/notification/", notification, name="notification"),
    path("payzen/notification", notification),
    path("<str:reference>/payer/", views.payer, name="payer"),
    path("<str:reference>/retour/", views.retour, name="retour"),
    path("<str:reference>/ticket.pdf", views.ticket, name="ticket"),
    path("<str:reference>/attestation.pdf", views.attestation, name="attestation"),
]
