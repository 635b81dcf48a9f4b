"""Un paiement de carte d'essai ne part jamais à la Caf comme un vrai."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from dettes.encaissements import emettre
from dettes.models import Dette
from paiements.bureau.recit import raconter
from paiements.bureau.retards import compter
from paiements.causes import par_agent
from paiements.imputation.imputer import ResteImpossible, imputer_un_lot, placer
from paiements.models import Anomalie, Paiement
from paiements.passages import TransitionImpossible
from paiements.payzen import Mode
from paiements.retours import impaye
from paiements.surveillance import invariants
from paiements.verification.conclusions import confirmer
from tests.factories import FaitFactory, PaiementFactory, repondre

pytestmark = pytest.mark.django_db


def test_un_paiement_d_essai_ne_part_pas_a_la_caf_en_production(settings, tmp_path):
    paiement = PaiementFactory(impute=True)
    settings.PAYZEN_MODE = Mode.PRODUCTION

    fichier = emettre(paiement.caf, tmp_path)

    assert (paiement.mode, fichier, list(tmp_path.iterdir())) == (Mode.TEST, None, [])


def test_il_part_dans_son_mode(tmp_path):
    paiement = PaiementFactory(impute=True)

    assert emettre(paiement.caf, tmp_path).lignes == 1


def test_verifie_il_ne_s_impute_pas_en_production(settings):
    PaiementFactory(verifie=True)
    settings.PAYZEN_MODE = Mode.PRODUCTION

    assert imputer_un_lot() == 0
    assert Dette.objects.get().solde == 900


def test_verifie_il_n_est_pas_en_retard_mais_sa_fiche_et_son_recit_le_disent(settings, client, entrer):
    """Ni alerte sans fin à l'accueil, ni oubli : sa fiche, la liste de son mode et son récit disent ce qu'il est."""
    paiement = PaiementFactory(verifie=True)
    Paiement.objects.update(imputer_le=timezone.now() - timedelta(hours=1))
    avant = compter(Paiement.objects.all())["imputations"]
    settings.PAYZEN_MODE = Mode.PRODUCTION
    entrer("GESTION")

    fiche = client.get(reverse("admin:paiements_paiement_change", args=[paiement.pk])).content.decode()
    de_ce_mode = client.get(reverse("admin:paiements_paiement_changelist"), {"mode__exact": "TEST"})
    recit = "\n".join(raconter(Paiement.objects.get()))

    assert (avant, compter(Paiement.objects.all())["imputations"]) == (1, 0)
    assert "En TEST : ce n&#x27;est pas de l&#x27;argent, rien ne s&#x27;en impute" in fiche
    assert paiement.reference in de_ce_mode.content.decode()
    assert "ce paiement est en TEST, ce n'est pas de l'argent" in recit
    assert "réservées jusqu'à « Enregistrer un impayé »" in recit


@pytest.mark.parametrize(("mode", "retards"), [(Mode.TEST, 1), (Mode.PRODUCTION, 0)])
def test_seul_un_paiement_de_ce_mode_peut_etre_en_retard_d_imputation(mode, retards):
    PaiementFactory(verifie=True)
    with connection.cursor() as curseur:
        curseur.execute("SET LOCAL session_replication_role = replica")
        curseur.execute("UPDATE paiements_paiement SET mode = %s, imputer_le = now() - interval '1 hour'", [mode])

    en_retard = [v for v in invariants.verifier() if v.invariant.nom == "rien_en_retard"]

    assert len(en_retard) == retards


def test_un_impaye_enregistre_libere_les_dettes_qu_il_reservait(settings, agent):
    """La seule issue que dit le manuel : rien ne s'impute, rien ne se rend, et la personne peut payer pour de bon."""
    paiement = PaiementFactory(verifie=True)
    settings.PAYZEN_MODE = Mode.PRODUCTION
    retenue = Dette.objects.with_disponible().get()

    impaye.enregistrer(paiement, motif="paiement d'essai", agent=agent)

    dette = Dette.objects.with_disponible().get()
    assert (retenue.engage, dette.engage) == (paiement.montant, 0)
    assert dette.solde == retenue.solde == dette.disponible
    assert list(paiement.anomalies.ouvertes().values_list("genre", flat=True)) == [Anomalie.Genre.IMPAYE]


def test_il_ne_se_confirme_pas_en_production(settings, agent):
    paiement = PaiementFactory(demarche__caf__seuil_controle=1, accepte=True)
    repondre(paiement, FaitFactory(paiement=paiement, source="REST"))
    settings.PAYZEN_MODE = Mode.PRODUCTION

    with pytest.raises(TransitionImpossible, match="en TEST"):
        confirmer(paiement, motif="vu", agent=agent)


def test_son_reste_ne_se_place_pas_en_production(settings, agent):
    paiement = PaiementFactory(impute=True)
    settings.PAYZEN_MODE = Mode.PRODUCTION

    with pytest.raises(ResteImpossible, match="en TEST"):
        placer(paiement, {Dette.objects.get(): Decimal(1)}, par_agent(agent, "d'accord"))
