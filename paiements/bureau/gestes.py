"""Comment sortir d'une anomalie : un bouton chacun, qui appelle un service."""

from functools import partial
from typing import Any

from comptes.models import Utilisateur
from dettes.models import Dette
from paiements.boutiques import BoutiqueAbsente
from paiements.bureau import possibles
from paiements.bureau.formulaires import (
    RattachementForm,
    RepriseForm,
    ResteForm,
    TicketForm,
    lire_les_parts,
)
from paiements.bureau.plateforme import dire_ce_qui_change, relire
from paiements.causes import par_agent
from paiements.documents import envois
from paiements.file import tenue
from paiements.imputation.imputer import ResteImpossible
from paiements.models import Anomalie, Paiement, TransactionPayzen
from paiements.payzen import EchecRest
from paiements.retours import impaye, mise_de_cote, reprise, restitution
from socle.euros import ecrire_euros
from socle.gestes import Bouton

Verdict = TransactionPayzen.Verdict


class SansPaiement(Exception):
    """L'anomalie ne parle d'aucun paiement à nous."""


def get_paiement(anomalie: Anomalie) -> Paiement:
    if anomalie.paiement is None:
        raise SansPaiement("cette anomalie ne parle d'aucun paiement né de ce service")
    return anomalie.paiement


def interroger(anomalie: Anomalie, _donnees: dict[str, Any], _agent: Utilisateur) -> str:
    return dire_ce_qui_change(get_paiement(anomalie))


def placer_le_reste(anomalie: Anomalie, donnees: dict[str, Any], agent: Utilisateur) -> str:
    choisies = lire_les_parts(donnees)
    siennes = Dette.objects.for_allocataire(get_paiement(anomalie).demarche.allocataire).in_bulk(choisies)
    parts = {siennes[cle]: part for cle, part in choisies.items()}
    reprise.placer_le_reste(anomalie, parts, accord=donnees["motif"], agent=agent)
    return f"Le reste est imputé : {', '.join(f'{ecrire_euros(part)} à la dette {d}' for d, part in parts.items())}."


def reprendre(anomalie: Anomalie, donnees: dict[str, Any], agent: Utilisateur) -> str:
    # La plateforme sait, elle, de quel débit est un crédit : on le lui redemande avant de faire remonter des dettes.
    relire(get_paiement(anomalie))
    paiement = reprise.reprendre(anomalie, lire_les_parts(donnees), motif=donnees["motif"], agent=agent)
    return f"La part est reprise : la banque tient encore {ecrire_euros(paiement.solde.tenu)} de ce paiement."


def admettre(anomalie: Anomalie, donnees: dict[str, Any], agent: Utilisateur) -> str:
    paiement = reprise.admettre(anomalie, motif=donnees["motif"], agent=agent)
    return f"Le montant est admis : {ecrire_euros(paiement.montant_admis or 0)}. PayZen va être interrogé."


def trancher(anomalie: Anomalie, donnees: dict[str, Any], agent: Utilisateur, *, verdict: Verdict) -> str:
    get_paiement(anomalie)
    reprise.trancher(anomalie, verdict, motif=donnees["motif"], agent=agent)
    return f"C'est tranché : {verdict.label}."


def demander_de_trancher(anomalie: Anomalie, donnees: dict[str, Any], agent: Utilisateur, *, verdict: Verdict) -> str:
    mise_de_cote.demander(anomalie, motif=donnees["motif"], agent=agent, verdict=verdict)
    return f"C'est demandé : {verdict.label} ; un comptable doit l'approuver."


def revoir(anomalie: Anomalie, donnees: dict[str, Any], agent: Utilisateur) -> str:
    get_paiement(anomalie)
    reprise.revoir(anomalie, motif=donnees["motif"], agent=agent)
    return "Ce qui était tranché ne l'est plus : la transaction est de nouveau douteuse."


