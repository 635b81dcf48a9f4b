"""Prévenir les opérateurs par courriel : une fois quand un problème paraît, une fois quand il finit."""

import logging
from smtplib import SMTPException

from django.conf import settings
from django.core.cache import cache
from django.core.mail import send_mail
from django.db import transaction
from django.utils import timezone

from caf_remboursement.surveillance.problemes import Probleme
from comptes.models import Utilisateur
from paiements.models import Alerte

logger = logging.getLogger(__name__)

SUJET = "[Rembourser ma Caf] "
# La base éteinte ou illisible, rien ne se retient en elle : le cache dit qu'on l'a déjà écrit.
BASE_DITE, AVEUGLE_DIT, REDIT_S = "alerte:base", "alerte:aveugle", 3600
BASE_INJOIGNABLE, AVEUGLE = "base injoignable", "état du service illisible"


class PasPrevenus(Exception):
    """Le courriel n'est pas parti. Rien n'en est retenu : le passage suivant le redira."""


@transaction.atomic
def alerter(problemes: list[Probleme]) -> tuple[list[Alerte], list[Alerte]]:
    """
    Dit ce qui commence et ce qui finit, en un courriel ; rend les deux listes.

    :raises PasPrevenus: si le courriel ne part pas
    """
    is_revenue = cache.get(BASE_DITE) is not None
    ouvertes = {alerte.cle: alerte for alerte in Alerte.objects.select_for_update().filter(finie_le=None)}
    neuves = [
        Alerte(cle=p.cle, phrase=p.phrase[:300], commande=p.commande) for p in problemes if p.cle not in ouvertes
    ]
    Alerte.objects.bulk_create(neuves, ignore_conflicts=True)
    finies = [alerte for cle, alerte in ouvertes.items() if cle not in {p.cle for p in problemes}]
    for alerte in finies:
        alerte.finie_le = timezone.now()
        alerte.save(update_fields=["finie_le"])
    if neuves or finies or is_revenue:
        texte = _composer(neuves, finies, ["FIN     la base répond de nouveau", ""] if is_revenue else [])
        _ecrire(texte, f"{len(neuves)} alerte(s), {len(finies) + is_revenue} fin(s)")
        cache.delete(BASE_DITE)
    return neuves, finies


def dire_la_base_eteinte(motif: str) -> bool:
    """
    La base ne répond pas : un courriel par heure. Rend vrai s'il est parti, faux s'il l'est déjà.

    :raises PasPrevenus: si le courriel ne part pas
    """
    lignes = ("La base ne répond pas : rien ne se paie.", motif, "À faire : systemctl status postgresql")
    return _dire_chaque_heure(BASE_DITE, BASE_INJOIGNABLE, lignes)


def dire_l_aveuglement(motif: str) -> bool:
    """
    L'état ne se mesure plus, on ne sait pourquoi : un courriel par heure. Rend vrai s'il est parti.

    :raises PasPrevenus: si le courriel ne part pas
    """
    lignes = ("Plus aucune alerte ne partira tant que l'état du service ne se lit pas.", motif)
    return _dire_chaque_heure(AVEUGLE_DIT, AVEUGLE, (*lignes, "À faire : etat_service --traceback"))


def _dire_chaque_heure(cle: str, sujet: str, lignes: tuple[str, ...]) -> bool:
    if not cache.add(cle, sujet, REDIT_S):
        return False
    try:
        _ecrire("\n".join(lignes), sujet)
    except PasPrevenus:
        cache.delete(cle)
        raise
    return True


def dire_l_echec(unite: str) -> None:
    """
    Dit qu'une unité de systemd a échoué (`OnFailure=`, rembourser-echec@) ; rien n'en est retenu.

    :raises PasPrevenus: si le courriel ne part pas
    """
    lignes = [
        f"{unite} a échoué : ce qu'elle devait faire n'est pas fait, ou elle a trouvé quelque chose.",
        f"À faire : journalctl -u {unite} --since -1d",
        f"Puis, réparé : systemctl reset-failed {unite} && systemctl start {unite}",
    ]
    _ecrire("\n".join(lignes), f"échec de {unite}")


def _composer(neuves: list[Alerte], finies: list[Alerte], lignes: list[str]) -> str:
    for alerte in neuves:
        lignes += [f"ALERTE  {alerte.phrase}", f"        à faire : {alerte.commande}", ""]
    for alerte in finies:
        duree = int((timezone.now() - alerte.ouverte_le).total_seconds() // 60)
        lignes += [f"FIN     {alerte.phrase} (a duré {duree} min)", ""]
    return "\n".join([*lignes, "Chaque alerte est expliquée dans docs/exploitation.md. État complet : etat_service"])


def _ecrire(texte: str, sujet: str) -> None:
    operateurs = Utilisateur.objects.filter(is_superuser=True, is_active=True).exclude(courriel="")
    adresses = set(settings.ALERTES_A)
    if sujet not in (BASE_INJOIGNABLE, AVEUGLE):
        adresses |= set(operateurs.values_list("courriel", flat=True))
    if not adresses:
        raise PasPrevenus("aucune adresse : ALERTES_A")
    try:
        send_mail(SUJET + sujet, texte, None, sorted(adresses))
    except (SMTPException, OSError) as echec:
        raise PasPrevenus(type(echec).__name__) from echec
    logger.warning("alerte", extra={"sujet": sujet, "destinataires": len(adresses)})
