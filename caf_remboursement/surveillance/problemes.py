"""Ce qui ne va pas, d'après l'état : une phrase, et la commande. Chaque alerte est dans docs/exploitation.md."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from django.utils import timezone

from caf_remboursement.surveillance import retards

DISQUE_PCT = 10
CERTIFICAT_JOURS = 20
# Ce que le manuel installe.
GERER = "sh /srv/rembourser/courant/deploiement/gerer.sh"
RELANCER_LE_COURTIER = "systemctl restart valkey-server (Debian 12 : redis-server)"
LIVRAISON = timedelta(days=4)


class Probleme(NamedTuple):
    """`cle` dit de quoi l'on parle : la même tant que le problème dure."""

    cle: str
    phrase: str
    commande: str


def trouver(etat: Mapping[str, Any]) -> list[Probleme]:
    """Les problèmes que montre un état mesuré."""
    return [
        *_trouver_les_ouvriers(etat),
        *_trouver_les_retards(etat),
        *_trouver_les_liaisons(etat),
        *_trouver_les_cafs(etat),
        *_trouver_la_machine(etat),
    ]


def _age(instant: str | None) -> timedelta | None:
    return timezone.now() - datetime.fromisoformat(instant) if instant else None


def _trouver_les_ouvriers(etat: Mapping[str, Any]) -> Iterator[Probleme]:
    if etat["files"] is None:
        yield Probleme("courtier", "le courtier (Valkey) ne répond pas", RELANCER_LE_COURTIER)
    muets = [file for file, le in etat["ouvriers"].items() if (_age(le) or timedelta.max) > retards.SANS_BATTEMENT]
    if len(muets) == len(etat["ouvriers"]):
        quoi = "ni le planificateur, ni aucun ouvrier ne bat"
        yield Probleme("planificateur", quoi, "systemctl restart rembourser-planificateur 'rembourser-ouvrier@*'")
        return
    for file in muets:
        yield Probleme(
            f"ouvrier {file}", f"l'ouvrier « {file} » ne bat plus", f"systemctl restart rembourser-ouvrier@{file}"
        )


def _trouver_les_retards(etat: Mapping[str, Any]) -> Iterator[Probleme]:
    for nom, travail in etat["travaux"].items():
        if travail["age_s"] > retards.RETARD.total_seconds():
            phrase = f"{travail['nombre']} {nom} en retard, la plus vieille de {travail['age_s'] // 60} min"
            yield Probleme(f"retard {nom}", phrase, "journalctl -u 'rembourser-ouvrier@*' -n 50")


def _trouver_les_liaisons(etat: Mapping[str, Any]) -> Iterator[Probleme]:
    for nom, liaison in etat["liaisons"].items():
        if liaison["coupee_jusqu_a"] and liaison["muette_depuis"]:
            depuis = datetime.fromisoformat(liaison["muette_depuis"]).astimezone(UTC)
            yield Probleme(
                f"liaison {nom}",
                f"{nom} ne répond plus depuis {depuis:%d/%m %H:%M} UTC",
                f"{GERER} etat_service",
            )


def _trouver_les_cafs(etat: Mapping[str, Any]) -> Iterator[Probleme]:
    for code, caf in etat["cafs"].items():
        age = _age(caf["livree_le"])
        if age is None or age > LIVRAISON:
            quand = f"depuis {age.days} jours" if age else "jamais"
            yield Probleme(
                f"livraison {code}",
                f"la Caf {code} n'a pas livré ({quand})",
                f"{GERER} importer_livraison DOSSIER",
            )


def _trouver_la_machine(etat: Mapping[str, Any]) -> Iterator[Probleme]:
    if etat["disque_libre_pct"] < DISQUE_PCT:
        yield Probleme(
            "disque", f"il reste {etat['disque_libre_pct']} % du disque", "df -h ; journalctl --vacuum-size=500M"
        )
    if etat["archivage_en_panne_depuis"]:
        phrase = "PostgreSQL n'arrive plus à archiver ses WAL : sa place se remplit, et la sauvegarde vieillit"
        yield Probleme("archivage", phrase, "df -h /var/backups/rembourser/wal ; tail /var/log/postgresql/*.log")
    certificat = etat["certificat"]
    if certificat and certificat["jours"] is None:
        phrase = f"l'adresse publique ne se joint pas en TLS ({certificat['motif']})"
        yield Probleme("certificat", phrase, "nginx -t ; systemctl status nginx")
    elif certificat and certificat["jours"] < CERTIFICAT_JOURS:
        yield Probleme(
            "certificat",
            f"le certificat expire dans {certificat['jours']} jours",
            "le renouveler ; systemctl reload nginx",
        )
