"""
Ramener de la plateforme un paiement que la base a oublié : après une restauration, il n'a plus sa ligne (ADR 0055).

Ce qu'il faut pour le refaire, nous l'avions confié au formulaire (`payzen.contexte`). Il redevient alors un paiement
comme un autre, que la même lecture porte, vérifie, et que le balayage impute. Sinon, c'est une anomalie nommée.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from types import MappingProxyType
from typing import NamedTuple, cast

from django.db import transaction
from django.utils import timezone

from comptes.models import Caf
from demarches.etats import Etat
from demarches.models import Demarche, LigneDemarche
from dettes.models import Dette
from paiements.boutiques import get_boutique
from paiements.causes import par_service
from paiements.file.tenue import fermer_les_inconnues
from paiements.imputation.imputer import imputer_un_lot
from paiements.models import Paiement
from paiements.passages import avancer, get_libre_le, verrouiller
from paiements.payzen import ACCORD, Client, Contexte, Fait, from_centimes, read_contexte
from paiements.reception.porter import Recu, porter, resumer
from paiements.retours.reprise import admettre_le_montant
from paiements.statuts import Geste, Statut
from paiements.verification.impayes import porter_sans_paiement
from paiements.verification.interroger import Lecture, conclure, get_repere

CAUSE = par_service("ramené de la plateforme : la base l'avait oublié")


class Ramene(NamedTuple):
    """Ce qu'est devenue une référence : son paiement, ou pourquoi elle n'en a pas."""

    reference: str
    paiement: Paiement | None
    motif: str


class ReconstructionImpossible(Exception):
    """Il manque de quoi refaire ce paiement ; le message dit quoi."""

    def __init__(self, motif: str, *, is_definitive: bool = False) -> None:
        """:param is_definitive: rien de ce qui reste à reprendre n'y changera rien"""
        super().__init__(motif)
        self.is_definitive = is_definitive


class ImputationManquee(Exception):
    """Un fichier publié le dit imputé, et il n'a pu l'être : une dette tenue, un paiement malade. Relancer."""


def ramener(boutique: str, reference: str, publie: Mapping[str, Decimal] = MappingProxyType({})) -> Ramene:
    """
    Demande à la plateforme ce qu'elle sait d'une référence, refait son paiement s'il manque, et porte tout.

    :param publie: ce qu'un fichier rendu à la Caf en dit imputé, en euros, par débit : il l'est alors d'abord, avant
        que ne revienne ce que la banque en a repris, annulé ou baissé depuis
    :raises EchecRest: si la plateforme n'a pas répondu
    :raises BoutiqueAbsente: si les clés de la boutique ne sont pas réglées
    :raises ImputationManquee: si ce qui est publié ne peut s'imputer maintenant ; rien n'est alors porté
    """
    faits = Client(get_boutique(boutique)).get_order(reference)
    _refaire_l_imputation(boutique, reference, faits, publie)
    motif = "" if faits else "la plateforme ne la connaît pas"
    with transaction.atomic():
        paiement = Paiement.objects.filter(reference=reference).first()
        if paiement is None and faits:
            try:
                paiement = _reconstruire(boutique, reference, faits)
            except ReconstructionImpossible as manque:
                motif = str(manque)
                # Publié, il s'impute d'abord : annulé ou rendu avant de revenir, il ne s'imputerait plus jamais.
                if manque.is_definitive or not publie:  # garde: publie_avant_ce_qui_l_a_suivi
                    porter([Recu(fait, resumer(fait)) for fait in faits])
                if manque.is_definitive:  # garde: ne_reviendra_jamais
                    porter_sans_paiement(boutique, reference)
        if paiement is not None:
            paiement = conclure(paiement.pk, Lecture(faits, get_repere(paiement))) or paiement
            fermer_les_inconnues(paiement, CAUSE)
    return Ramene(reference, paiement, motif)


def _dire_d_alors(fait: Fait, impute: Decimal) -> Fait:
    """Le débit tel qu'il était quand il s'est imputé : accordé, et d'au moins ce que le fichier en dit."""
    statut = fait.statut if fait.is_parti else ACCORD  # garde: accord_d_alors
    montant = max(fait.montant, impute)  # garde: montant_d_alors
    return replace(fait, statut=statut, montant=montant, effectif=None, devise_effective="", source="FICHIER")


def _refaire_l_imputation(boutique: str, reference: str, faits: list[Fait], publie: Mapping[str, Decimal]) -> None:
    """Un paiement oublié, ou que la sauvegarde ne disait pas encore imputé, tel qu'il était quand il s'est imputé."""
    d_alors = [_dire_d_alors(fait, publie[fait.uuid]) for fait in faits if publie.get(fait.uuid)]
    if not d_alors:
        return
    with transaction.atomic():
        paiement = _retrouver_a_imputer(boutique, reference, d_alors)
        if paiement is None:
            return
        _admettre_d_alors(paiement.pk, faits, d_alors, publie)
        paiement = conclure(paiement.pk, Lecture(d_alors, get_repere(paiement))) or paiement
        # Au-dessus du seuil de sa Caf, un agent l'avait confirmé : le fichier publié le dit imputé.
        if paiement.statut == Statut.ACCEPTE and paiement.confirme_le:
            avancer(Geste.VERIFIER, paiement, CAUSE)
        if impute := publie.get(paiement.debit_id or ""):
            _imputer_d_alors(paiement, impute)


