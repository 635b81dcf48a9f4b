"""Un jour mis d'équerre par une personne nommée, et les chiffres qu'elle a signés."""

import pgtrigger
from django.db import models

from comptes.models import Caf, Utilisateur


class JourClos(models.Model):
    """La clôture d'une feuille (PROTOCOLE §8). Ajout seul : un jour qui change se clôt de nouveau, et le dit."""

    caf = models.ForeignKey(Caf, models.PROTECT, related_name="jours_clos", verbose_name="Caf", db_index=False)
    jour = models.DateField()
    chiffres = models.JSONField()
    motif = models.CharField(max_length=200)
    auteur = models.ForeignKey(Utilisateur, models.PROTECT, related_name="+")
    le = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = "jour clos"
        verbose_name_plural = "jours clos"
        indexes = [models.Index(name="jours_clos_de_la_caf", fields=["caf", "jour"])]
        triggers = [pgtrigger.Protect(name="jour_clos_ajout_seul", operation=pgtrigger.Update | pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"{self.caf_id}, {self.jour:%d/%m/%Y}"
