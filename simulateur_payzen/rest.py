"""L'API REST V4 (PROTOCOLE §6) : toujours HTTP 200, l'erreur est dans l'enveloppe."""

import base64
import hmac
import json
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt

from . import operations
from .description import decrire_transaction
from .models import Boutique, Transaction, get_boutique
from .operations import OperationImpossible

MAXIMUM = 30
# Les pannes où la plateforme répond sans mettre un dossier sous enveloppe, et celles où elle dit le faux.
INDISPONIBLE = "<html><body><h1>Service indisponible</h1></body></html>"
CORPS_FAUX = {"tronquee": '{"webService": "Order/Get", "status": "SUC', "vide": "{}", "liste": "[]"}
PANNES_DITES = {"refusee": "INT_905", "inconnue": "PSP_010"}
MESSAGES = {
    "INT_901": "unknown webservice",
    "INT_902": "invalid input",
    "INT_905": "invalid shop id or password",
    "PSP_010": "transaction not found",
    "PSP_015": "too many results",
}


class ErreurRest(Exception):
    """Une erreur de l'API, par son code."""

    def __init__(self, code: str, message: str = "") -> None:
        super().__init__(message or MESSAGES[code])
        self.code = code


@dataclass(frozen=True)
class Appel:
    """Un appel authentifié : le mot de passe a choisi le mode."""

    boutique: Boutique
    mode: str
    demande: dict[str, Any]

    def texte(self, nom: str) -> str:
        """Un texte obligatoire de la demande, en ASCII."""
        valeur = self.demande.get(nom)
        if not isinstance(valeur, str) or not valeur or not valeur.isascii():
            raise ErreurRest("INT_902")
        return valeur

    def montant(self, demande: dict[str, Any]) -> int | None:
        """Montant facultatif, en centimes ; la devise, si elle est dite, est l'euro."""
        montant = demande.get("amount")
        if montant is None:
            return None
        if not isinstance(montant, int) or isinstance(montant, bool):
            raise ErreurRest("INT_902")
        if demande.get("currency", "EUR") != "EUR":
            raise ErreurRest("PSP_021", "invalid currency")
        return montant

    def transaction(self) -> Transaction:
        """La transaction nommée par `uuid`, dans la boutique et le mode de l'appelant."""
        siennes = Transaction.objects.filter(boutique=self.boutique, mode=self.mode)
        trouvee = siennes.filter(uuid=self.texte("uuid")).first()
        if trouvee is None:
            raise ErreurRest("PSP_010")
        return trouvee


def tester(appel: Appel) -> dict[str, Any]:
    """`Charge/SDKTest` : rend ce qu'on lui dit."""
    return {"value": appel.texte("value"), "_type": "V4/Charge/SDKTest"}


def lire_commande(appel: Appel) -> dict[str, Any]:
    """`Order/Get` : toutes les transactions d'une référence, trente au plus ; un abandon n'y est jamais."""
    order_id = appel.texte("orderId")
    trouvees = Transaction.objects.filter(boutique=appel.boutique, mode=appel.mode, order_id=order_id)
    if appel.demande.get("operationType"):
        trouvees = trouvees.filter(operation=appel.texte("operationType"))
    lignes = list(trouvees.select_related("session", "boutique")[: MAXIMUM + 1])
    if not lignes:
        raise ErreurRest("PSP_010")
    if len(lignes) > MAXIMUM:
        raise ErreurRest("PSP_015")
    return {
        "shopId": appel.boutique.pk,
        "orderId": order_id,
        "transactions": [decrire_transaction(ligne) for ligne in lignes],
        "_type": "V4/OrderTransactions",
    }


def lire_transaction(appel: Appel) -> dict[str, Any]:
    """`Transaction/Get`."""
    return decrire_transaction(appel.transaction())


def annuler(appel: Appel) -> dict[str, Any]:
    """`Transaction/Cancel`."""
    return decrire_transaction(operations.annuler(appel.transaction()))


def rembourser(appel: Appel) -> dict[str, Any]:
    """`Transaction/Refund` : aucune protection contre le double appel, comme sur la plateforme."""
    return decrire_transaction(operations.rembourser(appel.transaction(), appel.montant(appel.demande)))


def annuler_ou_rembourser(appel: Appel) -> dict[str, Any]:
    """
    `Transaction/CancelOrRefund` : annule ce qui n'est pas remis, rembourse le reste.

    Un montant partiel avant remise n'est ni l'un ni l'autre : PSP_076 (comportement réel non publié).
    """
    transaction, montant = appel.transaction(), appel.montant(appel.demande)
    resolution = appel.demande.get("resolutionMode", "AUTO")
    if resolution not in {"AUTO", "CANCELLATION_ONLY", "REFUND_ONLY"}:
        raise ErreurRest("INT_902")
    partiel = montant is not None and montant < transaction.montant
    annulable = transaction.statut in operations.ANNULABLES and not partiel
    if resolution == "CANCELLATION_ONLY" or (resolution == "AUTO" and annulable):
        return annuler(appel)
    return rembourser(appel)


