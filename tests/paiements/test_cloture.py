"""Clore sans débit un paiement que PayZen ne peut plus nous dire : deux personnes, et la banque garde raison."""

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from dettes.models import Dette
from paiements.bureau.dossier import dire_ou_est_l_argent
from paiements.file.tenue import mettre_de_cote
from paiements.models import Anomalie, Paiement
from paiements.retours import cloture
from paiements.statuts import Statut
from tests.factories import PaiementFactory, dire

pytestmark = pytest.mark.django_db


def test_deux_personnes_le_closent_et_liberent_la_dette(agent, comptable):
    paiement = PaiementFactory()
    demande = cloture.demander(paiement, motif="boutique fermée, rien au Back Office", agent=agent)

    cloture.decider(demande, accord=True, agent=comptable)

    paiement.refresh_from_db()
    etape = paiement.etapes.latest("pk")
    assert (paiement.statut, paiement.prochain_controle_le) == (Statut.EXPIRE, None)
    assert (etape.auteur, etape.motif) == (
        comptable.identifiant,
        "clos sans débit : boutique fermée, rien au Back Office",
    )
    assert Dette.objects.with_disponible().get().disponible == 900


def test_la_meme_personne_ne_suffit_pas(agent):
    paiement = PaiementFactory()
    demande = cloture.demander(paiement, motif="rien", agent=agent)

    with pytest.raises(cloture.ClotureImpossible, match="n'est pas celui qui demande"):
        cloture.decider(demande, accord=True, agent=agent)

    paiement.refresh_from_db()
    assert paiement.statut == Statut.EN_ATTENTE


def test_la_base_le_refuse_aussi(agent):
    demande = cloture.demander(PaiementFactory(), motif="rien", agent=agent)

    with pytest.raises(IntegrityError), transaction.atomic():
        type(demande).objects.filter(pk=demande.pk).update(accord=True, approbateur=agent, decidee_le=timezone.now())


def test_un_succes_entendu_plus_tard_est_encore_accepte(agent, comptable):
    paiement = PaiementFactory()
    cloture.decider(cloture.demander(paiement, motif="rien", agent=agent), accord=True, agent=comptable)

    dire(paiement, "AUTHORISED")

    paiement.refresh_from_db()
    assert paiement.statut == Statut.ACCEPTE
    assert paiement.anomalies.get().genre == Anomalie.Genre.PAIEMENT_TARDIF


def test_la_banque_repond_entre_la_demande_et_l_accord(agent, comptable):
    paiement = PaiementFactory()
    demande = cloture.demander(paiement, motif="rien", agent=agent)
    dire(paiement, "AUTHORISED")

    with pytest.raises(cloture.ClotureImpossible, match="accepté"):
        cloture.decider(demande, accord=True, agent=comptable)

    paiement.refresh_from_db()
    assert paiement.statut == Statut.ACCEPTE


def test_refusee_elle_peut_se_redemander(agent, comptable):
    paiement = PaiementFactory()
    demande = cloture.demander(paiement, motif="rien", agent=agent)
    with pytest.raises(cloture.ClotureImpossible):
        cloture.demander(paiement, motif="encore", agent=agent)

    cloture.decider(demande, accord=False, agent=comptable)
    with pytest.raises(cloture.ClotureImpossible, match="déjà décidée"):
        cloture.decider(demande, accord=True, agent=comptable)

    paiement.refresh_from_db()
    assert paiement.statut == Statut.EN_ATTENTE
    assert cloture.demander(paiement, motif="de nouveau", agent=agent).accord is None


@pytest.mark.parametrize("trait", ["accepte", "refuse", "expire", "impute"])
def test_on_ne_clot_que_ce_qui_attend_la_banque(agent, trait):
    with pytest.raises(cloture.ClotureImpossible):
        cloture.demander(PaiementFactory(**{trait: True}), motif="rien", agent=agent)


def annoncer_un_autre_debit(paiement):
    """6 € au lieu de 120 : un agent l'a en main."""
    dire(paiement, "AUTHORISED", uuid="d" * 32, montant=6)
    return Anomalie.objects.get(paiement=paiement)


def test_un_debit_a_regler_ne_se_clot_pas_sans_debit(agent):
    paiement = PaiementFactory()
    annoncer_un_autre_debit(paiement)

    assert not cloture.is_demandable(Paiement.objects.get(pk=paiement.pk))
    with pytest.raises(cloture.ClotureImpossible, match="réglez d'abord son anomalie"):
        cloture.demander(paiement, motif="rien", agent=agent)


def test_un_debit_annonce_apres_la_demande_arrete_l_accord(agent, comptable):
    paiement = PaiementFactory()
    demande = cloture.demander(paiement, motif="rien", agent=agent)
    annoncer_un_autre_debit(paiement)

    with pytest.raises(cloture.ClotureImpossible, match="réglez d'abord son anomalie"):
        cloture.decider(demande, accord=True, agent=comptable)

    paiement.refresh_from_db()
    assert paiement.statut == Statut.EN_ATTENTE


def test_mis_de_cote_il_se_clot_et_reste_tenu(agent, comptable):
    paiement = PaiementFactory()
    mettre_de_cote(annoncer_un_autre_debit(paiement), motif="rendu au Back Office", agent=agent)

    cloture.decider(cloture.demander(paiement, motif="rien", agent=agent), accord=True, agent=comptable)

    paiement = Paiement.objects.get(pk=paiement.pk)
    assert (paiement.statut, paiement.retenu) == (Statut.EXPIRE, 6)
    assert "rien n'a été débité" not in dire_ou_est_l_argent(paiement)
