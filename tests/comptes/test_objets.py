"""Ce dont parle une ligne du journal se lit toujours, quoi qu'on ait tapé dans l'adresse d'un export."""

import pytest

from comptes.models import Evenement
from comptes.objets import dire_l_objet


@pytest.mark.parametrize(
    ("filtres", "lu"),
    [
        ("", "paiements"),
        ("statut__exact=IMPUTE", "paiements (statut : imputé)"),
        ("caf=661", "paiements (Caf : 661)"),
        ("recherche", "paiements (recherche)"),
        ("caf=661&recherche", "paiements (Caf : 661, recherche)"),
        ("cree_le__gte=2026-11-28", "paiements (créé le à partir de 28/11/2026 00:00)"),
        ("cree_le__gte=2026-11-28 10:00:00+00:00", "paiements (créé le à partir de 28/11/2026 11:00)"),
        ("cree_le__lt=9999-12-31T23:59:59Z", "paiements (créé le avant 9999-12-31T23:59:59Z)"),
        ("cree_le__gte=hier", "paiements (créé le à partir de hier)"),
        ("etapes__isnull=1", "paiements (etapes : 1)"),
        ("anomalies__genre=ECART", "paiements (anomalies : ECART)"),
        ("montant__gte=7.00", "paiements (montant à partir de 7,00\xa0€)"),
        ("montant__gte=beaucoup", "paiements (montant à partir de beaucoup)"),
        ("inconnu__exact=1", "paiements (inconnu : 1)"),
    ],
)
def test_les_filtres_d_un_export_se_lisent(filtres: str, lu: str) -> None:
    evenement = Evenement(genre=Evenement.Genre.EXPORT, objet=f"paiements.paiement {filtres}".strip())

    assert dire_l_objet(evenement) == lu
