from django.apps import AppConfig


class ComptesConfig(AppConfig):
    name = "comptes"

    def ready(self) -> None:
        from comptes import journal  # noqa: F401 (importé pour ce qu'il écoute)

    verbose_name = "Comptes"