def _imputer_d_alors(paiement: Paiement, impute: Decimal) -> None:
    """Sans attendre l'heure que la sauvegarde lui gardait. Vérifié, il s'impute, ou rien de sa suite ne se porte."""
    Paiement.objects.filter(pk=paiement.pk, statut=Statut.VERIFIE).update(imputer_le=timezone.now())
    faits = imputer_un_lot({paiement.pk: impute})
    if not faits and paiement.statut == Statut.VERIFIE:  # garde: impute_ou_rien
        raise ImputationManquee(f"{paiement.reference} ne s'est pas imputé")


def _retrouver_a_imputer(boutique: str, reference: str, d_alors: list[Fait]) -> Paiement | None:
    """Celui de la base, ou celui qui se refait ; None s'il est déjà imputé, ou ne peut revenir."""
    paiement = Paiement.objects.filter(reference=reference).first()
    if paiement is not None and paiement.imputations.exists():  # garde: refaire_une_fois
        return None
    try:
        return paiement or _reconstruire(boutique, reference, d_alors)
    except ReconstructionImpossible:
        return None


def _admettre_d_alors(paiement_id: int, faits: list[Fait], d_alors: list[Fait], publie: Mapping[str, Decimal]) -> None:
    """
    Baissé, ou rendu en partie, avant de s'imputer : un agent l'avait admis, puisque le fichier le dit imputé.

    Le remboursement revient ensuite, comme tout ce qui a suivi. Sans lui, ce qui manque au fichier est un reste.
    """
    paiement = verrouiller(paiement_id)
    for debit in d_alors:
        is_rendu = any(fait.is_credit and fait.parent == debit.uuid for fait in faits)
        admis = publie[debit.uuid] if is_rendu and debit.montant >= paiement.montant else debit.montant
        if admis < paiement.montant:  # garde: admis_d_alors
            admettre_le_montant(paiement, admis, CAUSE)


def _reconstruire(boutique: str, reference: str, faits: list[Fait]) -> Paiement:
    origine, contexte = _trouver_l_origine(faits)
    caf = Caf.objects.filter(boutique=boutique).first()
    if caf is None:
        raise ReconstructionImpossible(f"aucune Caf n'a la boutique {boutique}")
    demarche = _refaire_la_demarche(caf, reference, contexte, origine)
    paiement = Paiement(
        demarche=demarche,
        reference=reference,
        caf=caf,
        montant=demarche.montant,
        boutique=boutique,
        mode=origine.mode,
        trans_id=origine.trans_id.lower(),
        cree_le=cast("datetime", origine.trans_date),
    )
    paiement.prochain_controle_le = get_libre_le(paiement)
    paiement.save(force_insert=True)
    return avancer(Geste.SOUMETTRE, paiement, CAUSE)


def _trouver_l_origine(faits: list[Fait]) -> tuple[Fait, Contexte]:
    """Le débit né de notre formulaire, et ce que nous lui avions confié."""
    for fait in faits:
        contexte = None if fait.is_credit else read_contexte(fait.contexte)
        if contexte is not None and fait.trans_date and fait.trans_id:
            return fait, contexte
    motif = "elle n'est pas née de notre formulaire, ou ne dit pas de quelles dettes"
    raise ReconstructionImpossible(motif, is_definitive=True)


def _refaire_la_demarche(caf: Caf, reference: str, contexte: Contexte, origine: Fait) -> Demarche:
    """La démarche telle qu'elle était partie ; celle que la sauvegarde tenait encore en brouillon, s'il y en a une."""
    dettes = _trouver_les_dettes(caf, contexte)
    dossier = next(iter(dettes.values())).allocataire
    demarche = Demarche.objects.select_for_update(of=("self",)).filter(reference=reference).first()
    if demarche is None:
        auteur = dossier.utilisateurs.order_by("pk").first()
        if auteur is None:
            raise ReconstructionImpossible("son dossier n'a plus de compte")
        # Abandonnée, elle ne dispute sa place à aucun brouillon, et ses lignes s'écrivent encore.
        demarche = Demarche(auteur=auteur, allocataire=dossier, reference=reference, etat=Etat.ABANDONNEE)
    elif demarche.etat not in (Etat.BROUILLON, Etat.ABANDONNEE) or demarche.allocataire_id != dossier.pk:
        motif = "sa démarche existe, et n'est plus celle qui était partie"
        raise ReconstructionImpossible(motif, is_definitive=True)
    demarche.mode = Demarche.Mode.GLOBAL if contexte.is_global else Demarche.Mode.AFFECTE
    demarche.montant = from_centimes(sum(contexte.lignes.values()))
    demarche.etape = Demarche.Etape.RECAPITULATIF
    demarche.mentions_lues_le = demarche.mentions_lues_le or origine.trans_date
    demarche.save()
    demarche.lignes.all().delete()
    LigneDemarche.objects.bulk_create(
        LigneDemarche(demarche=demarche, dette=dettes[nom], montant=Decimal(centimes).scaleb(-2))
        for nom, centimes in contexte.lignes.items()
    )
    demarche.etat = Etat.A_LA_BANQUE
    demarche.save(update_fields=["etat"])
    return demarche


def _trouver_les_dettes(caf: Caf, contexte: Contexte) -> dict[str, Dette]:
    """Toutes les dettes que le formulaire nommait, d'un seul dossier."""
    trouvees = Dette.objects.filter(caf=caf, reference__in=contexte.lignes).select_related("allocataire")
    dettes = {dette.reference: dette for dette in trouvees}
    if manquantes := sorted(set(contexte.lignes) - set(dettes)):
        raise ReconstructionImpossible(f"la dette {manquantes[0]} manque : prenez d'abord la livraison perdue")
    if len({dette.allocataire_id for dette in dettes.values()}) != 1:
        raise ReconstructionImpossible("ses dettes sont de plusieurs dossiers", is_definitive=True)
    return dettes
