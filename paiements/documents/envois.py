"""
L'envoi des tickets : au pire un doublon, jamais un oubli.

Seule une adresse que le serveur refuse est définitive. Un serveur éteint, une nuit ou une semaine, ne perd aucun
ticket, et n'ouvre qu'une anomalie : celle de la liaison (`paiements/liaisons.py`).
"""

import logging
import re
from datetime import timedelta
from email.errors import MessageError
from email.utils import parseaddr
from smtplib import SMTPException, SMTPRecipientsRefused

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.db.models import F
from django.db.models.functions import Least
from django.template.loader import render_to_string
from django.utils import timezone, translation
from django.utils.encoding import punycode
from django.utils.translation import gettext

from comptes.models import Utilisateur
from paiements import liaisons
from paiements.causes import Cause, par_agent, par_service
from paiements.documents import tickets
from paiements.file.tenue import DejaResolue, clore, signaler
from paiements.models import RENVOIS_AU_PLUS, Anomalie, Paiement, Ticket
from socle import attente
from socle.sql import Lecture

logger = logging.getLogger(__name__)

LIAISONS = (liaisons.COURRIEL, liaisons.PDF)
# Plus long que l'attente dans la file et que tout envoi.
BAIL = timedelta(minutes=2)
# Un ticket, et ce qu'il faut pour l'écrire.
A_RENDRE = Lecture(
    lambda cle: Ticket.objects.filter(pk=cle).select_related(
        "paiement__demarche__allocataire", "paiement__caf", "paiement__debit", "paiement__solde"
    )
)
# Les refus qui parlent de l'adresse : sans code enrichi (RFC 5321 §4.2.3), ou avec (RFC 3463 §3.2 et 3.3). Les autres
# parlent de nous : relais interdit, quota, liste noire.
CODES_D_ADRESSE = (550, 551, 553)
CODE_ENRICHI = re.compile(rb"(?:^|\s)[245]\.(\d{1,3})\.(\d{1,3})\b")


def reserver(combien: int) -> list[int]:
    """Prend à envoyer les tickets dont l'heure est venue, et les garde le temps d'un bail ; aucun, si rien ne part."""
    if liaisons.get_reprise(LIAISONS):  # garde: courriel_coupe
        return []
    a_envoyer = Ticket.objects.filter(etat=Ticket.Etat.A_ENVOYER)
    return attente.reserver(a_envoyer, "prochain_essai_le", combien=combien, bail=BAIL)


def envoyer(ticket_id: int) -> None:
    """
    Envoie un ticket s'il reste à envoyer.

    L'envoi se fait hors de toute transaction : un serveur de courriel lent ne tient aucun verrou.
    """
    (ticket,) = A_RENDRE.lire(ticket_id)
    if ticket.etat != Ticket.Etat.A_ENVOYER:
        return
    if reprise := liaisons.get_reprise(LIAISONS):
        # Réservé juste avant que le serveur se taise : il rend l'ouvrier aussitôt, et rien ne lui est compté.
        Ticket.objects.filter(pk=ticket_id).update(prochain_essai_le=reprise)
        return
    langue = ticket.paiement.demarche.langue
    try:
        contenu = tickets.taire_la_personne(tickets.lire(ticket.paiement))
        with translation.override(langue):
            pdf = tickets.rendre_pdf(contenu)
    # garde: pdf_impossible
    except Exception:  # le rendu est une bibliothèque entière : quoi qu'elle lève, le paiement n'en sait rien
        logger.exception("ticket impossible à rendre", extra={"paiement": ticket.paiement.reference})
        _reporter(ticket, liaisons.PDF, "PDF impossible à rendre")
    else:
        liaisons.noter_reponse(liaisons.PDF)
        with translation.override(langue):
            courriel = composer(ticket.paiement, contenu, pdf)
        _remettre(ticket, courriel)


def _remettre(ticket: Ticket, courriel: EmailMessage) -> None:
    if not courriel.recipients():  # garde: adresse_effacee_entre_temps
        # Django n'enverrait rien, sans le dire : le ticket passerait pour parti.
        _renoncer(ticket, "adresse effacée, trois mois après")
        return
    try:
        courriel.send()
    except SMTPRecipientsRefused as refus:
        # garde: seule_une_adresse_refusee_est_definitive
        if all(is_adresse_refusee(code, texte) for code, texte in refus.recipients.values()):
            liaisons.noter_reponse(liaisons.COURRIEL)
            _renoncer(ticket, "adresse refusée par le serveur de courriel")
        else:
            _reporter(ticket, liaisons.COURRIEL, f"refus {max(code for code, _ in refus.recipients.values())}")
    except (SMTPException, OSError) as echec:
        _reporter(ticket, liaisons.COURRIEL, type(echec).__name__)
    except (ValueError, MessageError):
        # L'erreur cite l'adresse : ni journal, ni anomalie ne la répètent.
        _renoncer(ticket, "adresse impossible à écrire")
    else:
        liaisons.noter_reponse(liaisons.COURRIEL)
        _noter_l_envoi(ticket)


def is_adresse_refusee(code: int, texte: bytes) -> bool:
    """Vrai si le refus est définitif et parle de l'adresse ; faux s'il parle de notre serveur, ou passera."""
    if code < 500:  # un 4xx changera en réessayant (RFC 5321 §4.2.1)
        return False
    if enrichi := CODE_ENRICHI.search(texte):
        sujet, detail = enrichi.groups()
        return sujet == b"1" or (sujet, detail) == (b"2", b"1")
    return code in CODES_D_ADRESSE


