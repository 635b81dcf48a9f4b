"""La banque : elle ouvre la session, authentifie le porteur, autorise ou refuse, et le dit au dossier."""

import secrets
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction

from .cartes import Authentification, Carte
from .controles import FormulaireRefuse
from .models import OUVERTES, Boutique, Etape, SessionPaiement, Transaction

CONTRAT = "5785350"
BANQUE = {"code": "17807", "libelle": "Banque de démo et de l'innovation", "produit": "F", "pays": "FR"}
ESSAIS_DU_CODE = 3
AUTHENTIFICATION_ECHOUEE = "39"
SESSION_EXPIREE = "149"


class SessionFermee(Exception):
    """La session n'en est plus à cette étape : double clic, retour en arrière, expiration."""


class DejaAnnulee(Exception):
    """Ce numéro a déjà servi aujourd'hui dans une session que le payeur a annulée."""

    def __init__(self, session: SessionPaiement) -> None:
        super().__init__(session.pk)
        self.session = session


def ouvrir_session(boutique: Boutique, champs: dict[str, str]) -> SessionPaiement:
    """
    Ouvre une session pour un formulaire contrôlé.

    :raises DejaAnnulee: le numéro a servi aujourd'hui, dans une session annulée
    :raises FormulaireRefuse: 03, le numéro a servi aujourd'hui (jour UTC, casse ignorée)
    """
    maintenant = boutique.maintenant()
    session = SessionPaiement(
        boutique=boutique,
        mode=champs["vads_ctx_mode"],
        jour=maintenant.astimezone(UTC).date(),
        numero=champs["vads_trans_id"].lower(),
        champs={nom: valeur for nom, valeur in champs.items() if nom.startswith("vads_")},
        ouverte_le=maintenant,
        expire_le=maintenant + timedelta(seconds=boutique.reglages.session_s),
    )
    if len(session.marques) == 1:
        session.marque, session.etape = session.marques[0], Etape.CARTE
    try:
        with transaction.atomic():
            session.save()
    except IntegrityError:
        ancienne = SessionPaiement.objects.get(boutique=boutique, jour=session.jour, numero=session.numero)
        if ancienne.etape == Etape.ANNULEE:
            raise DejaAnnulee(ancienne) from None
        raise FormulaireRefuse("03", "vads_trans_id") from None
    return session


def avancer(session: SessionPaiement, de: Etape | tuple[Etape, ...], vers: Etape, **valeurs: Any) -> None:
    """
    Change d'étape si la session est encore à l'étape dite et n'a pas expiré.

    :raises SessionFermee: un autre clic est passé avant, ou le temps est écoulé
    """
    etapes = de if isinstance(de, tuple) else (de,)
    restantes = SessionPaiement.objects.filter(
        pk=session.pk, etape__in=etapes, expire_le__gt=session.boutique.maintenant()
    )
    if restantes.update(etape=vers, **valeurs) != 1:
        raise SessionFermee
    session.refresh_from_db()


def presenter_carte(session: SessionPaiement, carte: Carte, mois: int, annee: int) -> Transaction | None:
    """
    Reçoit une carte : rend la transaction, ou rien si la banque veut d'abord un code.

    :raises SessionFermee: la session n'attend pas de carte
    """
    saisie = {"masque": carte.masque, "mois": mois, "annee": annee}
    if carte.authentification is Authentification.CODE:
        saisie |= {"sms": f"{secrets.randbelow(1_000_000):06d}", "essais": 0}
        avancer(session, Etape.CARTE, Etape.AUTHENTIFICATION, saisie=saisie)
        return None
    return trancher(
        session, Etape.CARTE, carte, saisie, authentifie=carte.authentification != Authentification.REJETEE
    )


def trancher(
    session: SessionPaiement,
    depuis: Etape,
    carte: Carte,
    saisie: dict[str, Any],
    *,
    authentifie: bool,
    erreur: str = "",
) -> Transaction:
    """
    Crée la transaction d'une tentative et mène la session à l'étape qui suit.

    `erreur` : code `vads_payment_error` d'une session expirée pendant l'authentification (149).

    :raises SessionFermee: un autre clic est passé avant
    """
    code = carte.code if authentifie else ""
    with transaction.atomic():
        session.refresh_from_db()
        rang = session.tentatives + 1
        reste = rang <= session.boutique.reglages.tentatives_supplementaires
        suite = Etape.CARTE if reste else Etape.REFUSEE
        if code == "00":
            suite = Etape.PAYEE
        if erreur == SESSION_EXPIREE:
            fermer(session, Etape.REFUSEE, tentatives=rang)
        else:
            avancer(session, depuis, suite, saisie={}, tentatives=rang)
        motif = erreur or ("" if authentifie else AUTHENTIFICATION_ECHOUEE)
        return creer_debit(session, carte, saisie, code, authentifie=authentifie, erreur=motif)


