"""Ce qui doit être vrai entre la banque et nous : chaque euro qu'elle tient a sa case chez nous, et une seule."""

from collections import Counter
from collections.abc import Iterable, Iterator
from decimal import Decimal

from django.db.models import Q, Sum

from demarches.models import Demarche, LigneDemarche
from dettes.models import Dette
from paiements.models import Anomalie, DemandeRestitution, EtapePaiement, Imputation, Paiement
from paiements.statuts import Statut
from tests.pannes.banque import Banque

Genre, Issue = Anomalie.Genre, Anomalie.Issue
EN_ROUTE = (Statut.INITIE, Statut.EN_ATTENTE, Statut.ACCEPTE, Statut.VERIFIE)
VIVANTS = (Statut.ACCEPTE, Statut.VERIFIE, Statut.IMPUTE)
ZERO = Decimal(0)


def get_compte(banque: Banque, reference: str) -> dict[str, Decimal]:
    """
    Où est, chez nous, l'argent d'une référence, en euros par case.

    `signale` est ce qu'un agent sait parti et n'a pas encore repris : un crédit partiel, un montant baissé.
    """
    paiement = Paiement.objects.filter(reference=reference).first()
    anomalies = list(Anomalie.objects.filter(Q(paiement__reference=reference) | Q(constat__vu__reference=reference)))
    cases = dict.fromkeys(("en cours", "imputé", "retenu", "signalé"), ZERO)
    if paiement and paiement.statut in (Statut.ACCEPTE, Statut.VERIFIE):
        cases["en cours"] = paiement.net
    if paiement and paiement.statut == Statut.IMPUTE:
        cases["imputé"] = sum((imputation.reste for imputation in paiement.imputations.all()), ZERO)
    for anomalie in anomalies:
        cases["retenu"] += _retenu(banque, anomalie, paiement)
        cases["signalé"] += _signale(banque, anomalie, paiement)
    if paiement and paiement.statut in VIVANTS:
        cases["signalé"] += _baisse(anomalies, paiement)
    return cases


def _retenu(banque: Banque, anomalie: Anomalie, paiement: Paiement | None) -> Decimal:
    # Un désaccord parle d'un paiement encore « en cours » : le compter ici le compterait deux fois.
    if anomalie.genre == Genre.DESACCORD or anomalie.issue not in ("", Issue.ECARTEE):
        return ZERO
    if anomalie.issue == Issue.ECARTEE and anomalie.montant:
        # « Réglé autrement » : l'agent suit l'argent là où il est, à la banque ou avec le paiement.
        if anomalie.genre == Genre.RELIQUAT:
            return anomalie.montant if paiement.statut == Statut.IMPUTE else ZERO
        if anomalie.genre in (Genre.ANNULATION_BANQUE, Genre.ECART):
            return anomalie.montant
        # D'une référence inconnue, les crédits ont leur propre alerte.
        uuid = anomalie.constat["vu"]["uuid"]
        return banque.get_tenu(uuid) if paiement else banque.get_vivant(uuid)
    return anomalie.montant


def _is_a_reprendre(anomalie: Anomalie) -> bool:
    return anomalie.issue in ("", Issue.ECARTEE) and not anomalie.reprises.exists()


def _signale(banque: Banque, anomalie: Anomalie, paiement: Paiement | None) -> Decimal:
    # D'un paiement déjà reparti, plus rien n'est à reprendre : l'alerte ne fait que dire.
    if paiement and paiement.is_encaisse and paiement.statut not in VIVANTS:
        return ZERO
    vu = anomalie.constat.get("vu", {})
    if not isinstance(vu, dict) or anomalie.genre in (Genre.DESACCORD, Genre.ECART) or not _is_a_reprendre(anomalie):
        return ZERO
    if vu.get("operation") == "CREDIT" and not DemandeRestitution.objects.filter(uuid=vu["uuid"]).exists():
        return -banque.get_vivant(vu["uuid"])
    return ZERO


