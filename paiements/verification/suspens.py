"""Laisser une ligne de journal en suspens : dire ce qu'elle attend, interroger, et prévenir un agent s'il le faut."""

from contextlib import suppress
from datetime import UTC, datetime, time, timedelta

from django.db.models import Q, QuerySet, Value
from django.db.models.functions import Concat
from django.utils import timezone

from comptes.models import Caf
from paiements.causes import par_payzen, par_service
from paiements.file.suspens import dire, lister_ce_qui_attend, lister_les_anomalies
from paiements.file.tenue import DejaResolue, clore, signaler
from paiements.models import Anomalie, LigneJournal, Paiement, TransactionPayzen
from paiements.passages import faire_interroger, verrouiller

# Passé ce temps, ce que les lectures de chaque matin n'ont pas trouvé, un agent le cherche.
A_CHERCHER = timedelta(days=3)


class EnSuspens(Exception):
    """Cette ligne attend ; le message dit quoi."""

    def __init__(
        self, motif: str, *, transaction: TransactionPayzen | None = None, is_a_decider: bool = False
    ) -> None:
        """
        :param transaction: celle dont elle parle, si elle est connue
        :param is_a_decider: nulle commande n'y changera rien ; la clôture d'un agent la règle pour de bon
        """
        super().__init__(motif)
        self.transaction, self.is_a_decider = transaction, is_a_decider


def attendre(ligne: LigneJournal, attente: EnSuspens) -> None:
    """Elle reste en suspens ; si c'est un de nos paiements, la plateforme est interrogée aussitôt."""
    pourquoi = str(attente)[:200]
    if (ligne.pourquoi, ligne.is_a_decider) != (pourquoi, attente.is_a_decider):
        ligne.pourquoi, ligne.is_a_decider = pourquoi, attente.is_a_decider  # garde: decidee_quand_elle_l_est
        ligne.save(update_fields=["pourquoi", "is_a_decider"])
    paiement = get_paiements(ligne).first()
    if paiement is not None:
        faire_interroger(verrouiller(paiement.pk))
    if attente.is_a_decider or ligne.journal.lu_le < timezone.now() - A_CHERCHER:
        _signaler(ligne, attente, paiement)


def _signaler(ligne: LigneJournal, attente: EnSuspens, paiement: Paiement | None) -> None:
    transaction = attente.transaction
    signaler(
        Anomalie.Genre.LIGNE_EN_SUSPENS,
        ligne.cle,
        situation=ligne.pourquoi,
        detail=f"{ligne.journal}, {dire(ligne)}",
        paiement=transaction.paiement if transaction else paiement,
        transaction_payzen=transaction,
        caf=Caf.objects.filter(boutique=ligne.boutique).first(),
        cause=par_payzen(f"journal {ligne.genre}"),
    )


def fermer_les_anomalies() -> None:
    """Celles des lignes qui n'attendent plus, portées ou corrigées depuis par la banque ; et celles d'avant."""
    attendent = lister_ce_qui_attend().values("cle")
    for anomalie in lister_les_anomalies().ouvertes().exclude(cle__in=attendent):
        _fermer(anomalie, "la ligne du journal n'attend plus rien")
    for anomalie in _lister_celles_d_avant():  # garde: anomalie_d_avant_fermee
        _fermer(anomalie, "la ligne du journal a la sienne, ou est portée")


def _lister_celles_d_avant() -> QuerySet[Anomalie]:
    """Celles qu'une version d'avant ouvrait d'un impayé d'un montant impossible : une autre espèce, une autre clé."""
    cles = LigneJournal.objects.filter(genre="JRI").annotate(d_avant=Concat(Value("impaye:"), "cle")).values("d_avant")
    return Anomalie.objects.ouvertes().filter(genre=Anomalie.Genre.REPONSE_INATTENDUE, cle__in=cles)


def _fermer(anomalie: Anomalie, motif: str) -> None:
    with suppress(DejaResolue):
        clore(anomalie, par_service(motif))


def get_paiements(ligne: LigneJournal) -> QuerySet[Paiement]:
    """Le paiement dont parle une ligne, par sa référence, sinon par le numéro et le jour de son formulaire."""
    siens = Paiement.objects.filter(boutique=ligne.boutique, mode=ligne.mode)
    if ligne.reference:
        return siens.filter(reference=ligne.reference)
    if not ligne.jour:
        return siens.none()
    return siens.filter(du_jour(ligne, ("cree_le",)), trans_id=ligne.trans_id)


def du_jour(ligne: LigneJournal, champs: tuple[str, ...]) -> Q:
    """Ce dont l'un de ces champs est du jour de la ligne, qui en dit un ; en UTC."""
    assert ligne.jour is not None  # noqa: S101 (l'appelant l'a vu)
    bornes = [datetime.combine(ligne.jour, heure, UTC) for heure in (time.min, time.max)]
    jours = Q()
    for champ in champs:
        jours |= Q(**{f"{champ}__range": bornes})
    return jours
