from django.urls import path

from comptes import franceconnect_vues, views

app_name = "comptes"

urlpatterns = [
    path("premiere-connexion/", views.premiere_connexion, name="premiere_connexion"),
    path("compte/code-exige/", views.sans_facteur, name="sans_facteur"),
    path("compte/sessions/prolonger/", views.prolonger, name="prolonger"),
    path("franceconnect/", franceconnect_vues.commencer, name="franceconnect"),
    path("franceconnect/retour/", franceconnect_vues.retour, name="franceconnect_retour"),
    path("mon-compte/", views.mon_compte, name="mon_compte"),
]
