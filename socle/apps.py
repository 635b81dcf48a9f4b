from django.apps import AppConfig


class SocleConfig(AppConfig):
    """Ce dont tous les étages ont besoin, et qui ne sait rien du métier."""

    name = "socle"
