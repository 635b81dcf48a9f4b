"""La notification de serveur à serveur (IPN, PROTOCOLE §3) : des octets reçus à un fait authentique."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl

from paiements.payzen.boutique import Boutique
from paiements.payzen.fait import FORMATS, Fait, FaitIllisible, keep, to_fait
from paiements.payzen.signature import is_signed
from paiements.payzen.statuts import Famille, get_famille

OCTETS_AU_PLUS = 64 * 1024
CHAMPS_AU_PLUS = 200


class NotificationRefusee(Exception):
    """Rien ne prouve que ce message vient de PayZen : répondre 400, n'en rien croire."""


class MessageIllisible(NotificationRefusee):
    """Trop gros, pas de l'UTF-8, ou un paramètre répété."""


class BoutiqueInconnue(NotificationRefusee):
    """Le numéro de boutique n'est pas l'un des nôtres."""


class ModeInattendu(NotificationRefusee):
    """Un message d'essai ne règle pas une vraie dette, ni l'inverse."""


class PasUneNotification(NotificationRefusee):
    """Signé de notre clé, mais de notre main : le formulaire que le payeur a sous les yeux."""


class SignatureFausse(NotificationRefusee):
    """Absente, vide ou fausse."""


class NotificationIncomplete(Exception):
    """
    Message authentique, mais dont un champ indispensable est illisible : à consigner en anomalie, et répondre 200.

    ``champs`` est ce qu'on a le droit de garder du message, ``noms`` ce qui manque.
    """

    def __init__(self, champs: dict[str, str], noms: list[str]) -> None:
        super().__init__("notification incomplète : " + ", ".join(noms))
        self.champs = champs
        self.noms = noms


@dataclass(frozen=True)
class Notification:
    """Un fait authentique, et les champs à consigner : ni identité, ni courriel, ni IP, ni numéro de carte."""

    fait: Fait
    champs: dict[str, str]


def read_notification(corps: bytes, boutiques: Mapping[str, Boutique]) -> Notification:
    """
    Lit et authentifie le corps d'une notification.

    :param corps: les octets reçus, ``application/x-www-form-urlencoded``
    :param boutiques: nos boutiques, par numéro ; la clé employée est celle de la boutique nommée par le message
    :raises NotificationRefusee: si le message n'est pas authentique
    :raises NotificationIncomplete: s'il l'est, mais qu'on ne peut pas dire de quel paiement il parle, ni combien
    """
    champs = _parse(corps)
    boutique = boutiques.get(champs.get("vads_site_id", ""))
    if boutique is None:
        raise BoutiqueInconnue("boutique inconnue")
    if champs.get("vads_ctx_mode") != boutique.mode:  # garde: mode_du_message
        raise ModeInattendu("mode inattendu")
    if not any(is_signed(champs, champs.get("signature", ""), cle) for cle in boutique.cles):  # garde: signature
        raise SignatureFausse("signature absente ou fausse")

    if not _parle_d_une_transaction(champs):  # garde: formulaire_du_payeur
        raise PasUneNotification("ni transaction, ni abandon")

    gardes = keep(champs)
    try:
        return Notification(to_fait(champs), gardes)
    except FaitIllisible as erreur:
        raise NotificationIncomplete(gardes, erreur.noms) from None


def _parle_d_une_transaction(champs: Mapping[str, str]) -> bool:
    """
    Une notification nomme sa transaction, ou dit que rien n'a été créé (PROTOCOLE §3.3).

    Les noms ne sont pas signés (§2.4) : notre formulaire, que le payeur a sous les yeux, se renomme à volonté. Aucune
    de ses valeurs ne peut passer pour un uuid, ni pour un abandon.
    """
    uuid, statut = champs.get("vads_trans_uuid", ""), champs.get("vads_trans_status", "")
    return bool(FORMATS["vads_trans_uuid"].fullmatch(uuid)) or get_famille(statut) is Famille.ABANDON


def _parse(corps: bytes) -> dict[str, str]:
    """
    Décode une seule fois, blancs gardés : c'est ce que la plateforme a signé (PROTOCOLE §2.3).

    Un paramètre répété est refusé : selon le lecteur, c'est le premier ou le dernier qui compterait.
    """
    if len(corps) > OCTETS_AU_PLUS:
        raise MessageIllisible("message trop gros")
    try:
        paires = parse_qsl(corps.decode(), keep_blank_values=True, errors="strict", max_num_fields=CHAMPS_AU_PLUS)
    except ValueError:
        raise MessageIllisible("message qui ne se décode pas") from None
    champs = dict(paires)
    if len(champs) != len(paires):  # garde: parametre_repete
        raise MessageIllisible("paramètre répété")
    return champs