def rattacher(anomalie: Anomalie, donnees: dict[str, Any], agent: Utilisateur) -> str:
    # La plateforme le dit mieux que personne, si elle le dit.
    relire(get_paiement(anomalie))
    reprise.rattacher(anomalie, donnees["debit"], motif=donnees["motif"], agent=agent)
    return "Le remboursement est rattaché à ce débit."


def demander_la_restitution(anomalie: Anomalie, donnees: dict[str, Any], agent: Utilisateur) -> str:
    # Un « autre montant » est parfois un message abîmé : la plateforme, relue, dit le vrai, et il n'y a rien à rendre.
    relire(get_paiement(anomalie))
    restitution.demander(get_paiement(anomalie), motif=donnees["motif"], agent=agent, anomalie=anomalie)
    return "La restitution est demandée ; un comptable doit l'approuver."


def renvoyer_le_ticket(anomalie: Anomalie, donnees: dict[str, Any], agent: Utilisateur) -> str:
    paiement = get_paiement(anomalie)
    envois.renvoyer_ailleurs(paiement, courriel=donnees["courriel"], motif=donnees["motif"], agent=agent)
    return "Le ticket part dans la minute ; l'anomalie se ferme dès qu'il est parti."


def annuler_un_impaye(anomalie: Anomalie, donnees: dict[str, Any], agent: Utilisateur) -> str:
    paiement = impaye.annuler(anomalie, motif=donnees["motif"], agent=agent)
    return f"L'impayé est annulé : le paiement est {paiement.get_statut_display()}. PayZen va être interrogé."


def mettre_de_cote(anomalie: Anomalie, donnees: dict[str, Any], agent: Utilisateur) -> str:
    mise_de_cote.mettre_de_cote(anomalie, motif=donnees["motif"], agent=agent)
    return "L'anomalie est mise de côté. Elle se rouvrira si les comptes changent."


def demander_de_mettre_de_cote(anomalie: Anomalie, donnees: dict[str, Any], agent: Utilisateur) -> str:
    mise_de_cote.demander(anomalie, motif=donnees["motif"], agent=agent)
    return "La mise de côté est demandée ; un comptable doit l'approuver."


def rouvrir(anomalie: Anomalie, donnees: dict[str, Any], agent: Utilisateur) -> str:
    tenue.rouvrir(anomalie, motif=donnees["motif"], agent=agent)
    return "L'anomalie est de nouveau à traiter."


def clore(anomalie: Anomalie, donnees: dict[str, Any], agent: Utilisateur, *, de_comptable: bool) -> str:
    if possibles.is_d_une_ligne(anomalie) is not de_comptable:  # garde: une_ligne_se_clot_par_un_comptable
        raise tenue.CloreImpossible("un comptable clôt une ligne de journal, et elle seule : c'est de l'argent")
    tenue.clore(anomalie, par_agent(agent, donnees["motif"]))
    return "L'anomalie est close."


DE_LA_PLATEFORME = (SansPaiement, EchecRest, BoutiqueAbsente)
DE_LA_REPRISE = (SansPaiement, reprise.RepriseImpossible, tenue.DejaResolue)


def _trancher(nom: str, texte: str, verdict: Verdict) -> list[Bouton]:
    """Seul, ou à deux si ce mot sort des comptes une somme au seuil de la Caf."""
    seul, demande = partial(trancher, verdict=verdict), partial(demander_de_trancher, verdict=verdict)
    is_seul = partial(possibles.is_a_trancher, verdict=verdict)
    is_demande = partial(possibles.is_a_demander, verdict=verdict)
    a_demander, refus = f"Demander : {texte[0].lower()}{texte[1:]}", (mise_de_cote.MiseDeCoteImpossible,)
    return [
        Bouton(nom, texte, "traiter_anomalie", is_seul, seul, refus=DE_LA_REPRISE),
        Bouton(f"{nom}_a_deux", a_demander, "traiter_anomalie", is_demande, demande, refus),
    ]