def fermer(session: SessionPaiement, vers: Etape, **valeurs: Any) -> None:
    """
    Ferme une session dont le temps est écoulé.

    :raises SessionFermee: elle l'est déjà
    """
    ouvertes = SessionPaiement.objects.filter(pk=session.pk, etape__in=OUVERTES)
    if ouvertes.update(etape=vers, saisie={}, **valeurs) != 1:
        raise SessionFermee
    session.refresh_from_db()


def creer_debit(
    session: SessionPaiement, carte: Carte, saisie: dict[str, Any], code: str, *, authentifie: bool, erreur: str
) -> Transaction:
    """Écrit la transaction de débit d'une tentative."""
    champs, maintenant, accepte = session.champs, session.boutique.maintenant(), code == "00"
    statut = "AUTHORISED_TO_VALIDATE" if champs.get("vads_validation_mode") == "1" else "AUTHORISED"
    return Transaction.objects.create(
        boutique=session.boutique,
        session=session,
        mode=session.mode,
        statut=statut if accepte else "REFUSED",
        order_id=champs.get("vads_order_id", ""),
        trans_id=champs["vads_trans_id"],
        trans_date=champs["vads_trans_date"],
        rang=session.tentatives,
        montant=session.montant,
        creee_le=maintenant,
        remise_prevue_le=maintenant + timedelta(days=int(champs.get("vads_capture_delay") or 0)),
        code=code,
        autorisation=secrets.token_hex(3) if accepte else "",
        erreur=erreur,
        garantie=carte.garantie if accepte else "",
        carte=decrire_carte(session, carte, saisie),
        threeds=decrire_threeds(carte, authentifie=authentifie),
    )


def decrire_carte(session: SessionPaiement, carte: Carte, saisie: dict[str, Any]) -> dict[str, Any]:
    """Ce que la transaction retient de la carte : jamais son numéro entier."""
    marque = session.marque or carte.reseaux[0]
    return {
        "masque": carte.masque,
        "marque": marque,
        "reseaux": list(carte.reseaux[:2]),
        "choisie": len(session.marques) > 1,
        "mois": saisie["mois"],
        "annee": saisie["annee"],
        "ecarte_bleue": marque == "E-CARTEBLEUE",
        **BANQUE,
    }


def decrire_threeds(carte: Carte, *, authentifie: bool) -> dict[str, str]:
    """Le compte rendu de l'authentification, avec les valeurs des captures (PROTOCOLE §3.3)."""
    if carte.authentification is Authentification.AUCUNE:
        return {"enrolled": carte.enrolee, "status": "", "eci": "", "exit_status": "7", "auth_type": ""}
    genre = "FRICTIONLESS" if carte.authentification is Authentification.SANS_QUESTION else "CHALLENGE"
    if not authentifie:
        return {"enrolled": "Y", "status": "N", "eci": "", "exit_status": "10", "auth_type": genre}
    eci = "02" if "MASTERCARD" in carte.reseaux else "05"
    return {"enrolled": "Y", "status": "Y", "eci": eci, "exit_status": "10", "auth_type": genre}


def compter_essai_faux(session: SessionPaiement) -> int:
    """Compte un code faux ; rend le nombre d'essais qui restent avant l'échec."""
    with transaction.atomic():
        session.refresh_from_db()
        if session.etape != Etape.AUTHENTIFICATION:
            raise SessionFermee
        session.saisie["essais"] += 1
        session.save(update_fields=["saisie"])
    return ESSAIS_DU_CODE - int(session.saisie["essais"])


def to_date_vads(moment: datetime) -> str:
    """Une date au format du formulaire : AAAAMMJJHHMMSS, en UTC."""
    return moment.astimezone(UTC).strftime("%Y%m%d%H%M%S")
