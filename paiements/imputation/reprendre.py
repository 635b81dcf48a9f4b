"""Reprendre des dettes ce que la banque a repris : des imputations négatives, avec leur motif et leur auteur."""

from collections.abc import Mapping
from decimal import Decimal

from dettes.models import Dette, Mouvement
from paiements.causes import Cause
from paiements.imputation.ecrire import Ecriture, ecrire
from paiements.models import Paiement


def reprendre_tout(paiement: Paiement, cause: Cause) -> None:
    """Reprend tout ce qu'un paiement avait imputé ; sans imputation, ne reprend rien. À appeler sous son verrou."""
    reprendre_des_dettes(paiement, paiement.imputations.par_dette(), cause)


def reprendre_des_dettes(paiement: Paiement, parts: Mapping[int, Decimal], cause: Cause) -> None:
    """
    Fait remonter des dettes de ce qu'on leur reprend. À appeler sous le verrou du paiement.

    :param parts: combien, en euros, par la clé de la dette
    """
    if not parts:
        return
    dettes = Dette.objects.filter(pk__in=parts).order_by("pk")
    list(dettes.select_for_update(of=("self",), no_key=True).values_list("pk"))
    # La dernière imputation à cette dette dit quel débit l'a éteinte, et la date que la Caf a lue.
    portees = paiement.imputations.filter(montant__gt=0).order_by("pk")  # garde: reprise_du_dernier_debit
    dernieres = {imputation.dette_id: imputation for imputation in portees}
    reprises = [(dernieres[cle], parts[cle]) for cle in sorted(parts)]
    rejet = Mouvement.Genre.REJET
    ecrire(Ecriture(paiement, d.debit_id, d.paye_le, d.dette_id, rejet, -part, cause) for d, part in reprises)
    # La Caf les croyait soldées par ce paiement : elles se paient de nouveau.
    # garde: dette_soldee_se_paie_de_nouveau
    dettes.filter(situation=Dette.Situation.SOLDEE).update(situation=Dette.Situation.EN_COURS)
