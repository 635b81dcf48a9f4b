"""La journée et les trente derniers jours d'un coup d'œil : taux, refus, délais, courbe. Des Caf de l'agent."""

from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, NamedTuple
from urllib.parse import urlencode

from django.db import connection
from django.db.models import Count
from django.urls import reverse
from django.utils import timezone

from paiements.models import Paiement
from paiements.statuts import ENCAISSES, Statut

JOURS = 30
# Au-delà, les trente jours de tout le pays se liraient à chaque accueil : l'opérateur choisit une Caf.
CAFS_AU_PLUS = 10
REFUS = (Statut.REFUSE, Statut.ABANDONNE, Statut.EXPIRE)
EN_ATTENTE = (Statut.INITIE, Statut.EN_ATTENTE)

# Des paiements imputés : du débit à la banque (jamais avant le clic) à l'écriture sur les dettes, en secondes.
DELAIS = """
SELECT percentile_cont(ARRAY[0.5, 0.95]) WITHIN GROUP (ORDER BY extract(epoch FROM
       e.le - greatest(p.cree_le, coalesce(t.creee_le, t.apprise_le)))), count(*)
FROM paiements_paiement p
JOIN LATERAL (SELECT min(le) AS le FROM paiements_etapepaiement
              WHERE paiement_id = p.id AND geste = 'imputer') e ON true
JOIN paiements_transactionpayzen t ON t.uuid = p.debit_id
WHERE p.caf_id = ANY(%s) AND p.cree_le >= %s AND p.statut = 'IMPUTE'
"""
COURBE = """
SELECT (cree_le AT TIME ZONE 'Europe/Paris')::date, count(*), count(*) FILTER (WHERE statut = ANY(%s)),
       coalesce(sum(montant) FILTER (WHERE statut = ANY(%s)), 0)
FROM paiements_paiement WHERE caf_id = ANY(%s) AND cree_le >= %s GROUP BY 1
"""
# La courbe : un bâton par jour, dans un dessin de cette taille.
LARGEUR, HAUTEUR, PAS = 600, 120, 20


class Baton(NamedTuple):
    """
    Un jour de la courbe : ce qu'il compte, où il se dessine (x, hauteurs depuis le bas, en unités du dessin), et les
    adresses de ses paiements.
    """

    jour: date
    demandes: int
    acceptes: int
    montant: Decimal
    x: int
    y_demandes: int
    haut_demandes: int
    y_acceptes: int
    haut_acceptes: int
    lignes: str
    acceptees: str


def get_minuit(jour: date) -> datetime:
    """Le début d'un jour de Paris."""
    return timezone.make_aware(datetime.combine(jour, time.min))


def lister(depuis: datetime, jusqu_a: datetime | None = None, statuts: Iterable[Statut] = ()) -> str:
    """L'adresse des paiements demandés entre deux instants, dans ces statuts ; tous à défaut."""
    filtres = {"cree_le__gte": depuis.isoformat()}
    if jusqu_a:
        filtres["cree_le__lt"] = jusqu_a.isoformat()
    if dits := ",".join(statuts):
        filtres["statut__in"] = dits
    return f"{reverse('admin:paiements_paiement_changelist')}?{urlencode(filtres)}"


def dire_la_journee(codes: list[str]) -> dict[str, Any]:
    """Le taux de réussite du jour, ses refus par famille, et le temps du paiement à l'imputation."""
    minuit = get_minuit(timezone.localdate())
    du_jour = Paiement.objects.filter(caf__in=codes, cree_le__gte=minuit)
    par_statut = dict(du_jour.values_list("statut").annotate(n=Count("pk")).order_by())
    finis = sum(nombre for statut, nombre in par_statut.items() if statut not in EN_ATTENTE)
    acceptes = sum(par_statut.get(statut, 0) for statut in ENCAISSES)
    refus = [
        {"lignes": lister(minuit, statuts=[s]), "libelle": s.label, "nombre": par_statut.get(s, 0)} for s in REFUS
    ]
    return {
        "lignes": {
            "demandes": lister(minuit),
            "acceptes": lister(minuit, statuts=ENCAISSES),
            "finis": lister(minuit, statuts=[s for s in Statut if s not in EN_ATTENTE]),
            "en_attente": lister(minuit, statuts=EN_ATTENTE),
            "imputes": lister(minuit, statuts=[Statut.IMPUTE]),
        },
        "taux": round(100 * acceptes / finis) if finis else None,
        "finis": finis,
        "refus": refus,
        "en_attente": sum(par_statut.get(statut, 0) for statut in EN_ATTENTE),
        **_lire_les_delais(codes, minuit),
    }


def _lire_les_delais(codes: list[str], minuit: datetime) -> dict[str, str]:
    with connection.cursor() as curseur:
        curseur.execute(DELAIS, [codes, minuit])
        (quantiles, nombre) = curseur.fetchone()
    if not nombre:
        return {"mediane": "", "p95": ""}
    mediane, p95 = (ecrire_duree(timedelta(seconds=float(secondes))) for secondes in quantiles)
    return {"mediane": mediane, "p95": p95}


def ecrire_duree(duree: timedelta) -> str:
    """« 8 s », « 3 min 20 s », « 2 h 05 min »."""
    minutes, secondes = divmod(max(0, round(duree.total_seconds())), 60)
    heures, minutes = divmod(minutes, 60)
    if heures:
        return f"{heures} h {minutes:02d} min"
    return f"{minutes} min {secondes:02d} s" if minutes else f"{secondes} s"


def tracer_la_courbe(codes: list[str]) -> list[Baton]:
    """Trente jours, aujourd'hui compris, du plus ancien au plus récent ; rien si l'on regarde trop de Caf."""
    if not codes or len(codes) > CAFS_AU_PLUS:
        return []
    premier = timezone.localdate() - timedelta(days=JOURS - 1)
    encaisses = [str(statut) for statut in ENCAISSES]
    with connection.cursor() as curseur:
        curseur.execute(COURBE, [encaisses, encaisses, codes, get_minuit(premier)])
        lus = {jour: (demandes, acceptes, montant) for jour, demandes, acceptes, montant in curseur.fetchall()}
    plus_haut = max((demandes for demandes, _, _ in lus.values()), default=0) or 1
    jours = [premier + timedelta(days=rang) for rang in range(JOURS)]
    return [
        _dessiner(rang, jour, *lus.get(jour, (0, 0, Decimal(0))), plus_haut=plus_haut)
        for rang, jour in enumerate(jours)
    ]


def _dessiner(rang: int, jour: date, demandes: int, acceptes: int, montant: Decimal, *, plus_haut: int) -> Baton:
    hauts = [round(HAUTEUR * nombre / plus_haut) for nombre in (demandes, acceptes)]
    minuits = get_minuit(jour), get_minuit(jour + timedelta(days=1))
    return Baton(
        *(jour, demandes, acceptes, montant, rang * PAS),
        *(HAUTEUR - hauts[0], hauts[0], HAUTEUR - hauts[1], hauts[1]),
        *(lister(*minuits), lister(*minuits, ENCAISSES)),
    )
