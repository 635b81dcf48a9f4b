"""L'attestation de prise en compte : ce qu'un paiement imputé a changé, dette par dette (PARCOURS §6)."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.template.loader import render_to_string
from django.utils import timezone

from paiements.documents.pdf import render_pdf
from paiements.models import Imputation, Paiement
from paiements.statuts import Geste


@dataclass(frozen=True)
class Attestation:
    """Ce que dit l'attestation. Montants en euros, instant en heure de Paris."""

    paiement: Paiement
    titulaire: str
    numero: str
    impute_le: datetime
    imputations: list[Imputation]
    porte: Decimal
    reste_a_placer: Decimal
    repris_des_dettes: Decimal
    code: str


def lire(paiement: Paiement) -> Attestation:
    """Le contenu de l'attestation d'un paiement imputé, d'après la base."""
    allocataire = paiement.demarche.allocataire
    portees = paiement.get_imputations().filter(montant__gt=0)
    imputations = list(portees.select_related("dette", "mouvement").order_by("pk"))
    porte = sum((imputation.montant for imputation in imputations), Decimal(0))
    return Attestation(
        paiement=paiement,
        titulaire=allocataire.nom_complet,
        numero=allocataire.numero,
        impute_le=timezone.localtime(paiement.etapes.filter(geste=Geste.IMPUTER).latest("pk").le),
        imputations=imputations,
        porte=porte,
        reste_a_placer=max(paiement.a_placer, Decimal(0)),
        repris_des_dettes=porte - paiement.solde.impute,
        code=paiement.code,
    )


def rendre_pdf(attestation: Attestation) -> bytes:
    """L'attestation en PDF/UA."""
    return render_pdf(render_to_string("paiements/attestation_pdf.html", {"attestation": attestation}))
