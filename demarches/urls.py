from django.urls import path

from demarches import views

app_name = "demarches"
urlpatterns = [
    path("rembourser/", views.commencer, name="commencer"),
    path("rembourser/<str:reference>/informations/", views.informations, name="informations"),
    path("rembourser/<str:reference>/montants/", views.montants, name="montants"),
    path("rembourser/<str:reference>/recapitulatif/", views.recapitulatif, name="recapitulatif"),
    path("rembourser/<str:reference>/abandonner/", views.abandonner, name="abandonner"),
]
