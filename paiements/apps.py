from django.apps import AppConfig


class PaiementsConfig(AppConfig):
    name = "paiements"
    verbose_name = "Paiements"

    def ready(self) -> None:
        from dettes.signals import solde_negatif, soldes_lus
        from paiements.retours.trop_percu import fermer_apres_l_import, reprendre_apres_l_import

        solde_negatif.connect(reprendre_apres_l_import)
        soldes_lus.connect(fermer_apres_l_import)
