"""La page d'un allocataire : ce qu'il doit, ce qu'il a payé, où est l'argent, ce que l'agent peut y faire."""

from collections.abc import Iterator
from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from comptes.models import Allocataire
from demarches.models import Demarche
from dettes.models import Dette
from paiements.bureau.conseils import conseiller
from paiements.bureau.faits import ecrire_en_jeu
from paiements.file.en_jeu import avec_en_jeu
from paiements.imputation.imputer import is_a_trancher
from paiements.models import Anomalie, DemandeRestitution, Paiement, Ticket
from paiements.statuts import Statut
from paiements.suivi.sans_suite import SANS_SUITE
from socle.bureau import can
from socle.euros import ecrire_euros

# Une page n'est pas une archive : au-delà, on cherche par référence.
AU_PLUS = 100

MOTS = {
    Statut.INITIE: "rien n'est parti",
    Statut.EN_ATTENTE: "à la banque, qui n'a pas encore répondu",
    Statut.ACCEPTE: "tenu par la banque, à vérifier",
    Statut.VERIFIE: "tenu par la banque, va être imputé aux dettes",
    Statut.REFUSE: "rien n'a été débité",
    Statut.ABANDONNE: "rien n'a été débité",
    Statut.EXPIRE: "rien n'a été débité",
    Statut.REJETE: "repris par la banque, les dettes sont remontées",
    Statut.RESTITUE: "restitué, les dettes sont remontées",
}


def ouvrir(allocataire: Allocataire, request: HttpRequest) -> dict[str, Any]:
    """Tout ce que montre la page, en un nombre de requêtes qui ne dépend pas de ce qu'il y a. Montants en euros."""
    dettes = list(Dette.objects.for_allocataire(allocataire).with_disponible().plus_anciennes_d_abord())
    demarches = list(
        Demarche.objects.filter(allocataire=allocataire)
        .select_related("paiement__solde", "paiement__debit", "paiement__ticket", "paiement__caf")
        .plus_recentes_d_abord()[:AU_PLUS]
    )
    paiements = [d.paiement for d in demarches if hasattr(d, "paiement")]
    anomalies = _lire_les_anomalies(dettes, paiements)
    restitutions = list(
        DemandeRestitution.objects.filter(paiement__in=paiements)
        .select_related("paiement", "demandeur", "approbateur")
        .order_by("-demandee_le")
    )
    return {
        "dettes": dettes,
        "du": sum(dette.solde for dette in dettes),
        "demarches": demarches,
        "is_tronque": len(demarches) == AU_PLUS,
        "paiements": [{"paiement": p, "argent": dire_ou_est_l_argent(p)} for p in paiements],
        "courriels": [p.ticket for p in paiements if hasattr(p, "ticket")],
        "restitutions": restitutions,
        "anomalies": anomalies,
        "comptes": list(allocataire.utilisateurs.order_by("identifiant")),
        "peut_lire_le_journal": can(request, "lire_journal"),
        "a_faire": list(_dire_ce_qui_est_a_faire(request, paiements, restitutions, anomalies)),
    }


def dire_ou_est_l_argent(paiement: Paiement) -> str:
    """Où est l'argent d'un paiement, en une phrase ; sans requête si son solde et son débit sont lus."""
    retenu = f" ; {ecrire_euros(paiement.retenu)} retenus, un agent décide" if paiement.retenu else ""
    if paiement.statut in (Statut.ACCEPTE, Statut.VERIFIE) and paiement.is_d_un_autre_mode:
        return f"en {paiement.mode} : ce n'est pas de l'argent, rien ne s'en impute{retenu}"
    if paiement.statut == Statut.VERIFIE and is_a_trancher(paiement):
        return f"tenu par la banque, un agent tranche avant de l'imputer{retenu}"
    if retenu and paiement.statut in SANS_SUITE:
        return f"la banque en annonce {ecrire_euros(paiement.retenu)}, rien n'est imputé"
    if paiement.statut != Statut.IMPUTE:
        attend = paiement.statut == Statut.ACCEPTE and paiement.confirme_le is not None
        return f"{'tenu par la banque, un agent confirme' if attend else MOTS[Statut(paiement.statut)]}{retenu}"
    place = paiement.a_placer
    reste = f" ; {ecrire_euros(place)} à placer" if place > 0 else ""
    reprise = f" ; {ecrire_euros(-place)} que la banque ne tient plus, à reprendre" if place < 0 else ""
    return f"{ecrire_euros(paiement.solde.impute)} sur les dettes{reste}{reprise}{retenu}"


