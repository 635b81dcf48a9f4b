"""Ce que l'exploitant tape : interroger, expliquer."""

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from dettes.encaissements import emettre
from paiements.retours import ordres, restitution
from paiements.statuts import Statut
from tests.factories import AgentFactory, PaiementFactory, dire
from tests.paiements.livres import rembourser, reprendre

pytestmark = pytest.mark.django_db


def lancer(*arguments):
    sortie = StringIO()
    call_command(*arguments, stdout=sortie, stderr=sortie)
    return sortie.getvalue()


def test_interroger_une_reference_retrouve_un_paiement_perdu(plateforme):
    paiement = PaiementFactory()
    plateforme(paiement, "AUTHORISED")

    sortie = lancer("interroger_payzen", "--reference", paiement.reference, "--appliquer")

    paiement.refresh_from_db()
    assert paiement.statut == Statut.VERIFIE
    assert "1 paiement(s) ont avancé" in sortie


def test_interroger_a_blanc_montre_et_n_ecrit_rien(plateforme):
    paiement = PaiementFactory()
    plateforme(paiement, "AUTHORISED")

    sortie = lancer("interroger_payzen", "--reference", paiement.reference)

    paiement.refresh_from_db()
    assert paiement.statut == Statut.EN_ATTENTE
    assert "DEBIT 120.00 € AUTHORISED" in sortie


def test_interroger_un_jour_ne_prend_que_ce_jour(plateforme):
    paiement = PaiementFactory()
    plateforme(paiement, "AUTHORISED")
    hier = timezone.localdate() - timedelta(days=1)

    rien = lancer("interroger_payzen", "--jour", hier.isoformat(), "--appliquer")
    tout = lancer("interroger_payzen", "--jour", timezone.localdate().isoformat(), "--appliquer")

    assert "0 paiement(s)" in rien
    assert "1 paiement(s)" in tout


@pytest.mark.parametrize("options", [[], ["--appliquer"]])
def test_une_plateforme_muette_est_dite_avec_la_commande_qui_continue(plateforme, settings, options):
    paiement = PaiementFactory()
    plateforme.serveur.post(f"{settings.PAYZEN_URL_API}Order/Get", status=500)

    with pytest.raises(CommandError, match="relancez la même commande"):
        lancer("interroger_payzen", "--reference", paiement.reference, *options)


def test_une_reference_inconnue_est_dite():
    for commande in (["interroger_payzen", "--reference", "P-RIEN"], ["expliquer_paiement", "P-RIEN"]):
        with pytest.raises(CommandError, match="P-RIEN"):
            lancer(*commande)


@pytest.mark.parametrize(
    ("trait", "attendu"),
    [
        ({}, "La réponse de la banque"),
        ({"accepte": True}, "La vérification auprès de PayZen"),
        ({"verifie": True}, "L'imputation, au prochain balayage"),
        ({"impute": True}, "PayZen dira s'il est remis en banque le"),
        ({"refuse": True}, "L'allocataire peut recommencer"),
    ],
)
def test_expliquer_dit_ce_que_le_paiement_attend(trait, attendu):
    paiement = PaiementFactory(**trait)

    recit = lancer("expliquer_paiement", paiement.reference)

    assert attendu in recit
    assert lancer("expliquer_paiement", paiement.demarche.reference) == recit


def test_expliquer_raconte_toute_la_vie_sans_nommer_personne():
    paiement = PaiementFactory(impute=True)
    dire(paiement, "CANCELLED")

    recit = lancer("expliquer_paiement", paiement.reference)

    numero = paiement.demarche.allocataire.numero
    for morceau in ("clic sur Payer", "CANCELLED", "à la dette", "anomalie n°", "L'argent est reparti", numero):
        assert morceau in recit
    assert "Colin" not in recit


def test_expliquer_raconte_la_restitution_de_la_demande_au_remboursement(plateforme):
    paiement = PaiementFactory(impute=True)
    demandeur, comptable = AgentFactory().utilisateur, AgentFactory(role="COMPTABLE").utilisateur
    demande = restitution.demander(paiement, motif="payé deux fois", agent=demandeur)
    demandee = lancer("expliquer_paiement", paiement.reference)
    restitution.decider(demande, accord=True, agent=comptable)
    approuvee = lancer("expliquer_paiement", paiement.reference)
    plateforme(paiement, "CANCELLED")
    ordres.executer(demande)

    faite = lancer("expliquer_paiement", paiement.reference)

    assert "un comptable l'approuve" in demandee
    assert "le service vérifie d'abord qu'elle n'est pas déjà faite, puis l'envoie" in approuvee
    for morceau in (
        f"demandée par {demandeur} : payé deux fois",
        f"approuvée par {comptable}",
        "faite par la plateforme",
        "120,00\xa0€ repris à la dette",
    ):
        assert morceau in faite


def test_expliquer_raconte_une_part_reprise_et_un_fichier_rendu(tmp_path):
    paiement = PaiementFactory(impute=True)
    agent = AgentFactory().utilisateur
    reprendre(rembourser(paiement, 20), agent)
    emettre(paiement.caf, tmp_path)

    recit = lancer("expliquer_paiement", paiement.reference)

    for morceau in (
        "20,00\xa0€ repris à la dette",
        f"réglée par un agent, par {agent}",
        "vu au Back Office",
        "rendu à la Caf dans encaissements 661 n° 1",
    ):
        assert morceau in recit


def test_rejouer_les_notifications_d_un_paiement_ne_fait_rien_deux_fois():
    paiement = PaiementFactory(impute=True)
    dire(paiement, "AUTHORISED")

    a_blanc = lancer("rejouer_notification", paiement.reference)
    lancer("rejouer_notification", paiement.reference, "--appliquer")

    paiement.refresh_from_db()
    assert "imputé → imputé" in a_blanc.lower()
    assert paiement.statut == Statut.IMPUTE
    assert paiement.imputations.count() == 1


def test_un_rejeu_n_est_pas_a_rejouer(notifier):
    """Ce qu'il écrit redit une notification : comptée à son tour, chaque rejeu doublerait le suivant."""
    paiement = PaiementFactory()
    notifier(paiement, "WAITING_AUTHORISATION")
    notifier(paiement, "AUTHORISED")

    rejeux = [lancer("rejouer_notification", paiement.reference, "--appliquer") for _ in range(3)]

    assert all("2 notification(s) rejouée(s)" in rejeu for rejeu in rejeux)


def test_un_jour_mal_ecrit_est_dit():
    with pytest.raises(CommandError, match="AAAA-MM-JJ"):
        lancer("interroger_payzen", "--jour", "28/11/2026")
