"""L'état du service, mesuré maintenant : pour une personne, pour une machine, pour Prometheus."""

import shutil
import socket
import ssl
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

import redis
from django.conf import settings
from django.db import connection
from django.db.models import Max, Q, Sum
from django.utils import timezone

from caf_remboursement.surveillance import retards
from comptes.models import Caf
from paiements import liaisons
from paiements.file.en_jeu import avec_en_jeu
from paiements.models import Anomalie, Liaison, MessagePayzen

DELAI_S = 3


def mesurer() -> dict[str, Any]:
    """
    Tout ce qui se voit d'ici. Dates ISO en UTC, durées en secondes, montants en euros.

    :raises OperationalError: si la base ne répond pas : rien d'autre n'est su alors
    """
    return {
        "le": timezone.now().isoformat(timespec="seconds"),
        "travaux": {t.nom: {"nombre": t.nombre, "age_s": _secondes(t.age)} for t in retards.get_travaux()},
        "ouvriers": {file: _dater(le) for file, le in retards.get_battements().items()},
        "files": _mesurer_le_courtier(),
        "liaisons": _lire_les_liaisons(),
        "derniere_notification": _dater(MessagePayzen.objects.notifications().aggregate(le=Max("recu_le"))["le"]),
        "cafs": _lire_les_cafs(),
        "argent": _compter_l_argent(),
        "disque_libre_pct": _mesurer_le_disque(),
        "base_octets": _mesurer_la_base(),
        "archivage_en_panne_depuis": _lire_l_archivage(),
        "certificat": _lire_le_certificat(),
    }


def _secondes(duree: timedelta) -> int:
    return int(duree.total_seconds())


def _dater(instant: datetime | None) -> str | None:
    return instant.isoformat(timespec="seconds") if instant else None


def _mesurer_le_courtier() -> dict[str, int] | None:
    """Les messages en attente par file ; None si le courtier ne répond pas : le service encaisse sans lui."""
    try:
        courtier = redis.from_url(settings.REDIS_URL, socket_timeout=DELAI_S, socket_connect_timeout=DELAI_S)
        with courtier:
            return {file: int(courtier.llen(file)) for file in settings.FILES}
    except redis.RedisError:
        return None


def _lire_les_liaisons() -> dict[str, dict[str, Any]]:
    ouvriers = Q(nom__in=[liaisons.get_ouvrier(file) for file in settings.FILES])
    return {
        liaison.nom: {
            "repondue_le": _dater(liaison.repondue_le),
            "muette_depuis": _dater(liaison.muette_depuis),
            "echecs": liaison.echecs,
            "coupee_jusqu_a": _dater(liaison.coupee_jusqu_a),
        }
        for liaison in Liaison.objects.exclude(ouvriers).order_by("nom")
    }


def _lire_les_cafs() -> dict[str, dict[str, Any]]:
    """Par Caf ouverte : la dernière livraison prise, le dernier fichier rendu."""
    cafs = Caf.objects.filter(ouverte=True).exclude(boutique="").order_by("pk")
    lues = cafs.annotate(
        livree_le=Max("fichiers_recus__pris_le"),
        livraison=Max("fichiers_recus__sequence"),
        emis_le=Max("fichiers_emis__emis_le"),
        emission=Max("fichiers_emis__sequence"),
    )
    return {
        caf.pk: {
            "livree_le": _dater(caf.livree_le),
            "livraison": caf.livraison,
            "emis_le": _dater(caf.emis_le),
            "emission": caf.emission,
        }
        for caf in lues
    }


def _compter_l_argent() -> dict[str, Any]:
    """Ce que la file montre de l'argent à mettre d'équerre ; un débit n'y compte qu'une fois."""
    a_trancher = avec_en_jeu(Anomalie.objects.filter(etat__in=(Anomalie.Etat.OUVERTE, Anomalie.Etat.ECARTEE)))
    debits = a_trancher.filter(en_jeu__gt=0).values("transaction").annotate(tenu=Max("en_jeu")).order_by()
    tenu: Decimal = debits.aggregate(somme=Sum("tenu", default=Decimal(0)))["somme"]
    return {"anomalies": Anomalie.objects.ouvertes().count(), "a_mettre_d_equerre": str(tenu)}


def _mesurer_le_disque() -> int:
    disque = shutil.disk_usage(settings.BASE_DIR)
    return 100 * disque.free // disque.total


def _mesurer_la_base() -> int:
    with connection.cursor() as curseur:
        curseur.execute("SELECT pg_database_size(current_database())")
        return int(curseur.fetchone()[0])


def _lire_l_archivage() -> str | None:
    """Depuis quand PostgreSQL n'arrive plus à ranger ses WAL ; None s'il y arrive, ou n'a pas à le faire."""
    with connection.cursor() as curseur:
        curseur.execute(
            "SELECT last_failed_time FROM pg_stat_archiver"
            " WHERE last_failed_time > coalesce(last_archived_time, '-infinity')"
        )
        ligne = curseur.fetchone()
    return _dater(ligne[0]) if ligne else None


def _lire_le_certificat() -> dict[str, Any] | None:
    """Le certificat de l'adresse publique, vu du dehors ; None sans https."""
    adresse = urlsplit(settings.ADRESSE_PUBLIQUE)
    if adresse.scheme != "https" or not adresse.hostname:
        return None
    try:
        prise = socket.create_connection((adresse.hostname, adresse.port or 443), DELAI_S)
        with prise, ssl.create_default_context().wrap_socket(prise, server_hostname=adresse.hostname) as sure:
            lu = sure.getpeercert() or {}
            fin = ssl.cert_time_to_seconds(str(lu["notAfter"]))
    except (OSError, KeyError) as echec:
        return {"jours": None, "motif": type(echec).__name__}
    return {"jours": int((fin - timezone.now().timestamp()) // 86400), "motif": ""}
