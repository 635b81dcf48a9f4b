from django.apps import AppConfig


class ComptesConfig(AppConfig):
    name = "comptes"

    def ready(self) -> None:
        from comptes import facteurs, journal, sessions  # noqa: F401 (importés pour ce qu'ils écoutent)
