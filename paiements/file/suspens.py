"""
Les lignes de journal qui attendent encore, et l'anomalie de celles que nulle commande ne portera.

Une lecture, ou `interroger_payzen --journaux`, porte les autres. Une anomalie se ferme quand sa ligne est portée ;
close par un agent, la ligne n'attend plus : elle quitte le compte, la feuille et la file. Celle qu'il avait à décider
ne se portera pas ; celle à qui il manquait seulement quelque chose, chaque lecture la retente encore.
"""

from collections.abc import Iterable

from django.conf import settings
from django.db.models import Case, CharField, Exists, Func, OuterRef, Q, QuerySet, Value, When
from django.db.models.functions import Coalesce

from paiements.models import Anomalie, LigneJournal, TransactionPayzen
from paiements.models.anomalie import AnomalieQuerySet
from socle.euros import ecrire_euros

Etat = LigneJournal.Etat


def _ecrire_le_jour(champ: str) -> Func:
    return Func(champ, Value("YYMMDD"), function="to_char", output_field=CharField())


# Le jour d'un impayé, si son journal le dit ; sinon celui du journal, si son nom le dit (PROTOCOLE §8). Une semaine ou
# un mois ne se compare à aucun jour : celui où nous l'avons lu.
QUAND = Coalesce(
    _ecrire_le_jour("impaye_le"),
    Case(When(journal__jour__regex=r"^\d{6}$", then="journal__jour"), default=_ecrire_le_jour("journal__lu_le")),
)


def dans_l_ordre(lignes: QuerySet[LigneJournal]) -> QuerySet[LigneJournal]:
    """Du plus ancien au plus récent ; le même jour, un impayé se prend avant de se rendre."""
    return lignes.annotate(quand=QUAND).order_by("quand", "-operation", "pk")


def lister_les_anomalies() -> AnomalieQuerySet:
    """Celles de toutes les lignes, dans tous leurs états ; leur clé est celle de la ligne."""
    return Anomalie.objects.filter(genre=Anomalie.Genre.LIGNE_EN_SUSPENS)


CLOSE = Exists(lister_les_anomalies().filter(cle=OuterRef("cle"), etat=Anomalie.Etat.CLOSE))


def lister_ce_qui_attend() -> QuerySet[LigneJournal]:
    """Celles qui se retentent, et dont nul agent n'a clos l'anomalie : le compte, la feuille et la file."""
    return lister_ce_qui_se_retente().exclude(CLOSE)  # garde: ligne_close_n_attend_plus


def lister_ce_qui_se_retente() -> QuerySet[LigneJournal]:
    """
    Les lignes en suspens qui peuvent se porter un jour.

    Non celles dont une plus récente, de la même opération au même journal, est portée : la banque s'est corrigée. Les
    impayés, qui se prennent et se rendent, ont leur propre règle. Non plus celles dont un agent a décidé.
    """
    suspens = LigneJournal.objects.filter(etat=Etat.EN_SUSPENS, mode=settings.PAYZEN_MODE)
    memes = {nom: OuterRef(nom) for nom in ("genre", "boutique", "mode", "operation", "trans_id", "jour")}
    portees = LigneJournal.objects.filter(**memes, etat=Etat.PORTEE, transaction__trans_id=OuterRef("trans_id"))
    is_apres = Q(quand__gt=OuterRef("quand")) | Q(quand=OuterRef("quand"), pk__gt=OuterRef("pk"))
    plus_recentes = portees.annotate(quand=QUAND).filter(is_apres)
    # garde: ligne_corrigee_n_attend_plus
    encore = suspens.annotate(quand=QUAND).exclude(~Q(genre="JRI") & Exists(plus_recentes))
    # garde: decidee_ne_se_retente_plus, close_se_retente
    return encore.exclude(Q(is_a_decider=True) & CLOSE)


def get_anomalies(lignes: Iterable[LigneJournal]) -> dict[str, Anomalie]:
    """L'anomalie ouverte de chacune, par la clé de la ligne, pour celles qui en ont une."""
    siennes = lister_les_anomalies().ouvertes().filter(cle__in=[ligne.cle for ligne in lignes])
    return {anomalie.cle: anomalie for anomalie in siennes}


def dire(ligne: LigneJournal) -> str:
    """Ce qu'est une ligne en suspens, et ce qu'elle attend."""
    quoi = f"{ligne.operation} de {ecrire_euros(ligne.montant)}"
    return f"{quoi}, n° {ligne.trans_id} : {ligne.pourquoi or 'pas encore portée'}"


def lister_les_inconnues() -> Iterable[tuple[str, str]]:
    """Les (boutique, référence) dont un journal parle, et dont nous n'avons pas le paiement ou la transaction."""
    sans_paiement = TransactionPayzen.objects.filter(paiement=None, mode=settings.PAYZEN_MODE)
    couples = {*lister_ce_qui_se_retente().exclude(reference="").values_list("boutique", "reference")}
    return sorted(couples | {*sans_paiement.values_list("boutique", "reference")})
