"""Le ticket d'un paiement accepté : ce qu'il dit, et son PDF. Son envoi est à côté (`envois.py`)."""

from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import cast

from django.template.loader import render_to_string
from django.utils import timezone

from demarches.etats import REPARTIS
from demarches.models import Demarche, LigneDemarche
from paiements.documents.pdf import render_pdf
from paiements.models import Paiement, TransactionPayzen
from paiements.statuts import Statut
from socle.sql import Lecture

LIGNES = Lecture(
    lambda demarche: (
        LigneDemarche.objects.filter(demarche=demarche)
        .select_related("dette")
        .order_by("dette__notifiee_le", "dette_id")
    )
)


@dataclass(frozen=True)
class Contenu:
    """Ce que dit un ticket, le même à l'écran, sur papier et en PDF. Montants en euros, instant en heure de Paris."""

    reference: str
    caf: str
    titulaire: str
    numero: str
    paye_le: datetime
    annonce_le: date | None
    montant: Decimal
    demande: Decimal
    marque: str
    carte: str
    autorisation: str
    is_global: bool
    rendu: Decimal
    is_douteux: bool
    is_reparti: bool
    is_impute: bool
    has_retenu: bool
    lignes: list[LigneDemarche]
    code: str


def lire(paiement: Paiement) -> Contenu:
    """Le contenu du ticket d'un paiement encaissé, d'après la base."""
    allocataire = paiement.demarche.allocataire
    # Encaissé, il a son débit : la base le garantit.
    debit, solde = cast("TransactionPayzen", paiement.debit), paiement.solde
    return Contenu(
        reference=paiement.demarche.reference,
        caf=paiement.caf.nom,
        titulaire=allocataire.nom_complet,
        numero=allocataire.numero,
        paye_le=timezone.localtime(paiement.paye_le),
        annonce_le=paiement.annonce_a_venir,
        montant=debit.pris,
        demande=paiement.montant,
        marque=debit.marque,
        carte=debit.carte_masquee,
        autorisation=debit.autorisation,
        is_global=paiement.demarche.mode == Demarche.Mode.GLOBAL,
        # D'un débit dont la banque dit deux choses, rien n'est tenu : seuls ses crédits disent ce qui est rendu.
        rendu=debit.compte.credite if debit.is_douteuse else debit.pris - max(solde.tenu, Decimal(0)),
        is_douteux=debit.is_douteuse,
        is_reparti=paiement.demarche.etat in REPARTIS,
        is_impute=paiement.statut == Statut.IMPUTE,
        has_retenu=paiement.retenu > 0,
        lignes=LIGNES.lire(paiement.demarche_id),
        code=paiement.code,
    )


def get_nom_du_fichier(paiement: Paiement) -> str:
    return f"ticket-{paiement.demarche.reference}.pdf"


def taire_la_personne(contenu: Contenu) -> Contenu:
    """Le ticket qui part par courriel : l'adresse a été tapée, et n'est peut-être à personne que l'on connaisse."""
    return replace(contenu, titulaire="", numero="")


def rendre_pdf(contenu: Contenu) -> bytes:
    """Le ticket en PDF/UA, une page tant que les dettes y tiennent."""
    return render_pdf(render_to_string("paiements/ticket_pdf.html", {"ticket": contenu}))
