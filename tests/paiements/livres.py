"""Ce que la banque fait d'un paiement après coup, dit puis relu, pour les essais de l'argent qui repart."""

import io
from decimal import Decimal

from pypdf import PdfReader

from comptes.models import Utilisateur
from dettes.models import Dette, Mouvement
from paiements.imputation.imputer import imputer_un_lot
from paiements.models import Anomalie, DemandeRestitution, Paiement
from paiements.retours import reprise, restitution
from tests.factories import FaitFactory, PaiementFactory, dire, repondre


def relire(paiement):
    """La plateforme, interrogée, redit tout ce qu'on sait d'elle, le débit de chaque crédit nommé."""
    debit = paiement.transactions.filter(operation="DEBIT").earliest("apprise_le")
    faits = [
        FaitFactory(
            paiement=paiement,
            uuid=transaction.uuid,
            statut=transaction.statut,
            operation=transaction.operation,
            montant=transaction.montant,
            trans_id=transaction.trans_id,
            parent=(transaction.parent_id or debit.uuid) if transaction.is_credit else "",
            source="REST",
        )
        for transaction in paiement.transactions.all()
    ]
    repondre(paiement, *faits)
    paiement.refresh_from_db()


def crediter(paiement, montant, *statuts, uuid="c" * 32):
    """La banque rend une part au porteur : une notification, qui tait le débit, puis une lecture, qui le nomme."""
    for statut in statuts or ("CAPTURED",):
        dire(paiement, statut, operation="CREDIT", montant=Decimal(montant), uuid=uuid, trans_id="900001")
        relire(paiement)


def rembourser(paiement, montant, uuid="c" * 32) -> Anomalie:
    """La banque rend une part ; rend l'anomalie qui demande de quelles dettes la reprendre."""
    crediter(paiement, montant, uuid=uuid)
    return paiement.anomalies.filter(genre="ANNULATION_BANQUE", transaction=paiement.debit_id).first()


def baisser(paiement, montant) -> Anomalie:
    """Le débit est baissé au Back Office avant la remise."""
    dire(paiement, "AUTHORISED", montant=Decimal(montant))
    paiement.refresh_from_db()
    return paiement.anomalies.filter(genre="MONTANT_DIFFERENT").first()


def reprendre(anomalie, agent, *parts) -> Paiement:
    """Reprend, dans l'ordre des dettes, ce qu'on en dit ; sans rien dire, ce que l'écran propose."""
    paiement = Paiement.objects.get(pk=anomalie.paiement_id)
    if parts:
        dettes = Dette.objects.filter(imputations__paiement=paiement).distinct().order_by("notifiee_le")
        choix = {dette.pk: Decimal(part) for dette, part in zip(dettes, parts, strict=True)}
    else:
        choix = {dette.pk: part for dette, part in reprise.proposer(paiement).items()}
    return reprise.reprendre(anomalie, choix, motif="vu au Back Office", agent=agent)


def get_soldes():
    return list(Dette.objects.order_by("notifiee_le").values_list("solde", flat=True))


def approuver(paiement: Paiement, agent: Utilisateur, comptable: Utilisateur, **champs: object) -> DemandeRestitution:
    """Une restitution demandée par l'un, approuvée par l'autre."""
    demande = restitution.demander(paiement, motif="payé deux fois", agent=agent, **champs)
    return restitution.decider(demande, accord=True, agent=comptable)


def faire_un_reliquat() -> tuple[Paiement, Anomalie]:
    """Un paiement de 120 € dont 100 € ne tiennent plus sur la dette."""
    paiement = PaiementFactory(verifie=True)
    dette = paiement.demarche.lignes.get().dette
    Mouvement.objects.create(dette=dette, genre="AJUSTEMENT", montant=Decimal(-880), origine="livraison")
    imputer_un_lot()
    paiement.refresh_from_db()
    return paiement, paiement.anomalies.get()


def lire_le_pdf(octets: bytes) -> str:
    return " ".join(page.extract_text() for page in PdfReader(io.BytesIO(octets)).pages)


def lire_la_structure(noeud):
    """Les balises d'un PDF, dans l'ordre où un lecteur d'écran les dit."""
    noeud = noeud.get_object()
    if isinstance(noeud, list):
        for enfant in noeud:
            yield from lire_la_structure(enfant)
    elif isinstance(noeud, dict):
        if "/S" in noeud:
            yield noeud
        if "/K" in noeud:
            yield from lire_la_structure(noeud["/K"])
