from django.apps import AppConfig


class PaiementsConfig(AppConfig):
    name = "paiements"
    verbose_name = "Paiements"

    def ready(self) -> None:
        from dettes.signals import solde_negatif
        from paiements.retours.trop_percu import retenir_apres_l_import

        solde_negatif.connect(retenir_apres_l_import)