def _lire_les_anomalies(dettes: list[Dette], paiements: list[Paiement]) -> list[dict[str, Any]]:
    # Deux lectures par clé, plutôt qu'un « ou » que la base ne saurait suivre par ses index.
    par_paiement = Anomalie.objects.filter(paiement__in=paiements)
    par_dette = Anomalie.objects.filter(dette__in=dettes, paiement=None)
    lues = [
        anomalie
        for anomalies in (par_paiement, par_dette)
        for anomalie in avec_en_jeu(anomalies).select_related(
            "paiement__solde", "paiement__debit__compte", "transaction__compte", "dette", "restitution"
        )
    ]
    lues.sort(key=lambda anomalie: (not anomalie.is_ouverte, anomalie.ouverte_le))
    return [
        {"anomalie": a, "en_jeu": ecrire_en_jeu(a, a.en_jeu), "conseil": conseiller(a) if a.is_ouverte else ""}
        for a in lues
    ]


def _dire_ce_qui_est_a_faire(
    request: HttpRequest,
    paiements: list[Paiement],
    restitutions: list[DemandeRestitution],
    anomalies: list[dict[str, Any]],
) -> Iterator[dict[str, str]]:
    """Ce que le rôle de cet agent lui permet ici, une phrase et son lien chacun."""
    ouvertes = [ligne for ligne in anomalies if ligne["anomalie"].is_ouverte]
    for ligne in ouvertes if can(request, "traiter_anomalie") else ():
        yield _lier("anomalie", ligne["anomalie"].pk, f"{ligne['anomalie']} : {ligne['conseil']}")
    a_decider = [demande for demande in restitutions if demande.etat == demande.Etat.DEMANDEE]
    for demande in a_decider if can(request, "approuver_restitution") else ():
        yield _lier("demanderestitution", demande.pk, f"Approuver ou refuser la {demande}")
    en_cours = {demande.paiement_id for demande in restitutions if demande.etat in demande.EN_COURS}
    for paiement in paiements:
        for droit, phrase in _lister_ses_gestes(paiement, is_en_restitution=paiement.pk in en_cours):
            if can(request, droit):
                yield _lier("paiement", paiement.pk, phrase)


def _lister_ses_gestes(paiement: Paiement, *, is_en_restitution: bool) -> Iterator[tuple[str, str]]:
    """Les gestes ordinaires d'un paiement : le droit qu'il y faut, et la phrase."""
    if paiement.statut == Statut.ACCEPTE and paiement.confirme_le:
        yield "verifier", f"Confirmer le paiement {paiement} de {ecrire_euros(paiement.montant)}"
    ticket = getattr(paiement, "ticket", None)
    if ticket and ticket.etat == Ticket.Etat.IMPOSSIBLE:
        yield "traiter_anomalie", f"Renvoyer le ticket du paiement {paiement}, ou corriger son adresse"
    if paiement.statut == Statut.IMPUTE and not is_en_restitution:
        yield "demander_restitution", f"Demander la restitution du paiement {paiement}, entière ou d'une part"


def _lier(modele: str, cle: int, texte: str) -> dict[str, str]:
    return {"adresse": reverse(f"admin:paiements_{modele}_change", args=[cle]), "texte": texte}
