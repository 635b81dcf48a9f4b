"""Les adresses du bureau des agents, et ce qu'il faut pour qu'ils aient à faire."""

from decimal import Decimal

from django.db.models import Model
from django.urls import reverse

from comptes.models import Utilisateur
from dettes.models import Mouvement
from paiements.imputation.imputer import imputer_un_lot
from paiements.models import Anomalie, Paiement
from paiements.retours import reprise
from tests.factories import PaiementFactory, dire


def fiche(objet: Model) -> str:
    return reverse(f"admin:{objet._meta.app_label}_{objet._meta.model_name}_change", args=[objet.pk])


def geste(objet: Model, nom: str) -> str:
    return reverse(f"admin:{objet._meta.model_name}_geste", args=[objet.pk, nom])


def faire_un_reliquat() -> tuple[Paiement, Anomalie]:
    """Un paiement de 120 € dont la dette n'a pu recevoir que 20 €."""
    paiement = PaiementFactory(verifie=True)
    dette = paiement.demarche.lignes.get().dette
    Mouvement.objects.create(dette=dette, genre="AJUSTEMENT", montant=Decimal(-880), origine="livraison")
    imputer_un_lot()
    return Paiement.objects.get(pk=paiement.pk), Anomalie.objects.get(paiement=paiement)


def reprendre(paiement: Paiement, agent: Utilisateur) -> Paiement:
    """Reprend des dettes ce que propose l'écran."""
    anomalie = Anomalie.objects.ouvertes().get(paiement=paiement)
    parts = {dette.pk: part for dette, part in reprise.proposer(anomalie.paiement).items()}
    return reprise.reprendre(anomalie, parts, motif="vu", agent=agent)


def rembourser(paiement: Paiement, montant: int = 70) -> None:
    """La banque rend une part du débit au porteur, et PayZen dit de quel débit."""
    dire(
        paiement,
        "CAPTURED",
        operation="CREDIT",
        montant=Decimal(montant),
        uuid="c" * 32,
        trans_id="900001",
        parent=paiement.debit_id,
    )
