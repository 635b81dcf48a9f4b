"""Comment sortir d'une anomalie : un bouton chacun, qui appelle un service."""

from decimal import Decimal
from functools import partial
from typing import Any, cast

from django import forms

from comptes.models import Utilisateur
from dettes.models import Dette
from dettes.repartition import repartir
from paiements.boutiques import BoutiqueAbsente
from paiements.bureau.faits import dire_la_transaction
from paiements.bureau.plateforme import dire_ce_qui_change, relire
from paiements.causes import par_agent
from paiements.file import tenue
from paiements.imputation.imputer import ResteImpossible
from paiements.models import Anomalie, Paiement, TransactionPayzen
from paiements.payzen import EchecRest
from paiements.retours import impaye, reprise, restitution
from socle.bureau import MOTIF, Bouton, MotifForm
from socle.carte import MotifField
from socle.euros import ecrire_euros

Verdict = TransactionPayzen.Verdict
PART = "part_"


class PartsForm(MotifForm):
    """Un champ par dette, déjà rempli de ce qu'on propose ; l'agent le corrige. Montants en euros."""

    def ajouter(self, dette: Dette, *, libelle: str, propose: Decimal, au_plus: Decimal) -> None:
        self.fields[f"{PART}{dette.pk}"] = forms.DecimalField(
            label=libelle,
            initial=propose,
            min_value=0,
            max_value=au_plus,
            decimal_places=2,
            localize=True,
            error_messages={"max_value": f"au plus {ecrire_euros(au_plus)}"},
        )

    def ranger(self) -> None:
        """Les dettes d'abord, dans leur ordre, puis le motif."""
        self.order_fields([nom for nom in self.fields if nom != "motif"])


class RepriseForm(PartsForm):
    """De quelles dettes reprendre la part que la banque ne tient plus."""

    def __init__(self, *args: Any, objet: Anomalie, **kwargs: Any) -> None:
        super().__init__(*args, objet=objet, **kwargs)
        if objet.paiement:
            imputees = objet.paiement.imputations.par_dette()
            for dette, part in reprise.proposer(objet.paiement).items():
                libelle = f"À reprendre à la dette {dette} (ce paiement y a imputé {ecrire_euros(imputees[dette.pk])})"
                self.ajouter(dette, libelle=libelle, propose=part, au_plus=imputees[dette.pk])
        self.ranger()


class ResteForm(PartsForm):
    """Sur quelles dettes placer le reste, et comment l'allocataire a donné son accord."""

    motif = MotifField(label="Accord de l'allocataire : comment, quand", max_length=200, widget=MOTIF)

    def __init__(self, *args: Any, objet: Anomalie, **kwargs: Any) -> None:
        super().__init__(*args, objet=objet, **kwargs)
        accueil = get_dettes_d_accueil(objet)
        proposees = {dette.pk: part for dette, part in repartir(get_reste(objet), accueil)}
        for dette in accueil:
            libelle = f"À placer sur la dette {dette} (elle peut recevoir {ecrire_euros(dette.disponible)})"
            propose = proposees.get(dette.pk, Decimal(0))
            self.ajouter(dette, libelle=libelle, propose=propose, au_plus=dette.disponible)
        self.ranger()


def _nommer_le_debit(obj: TransactionPayzen) -> str:
    return f"{dire_la_transaction(obj)}, identifiant {obj.uuid}"


class RattachementForm(MotifForm):
    """Quel débit du paiement ce remboursement a rendu, d'après le Back Office."""

    debit = forms.ModelChoiceField(
        TransactionPayzen.objects.none(), label="Le débit que ce remboursement rend", empty_label=None
    )

    def __init__(self, *args: Any, objet: Anomalie, **kwargs: Any) -> None:
        super().__init__(*args, objet=objet, **kwargs)
        debits = TransactionPayzen.objects.debits().filter(paiement=objet.paiement_id or 0)
        champ = cast("forms.ModelChoiceField[TransactionPayzen]", self.fields["debit"])
        champ.queryset = debits.select_related("compte").order_by("apprise_le")
        champ.label_from_instance = _nommer_le_debit  # type: ignore[method-assign]
        self.order_fields(["debit", "motif"])


