"""Ce qu'une personne a demandé, posé dans une page."""

from django import template

from comptes.models import Utilisateur
from demarches.models import Demarche
from socle.sql import Lecture

register = template.Library()
MONTREES = 3
DERNIERES = Lecture(
    lambda auteur, allocataire: (
        Demarche.objects.visibles_par(Utilisateur(pk=auteur, allocataire_id=allocataire))
        .demandees()
        .plus_recentes_d_abord()[:MONTREES]
    )
)


@register.simple_tag
def dernieres_demarches(personne: Utilisateur) -> list[Demarche]:
    """Ses dernières démarches, la plus récente d'abord."""
    return DERNIERES.lire(personne.pk, personne.allocataire_id)
