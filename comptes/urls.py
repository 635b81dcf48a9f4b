from django.urls import path

from comptes import views

app_name = "comptes"

urlpatterns = [
    path("premiere-connexion/", views.premiere_connexion, name="premiere_connexion"),
    path("compte/code-exige/", views.sans_facteur, name="sans_facteur"),
    path("compte/sessions/prolonger/", views.prolonger, name="prolonger"),
    path("mon-compte/", views.mon_compte, name="mon_compte"),
]
