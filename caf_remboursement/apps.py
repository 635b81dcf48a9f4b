from django.apps import AppConfig


class ServiceConfig(AppConfig):
    name = "caf_remboursement"
    verbose_name = "Service"

    def ready(self) -> None:
        from caf_remboursement import verifications  # noqa: F401 (s'enregistre en se chargeant)
