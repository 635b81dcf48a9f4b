"""La file des agents : ce qui attend, du plus ancien au plus récent, et comment en sortir."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from comptes.bureau import Bouton, GestesAdmin, JournalInline, MotifForm
from comptes.models import Utilisateur
from comptes.saisies import MotifField
from demarches.champs import ecrire_euros
from dettes.models import Dette
from paiements import anomalies, controle, imputation, reprise, restitution
from paiements.boutiques import BoutiqueAbsente
from paiements.models import Anomalie, Paiement, Reprise
from paiements.payzen import EchecRest

Genre = Anomalie.Genre

CONSEILS = {
    Genre.MONTANT_DIFFERENT: "Comparer les deux montants. Plus petit : l'accepter ou le reprendre ; sinon, le rendre.",
    Genre.DOUBLE_PAIEMENT: "Rendre le deuxième débit.",
    Genre.PAIEMENT_TARDIF: "Regarder si l'allocataire a payé de nouveau ; si oui, rendre l'un des deux.",
    Genre.RELIQUAT: "Placer le reste sur une autre dette, avec l'accord de l'allocataire, ou le rendre.",
    Genre.REFERENCE_INCONNUE: "Chercher le paiement au Back Office de PayZen ; il n'est pas né de ce service.",
    Genre.DESACCORD: "Comparer avec le Back Office de PayZen, puis interroger de nouveau le paiement.",
    Genre.STATUT_INATTENDU: "Lire l'état au Back Office : réglage de la boutique, ou débit né ailleurs, à rendre.",
    Genre.ANNULATION_BANQUE: "Les dettes d'un débit annulé sont rouvertes. Un remboursement partiel se reprend ici.",
    Genre.IMPAYE: "Les dettes sont rouvertes ; prévenir l'allocataire, puis clore.",
    Genre.COURRIEL_IMPOSSIBLE: "Rien à rendre : le ticket reste dans Mes démarches.",
    Genre.SOLDE_NEGATIF: "L'allocataire a payé plus que ce que la Caf attendait : voir avec la gestion des dettes.",
    Genre.ECART: "Comparer avec le Back Office, puis traiter les autres anomalies du paiement ; elle se ferme seule.",
    Genre.REMISE_ABSENTE: "Lire l'état au Back Office : sans remise, l'argent n'arrive pas. On redemande chaque jour.",
    Genre.REPONSE_INATTENDUE: "Prévenir l'exploitant : identifiants, offre ou réponse de PayZen. Rien n'est décidé.",
    Genre.RESTITUTION_REFUSEE: "Lire le refus et le Back Office : l'argent est peut-être déjà rendu, ou en impayé.",
}


# Ce qu'un agent compare d'abord.
A_COMPARER = ("montant", "devise", "statut", "operation")
LIBELLES = {
    "operation": "opération",
    "reference": "référence",
    "trans_id": "numéro de transaction",
    "uuid": "identifiant (uuid)",
    "parent": "débit remboursé (uuid)",
}


class ResteForm(MotifForm):
    """Où porter le reste, et comment l'allocataire a donné son accord."""

    reference = forms.CharField(label="Référence de la dette", max_length=30)
    motif = MotifField(label="Accord de l'allocataire : comment, quand", max_length=200)


class RepriseForm(MotifForm):
    """De quelles dettes reprendre la part que la banque ne tient plus : une proposition, que l'agent corrige."""

    def __init__(self, *args: Any, objet: Anomalie, **kwargs: Any) -> None:
        super().__init__(*args, objet=objet, **kwargs)
        for imputation_, part in reprise.proposer(objet).items():
            self.fields[f"part_{imputation_.pk}"] = forms.DecimalField(
                label=f"À reprendre à la dette {imputation_.dette}, qui en tient {ecrire_euros(imputation_.reste)}",
                initial=part,
                min_value=0,
                max_value=imputation_.reste,
                decimal_places=2,
                localize=True,
            )
        self.order_fields([nom for nom in self.fields if nom != "motif"])


