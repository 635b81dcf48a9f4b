"""Un bureau où tout est arrivé : chaque sorte de fiche, dans chaque état où un agent la lit."""

from collections.abc import Callable
from contextlib import suppress
from datetime import date
from decimal import Decimal
from pathlib import Path

from requests import ReadTimeout

from comptes.models import Caf, Utilisateur
from dettes.models import Plausibilite
from paiements.causes import par_service
from paiements.file.tenue import signaler
from paiements.models import Anomalie, DemandeRestitution, Paiement, Ticket
from paiements.payzen import PlateformeInjoignable
from paiements.retours import cloture, mise_de_cote, ordres, restitution
from tests.factories import AgentFactory, AllocataireFactory, DetteFactory, PaiementFactory, demander, dire
from tests.paiements.bureau import faire_un_reliquat
from tests.pannes.livraison import FichiersDeLaCaf


def remplir(dossier: Path, plateforme: Callable[..., None], rembourser: Callable[..., object]) -> None:
    """`plateforme` et `rembourser` : la plateforme qui répond et qui rend un débit sur ordre (`conftest`)."""
    demandeur, comptable = AgentFactory().utilisateur, AgentFactory(role="COMPTABLE").utilisateur
    paye = PaiementFactory(demarche=demander(120, courriel="personne@exemple.fr"), impute=True)
    _echanger_des_fichiers(paye, dossier)
    _remplir_la_file(paye)
    for etat in DemandeRestitution.Etat.values:
        _restituer(etat, demandeur, comptable, plateforme, rembourser)
    for accord in (None, True, False):
        _clore(accord, demandeur, comptable)
        _mettre_de_cote(accord, demandeur, comptable)
    for trait in ("refuse", "expire", "accepte", "verifie"):
        PaiementFactory(**{trait: True})
    Ticket.objects.filter(paiement=paye).update(etat="IMPOSSIBLE", dernier_motif="550 boîte inconnue")
    DetteFactory(transmise=True, retenue_mensuelle=Decimal("48.50"))
    AllocataireFactory(radie=True, date_naissance=date(1986, 3, 1))
    Plausibilite.objects.create(caf=paye.caf)
    Caf.objects.filter(pk=paye.caf_id).update(
        ouverte=False, message_suspension="Maintenance de nos serveurs.", retour_prevu_le=date(2026, 12, 1)
    )


def _echanger_des_fichiers(paye: Paiement, dossier: Path) -> None:
    dette = paye.demarche.lignes.get().dette
    caf = FichiersDeLaCaf(paye.caf, dossier)
    caf.emettre()
    caf.livrer(dette, dette.montant_initial, "EN_COURS")


def _remplir_la_file(paye: Paiement) -> None:
    """Une anomalie de chaque espèce sur un même paiement, et deux nées de vrais faits."""
    for genre in Anomalie.Genre:
        signaler(
            genre,
            f"essai:{genre}",
            situation="manque 1.00 €",
            manque=Decimal(1) if genre == Anomalie.Genre.SOLDE_NEGATIF else None,
            paiement=paye,
            transaction_payzen=paye.debit,
            cause=par_service("essai"),
        )
    dire(PaiementFactory(), "AUTHORISED", reference="FACTURE-77", uuid="f" * 32)
    dire(PaiementFactory(), "AUTHORISED", montant=Decimal(70))


def _restituer(
    etat: str,
    demandeur: Utilisateur,
    comptable: Utilisateur,
    plateforme: Callable[..., None],
    rembourser: Callable[..., object],
) -> None:
    paiement = PaiementFactory(impute=True)
    demande = restitution.demander(paiement, motif="payé deux fois", agent=demandeur)
    if etat == "DEMANDEE":
        return
    restitution.decider(demande, accord=etat != "REFUSEE", agent=comptable, motif="vu avec la comptabilité")
    plateforme.serveur.reset()
    plateforme(paiement, "CAPTURED")
    if etat == "ENVOYEE":
        rembourser(paiement, body=ReadTimeout())
        with suppress(PlateformeInjoignable):
            ordres.executer(demande)
    elif etat == "FAITE":
        rembourser(paiement)
        ordres.executer(demande)
    elif etat == "ECHOUEE":
        ordres.abandonner(demande, motif="rendu par chèque", agent=comptable)


def _clore(accord: bool | None, demandeur: Utilisateur, comptable: Utilisateur) -> None:
    demande = cloture.demander(PaiementFactory(), motif="rien au Back Office", agent=demandeur)
    if accord is not None:
        cloture.decider(demande, accord=accord, agent=comptable, motif="vérifié au Back Office")


def _mettre_de_cote(accord: bool | None, demandeur: Utilisateur, comptable: Utilisateur) -> None:
    paiement, reliquat = faire_un_reliquat()
    paiement.caf.seuil_mise_de_cote = Decimal(50)
    paiement.caf.save()
    demande = mise_de_cote.demander(Anomalie.objects.get(pk=reliquat.pk), motif="rendu par chèque", agent=demandeur)
    if accord is not None:
        mise_de_cote.decider(demande, accord=accord, agent=comptable, motif="chèque vu")
