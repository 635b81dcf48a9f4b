"""
Recevoir la même notification autrement : comme un Django tout simple, et au plus court.

Mêmes messages, même signature vérifiée, même base durable, des tables à soi : ni garde, ni déclencheur, ni file.
"""

import json

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.db import connection, models, transaction
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt

from paiements.models import Paiement
from paiements.payzen import is_signed


class Achat(models.Model):
    reference = models.CharField(max_length=32, unique=True)
    statut = models.CharField(max_length=20, default="EN_ATTENTE")
    montant = models.DecimalField(max_digits=9, decimal_places=2)
    le = models.DateTimeField(default=timezone.now)

    class Meta:
        app_label = "bancs"
        db_table = "ordinaire_achat"


class Message(models.Model):
    achat = models.ForeignKey(Achat, models.PROTECT)
    recu = models.JSONField()
    le = models.DateTimeField(default=timezone.now)

    class Meta:
        app_label = "bancs"
        db_table = "ordinaire_message"


class Etape(models.Model):
    achat = models.ForeignKey(Achat, models.PROTECT)
    vers = models.CharField(max_length=20)
    le = models.DateTimeField(default=timezone.now)

    class Meta:
        app_label = "bancs"
        db_table = "ordinaire_etape"


UN_ORDRE = """
WITH achat AS (
    UPDATE ordinaire_achat SET statut = 'ACCEPTE', le = now()
    WHERE reference = %(reference)s AND statut = 'EN_ATTENTE' AND montant = %(centimes)s / 100.0 RETURNING id
), message AS (
    INSERT INTO ordinaire_message (achat_id, recu, le) SELECT id, %(recu)s, now() FROM achat
)
INSERT INTO ordinaire_etape (achat_id, vers, le) SELECT id, 'ACCEPTE', now() FROM achat
"""


def ouvrir_les_achats(paiements: list[Paiement]) -> None:
    """Les mêmes paiements, dans des tables neuves."""
    with connection.cursor() as curseur:
        curseur.execute("DROP TABLE IF EXISTS ordinaire_message, ordinaire_etape, ordinaire_achat")
    with connection.schema_editor() as editeur:
        for modele in (Achat, Message, Etape):
            editeur.create_model(modele)
    Achat.objects.bulk_create(Achat(reference=p.reference, montant=p.montant) for p in paiements)


def verifier_les_achats() -> None:
    """Chacun a avancé une fois, avec son message."""
    combien = Achat.objects.count()
    assert Achat.objects.filter(statut="ACCEPTE").count() == combien, "chaque achat a avancé"
    assert (Message.objects.count(), Etape.objects.count()) == (combien, combien), "un message et une étape chacun"


def _lire(request: HttpRequest) -> dict[str, str]:
    champs = {nom: str(valeur) for nom, valeur in request.POST.items()}
    assert is_signed(champs, champs["signature"], settings.PAYZEN_BOUTIQUES[champs["vads_site_id"]].cle)
    return champs


@login_not_required
@csrf_exempt
def par_l_orm(request: HttpRequest) -> HttpResponse:
    """Ce qu'on écrirait un premier matin."""
    champs = _lire(request)
    with transaction.atomic():
        achat = Achat.objects.select_for_update().get(reference=champs["vads_order_id"])
        Message.objects.create(achat=achat, recu=champs)
        if achat.statut == "EN_ATTENTE" and int(champs["vads_amount"]) == achat.montant * 100:
            achat.statut, achat.le = "ACCEPTE", timezone.now()
            achat.save()
            Etape.objects.create(achat=achat, vers=achat.statut)
    return HttpResponse("OK")


@login_not_required
@csrf_exempt
def en_un_ordre(request: HttpRequest) -> HttpResponse:
    """Au plus court : un seul ordre, un seul aller à la base."""
    champs = _lire(request)
    dits = {"reference": champs["vads_order_id"], "centimes": int(champs["vads_amount"]), "recu": json.dumps(champs)}
    with connection.cursor() as curseur:
        curseur.execute(UN_ORDRE, dits)
        assert curseur.rowcount == 1
    return HttpResponse("OK")