class SansPaiement(Exception):
    """L'anomalie ne parle d'aucun paiement à nous."""


class DetteInconnue(Exception):
    """L'allocataire n'a pas de dette de cette référence."""


def get_paiement(anomalie: Anomalie) -> Paiement:
    if anomalie.paiement is None:
        raise SansPaiement("cette anomalie ne parle d'aucun paiement né de ce service")
    return anomalie.paiement


def placer_le_reste(anomalie: Anomalie, donnees: dict[str, Any], agent: Utilisateur) -> str:
    siennes = Dette.objects.for_allocataire(get_paiement(anomalie).demarche.allocataire)
    dette = siennes.filter(reference=donnees["reference"].strip().upper()).first()
    if dette is None:
        raise DetteInconnue("cet allocataire n'a pas de dette de cette référence")
    imputation.imputer_le_reste(anomalie, {dette: anomalie.montant}, accord=donnees["motif"], agent=agent)
    return f"Le reste est porté sur la dette {dette.reference}."


def demander_la_restitution(anomalie: Anomalie, donnees: dict[str, Any], agent: Utilisateur) -> str:
    restitution.demander(get_paiement(anomalie), motif=donnees["motif"], agent=agent, anomalie=anomalie)
    return "La restitution est demandée ; un comptable doit l'approuver."


def reprendre(anomalie: Anomalie, donnees: dict[str, Any], agent: Utilisateur) -> str:
    parts = {int(nom.removeprefix("part_")): part for nom, part in donnees.items() if nom.startswith("part_")}
    # La plateforme sait, elle, de quel débit est un crédit : on le lui redemande avant de rouvrir des dettes.
    paiement = get_paiement(anomalie)
    controle.conclure(paiement.pk, controle.interroger(paiement))
    paiement = reprise.reprendre(anomalie, parts, motif=donnees["motif"], agent=agent)
    return f"La part est reprise : la banque tient encore {ecrire_euros(paiement.net)} de ce paiement."


def accepter_le_montant(anomalie: Anomalie, donnees: dict[str, Any], agent: Utilisateur) -> str:
    faits = controle.interroger(get_paiement(anomalie))
    paiement = reprise.accepter_le_montant(anomalie, faits, motif=donnees["motif"], agent=agent)
    return f"Le paiement est accepté pour {ecrire_euros(paiement.net)}."


def mettre_de_cote(anomalie: Anomalie, donnees: dict[str, Any], agent: Utilisateur) -> str:
    anomalies.resoudre(anomalie, motif=donnees["motif"], agent=agent, issue=Anomalie.Issue.ECARTEE)
    return "L'anomalie est close."


def _is_ouverte(anomalie: Anomalie) -> bool:
    return anomalie.resolue_le is None


class RepriseInline(JournalInline):
    model = Reprise
    fields = readonly_fields = ("le", "montant", "imputation", "mouvement")


