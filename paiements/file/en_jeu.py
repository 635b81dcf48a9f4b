"""L'argent en jeu dans une anomalie : une différence du moment, lue dans les vues de la base, jamais recopiée."""

from decimal import Decimal
from typing import Any

from django.db.models import (
    Case,
    CharField,
    F,
    Max,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Sum,
    Value,
    When,
)
from django.db.models.functions import Cast, Coalesce, Greatest, Least
from django.db.models.lookups import LessThanOrEqual

from paiements.models import Anomalie, DebitTenu, SoldePaiement, TransactionPayzen
from paiements.payzen import EURO, Famille
from paiements.payzen.statuts import FAMILLES
from paiements.statuts import Statut

Genre, Etat = Anomalie.Genre, Anomalie.Etat
ZERO = Value(Decimal(0))

TENU = Subquery(DebitTenu.objects.filter(pk=OuterRef("transaction")).values("tenu"))
REPRIS = Subquery(DebitTenu.objects.filter(pk=OuterRef("transaction")).values("impaye"))
A_PLACER = Subquery(SoldePaiement.objects.filter(pk=OuterRef("paiement")).values("a_placer"))

A_TRANCHER = Q(etat__in=(Etat.OUVERTE, Etat.ECARTEE))
EN_EUROS = Q(transaction__devise=EURO, transaction__devise_effective__in=("", EURO))
# Fini sans argent : il n'y a rien à tenir.
SANS_SUITE = [statut for statut, famille in FAMILLES.items() if famille is Famille.ECHEC]
DOUTE = Q(genre=Genre.STATUT_INATTENDU, transaction__verdict="") & Q(LessThanOrEqual(Coalesce(TENU, ZERO), ZERO))
# Ceux-là doutent du débit entier ; les autres, de ce qui en manque aux dettes ou les dépasse.
DU_DEBIT_ENTIER = (Genre.ECART, Genre.DESACCORD, Genre.REMISE_ABSENTE)
IMPUTE = Q(transaction=F("paiement__debit"), paiement__statut=Statut.IMPUTE) & ~Q(genre__in=DU_DEBIT_ENTIER)

SOMME = Case(
    When(genre=Genre.SOLDE_NEGATIF, then=F("manque")),
    When(Q(transaction=None) | ~EN_EUROS, then=None),
    When(restitution__isnull=False, then=Least(F("restitution__montant"), Greatest(TENU, ZERO))),
    When(DOUTE & Q(transaction__statut__in=SANS_SUITE), then=ZERO),
    When(DOUTE, then=F("transaction__montant")),
    When(genre=Genre.IMPAYE, then=-REPRIS),
    When(transaction__operation=TransactionPayzen.CREDIT, then=-F("transaction__montant")),
    When(IMPUTE, then=A_PLACER),
    default=TENU,
)
# Une à une, et seulement ce qui attend : une jointure lirait les comptes de tout ce qui est réglé.
DE_LA_MEME = Anomalie.objects.filter(pk=OuterRef("pk")).annotate(somme=SOMME).values("somme")
EN_JEU = Case(When(A_TRANCHER, then=Subquery(DE_LA_MEME)))


def avec_en_jeu(anomalies: QuerySet[Anomalie]) -> QuerySet[Any]:
    """
    Ajoute `en_jeu`, en euros : positif, la banque le tient et un agent décide ; négatif, elle ne le tient plus.

    Nul si l'anomalie est réglée, ne parle d'aucune transaction, ou parle d'une autre devise.
    """
    return anomalies.annotate(en_jeu=EN_JEU)


def sommer_le_tenu(anomalies: QuerySet[Any]) -> Decimal:
    """Ce que la banque tient de celles-là (`avec_en_jeu`), en euros ; un débit n'y compte qu'une fois."""
    sur = Coalesce("transaction_id", Cast("pk", CharField()))
    debits = anomalies.filter(A_TRANCHER).order_by().values(sur=sur).annotate(tenu=Greatest(Max("en_jeu"), ZERO))
    somme: Decimal = debits.aggregate(somme=Sum("tenu", default=ZERO))["somme"]
    return somme
