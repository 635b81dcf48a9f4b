from django.apps import AppConfig


class PaiementsConfig(AppConfig):
    name = "paiements"
    verbose_name = "Paiements"

    def ready(self) -> None:
        from dettes.signals import solde_negatif
        from paiements.file.tenue import signaler_solde_negatif

        solde_negatif.connect(signaler_solde_negatif)
