from django.apps import AppConfig
from django.db.models.signals import post_migrate


class SocleConfig(AppConfig):
    """Ce dont tous les étages ont besoin, et qui ne sait rien du métier."""

    name = "socle"

    def ready(self) -> None:
        from socle.gardes import dire_qui_les_tait

        post_migrate.connect(dire_qui_les_tait, sender=self)
