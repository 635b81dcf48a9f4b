"""Le retour du payeur à la boutique (PROTOCOLE §4)."""

from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import parse_qsl, urlencode

from django.utils import timezone

from .message import composer_retour
from .models import Etape, EtatAppel, SessionPaiement, Transaction

URL_PAR_ETAPE = {
    Etape.PAYEE: "vads_url_success",
    Etape.REFUSEE: "vads_url_refused",
    Etape.ANNULEE: "vads_url_cancel",
    Etape.EXPIREE: "vads_url_return",
}
APRES_RETOUR_S = 1


@dataclass(frozen=True)
class Retour:
    """Où et comment renvoyer le payeur ; `url` est vide si la boutique n'en a donné aucune."""

    methode: str
    url: str
    champs: dict[str, str]


def get_transaction(session: SessionPaiement) -> Transaction | None:
    """La dernière tentative d'une session payée ou refusée ; rien pour un abandon."""
    if session.etape not in {Etape.PAYEE, Etape.REFUSEE}:
        return None
    return session.transactions.filter(origine="CHARGE").order_by("rang").last()


def get_url(session: SessionPaiement) -> str:
    """Adresse de retour du cas, sinon `vads_url_return`, sinon celle du Back Office."""
    champs = session.champs
    propre = champs.get(URL_PAR_ETAPE.get(Etape(session.etape), "vads_url_return"), "")
    url: str = propre or champs.get("vads_url_return", "") or session.boutique.reglages.url_retour
    return url


def preparer(session: SessionPaiement) -> Retour:
    """Compose le retour selon `vads_return_mode` : sans données, par GET ou par POST."""
    url, mode = get_url(session), session.champs.get("vads_return_mode") or "NONE"
    if mode == "NONE" or not url:
        return Retour("NONE", url, {})
    champs = composer_retour(session, get_transaction(session))
    champs |= dict(parse_qsl(session.champs.get(f"vads_return_{mode.lower()}_params", "")))
    if mode == "POST":
        return Retour("POST", url, champs)
    # La plateforme code le « + » de la signature mais laisse « / » et « = » tels quels.
    return Retour("GET", f"{url}{'&' if '?' in url else '?'}{urlencode(champs, safe='/=')}", champs)


def constater_retour(session: SessionPaiement) -> None:
    """Le payeur est reparti : les IPN retenus « après le retour » peuvent suivre."""
    session.appels.filter(etat=EtatAppel.PREVU, apres_retour=True).update(
        apres_retour=False, prevu_le=timezone.now() + timedelta(seconds=APRES_RETOUR_S)
    )


def get_attente(session: SessionPaiement) -> int | None:
    """Secondes avant la redirection automatique, ou rien si la boutique ne l'a pas demandée."""
    nom = "success" if session.etape == Etape.PAYEE else "error"
    delai = session.champs.get(f"vads_redirect_{nom}_timeout", "")
    return int(delai) if delai and session.etape in {Etape.PAYEE, Etape.REFUSEE} else None
