"""
La feuille d'une Caf et d'un jour : ce que la plateforme tient, ce que nous avons imputé, ce qui est parti à la Caf.

Trois livres, chacun avec son ouverture, sa journée et sa clôture ; leurs différences sont des lignes, et jamais un
reste qu'on ne sait pas nommer. Rien n'est gardé : tout se recalcule, donc un jour passé change si l'on apprend qu'un
de ses débits a été défait. Jours de Paris, montants en euros, signés.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db import connection
from django.utils import timezone

from comptes.models import Caf
from paiements.boutiques import is_reglee
from paiements.file.suspens import dire as dire_la_ligne
from paiements.file.suspens import get_anomalies, lister_ce_qui_attend
from paiements.models import Anomalie, Paiement, TransactionPayzen
from paiements.payzen import VIVANTS
from paiements.statuts import Statut

ZERO = Decimal(0)
_VIVANTE = "(t.statut IN ({}) OR t.verdict = 'TENUE')".format(", ".join(f"'{statut}'" for statut in VIVANTS))
# Comme dans la vue `paiements_debit_tenu` : un montant effectif baissé est ce que la banque tient.
_MONTANT = "least(t.montant, CASE WHEN t.effectif > 0 AND t.devise_effective IN ('', 'EUR') THEN t.effectif END)"

# Tout ce qui a bougé dans les trois livres : (caf, livre, sorte, jour, débit ou transaction, paiement, montant signé).
# Un débit défait n'a jamais été pris ; un impayé l'a été, puis repris. Pas de « % » : l'invariant la lit telle quelle.
ECRITURES = f"""
SELECT coalesce(p.caf_id, c.code) AS caf, 'banque' AS livre, 'pris' AS sorte,
       (coalesce(t.creee_le, t.apprise_le) AT TIME ZONE 'Europe/Paris')::date AS jour,
       t.uuid AS debit, t.paiement_id, {_MONTANT} AS montant, t.mode
FROM paiements_transactionpayzen t
LEFT JOIN paiements_paiement p ON p.id = t.paiement_id LEFT JOIN comptes_caf c ON c.boutique = t.boutique
WHERE t.operation = 'DEBIT' AND t.devise = 'EUR' AND {_VIVANTE}
UNION ALL
SELECT coalesce(p.caf_id, c.code), 'banque', 'rendu',
       (coalesce(t.creee_le, t.apprise_le) AT TIME ZONE 'Europe/Paris')::date,
       coalesce(t.parent_id, t.uuid), t.paiement_id, -t.montant, t.mode
FROM paiements_transactionpayzen t
LEFT JOIN paiements_paiement p ON p.id = t.paiement_id LEFT JOIN comptes_caf c ON c.boutique = t.boutique
WHERE t.operation = 'CREDIT' AND t.devise = 'EUR' AND {_VIVANTE}
UNION ALL
SELECT coalesce(p.caf_id, c.code), 'banque', 'impaye', (i.le AT TIME ZONE 'Europe/Paris')::date,
       t.uuid, t.paiement_id, -i.sens * least(i.montant, {_MONTANT}), t.mode
FROM paiements_impaye i JOIN paiements_transactionpayzen t ON t.uuid = i.debit_id
LEFT JOIN paiements_paiement p ON p.id = t.paiement_id LEFT JOIN comptes_caf c ON c.boutique = t.boutique
WHERE t.devise = 'EUR' AND {_VIVANTE}
UNION ALL
SELECT d.caf_id, 'impute', CASE WHEN i.montant > 0 THEN 'impute' ELSE 'repris' END,
       (m.le AT TIME ZONE 'Europe/Paris')::date, i.debit_id, i.paiement_id, i.montant, p.mode
FROM paiements_imputation i JOIN dettes_mouvement m ON m.id = i.mouvement_id
JOIN dettes_dette d ON d.id = m.dette_id JOIN paiements_paiement p ON p.id = i.paiement_id
UNION ALL
SELECT f.caf_id, 'emis', 'emis', (f.emis_le AT TIME ZONE 'Europe/Paris')::date, i.debit_id, i.paiement_id, -m.montant,
       p.mode