def _baisse(anomalies: Iterable[Anomalie], paiement: Paiement) -> Decimal:
    """De plusieurs baisses d'un même débit, la dernière dit tout ; ce qui en est déjà repris n'en est plus."""
    connues = [a for a in anomalies if a.genre == Genre.MONTANT_DIFFERENT and a.constat["vu"]["uuid"] == paiement.uuid]
    montants = [Decimal(alerte.constat["vu"]["montant"]) for alerte in connues if _is_a_reprendre(alerte)]
    return min([*montants, paiement.montant_debite]) - paiement.montant_debite


def get_euros_sans_case(banque: Banque) -> Iterator[str]:
    """Une phrase par référence dont la banque et nous ne disons pas la même somme."""
    for reference in sorted({transaction.reference for transaction in banque.transactions}):
        net, compte = banque.get_net(reference), get_compte(banque, reference)
        if net != sum(compte.values()):
            yield f"{reference} : la banque tient {net} €, nous {compte}"


def get_engage(dette: Dette) -> Decimal:
    """Ce qui est en route vers une dette, compté depuis les paiements et non depuis l'état des démarches."""
    lignes = LigneDemarche.objects.filter(dette=dette, demarche__paiement__statut__in=EN_ROUTE)
    return lignes.aggregate(somme=Sum("montant"))["somme"] or ZERO


def get_depassements(demarche: Demarche) -> Iterator[str]:
    """Les dettes d'une démarche qui vient de partir, si plus que leur solde est en route."""
    for dette in Dette.objects.filter(lignes__demarche=demarche):
        if get_engage(dette) > dette.solde:
            yield f"{dette} : {get_engage(dette)} € en route pour un solde de {dette.solde} €"


def get_doubles(banque: Banque) -> Iterator[str]:
    """Ce qui aurait agi deux fois : un accord, une imputation, un ordre de remboursement."""
    gestes = Counter(EtapePaiement.objects.values_list("paiement__reference", "geste"))
    yield from (f"{qui} : {geste} {fois} fois" for (qui, geste), fois in gestes.items() if fois > 1)
    yield from (f"{ordre} : {fois} fois" for ordre, fois in banque.ordres.items() if ordre != "envois" and fois > 1)


def get_accords_faux(banque: Banque) -> Iterator[str]:
    """Un paiement accepté l'a été par un débit de la banque, de sa référence, de son numéro."""
    debits = {transaction.uuid: transaction for transaction in banque.transactions}
    for paiement in Paiement.objects.encaisses():
        debit = debits.get(paiement.uuid or "")
        if debit is None or (debit.reference, debit.trans_id) != (paiement.reference, paiement.trans_id):
            yield f"{paiement} : accepté sur {debit}"


def get_imputations_sans_argent() -> Iterator[str]:
    """Aucune dette n'a reçu d'un paiement plus qu'il n'apportait."""
    for imputation in Imputation.objects.values("paiement__reference", "paiement__montant").annotate(s=Sum("montant")):
        if imputation["s"] > imputation["paiement__montant"]:
            yield f"{imputation['paiement__reference']} : {imputation['s']} € imputés"


def get_rendus_a_tort(banque: Banque) -> Iterator[str]:
    """Un paiement rendu ou repris ne laisse rien de son débit à la banque, sauf ce qu'une de ses anomalies retient."""
    for paiement in Paiement.objects.filter(statut__in=(Statut.RESTITUE, Statut.REJETE)):
        debit = next((t for t in banque.transactions if t.uuid == paiement.uuid and t.is_debit_vivant), None)
        retenues = paiement.anomalies.filter(issue__in=("", Issue.ECARTEE))
        retenu = Anomalie.objects.for_debit(paiement, paiement.uuid) | retenues.filter(genre=Genre.ECART)
        if debit and debit.montant > debit.rendu and not retenu.filter(issue__in=("", Issue.ECARTEE)).exists():
            yield f"{paiement} : {paiement.statut}, mais la banque tient encore de son débit"
