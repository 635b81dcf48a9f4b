"""Une liaison avec le dehors : ce qu'on en a entendu, et depuis quand elle se tait."""

from django.db import models


class Liaison(models.Model):
    """
    Une boutique PayZen, le serveur de courriel, le rendu des PDF. Dates en UTC.

    `echecs` compte les silences de suite ; coupée, elle n'est plus appelée avant `coupee_jusqu_a`.
    """

    nom = models.CharField(primary_key=True, max_length=40)
    repondue_le = models.DateTimeField("dernière réponse, à la minute près", null=True, blank=True)
    muette_depuis = models.DateTimeField(null=True, blank=True)
    echecs = models.PositiveIntegerField("échecs de suite", default=0)
    coupee_jusqu_a = models.DateTimeField("coupée jusqu'à", null=True, blank=True)
    dernier_motif = models.CharField("dernier échec", max_length=200, blank=True)

    class Meta:
        verbose_name = "liaison"

    def __str__(self) -> str:
        return self.nom