FROM dettes_ligneemise e JOIN dettes_fichieremis f ON f.id = e.fichier_id
JOIN dettes_mouvement m ON m.id = e.mouvement_id JOIN paiements_imputation i ON i.mouvement_id = m.id
JOIN paiements_paiement p ON p.id = i.paiement_id
"""  # noqa: S608 (que nos constantes)

SOMMER = f"""
SELECT livre, sorte, sum(montant) FILTER (WHERE jour < %(jour)s), sum(montant) FILTER (WHERE jour = %(jour)s)
FROM ({ECRITURES}) AS e WHERE caf = %(caf)s AND mode = %(mode)s AND jour <= %(jour)s GROUP BY livre, sorte
"""  # noqa: S608 (idem)

# Chaque débit que la banque tient et que nous n'avons pas imputé, ou l'inverse, au soir de ce jour.
ECARTER = f"""
SELECT debit, max(paiement_id), coalesce(sum(montant) FILTER (WHERE livre = 'banque'), 0),
       coalesce(sum(montant) FILTER (WHERE livre = 'impute'), 0), min(jour)
FROM ({ECRITURES}) AS e
WHERE caf = %(caf)s AND mode = %(mode)s AND jour <= %(jour)s AND livre <> 'emis'
GROUP BY debit
HAVING coalesce(sum(montant) FILTER (WHERE livre = 'banque'), 0)
       <> coalesce(sum(montant) FILTER (WHERE livre = 'impute'), 0)
ORDER BY min(jour), debit
"""  # noqa: S608 (idem)

REMISES = f"""
SELECT coalesce(sum(CASE t.operation WHEN 'DEBIT' THEN t.montant ELSE -t.montant END), 0)
FROM paiements_transactionpayzen t
LEFT JOIN paiements_paiement p ON p.id = t.paiement_id LEFT JOIN comptes_caf c ON c.boutique = t.boutique
WHERE coalesce(p.caf_id, c.code) = %(caf)s AND t.mode = %(mode)s AND {_VIVANTE}
  AND (t.remise_le AT TIME ZONE 'Europe/Paris')::date = %(jour)s
"""  # noqa: S608 (idem)


@dataclass(frozen=True)
class Livre:
    """Un des trois livres, ce jour-là."""

    nom: str
    titre: str
    ouverture: Decimal
    journee: dict[str, Decimal]

    @property
    def cloture(self) -> Decimal:
        return self.ouverture + sum(self.journee.values(), ZERO)


@dataclass(frozen=True)
class Ecart:
    """
    Une différence entre deux livres : de qui, depuis quand, et ce qui la ferme.

    :param montant: tenu par la banque moins imputé, en euros ; zéro pour une ligne de journal en suspens
    :param paiement: sa clé, et celle de l'anomalie, pour mener à leur fiche
    """

    quoi: str
    reference: str
    montant: Decimal
    proprietaire: str
    depuis: date
    geste: str
    jours: int
    paiement: int | None = None
    anomalie: int | None = None


@dataclass(frozen=True)
class Feuille:
    """La feuille d'une Caf et d'un jour."""

    caf: Caf
    jour: date
    livres: list[Livre]
    remis: Decimal
    ecarts: list[Ecart]
    suspens: list[Ecart]

    def get_livre(self, nom: str) -> Livre:
        return next(livre for livre in self.livres if livre.nom == nom)

    @property
    def retenu(self) -> Decimal:
        """Ce que la banque tient et que nous n'avons pas imputé : la somme des écarts, un à un."""
        return self.get_livre("banque").cloture - self.get_livre("impute").cloture

    @property
    def a_emettre(self) -> Decimal:
        """Ce que nous avons imputé et qui n'est pas encore parti à la Caf."""
        return self.get_livre("impute").cloture - self.get_livre("emis").cloture

    @property
    def is_juste(self) -> bool:
        """L'équation : ce que la banque tient est ce que nous avons imputé, plus chaque écart nommé."""
        return self.retenu == sum((ecart.montant for ecart in self.ecarts), ZERO)

    @property
    def chiffres(self) -> dict[str, str]:
        """Ce qu'une personne signe en clôturant le jour, et qui se compare ensuite."""
        signes = {
            f"{livre.nom} {quoi}": montant
            for livre in self.livres
            for quoi, montant in {"ouverture": livre.ouverture, **livre.journee, "clôture": livre.cloture}.items()
        }
        signes |= {"remis": self.remis, "retenu": self.retenu, "à émettre": self.a_emettre}
        return {quoi: f"{montant:.2f}" for quoi, montant in signes.items()}


