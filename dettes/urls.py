from django.urls import path

from dettes import views

app_name = "dettes"
urlpatterns = [
    path("", views.liste, name="liste"),
    path("<str:reference>/", views.detail, name="detail"),
]
