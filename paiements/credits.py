"""
Ce que la banque annonce rendre : un crédit parti, en attente, ou défait (docs/adr/0044 et 0047).

`constats` l'appelle sous le verrou du paiement. Une notification ne nomme jamais le débit que son crédit rembourse
(PROTOCOLE §5) : l'alerte s'ouvre ici, et `rapprochement` la tranche dès que la plateforme, relue, l'a nommé.
"""

from dataclasses import replace

from paiements import anomalies
from paiements.models import Anomalie, Paiement
from paiements.payzen import SANS_ARGENT, Fait, Famille, get_famille
from paiements.suites import Sort, Suite, confier, faire_relire


def porter_un_credit(paiement: Paiement, fait: Fait, connus: set[str]) -> Suite:
    """Parti, il ouvre une alerte, et la plateforme est aussitôt relue ; défait, il la ferme, ou retient son argent."""
    if fait.famille is Famille.ATTENTE:
        faire_relire(paiement)
        return Suite(Sort.SANS_EFFET, "remboursement en attente à la banque")
    if fait.famille not in (Famille.SUCCES, *SANS_ARGENT):
        return confier(Anomalie.Genre.STATUT_INATTENDU, paiement, fait, "remboursement d'un état inconnu")
    if deja := _credit_deja_connu(paiement, fait, connus):
        return deja
    if fait.famille in SANS_ARGENT:
        return _remboursement_defait(paiement, fait)
    faire_relire(paiement)
    return confier(Anomalie.Genre.ANNULATION_BANQUE, paiement, fait, "remboursement à la banque")


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


def _remboursement_defait(paiement: Paiement, fait: Fait) -> Suite:
    """
    L'argent n'est pas parti, ou il est revenu. Compté comme rendu, il n'a plus de case : une anomalie le retient.
    """
    alertes = paiement.anomalies.filter(genre=Anomalie.Genre.ANNULATION_BANQUE, constat__vu__uuid=fait.uuid, montant=0)
    motif = f"remboursement {fait.statut} à la banque"
    if anomalies.rendre(alertes, motif=motif, issue=Anomalie.Issue.CADUQUE):
        return Suite(Sort.APPLIQUEE, motif)
    demande = paiement.restitutions.filter(uuid=fait.uuid).first()
    comptee = alertes.filter(issue=Anomalie.Issue.RESTITUEE).first()
    if not (demande or comptee):
        return Suite(Sort.SANS_EFFET, motif)
    dit = demande.debit if demande else comptee.vu["parent"] if comptee else ""
    fait = replace(fait, parent=fait.parent or dit or paiement.uuid or "")
    motif = "remboursement défait : la banque tient l'argent"
    return confier(Anomalie.Genre.ANNULATION_BANQUE, paiement, fait, motif)