LIVRES = {
    "banque": ("Ce que la plateforme tient", ("pris", "rendu", "impaye")),
    "impute": ("Ce que nous avons mis sur les dettes", ("impute", "repris")),
    "emis": ("Ce qui est parti à la Caf", ("emis",)),
}
SORTES = {
    "pris": "débits pris",
    "rendu": "remboursements",
    "impaye": "impayés, et leurs fins",
    "impute": "imputations",
    "repris": "reprises",
    "emis": "lignes des fichiers émis",
}


def calculer(caf: Caf, jour: date) -> Feuille:
    """La feuille d'une Caf, à la fin de ce jour de Paris, telle qu'on la sait maintenant."""
    valeurs: dict[str, Any] = {"caf": caf.pk, "jour": jour, "mode": settings.PAYZEN_MODE}
    with connection.cursor() as curseur:
        curseur.execute(SOMMER, valeurs)
        sommes = {(livre, sorte): (avant or ZERO, ce_jour or ZERO) for livre, sorte, avant, ce_jour in curseur}
        curseur.execute(REMISES, valeurs)
        (remis,) = curseur.fetchone()
        curseur.execute(ECARTER, valeurs)
        lignes = curseur.fetchall()
    livres = [
        Livre(
            nom,
            titre,
            sum((sommes.get((nom, sorte), (ZERO, ZERO))[0] for sorte in sortes), ZERO),
            {sorte: sommes.get((nom, sorte), (ZERO, ZERO))[1] for sorte in sortes},
        )
        for nom, (titre, sortes) in LIVRES.items()
    ]
    return Feuille(caf, jour, livres, remis, list(_nommer(lignes, jour)), list(_lister_les_suspens(caf, jour)))


def _nommer(lignes: list[tuple[str, int | None, Decimal, Decimal, date]], jour: date) -> Iterable[Ecart]:
    paiements = Paiement.objects.in_bulk([paiement for _, paiement, *_ in lignes if paiement])
    ouvertes = {
        anomalie.transaction_id: anomalie
        for anomalie in Anomalie.objects.ouvertes().filter(transaction__in=[debit for debit, *_ in lignes])
    }
    ailleurs = TransactionPayzen.objects.in_bulk([debit for debit, paiement, *_ in lignes if not paiement])
    for debit, cle, tenu, impute, depuis in lignes:
        paiement, anomalie = paiements.get(cle) if cle else None, ouvertes.get(debit)
        quoi, proprietaire, geste = _dire(paiement, anomalie, tenu - impute)
        yield Ecart(
            quoi,
            paiement.reference if paiement else ailleurs[debit].reference,
            tenu - impute,
            proprietaire,
            depuis,
            geste,
            (jour - depuis).days,
            paiement=cle,
            anomalie=anomalie.pk if anomalie else None,
        )


def _dire(paiement: Paiement | None, anomalie: Anomalie | None, montant: Decimal) -> tuple[str, str, str]:
    """Ce qu'est un écart, à qui il est, et ce qui le ferme."""
    if anomalie is not None:
        return str(anomalie), "gestion", f"traiter l'anomalie n° {anomalie.pk}, sous /agents/"
    if paiement is None:
        return "référence inconnue, mise de côté", "comptable", "interroger_payzen --journaux"
    relire = f"interroger_payzen --reference {paiement.reference} --appliquer"
    if paiement.statut == Statut.ACCEPTE and not is_reglee(paiement.boutique, paiement.mode):
        geste = "demander sa confirmation d'après le Back Office, sur sa fiche"
        return "en vérification, et sa boutique n'a plus de clés", "gestion", geste
    if paiement.statut == Statut.ACCEPTE:
        return "en vérification", "service", relire
    if paiement.statut == Statut.VERIFIE:
        return "à imputer", "service", "rien : au prochain balayage"
    if paiement.statut == Statut.IMPUTE:
        return ("reste à placer" if montant > 0 else "à reprendre des dettes"), "comptable", relire
    return f"paiement {paiement.get_statut_display()}", "comptable", relire