def modifier(appel: Appel) -> dict[str, Any]:
    """`Transaction/Update` : baisse le montant avant la remise."""
    changement = appel.demande.get("cardUpdate")
    montant = appel.montant(changement) if isinstance(changement, dict) else None
    if montant is None:
        raise ErreurRest("INT_902")
    return decrire_transaction(operations.modifier(appel.transaction(), montant))


def valider(appel: Appel) -> dict[str, Any]:
    """`Transaction/Validate`."""
    return decrire_transaction(operations.valider(appel.transaction()))


SERVICES: dict[str, Callable[[Appel], dict[str, Any]]] = {
    "Charge/SDKTest": tester,
    "Order/Get": lire_commande,
    "Transaction/Get": lire_transaction,
    "Transaction/Cancel": annuler,
    "Transaction/Refund": rembourser,
    "Transaction/CancelOrRefund": annuler_ou_rembourser,
    "Transaction/Update": modifier,
    "Transaction/Validate": valider,
}


def identifier(requete: HttpRequest) -> tuple[Boutique, str]:
    """
    Lit l'authentification Basic : la boutique, et le mode dont c'est le mot de passe.

    :raises ErreurRest: INT_905
    """
    try:
        genre, _, jeton = requete.headers.get("Authorization", "").partition(" ")
        site_id, _, mot_de_passe = base64.b64decode(jeton, validate=True).decode().partition(":")
    except ValueError as erreur:
        raise ErreurRest("INT_905") from erreur
    boutique = get_boutique(site_id) if genre.lower() == "basic" else None
    for mode in ("TEST", "PRODUCTION"):
        if boutique and hmac.compare_digest(
            boutique.conf[f"mot_de_passe_{mode.lower()}"].encode(), mot_de_passe.encode()
        ):
            return boutique, mode
    raise ErreurRest("INT_905")


def lire_demande(requete: HttpRequest) -> dict[str, Any]:
    """Le corps JSON de la demande ; un objet, par POST."""
    try:
        demande = json.loads(requete.body)
    except (ValueError, RecursionError) as erreur:
        raise ErreurRest("INT_902") from erreur
    if requete.method != "POST" or not isinstance(demande, dict):
        raise ErreurRest("INT_902")
    return demande


@csrf_exempt  # appel de serveur à serveur, authentifié par mot de passe
def repondre(requete: HttpRequest, service: str) -> HttpResponse:
    """Traite un appel : authentifie, fait le service, met sous enveloppe ; ou sert la panne demandée."""
    boutique, mode = None, "TEST"
    try:
        boutique, mode = identifier(requete)
        panne = boutique.consommer_panne("rest")
        if panne and panne["genre"] == "delai":
            time.sleep(panne["secondes"])
        elif panne and panne["genre"] in PANNES_DITES:
            raise ErreurRest(PANNES_DITES[panne["genre"]])
        elif panne:
            statut = 500 if panne["genre"] == "erreur_500" else 200
            return HttpResponse(CORPS_FAUX.get(panne["genre"], INDISPONIBLE), status=statut)
        if service not in SERVICES:
            raise ErreurRest("INT_901")
        reponse = SERVICES[service](Appel(boutique, mode, lire_demande(requete)))
    except (ErreurRest, OperationImpossible) as erreur:
        return mettre_sous_enveloppe(requete, service, mode, "ERROR", decrire_erreur(erreur, boutique))
    return mettre_sous_enveloppe(requete, service, mode, "SUCCESS", reponse)


def decrire_erreur(erreur: ErreurRest | OperationImpossible, boutique: Boutique | None) -> dict[str, Any]:
    """Le contenu d'une réponse en erreur."""
    return {
        "errorCode": erreur.code,
        "errorMessage": str(erreur),
        "detailedErrorCode": None,
        "detailedErrorMessage": None,
        "ticket": "null",
        "shopId": boutique.pk if boutique else None,
        "_type": "V4/WebService/WebServiceError",
    }


def mettre_sous_enveloppe(
    requete: HttpRequest, service: str, mode: str, statut: str, reponse: dict[str, Any]
) -> JsonResponse:
    """L'enveloppe commune à toutes les réponses."""
    return JsonResponse(
        {
            "webService": service,
            "version": "V4",
            "applicationVersion": "6.25.0",
            "status": statut,
            "answer": reponse,
            "ticket": uuid.uuid4().hex,
            "serverDate": timezone.now().isoformat(timespec="seconds"),
            "applicationProvider": "PAYZEN",
            "metadata": None,
            "mode": mode,
            "serverUrl": f"{requete.scheme}://{requete.get_host()}",
            "_type": "V4/WebService/Response",
        }
    )
