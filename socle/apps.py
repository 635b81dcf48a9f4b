from django.apps import AppConfig, apps
from django.db.models.signals import post_migrate


class SocleConfig(AppConfig):
    """Ce dont tous les étages ont besoin, et qui ne sait rien du métier."""

    name = "socle"

    def ready(self) -> None:
        from socle.gardes import dire_qui_les_tait

        # Une fois par `migrate` : le signal n'est pas émis pour une app sans modèle, comme celle-ci.
        post_migrate.connect(dire_qui_les_tait, sender=apps.get_app_config("contenttypes"))