def _lister_les_suspens(caf: Caf, jour: date) -> Iterable[Ecart]:
    """Les lignes de journal qui attendent encore, et que l'on avait lues à la fin de ce jour."""
    suspens = lister_ce_qui_attend().filter(boutique=caf.boutique).select_related("journal").order_by("pk")
    depuis = {ligne: timezone.localdate(ligne.journal.lu_le) for ligne in suspens}
    lignes = [ligne for ligne in suspens if depuis[ligne] <= jour]  # garde: suspens_du_jour_de_lecture
    anomalies = get_anomalies(lignes)
    for ligne in lignes:
        anomalie = anomalies.get(ligne.cle)
        geste = "interroger_payzen --journaux --appliquer, puis lire_journaux"
        yield Ecart(
            f"{ligne.genre}, {dire_la_ligne(ligne)}",
            ligne.reference or ligne.trans_id,
            ZERO,
            "gestion" if anomalie else "exploitant",
            depuis[ligne],
            f"traiter l'anomalie n° {anomalie.pk}, sous /agents/" if anomalie else geste,
            (jour - depuis[ligne]).days,
            anomalie=anomalie.pk if anomalie else None,
        )


# L'équation, Caf par Caf, et sans passer par la feuille : ce que la banque tient (vues du livre 0048), ce qui est
# imputé, ce qui est parti. Une ligne par Caf où elle ne tombe pas juste.
EQUATION = f"""
WITH feuille AS (
    SELECT caf, mode, coalesce(sum(montant) FILTER (WHERE livre = 'banque'), 0) AS banque,
           coalesce(sum(montant) FILTER (WHERE livre = 'impute'), 0) AS impute,
           coalesce(sum(montant) FILTER (WHERE livre = 'emis'), 0) AS emis
    FROM ({ECRITURES}) AS e GROUP BY caf, mode
), tenus AS (
    SELECT coalesce(p.caf_id, c.code) AS caf, t.mode, sum(v.tenu) AS tenu
    FROM paiements_debit_tenu v JOIN paiements_transactionpayzen t ON t.uuid = v.uuid
    LEFT JOIN paiements_paiement p ON p.id = t.paiement_id LEFT JOIN comptes_caf c ON c.boutique = t.boutique
    GROUP BY 1, 2
), orphelins AS (
    SELECT coalesce(p.caf_id, c.code) AS caf, t.mode, sum(t.montant) AS somme FROM paiements_transactionpayzen t
    LEFT JOIN paiements_paiement p ON p.id = t.paiement_id LEFT JOIN comptes_caf c ON c.boutique = t.boutique
    WHERE t.operation = 'CREDIT' AND t.devise = 'EUR' AND t.parent_id IS NULL AND {_VIVANTE} GROUP BY 1, 2
), mouvements AS (
    SELECT d.caf_id AS caf, p.mode, -sum(m.montant) AS porte,
           -coalesce(sum(m.montant) FILTER (WHERE e.mouvement_id IS NOT NULL), 0) AS parti
    FROM paiements_imputation i JOIN dettes_mouvement m ON m.id = i.mouvement_id
    JOIN dettes_dette d ON d.id = m.dette_id JOIN paiements_paiement p ON p.id = i.paiement_id
    LEFT JOIN dettes_ligneemise e ON e.mouvement_id = m.id GROUP BY 1, 2
)
SELECT coalesce(f.caf, 'sans Caf'),
       format('tenu %s, aux vues %s ; imputé %s, aux mouvements %s ; émis %s, aux lignes %s', f.banque,
       coalesce(t.tenu, 0) - coalesce(o.somme, 0), f.impute, coalesce(m.porte, 0), f.emis, coalesce(m.parti, 0))
FROM feuille f LEFT JOIN tenus t ON t.caf IS NOT DISTINCT FROM f.caf AND t.mode = f.mode
LEFT JOIN orphelins o ON o.caf IS NOT DISTINCT FROM f.caf AND o.mode = f.mode
LEFT JOIN mouvements m ON m.caf = f.caf AND m.mode = f.mode
WHERE f.banque <> coalesce(t.tenu, 0) - coalesce(o.somme, 0) OR f.impute <> coalesce(m.porte, 0)
   OR f.emis <> coalesce(m.parti, 0)
"""  # noqa: S608 (idem)