class SansPaiement(Exception):
    """L'anomalie ne parle d'aucun paiement à nous."""


def get_paiement(anomalie: Anomalie) -> Paiement:
    if anomalie.paiement is None:
        raise SansPaiement("cette anomalie ne parle d'aucun paiement né de ce service")
    return anomalie.paiement


def get_reste(anomalie: Anomalie) -> Decimal:
    """Ce qui reste à placer, en euros, si c'est ce dont parle l'anomalie ; zéro sinon."""
    paiement = anomalie.paiement
    if paiement is None or not anomalie.is_a_trancher or anomalie.transaction_id != paiement.debit_id:
        return Decimal(0)
    return max(paiement.a_placer, Decimal(0))


def get_dettes_d_accueil(anomalie: Anomalie) -> list[Dette]:
    """Les dettes de l'allocataire qui peuvent recevoir un reste, les plus anciennes d'abord."""
    if anomalie.paiement is None:
        return []
    siennes = Dette.objects.for_allocataire(anomalie.paiement.demarche.allocataire)
    payables = siennes.payables().with_disponible().plus_anciennes_d_abord()
    return [dette for dette in payables if dette.disponible > 0]


def _lire_les_parts(donnees: dict[str, Any]) -> dict[int, Decimal]:
    return {int(nom.removeprefix(PART)): part for nom, part in donnees.items() if nom.startswith(PART) and part}


def interroger(anomalie: Anomalie, _donnees: dict[str, Any], _agent: Utilisateur) -> str:
    return dire_ce_qui_change(get_paiement(anomalie))


def placer_le_reste(anomalie: Anomalie, donnees: dict[str, Any], agent: Utilisateur) -> str:
    choisies = _lire_les_parts(donnees)
    siennes = Dette.objects.for_allocataire(get_paiement(anomalie).demarche.allocataire).in_bulk(choisies)
    parts = {siennes[cle]: part for cle, part in choisies.items()}
    reprise.placer_le_reste(anomalie, parts, accord=donnees["motif"], agent=agent)
    return f"Le reste est imputé : {', '.join(f'{ecrire_euros(part)} à la dette {d}' for d, part in parts.items())}."


def reprendre(anomalie: Anomalie, donnees: dict[str, Any], agent: Utilisateur) -> str:
    # La plateforme sait, elle, de quel débit est un crédit : on le lui redemande avant de faire remonter des dettes.
    relire(get_paiement(anomalie))
    paiement = reprise.reprendre(anomalie, _lire_les_parts(donnees), motif=donnees["motif"], agent=agent)
    return f"La part est reprise : la banque tient encore {ecrire_euros(paiement.solde.tenu)} de ce paiement."


def admettre(anomalie: Anomalie, donnees: dict[str, Any], agent: Utilisateur) -> str:
    paiement = reprise.admettre(anomalie, motif=donnees["motif"], agent=agent)
    return f"Le montant est admis : {ecrire_euros(paiement.montant_admis or 0)}. PayZen va être interrogé."


def trancher(anomalie: Anomalie, donnees: dict[str, Any], agent: Utilisateur, *, verdict: Verdict) -> str:
    get_paiement(anomalie)
    reprise.trancher(anomalie, verdict, motif=donnees["motif"], agent=agent)
    return f"C'est tranché : {verdict.label}."


def rattacher(anomalie: Anomalie, donnees: dict[str, Any], agent: Utilisateur) -> str:
    # La plateforme le dit mieux que personne, si elle le dit.
    relire(get_paiement(anomalie))
    reprise.rattacher(anomalie, donnees["debit"], motif=donnees["motif"], agent=agent)
    return "Le remboursement est rattaché à ce débit."


def demander_la_restitution(anomalie: Anomalie, donnees: dict[str, Any], agent: Utilisateur) -> str:
    restitution.demander(get_paiement(anomalie), motif=donnees["motif"], agent=agent, anomalie=anomalie)
    return "La restitution est demandée ; un comptable doit l'approuver."