@admin.register(Anomalie)
class AnomalieAdmin(GestesAdmin):
    list_display = ["genre", "montant", "caf", "paiement", "ouverte_le", "resolue_le"]
    list_filter = [("resolue_le", admin.EmptyFieldListFilter), "genre", ("caf", admin.RelatedOnlyFieldListFilter)]
    search_fields = ["paiement__reference", "cle"]
    list_select_related = ["caf", "paiement"]
    fields = readonly_fields = (
        *("genre", "conseil", "montant", "a_reprendre", "caf", "paiement", "dette", "ce_qui_s_est_passe"),
        *("ouverte_le", "resolue_le", "resolue_par", "issue", "resolution"),
    )
    inlines = [RepriseInline]
    boutons = [
        Bouton(
            "placer",
            "Porter le reste sur une autre dette",
            "traiter_anomalie",
            lambda anomalie: _is_ouverte(anomalie) and anomalie.genre == Genre.RELIQUAT,
            placer_le_reste,
            refus=(imputation.ResteImpossible, DetteInconnue, SansPaiement, anomalies.DejaResolue),
            form=ResteForm,
        ),
        Bouton(
            "reprendre",
            "Reprendre ce que la banque ne tient plus",
            "traiter_anomalie",
            lambda anomalie: bool(reprise.get_part(anomalie)),
            reprendre,
            refus=(reprise.RepriseImpossible, SansPaiement, EchecRest, BoutiqueAbsente, anomalies.DejaResolue),
            form=RepriseForm,
        ),
        Bouton(
            "accepter",
            "Accepter le montant de la banque",
            "traiter_anomalie",
            reprise.is_a_accepter,
            accepter_le_montant,
            refus=(reprise.RepriseImpossible, SansPaiement, EchecRest, BoutiqueAbsente),
        ),
        Bouton(
            "restituer",
            "Demander la restitution",
            "demander_restitution",
            restitution.is_a_rendre,
            demander_la_restitution,
            refus=(restitution.RestitutionImpossible, SansPaiement),
        ),
        Bouton(
            "clore",
            "Mettre de côté",
            "traiter_anomalie",
            _is_ouverte,
            mettre_de_cote,
            refus=(anomalies.DejaResolue,),
        ),
    ]

    def get_ordering(self, request: HttpRequest) -> list[Any]:
        """Ce qui attend d'abord, du plus ancien au plus récent."""
        return Anomalie.ORDRE_DE_LA_FILE

    @admin.display(description="ce qu'on propose")
    def conseil(self, anomalie: Anomalie) -> str:
        return CONSEILS[Genre(anomalie.genre)]

    @admin.display(description="à reprendre")
    def a_reprendre(self, anomalie: Anomalie) -> str:
        return ecrire_euros(part) if (part := reprise.get_part(anomalie)) else "-"

    @admin.display(description="ce qui s'est passé")
    def ce_qui_s_est_passe(self, anomalie: Anomalie) -> SafeString:
        """Les faits un par un ; ce qu'on attendait et ce qu'on a vu, l'un en face de l'autre."""
        attendu, vu = (anomalie.constat.get(cle) for cle in ("attendu", "vu"))
        if not (isinstance(attendu, dict) and isinstance(vu, dict)):
            return _lister(anomalie.constat)
        lignes = [
            (LIBELLES.get(cle, cle).capitalize(), _ecrire(cle, attendu.get(cle)), _ecrire(cle, vu.get(cle)))
            for cle in dict.fromkeys((*A_COMPARER, *attendu, *vu))
            if cle in attendu or cle in vu
        ]
        return format_html(
            "{}<table><thead><tr><td></td><th scope='col'>Attendu</th><th scope='col'>Vu à la banque</th></tr></thead>"
            "<tbody>{}</tbody></table>",
            _lister({cle: valeur for cle, valeur in anomalie.constat.items() if cle not in ("attendu", "vu")}),
            format_html_join("", "<tr><th scope='row'>{}</th><td>{}</td><td>{}</td></tr>", lignes),
        )


def _lister(faits: Mapping[str, object]) -> SafeString:
    lignes = ((cle.capitalize(), _ecrire(cle, valeur)) for cle, valeur in faits.items())
    return (
        format_html("<dl>{}</dl>", format_html_join("", "<dt>{}</dt><dd>{}</dd>", lignes)) if faits else SafeString()
    )


def _ecrire(cle: str, valeur: object) -> str:
    """Une valeur du constat ; un détail qu'on n'a pas se voit à son tiret."""
    if cle == "montant" and isinstance(valeur, str):
        return ecrire_euros(Decimal(valeur))
    if isinstance(valeur, dict):
        return ", ".join(f"{cle} : {detail}" for cle, detail in valeur.items() if detail not in ("", None))
    return "-" if valeur in ("", None) else str(valeur)
