from django.urls import URLPattern

app_name = "dettes"
urlpatterns: list[URLPattern] = []
