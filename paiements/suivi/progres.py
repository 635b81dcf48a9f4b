"""Où en est une demande payée, en mots : le ton, le titre, la phrase, la suite. La même chose sur toutes les pages."""

from decimal import Decimal

from django.utils.translation import gettext

from paiements.models import Anomalie, DemandeRestitution, Paiement
from paiements.statuts import Statut
from paiements.suivi.dates import dire_l_instant, dire_le_jour
from paiements.suivi.mots import A_EXAMINE, REVIENT, RIEN_A_FAIRE, UN_AGENT, Progres, dire_le_rendu
from paiements.suivi.retards import dire_le_retard
from paiements.suivi.sans_suite import SANS_SUITE, dire_sans_suite
from socle.euros import ecrire_euros

EN_ROUTE = (Statut.INITIE, Statut.EN_ATTENTE)
ORDONNEES = (DemandeRestitution.Etat.APPROUVEE, DemandeRestitution.Etat.ENVOYEE)


def dire_ou_en_est(paiement: Paiement) -> Progres:
    """D'après les comptes du moment ; jamais « votre carte n'a pas été débitée » quand la banque dit le contraire."""
    retenu, statut = paiement.retenu, Statut(paiement.statut)
    if retenu > 0 and statut in (*EN_ROUTE, *SANS_SUITE):
        return _debit_examine(paiement, retenu)
    progres = dire_sans_suite(paiement) if statut in SANS_SUITE else _DIRE[statut](paiement)
    if retenu > 0 and statut not in (Statut.RESTITUE, Statut.REJETE):
        fait = gettext("La banque {dire_tient} aussi {retenu} en plus de ce paiement.").format(
            dire_tient=dire_tient(paiement), retenu=ecrire_euros(retenu)
        )
        progres.suite.append(dire_l_agent(paiement, fait, RIEN_A_FAIRE))
    progres.suite.extend(dire_le_retard(paiement))
    if paiement.rendu_a_part and statut not in SANS_SUITE:
        progres.suite.append(dire_le_rendu(paiement))
    return progres


def dire_tient(paiement: Paiement) -> str:
    """Jamais « tient » de ce dont la banque dit deux choses."""
    return gettext("tient peut-être") if paiement.solde.douteux else gettext("tient")


def dire_l_agent(paiement: Paiement, fait: str, suite: object) -> str:
    """Le fait, puis ce qu'un agent en fait ; mis de côté, plus personne n'y travaille, et la réponse se demande."""
    return f"{fait} {A_EXAMINE if is_examine(paiement) else suite}"


def is_examine(paiement: Paiement) -> bool:
    """Un agent a mis de côté ce qu'il y avait à y faire : plus personne ne s'en occupe. Une requête."""
    etats = set(paiement.anomalies.values_list("etat", flat=True))
    return Anomalie.Etat.ECARTEE in etats and Anomalie.Etat.OUVERTE not in etats


def _debit_examine(paiement: Paiement, retenu: Decimal) -> Progres:
    if is_examine(paiement):
        fait = gettext("La banque annonce un débit de {retenu}\u00a0: votre carte a peut-être été débitée.")
    else:
        fait = gettext(
            "La banque annonce un débit de {retenu}, que nous vérifions\u00a0: votre carte a peut-être été débitée."
        )
    return Progres(
        "attention",
        gettext("Ne payez pas de nouveau"),
        dire_l_agent(paiement, fait.format(retenu=ecrire_euros(retenu)), f"{UN_AGENT}."),
        [
            gettext(
                "Vos dettes n’ont pas changé. Si vous appelez votre Caf, donnez-lui la référence de cette démarche."
            )
        ],
    )


def _a_la_banque(paiement: Paiement) -> Progres:
    prochain = paiement.prochain_controle_le
    return Progres(
        "info",
        gettext("Nous attendons la réponse de votre banque"),
        gettext(
            "Vos montants sont réservés pour cette demande, commencée le {cree_le}. À notre connaissance,"
            " rien n’est encore payé."
        ).format(cree_le=dire_l_instant(paiement.cree_le)),
        [
            gettext(
                "Sans autre nouvelle, nous interrogeons la banque le {prochain}\u00a0: si rien n’a été payé, vos"
                " montants se libèrent d’eux-mêmes."
            ).format(prochain=dire_l_instant(prochain))
        ]
        if prochain
        else [],
        is_a_repondre=True,
    )


def _enregistree(paiement: Paiement) -> Progres:
    return Progres(
        "info",
        gettext("Votre paiement est accepté"),
        gettext(
            "La Caf le vérifie, puis met vos dettes à jour. Vous n’avez rien à faire\u00a0: ne payez pas ces"
            " montants une deuxième fois."
        ),
        _dire_la_part(paiement) + _dire_quand(paiement),
    )


def _dire_quand(paiement: Paiement) -> list[str]:
    """Le jour annoncé par la Caf ; passé, ce qu'il y a à faire. Rien si elle n'annonce rien."""
    if (le := paiement.annonce_le) is None:
        return []
    if paiement.annonce_a_venir:
        return [
            gettext("D’ordinaire, c’est fait au plus tard le {dire_le_jour}.").format(dire_le_jour=dire_le_jour(le))
        ]
    return [
        gettext(
            "C’est plus long que d’habitude\u00a0: d’ordinaire, c’est fait au plus tard le {dire_le_jour}. Votre"
            " paiement reste enregistré. Pour en savoir plus, appelez votre Caf au 3230 avec la référence de"
            " cette démarche."
        ).format(dire_le_jour=dire_le_jour(le))
    ]