def _clore(nom: str, texte: str, droit: str, *, de_comptable: bool) -> Bouton:
    """Une ligne de journal se clôt par qui enregistre et annule un impayé ; le reste, par qui traite les anomalies."""
    is_possible = partial(possibles.is_a_clore, de_comptable=de_comptable)
    faire = partial(clore, de_comptable=de_comptable)
    return Bouton(nom, texte, droit, is_possible, faire, refus=(tenue.DejaResolue, tenue.CloreImpossible))


# Le premier geste est celui qui ne coûte rien, et règle souvent seul ce que la banque a mal dit.
BOUTONS = [
    Bouton(
        "interroger",
        "Interroger PayZen",
        "verifier",
        lambda anomalie: anomalie.paiement is not None and anomalie.is_a_trancher,
        interroger,
        refus=DE_LA_PLATEFORME,
        form=None,
    ),
    Bouton(
        "placer",
        "Placer le reste sur d'autres dettes",
        "traiter_anomalie",
        possibles.is_a_placer,
        placer_le_reste,
        refus=(*DE_LA_REPRISE, ResteImpossible),
        form=ResteForm,
    ),
    Bouton(
        "reprendre",
        "Reprendre ce que la banque ne tient plus",
        "traiter_anomalie",
        possibles.is_a_reprendre,
        reprendre,
        refus=(*DE_LA_REPRISE, *DE_LA_PLATEFORME),
        form=RepriseForm,
    ),
    Bouton(
        "admettre",
        "Admettre le montant de la banque",
        "traiter_anomalie",
        possibles.is_a_admettre,
        admettre,
        refus=DE_LA_REPRISE,
    ),
    *_trancher("tenue", "La banque tient cet argent", Verdict.TENUE),
    *_trancher("defaite", "La banque ne le tient pas", Verdict.DEFAITE),
    Bouton(
        "revoir",
        "Revoir ce qui a été tranché",
        "traiter_anomalie",
        reprise.is_a_revoir,
        revoir,
        refus=(SansPaiement, tenue.DejaResolue),
    ),
    Bouton(
        "rattacher",
        "Dire quel débit il rembourse",
        "traiter_anomalie",
        reprise.is_a_rattacher,
        rattacher,
        refus=(*DE_LA_REPRISE, *DE_LA_PLATEFORME),
        form=RattachementForm,
    ),
    Bouton(
        "restituer",
        "Demander la restitution",
        "demander_restitution",
        possibles.is_a_restituer,
        demander_la_restitution,
        refus=(restitution.RestitutionImpossible, *DE_LA_PLATEFORME),
    ),
    Bouton(
        "renvoyer",
        "Renvoyer le ticket",
        "traiter_anomalie",
        possibles.is_a_renvoyer,
        renvoyer_le_ticket,
        refus=(SansPaiement, envois.EnvoiImpossible),
        form=TicketForm,
        tus=("courriel",),
    ),
    Bouton(
        "annuler_impaye",
        "Annuler cet impayé",
        "approuver_restitution",
        impaye.is_annulable,
        annuler_un_impaye,
        refus=(impaye.ImpayeImpossible,),
    ),
    Bouton(
        "ecarter",
        "Mettre de côté",
        "traiter_anomalie",
        possibles.is_a_ecarter,
        mettre_de_cote,
        refus=(tenue.DejaResolue, mise_de_cote.MiseDeCoteImpossible),
    ),
    Bouton(
        "ecarter_a_deux",
        "Demander la mise de côté",
        "traiter_anomalie",
        possibles.is_a_demander,
        demander_de_mettre_de_cote,
        refus=(mise_de_cote.MiseDeCoteImpossible,),
    ),
    Bouton(
        "rouvrir",
        "Traiter de nouveau",
        "traiter_anomalie",
        lambda anomalie: anomalie.etat == Anomalie.Etat.ECARTEE,
        rouvrir,
        refus=(tenue.DejaResolue,),
    ),
    _clore("clore", "Clore", "traiter_anomalie", de_comptable=False),
    _clore("clore_la_ligne", "Clore cette ligne", "approuver_restitution", de_comptable=True),
]
