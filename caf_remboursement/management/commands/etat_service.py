from collections.abc import Callable
from typing import Any, TypeVar

from django.core.management.base import CommandError, CommandParser
from django.db import InterfaceError, OperationalError

from caf_remboursement.surveillance import alertes
from caf_remboursement.surveillance.etat import mesurer
from caf_remboursement.surveillance.problemes import Probleme, trouver
from socle.commandes import Code, Commande, dire_l_imprevu

T = TypeVar("T")


class Command(Commande):
    help = "Dit l'état du service : liaisons, ouvriers, retards, imports, disque, argent ; code 1 si l'un cloche."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--alerter", action="store_true", help="prévenir les opérateurs de ce qui commence ou finit"
        )
        parser.add_argument(
            "--echec",
            metavar="UNITE",
            help="prévenir les opérateurs que cette unité a échoué, et rien d'autre",
        )

    def handle(self, *, alerter: bool, echec: str | None, **options: object) -> None:
        if echec:
            if pas_prevenus := dire(alertes.dire_l_echec, echec):
                raise CommandError(pas_prevenus, returncode=Code.PAS_PU)
            self.montrer({"echec_dit": echec}, [f"Les opérateurs sont prévenus de l'échec de {echec}."])
            return
        try:
            etat = mesurer()
        except (OperationalError, InterfaceError) as panne:
            motif = str(panne).partition("\n")[0]
            if pas_prevenus := dire(alertes.dire_la_base_eteinte, motif) if alerter else "":
                raise CommandError(
                    f"La base n'a pas répondu : {motif}. {pas_prevenus}", returncode=Code.PAS_PU
                ) from panne
            raise
        except Exception as imprevu:  # quoi que ce soit, nulle alerte ne partirait plus, et nul ne le saurait
            motif = dire_l_imprevu(imprevu)
            pas_prevenus = dire(alertes.dire_l_aveuglement, motif) if alerter else ""
            raise CommandError(f"{motif} {pas_prevenus}".strip(), returncode=Code.PAS_PU) from imprevu
        problemes = trouver(etat)
        pas_prevenus = dire(alertes.alerter, problemes) if alerter else ""
        self.montrer(etat | {"problemes": [p._asdict() for p in problemes]}, decrire(etat, problemes))
        if pas_prevenus:
            raise CommandError(f"{len(problemes)} problème(s). {pas_prevenus}", returncode=Code.PAS_PU)
        if problemes:
            raise CommandError(f"{len(problemes)} problème(s).", returncode=Code.CONSTAT)


def dire(prevenir: Callable[[T], object], quoi: T) -> str:
    """Prévient les opérateurs ; rend pourquoi ils ne le sont pas, ou rien."""
    try:
        prevenir(quoi)
    except alertes.PasPrevenus as echec:
        return f"Les opérateurs n'ont pas pu être prévenus ({echec}) : le prochain passage le redira."
    return ""


def decrire(etat: dict[str, Any], problemes: list[Probleme]) -> list[str]:
    """L'état en quelques lignes, les problèmes d'abord."""
    lignes = [f"!! {p.phrase}\n     à faire : {p.commande}" for p in problemes] or ["Rien à signaler."]
    lignes += [
        f"{nom:<16} {t['nombre']} dues, la plus vieille de {t['age_s']} s" for nom, t in etat["travaux"].items()
    ]
    lignes += [f"ouvrier {file:<8} dernier battement {le or 'jamais'}" for file, le in etat["ouvriers"].items()]
    lignes.append(f"files            {etat['files'] if etat['files'] is not None else 'courtier injoignable'}")
    lignes += [
        f"liaison {nom} : {'répond' if not n['echecs'] else 'ne répond pas depuis ' + str(n['muette_depuis'])}"
        for nom, n in etat["liaisons"].items()
    ]
    lignes.append(f"notification     {etat['derniere_notification'] or 'jamais'}")
    lignes += [
        f"Caf {code:<12} livraison n° {c['livraison']} ({c['livree_le']}),"
        f" encaissements n° {c['emission']} ({c['emis_le']})"
        for code, c in etat["cafs"].items()
    ]
    argent = etat["argent"]
    lignes.append(
        f"argent           {argent['anomalies']} anomalie(s), {argent['a_mettre_d_equerre']} € à mettre d'équerre"
    )
    lignes.append(
        f"machine          {etat['disque_libre_pct']} % de disque libre, base de {etat['base_octets'] >> 20} Mo"
    )
    if etat["certificat"]:
        lignes.append(f"certificat       {etat['certificat']['jours']} jours {etat['certificat']['motif']}")
    return lignes
