"""Le rapport de chaque purge : la preuve que ce qui devait finir a fini."""

import pgtrigger
from django.db import models


class Purge(models.Model):
    """
    Ce qu'une règle de conservation a effacé, et ce qu'elle a laissé : rien, si elle est tenue. Ajout seul.

    Des nombres et des dates, jamais ce qui a été effacé.
    """

    regle = models.CharField("règle", max_length=80)
    effaces = models.PositiveIntegerField("effacés")
    restants = models.PositiveIntegerField("périmés qui restent")
    le = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = "purge"
        triggers = [pgtrigger.Protect(name="purge_ajout_seul", operation=pgtrigger.Update | pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"{self.regle}, {self.le:%d/%m/%Y}"
