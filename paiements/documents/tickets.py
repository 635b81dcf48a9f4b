"""Le ticket d'un paiement accepté : ce qu'il dit, son PDF, son envoi."""

import logging
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from email.errors import MessageError
from smtplib import SMTPException, SMTPRecipientsRefused
from typing import cast

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.crypto import salted_hmac

from demarches.etats import REPARTIS
from demarches.models import Demarche, LigneDemarche
from paiements.causes import par_service
from paiements.documents.pdf import render_pdf
from paiements.file.tenue import signaler
from paiements.models import Anomalie, Paiement, Ticket, TransactionPayzen
from socle import attente

logger = logging.getLogger(__name__)

# Un code 5xx ne changera pas en réessayant ; un 4xx, si (RFC 5321 §4.2.1).
REFUS_DEFINITIF = 500


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
    is_reparti: bool
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
        annonce_le=paiement.annonce_le,
        montant=debit.montant,
        demande=paiement.montant,
        marque=debit.marque,
        carte=debit.carte_masquee,
        autorisation=debit.autorisation,
        is_global=paiement.demarche.mode == Demarche.Mode.GLOBAL,
        rendu=debit.montant - max(solde.tenu, Decimal(0)),
        is_reparti=paiement.demarche.etat in REPARTIS,
        has_retenu=paiement.retenu > 0,
        lignes=list(paiement.demarche.lignes.select_related("dette").order_by("dette__notifiee_le", "dette_id")),
        code=get_code(paiement, debit.montant),
    )


def get_code(paiement: Paiement, montant: Decimal) -> str:
    """
    Le code de vérification : huit signes qu'un agent recalcule pour savoir si un papier est de nous.

    :param montant: celui que le papier imprime, en euros
    """
    valeur = f"{paiement.reference}|{montant}|{paiement.debit_id}"
    return salted_hmac("paiements.tickets", valeur, algorithm="sha256").hexdigest()[:8].upper()


def get_nom_du_fichier(paiement: Paiement) -> str:
    return f"ticket-{paiement.demarche.reference}.pdf"


def rendre_pdf(contenu: Contenu) -> bytes:
    """Le ticket en PDF/UA, une page tant que les dettes y tiennent."""
    return render_pdf(render_to_string("paiements/ticket_pdf.html", {"ticket": contenu}))


def reserver(combien: int) -> list[int]:
    """Prend à envoyer les tickets dont l'heure est venue, et les garde le temps d'un bail."""
    a_envoyer = Ticket.objects.filter(etat=Ticket.Etat.A_ENVOYER)
    return attente.reserver(a_envoyer, "prochain_essai_le", combien=combien, bail=settings.TICKET_RELANCES[0])


def envoyer(ticket_id: int) -> None:
    """
    Envoie un ticket s'il reste à envoyer : au pire un doublon, jamais un oubli.

    Un échec passager reprend plus tard ; une adresse refusée, ou trop d'échecs, devient une anomalie. L'envoi se fait
    hors de toute transaction : un serveur de courriel lent ne tient aucun verrou.
    """
    ticket = Ticket.objects.select_related(
        "paiement__demarche__allocataire", "paiement__caf", "paiement__debit", "paiement__solde"
    ).get(pk=ticket_id)
    if ticket.etat != Ticket.Etat.A_ENVOYER:
        return
    try:
        pdf = rendre_pdf(lire(ticket.paiement))
    # garde: pdf_impossible
    except Exception:  # le rendu est une bibliothèque entière : quoi qu'elle lève, le paiement n'en sait rien
        logger.exception("ticket impossible à rendre", extra={"paiement": ticket.paiement.reference})
        _reporter(ticket, "PDF impossible à rendre")
        return
    try:
        _composer(ticket.paiement, pdf).send()
    except SMTPRecipientsRefused as refus:
        definitif = all(code >= REFUS_DEFINITIF for code, _ in refus.recipients.values())
        (_renoncer if definitif else _reporter)(ticket, "adresse refusée par le serveur de courriel")
    except (SMTPException, OSError) as echec:
        _reporter(ticket, type(echec).__name__)
    except (ValueError, MessageError):
        # L'erreur cite l'adresse : ni journal, ni anomalie ne la répètent.
        _renoncer(ticket, "adresse impossible à écrire")
    else:
        Ticket.objects.filter(pk=ticket_id, etat=Ticket.Etat.A_ENVOYER).update(
            etat=Ticket.Etat.ENVOYE, envoye_le=timezone.now(), essais=ticket.essais + 1, prochain_essai_le=None
        )
        logger.info("ticket envoyé", extra={"paiement": ticket.paiement.reference})


def _composer(paiement: Paiement, pdf: bytes) -> EmailMessage:
    """Texte et PDF joint ; ni lien, ni montant, ni nom dans l'objet (PARCOURS §7)."""
    contenu = lire(paiement)
    courriel = EmailMessage(
        subject="Votre ticket de paiement",
        body=render_to_string("paiements/ticket.txt", {"ticket": contenu}),
        to=[paiement.demarche.courriel],
        # Le même paiement a toujours le même identifiant : un doublon se reconnaît chez le destinataire.
        headers={"Message-ID": f"<{paiement.reference}@{settings.DEFAULT_FROM_EMAIL.rpartition('@')[2]}>"},
    )
    courriel.attach(get_nom_du_fichier(paiement), pdf, "application/pdf")
    return courriel


def _reporter(ticket: Ticket, motif: str) -> None:
    logger.warning("ticket à renvoyer", extra={"paiement": ticket.paiement.reference, "motif": motif})
    if ticket.essais >= len(settings.TICKET_RELANCES):
        _renoncer(ticket, motif)
        return
    attente = settings.TICKET_RELANCES[ticket.essais]
    ticket.essais += 1
    ticket.dernier_motif = motif
    ticket.prochain_essai_le = timezone.now() + attente
    ticket.save(update_fields=["essais", "dernier_motif", "prochain_essai_le"])


@transaction.atomic
def _renoncer(ticket: Ticket, motif: str) -> None:
    ticket.etat = Ticket.Etat.IMPOSSIBLE
    ticket.essais += 1
    ticket.dernier_motif = motif
    ticket.prochain_essai_le = None
    ticket.save(update_fields=["etat", "essais", "dernier_motif", "prochain_essai_le"])
    signaler(
        Anomalie.Genre.COURRIEL_IMPOSSIBLE,
        ticket.paiement.reference,
        detail=f"{motif}, après {ticket.essais} essai(s)",
        paiement=ticket.paiement,
        cause=par_service(motif),
    )
