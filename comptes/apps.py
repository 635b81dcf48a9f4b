from django.apps import AppConfig


class ComptesConfig(AppConfig):
    name = "comptes"
    verbose_name = "Comptes"

    def ready(self) -> None:
        from comptes import facteurs, sessions  # noqa: F401 (importés pour ce qu'ils écoutent)
