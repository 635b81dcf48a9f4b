from django.apps import AppConfig, apps
from django.db.models.signals import post_migrate, pre_migrate


class SocleConfig(AppConfig):
    """Ce dont tous les étages ont besoin, et qui ne sait rien du métier."""

    name = "socle"

    def ready(self) -> None:
        from socle.gardes import dire_qui_les_tait
        from socle.migrer import lever_la_limite, remettre_la_limite

        # Une fois par `migrate` : le signal n'est pas émis pour une app sans modèle, comme celle-ci.
        une_fois = apps.get_app_config("contenttypes")
        pre_migrate.connect(lever_la_limite, sender=une_fois)
        post_migrate.connect(dire_qui_les_tait, sender=une_fois)
        post_migrate.connect(remettre_la_limite, sender=une_fois)
