from django.apps import AppConfig


class DettesConfig(AppConfig):
    name = "dettes"
    verbose_name = "Dettes"