def annuler_un_impaye(anomalie: Anomalie, donnees: dict[str, Any], agent: Utilisateur) -> str:
    paiement = impaye.annuler(anomalie, motif=donnees["motif"], agent=agent)
    return f"L'impayé est annulé : le paiement est {paiement.get_statut_display()}. PayZen va être interrogé."


def mettre_de_cote(anomalie: Anomalie, donnees: dict[str, Any], agent: Utilisateur) -> str:
    tenue.mettre_de_cote(anomalie, motif=donnees["motif"], agent=agent)
    return "L'anomalie est mise de côté. Elle se rouvrira si les comptes changent."


def clore(anomalie: Anomalie, donnees: dict[str, Any], agent: Utilisateur) -> str:
    tenue.clore(anomalie, par_agent(agent, donnees["motif"]))
    return "L'anomalie est close."


def _is_d_argent(anomalie: Anomalie) -> bool:
    return anomalie.genre in Anomalie.D_ARGENT


def _is_douteuse(anomalie: Anomalie) -> bool:
    vue = anomalie.transaction
    return anomalie.paiement is not None and anomalie.is_a_trancher and vue is not None and vue.is_douteuse


def _is_a_restituer(anomalie: Anomalie) -> bool:
    paiement = anomalie.paiement
    if paiement is None or restitution.get_a_restituer_d_une(paiement, anomalie) is None:
        return False
    return not restitution.is_en_cours(paiement)


DE_LA_PLATEFORME = (SansPaiement, EchecRest, BoutiqueAbsente)
DE_LA_REPRISE = (SansPaiement, reprise.RepriseImpossible, tenue.DejaResolue)

BOUTONS = [
    Bouton(
        "placer",
        "Placer le reste sur d'autres dettes",
        "traiter_anomalie",
        lambda anomalie: get_reste(anomalie) > 0 and bool(get_dettes_d_accueil(anomalie)),
        placer_le_reste,
        refus=(*DE_LA_REPRISE, ResteImpossible),
        form=ResteForm,
    ),
    Bouton(
        "reprendre",
        "Reprendre ce que la banque ne tient plus",
        "traiter_anomalie",
        lambda anomalie: bool(reprise.get_part(anomalie)),
        reprendre,
        refus=(*DE_LA_REPRISE, *DE_LA_PLATEFORME),
        form=RepriseForm,
    ),
    Bouton(
        "admettre",
        "Admettre le montant de la banque",
        "traiter_anomalie",
        reprise.is_a_admettre,
        admettre,
        refus=DE_LA_REPRISE,
    ),
    Bouton(
        "tenue",
        "La banque tient cet argent",
        "traiter_anomalie",
        _is_douteuse,
        partial(trancher, verdict=Verdict.TENUE),
        refus=DE_LA_REPRISE,
    ),
    Bouton(
        "defaite",
        "La banque ne le tient pas",
        "traiter_anomalie",
        _is_douteuse,
        partial(trancher, verdict=Verdict.DEFAITE),
        refus=DE_LA_REPRISE,
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
        _is_a_restituer,
        demander_la_restitution,
        refus=(restitution.RestitutionImpossible, SansPaiement),
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
        "interroger",
        "Interroger PayZen",
        "verifier",
        lambda anomalie: anomalie.paiement is not None and anomalie.is_a_trancher,
        interroger,
        refus=DE_LA_PLATEFORME,
        form=None,
    ),
    Bouton(
        "ecarter",
        "Mettre de côté",
        "traiter_anomalie",
        lambda anomalie: anomalie.is_ouverte and _is_d_argent(anomalie),
        mettre_de_cote,
        refus=(tenue.DejaResolue,),
    ),
    Bouton(
        "clore",
        "Clore",
        "traiter_anomalie",
        lambda anomalie: anomalie.is_a_trancher and not _is_d_argent(anomalie),
        clore,
        refus=(tenue.DejaResolue,),
    ),
]