def _prise_en_compte(paiement: Paiement) -> Progres:
    suite = _dire_la_part(paiement)
    if paiement.a_placer > 0:
        suite.extend(_dire_le_reste(paiement))
    if paiement.debit is not None and paiement.debit.is_douteuse:
        fait = gettext("La banque dit deux choses de ce paiement.")
        suit = gettext("{un_agent}\u00a0; d’ici là, vos dettes ne changent pas.").format(un_agent=UN_AGENT)
        suite.append(dire_l_agent(paiement, fait, suit))
    elif paiement.a_placer < 0:
        fait = gettext("{a_placer} sont encore comptés sur vos dettes\u00a0: elles remonteront d’autant.")
        suite.append(dire_l_agent(paiement, fait.format(a_placer=ecrire_euros(-paiement.a_placer)), f"{UN_AGENT}."))
    return Progres(
        "succes",
        gettext("Vos dettes sont à jour"),
        gettext(
            "La Caf a déduit ce paiement de vos dettes. Gardez votre ticket\u00a0: il porte la référence de cette"
            " démarche."
        ),
        suite,
    )


def _dire_le_reste(paiement: Paiement) -> list[str]:
    """Ce qui n'est sur aucune dette : à rendre, repris à une dette, ou qui n'a pu s'y mettre."""
    demande = paiement.restitutions.filter(debit=paiement.debit_id, etat__in=ORDONNEES).first()
    a_rendre = min(paiement.a_placer, demande.montant) if demande else Decimal(0)
    phrases = []
    if a_rendre:
        phrases.append(
            gettext("{a_rendre} de ce paiement doivent vous être rendus\u00a0: la Caf en a donné l’ordre.").format(
                a_rendre=ecrire_euros(a_rendre)
            )
        )
    if reste := paiement.a_placer - a_rendre:
        if paiement.imputations.filter(montant__lt=0).exists():
            fait = gettext("{a_placer} de ce paiement ne sont comptés sur aucune dette.")
        else:
            fait = gettext("{a_placer} n’ont pas pu être déduits\u00a0: vos dettes avaient déjà baissé.")
        suit = gettext("{un_agent}\u00a0: cette somme ne se perd pas.").format(un_agent=UN_AGENT)
        phrases.append(dire_l_agent(paiement, fait.format(a_placer=ecrire_euros(reste)), suit))
    return phrases


def _dire_la_part(paiement: Paiement) -> list[str]:
    """Ce que la banque a rendu, ou n'a pas pris, dit avant qu'un agent n'agisse."""
    if paiement.debit is None:
        return []
    phrases = []
    if rendu := paiement.debit.compte.credite:
        phrases.append(
            gettext("{rendu} de ce paiement vous sont rendus\u00a0: {revient}.").format(
                rendu=ecrire_euros(rendu), revient=REVIENT
            )
        )
    if paiement.debit.pris < paiement.montant:
        phrases.append(
            gettext("Vous aviez demandé {montant}\u00a0: votre banque a débité {pris}.").format(
                montant=ecrire_euros(paiement.montant), pris=ecrire_euros(paiement.debit.pris)
            )
        )
    return phrases


def _annulee_par_la_banque(paiement: Paiement) -> Progres:
    suite = [gettext("Vos dettes reprennent les montants de ce paiement\u00a0: ils sont de nouveau à rembourser.")]
    if paiement.retenu > 0:
        fait = gettext("La banque {dire_tient} encore {retenu} pour cette démarche.").format(
            dire_tient=dire_tient(paiement), retenu=ecrire_euros(paiement.retenu)
        )
        suite.append(dire_l_agent(paiement, fait, RIEN_A_FAIRE))
    else:
        suite.append(
            gettext(
                "Si vous n’avez rien contesté, demandez à votre banque ce qui s’est passé, puis appelez votre"
                " Caf au 3230 avec la référence de cette démarche."
            )
        )
    return Progres(
        "erreur",
        gettext("Ce paiement a été annulé"),
        gettext(
            "Il avait été accepté, puis la banque l’a annulé avant de le débiter, ou a repris l’argent."
            " Cela arrive aussi après une contestation, parfois plusieurs mois plus tard."
        ),
        suite,
    )


def _restituee(paiement: Paiement) -> Progres:
    if paiement.retenu > 0:
        titre = (
            gettext("Une somme a été examinée") if is_examine(paiement) else gettext("Une somme reste à vous rendre")
        )
        fait = gettext("La banque {dire_tient} encore {retenu}.").format(
            dire_tient=dire_tient(paiement), retenu=ecrire_euros(paiement.retenu)
        )
        return Progres("attention", titre, dire_l_agent(paiement, fait, RIEN_A_FAIRE), [])
    return Progres(
        "info",
        gettext("La Caf vous a rendu cet argent"),
        gettext(
            "Il revient sur la carte qui avait servi à payer, en général en quelques jours. Ce paiement ne"
            " compte plus dans vos remboursements."
        ),
        [],
    )


_DIRE = {
    Statut.INITIE: _a_la_banque,
    Statut.EN_ATTENTE: _a_la_banque,
    Statut.ACCEPTE: _enregistree,
    Statut.VERIFIE: _enregistree,
    Statut.IMPUTE: _prise_en_compte,
    Statut.REJETE: _annulee_par_la_banque,
    Statut.RESTITUE: _restituee,
}
