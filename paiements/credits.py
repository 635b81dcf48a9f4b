"""
Ce que la banque rend : un crédit parti, en attente, ou défait (docs/adr/0044).

`constats` l'appelle sous le verrou du paiement.
"""

from dataclasses import replace

from django.utils import timezone

from paiements import anomalies
from paiements.imputation import contrepasser
from paiements.models import Anomalie, DemandeRestitution, NotificationPayzen, Paiement
from paiements.payzen import SANS_ARGENT, Fait, Famille, get_famille
from paiements.services import avancer
from paiements.statuts import RESTITUABLES, Geste
from paiements.suites import Sort, Suite, confier


def porter_un_credit(paiement: Paiement, fait: Fait, connus: set[str]) -> Suite:
    """Un remboursement de tout ce qui reste rouvre les dettes ; une part attend un agent, qui dit lesquelles."""
    if fait.famille is Famille.ATTENTE:
        return Suite(Sort.SANS_EFFET, "remboursement en attente à la banque")
    if fait.famille not in (Famille.SUCCES, *SANS_ARGENT):
        return confier(Anomalie.Genre.STATUT_INATTENDU, paiement, fait, "remboursement d'un état inconnu")
    if deja := _credit_deja_connu(paiement, fait, connus):
        return deja
    if fait.famille in SANS_ARGENT:
        return _remboursement_defait(paiement, fait, connus)
    if fait.montant != paiement.net or paiement.statut not in RESTITUABLES or _is_ambigu(paiement):
        return confier(Anomalie.Genre.ANNULATION_BANQUE, paiement, fait, "remboursement à la banque")
    contrepasser(paiement, motif="remboursement à la banque")
    paiement.prochain_controle_le = timezone.now()  # la banque tient-elle encore quelque chose ?
    avancer(Geste.RESTITUER, paiement, motif="remboursement à la banque", auteur="PayZen")
    return Suite(Sort.APPLIQUEE, "remboursé à la banque")


def _credit_deja_connu(paiement: Paiement, fait: Fait, connus: set[str]) -> Suite | None:
    """Défait, un crédit ne revient plus ; parti, il ne repart pas."""
    familles = {get_famille(cle.split(":")[1]) for cle in connus}
    if familles.intersection(SANS_ARGENT):
        return Suite(Sort.SANS_EFFET, "remboursement déjà défait")
    if fait.famille in SANS_ARGENT:
        return None
    if Famille.SUCCES in familles:
        return Suite(Sort.SANS_EFFET, "remboursement déjà connu")
    if paiement.restitutions.filter(uuid=fait.uuid).exists():
        return Suite(Sort.SANS_EFFET, "remboursement que nous avons demandé")
    return None


def _remboursement_defait(paiement: Paiement, fait: Fait, connus: set[str]) -> Suite:
    """
    L'argent n'est pas parti, ou il est revenu. Compté comme rendu, il n'a plus de case : une anomalie le retient.
    """
    alertes = paiement.anomalies.filter(genre=Anomalie.Genre.ANNULATION_BANQUE, constat__vu__uuid=fait.uuid, montant=0)
    motif = f"remboursement {fait.statut} à la banque"
    if anomalies.clore_par_la_banque(alertes, motif=motif, issue=Anomalie.Issue.CADUQUE):
        return Suite(Sort.APPLIQUEE, motif)
    porte = NotificationPayzen.objects.filter(paiement=paiement, cle__in=connus, sort=Sort.APPLIQUEE)
    demande = paiement.restitutions.filter(uuid=fait.uuid).first()
    if not (demande or porte.exists() or alertes.filter(issue=Anomalie.Issue.RESTITUEE).exists()):
        return Suite(Sort.SANS_EFFET, motif)
    debit = demande.debit if demande else fait.parent or paiement.uuid or ""
    return confier(
        Anomalie.Genre.ANNULATION_BANQUE,
        paiement,
        replace(fait, parent=debit),
        "remboursement défait : la banque tient l'argent",
    )


def _is_ambigu(paiement: Paiement) -> bool:
    """
    Rien ne dit quel débit a été remboursé, ou si c'est notre ordre : un agent le dira, ou la réponse à cet ordre.

    Un autre débit est retenu, ou une restitution est partie sans que sa réponse ait été lue (`restitution`).
    """
    retenues = paiement.anomalies.ouvertes().filter(montant__gt=0)
    retenues = retenues.exclude(genre__in=(Anomalie.Genre.RELIQUAT, Anomalie.Genre.DESACCORD))
    envoyees = paiement.restitutions.filter(etat=DemandeRestitution.Etat.ENVOYEE)
    return retenues.exists() or envoyees.exists()