def composer(paiement: Paiement, contenu: tickets.Contenu, pdf: bytes) -> EmailMessage:
    """Texte et PDF joint ; ni lien, ni montant, ni nom dans l'objet (PARCOURS §7)."""
    courriel = EmailMessage(
        subject=gettext("Votre ticket de paiement"),
        body=render_to_string("paiements/ticket.txt", {"ticket": contenu}),
        to=[paiement.demarche.courriel],
        headers={
            # La même demande a toujours le même identifiant : un doublon se reconnaît chez le destinataire.
            "Message-ID": get_message_id(_nommer(paiement.ticket), settings.DEFAULT_FROM_EMAIL),
            # Nul répondeur automatique n'y répond (RFC 3834 §5).
            "Auto-Submitted": "auto-generated",
        },
    )
    courriel.attach(tickets.get_nom_du_fichier(paiement), pdf, "application/pdf")
    return courriel


def get_message_id(reference: str, expediteur: str) -> str:
    """
    L'identifiant d'un message (RFC 5322 §3.6.4), en ASCII même si le domaine ne l'est pas.

    :param expediteur: une adresse, avec ou sans nom devant
    """
    domaine = parseaddr(expediteur)[1].rpartition("@")[2]
    return f"<{reference}@{punycode(domaine)}>"


def _nommer(ticket: Ticket) -> str:
    """Redemandé par la personne, ce n'est plus le même message : le sien ne le jetterait pas comme un doublon."""
    return f"{ticket.paiement.reference}.{ticket.renvois}" if ticket.renvois else ticket.paiement.reference


def renvoyer(ticket: Ticket, cause: Cause) -> None:
    """Remet un ticket à envoyer, tout de suite ; son anomalie, s'il en a une, se ferme quand il est parti."""
    Ticket.objects.filter(pk=ticket.pk).update(
        etat=Ticket.Etat.A_ENVOYER, envoye_le=None, essais=0, prochain_essai_le=timezone.now()
    )
    logger.info("ticket à renvoyer", extra={"paiement": ticket.paiement.reference, "auteur": cause.auteur})


def _conclure(ticket: Ticket, **champs: object) -> bool:
    """Écrit ce qu'est devenu un essai ; faux si la personne a, entre-temps, demandé un autre envoi."""
    ticket.essais += 1
    meme_demande = Ticket.objects.filter(pk=ticket.pk, etat=Ticket.Etat.A_ENVOYER, renvois=ticket.renvois)
    return bool(meme_demande.update(essais=ticket.essais, **champs))


class EnvoiImpossible(Exception):
    """Ce paiement n'est pas encaissé, ou son ticket part déjà."""


def is_renvoyable(paiement: Paiement) -> bool:
    """Encaissé, et aucun envoi n'est déjà en route."""
    ticket = getattr(paiement, "ticket", None)
    return paiement.is_encaisse and (ticket is None or ticket.etat != Ticket.Etat.A_ENVOYER)


@transaction.atomic
def renvoyer_ailleurs(paiement: Paiement, *, courriel: str, motif: str, agent: Utilisateur) -> None:
    """
    Remet un ticket à envoyer, à l'adresse que l'allocataire vient de dire.

    :param motif: comment il l'a dite, et quand
    :raises EnvoiImpossible: si le paiement n'est pas encaissé, ou si un envoi est déjà en route
    """
    paiements = Paiement.objects.select_for_update(of=("self",), no_key=True).select_related("demarche")
    paiement = paiements.get(pk=paiement.pk)
    if not is_renvoyable(paiement):
        raise EnvoiImpossible("le paiement n'est pas encaissé, ou son ticket part déjà")
    if paiement.demarche.courriel != courriel:
        paiement.demarche.courriel = courriel
        paiement.demarche.save(update_fields=["courriel"])
    ticket, _ = Ticket.objects.get_or_create(paiement=paiement)
    # Ce n'est plus le même message : la boîte de la personne ne le jettera pas comme un doublon.
    Ticket.objects.filter(pk=ticket.pk).update(renvois=Least(F("renvois") + 1, RENVOIS_AU_PLUS))
    renvoyer(ticket, par_agent(agent, motif))


def _noter_l_envoi(ticket: Ticket) -> None:
    if not _conclure(ticket, etat=Ticket.Etat.ENVOYE, envoye_le=timezone.now(), prochain_essai_le=None):
        return
    logger.info("ticket envoyé", extra={"paiement": ticket.paiement.reference})
    for anomalie in ticket.paiement.anomalies.ouvertes().filter(genre=Anomalie.Genre.COURRIEL_IMPOSSIBLE):
        try:
            clore(anomalie, par_service("le ticket est parti"))
        except DejaResolue:
            continue


def _reporter(ticket: Ticket, liaison: str, motif: str) -> None:
    """Reprend plus tard, sans fin ; si les autres partent et lui seul non, un agent le sait."""
    logger.warning("ticket reporté", extra={"paiement": ticket.paiement.reference, "motif": motif})
    liaisons.noter_silence(liaison, motif)
    relance = settings.TICKET_RELANCES[min(ticket.essais, len(settings.TICKET_RELANCES) - 1)]
    _conclure(ticket, dernier_motif=motif, prochain_essai_le=timezone.now() + relance)
    if ticket.essais > len(settings.TICKET_RELANCES) and not liaisons.get_reprise([liaison]):
        _signaler(ticket, motif)


@transaction.atomic
def _renoncer(ticket: Ticket, motif: str) -> None:
    if _conclure(ticket, etat=Ticket.Etat.IMPOSSIBLE, dernier_motif=motif, prochain_essai_le=None):
        _signaler(ticket, motif)


def _signaler(ticket: Ticket, motif: str) -> None:
    signaler(
        Anomalie.Genre.COURRIEL_IMPOSSIBLE,
        ticket.paiement.reference,
        detail=f"{motif}, après {ticket.essais} essai(s)",
        paiement=ticket.paiement,
        cause=par_service(motif),
    )
