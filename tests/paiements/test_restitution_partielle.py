"""Rendre une part d'un paiement imputé : dette par dette, à deux, et les comptes restent justes."""

from decimal import Decimal

import pytest
from django.urls import reverse
from django.utils import timezone

from dettes.models import Dette
from paiements.models import Anomalie, DemandeRestitution, Paiement
from paiements.retours import ordres, restitution
from paiements.retours.trop_percu import signaler_solde_negatif
from paiements.surveillance import invariants
from tests.factories import DetteFactory
from tests.paiements.bureau import fiche, geste
from tests.paiements.journaux import jri

pytestmark = pytest.mark.django_db

Etat = DemandeRestitution.Etat


@pytest.fixture
def imputee(paye, dettes):
    """100 € imputés à l'ancienne dette, 50 € à la récente."""
    return paye(impute=True)


def soldes(dettes):
    return [Dette.objects.get(pk=dette.pk).solde for dette in dettes]


def test_une_part_se_rend_et_ses_dettes_remontent_d_autant(plateforme, rembourser, imputee, dettes, agent, comptable):
    plateforme(imputee, "CAPTURED")
    appel = rembourser(imputee, montant=Decimal(30))
    parts = {dettes[0].pk: Decimal(10), dettes[1].pk: Decimal(20)}
    demande = restitution.demander_une_part(imputee, parts, motif="trop payé", agent=agent)
    avant = soldes(dettes)

    demande = restitution.decider(demande, accord=True, agent=comptable, motif="vu")
    Paiement.objects.update(prochain_controle_le=None)
    demande = ordres.executer(demande)

    assert demande.etat == Etat.FAITE
    assert Paiement.objects.get(pk=imputee.pk).prochain_controle_le <= timezone.now()  # se défait parfois en silence
    assert appel.call_count == 1
    assert avant == [Decimal(800), Decimal(850)]
    assert soldes(dettes) == [Decimal(810), Decimal(870)]
    solde = Paiement.objects.get(pk=imputee.pk).solde
    assert (solde.tenu, solde.impute, solde.a_placer) == (Decimal(120), Decimal(120), Decimal(0))
    assert not imputee.anomalies.ouvertes()
    assert not list(invariants.verifier())


def test_refusee_rien_ne_bouge(imputee, dettes, agent, comptable):
    demande = restitution.demander_une_part(imputee, {dettes[0].pk: Decimal(10)}, motif="trop", agent=agent)

    restitution.decider(demande, accord=False, agent=comptable, motif="non")

    assert soldes(dettes) == [Decimal(800), Decimal(850)]


def test_si_la_plateforme_refuse_l_argent_reste_sous_les_yeux_d_un_agent(
    plateforme, rembourser, imputee, dettes, agent, comptable
):
    plateforme(imputee, "CAPTURED")
    erreur = {"status": "ERROR", "mode": "TEST", "answer": {"errorCode": "PSP_083", "shopId": imputee.boutique}}
    rembourser(imputee, json=erreur)
    demande = restitution.demander_une_part(imputee, {dettes[0].pk: Decimal(10)}, motif="trop", agent=agent)

    restitution.decider(demande, accord=True, agent=comptable, motif="vu")
    demande = ordres.executer(demande)

    assert demande.etat == Etat.ECHOUEE
    genres = set(imputee.anomalies.ouvertes().values_list("genre", flat=True))
    assert genres == {Anomalie.Genre.RELIQUAT, Anomalie.Genre.RESTITUTION_REFUSEE}
    assert not list(invariants.verifier())


@pytest.mark.parametrize("parts", [(100, 50), (101, 0), (0, 0), (-5, 10)])
def test_une_part_est_moins_que_le_tout_et_pas_plus_que_ce_que_la_dette_a_recu(imputee, dettes, agent, parts):
    choisies = {dette.pk: Decimal(part) for dette, part in zip(dettes, parts, strict=True)}

    with pytest.raises(restitution.RestitutionImpossible):
        restitution.demander_une_part(imputee, choisies, motif="trop", agent=agent)


def test_une_dette_d_un_autre_ne_rend_rien(imputee, agent):
    with pytest.raises(restitution.RestitutionImpossible):
        restitution.demander_une_part(imputee, {DetteFactory().pk: Decimal(1)}, motif="trop", agent=agent)


def test_une_seule_restitution_a_la_fois(imputee, dettes, agent):
    restitution.demander_une_part(imputee, {dettes[0].pk: Decimal(10)}, motif="trop", agent=agent)

    with pytest.raises(restitution.RestitutionImpossible, match="déjà en cours"):
        restitution.demander_une_part(imputee, {dettes[0].pk: Decimal(10)}, motif="encore", agent=agent)


def test_un_paiement_pas_encore_impute_n_a_pas_de_part(dettes, agent, paye):
    with pytest.raises(restitution.RestitutionImpossible, match="imputé au centime"):
        restitution.demander_une_part(paye(verifie=True), {dettes[0].pk: Decimal(10)}, motif="trop", agent=agent)


def test_une_part_qui_ne_va_plus_ne_s_approuve_pas(imputee, dettes, agent, comptable):
    from tests.factories import dire

    demande = restitution.demander_une_part(imputee, {dettes[0].pk: Decimal(10)}, motif="trop", agent=agent)
    dire(imputee, "CAPTURED", operation="CREDIT", montant=Decimal(20), uuid="c" * 32, parent=imputee.debit_id)

    with pytest.raises(restitution.RestitutionImpossible, match="réglez l'anomalie"):
        restitution.decider(demande, accord=True, agent=comptable, motif="vu")

    demande.refresh_from_db()
    assert demande.etat == Etat.DEMANDEE


def test_ce_qui_est_encore_sur_une_dette_menee_sous_zero_avant_lui_est_du_une_fois_rendu(
    imputee, dettes, agent, comptable
):
    """Ce que la Caf n'attendait pas a déjà quitté la dette : ce paiement y est venu depuis, sur une vraie dette."""
    signaler_solde_negatif(dettes[0], Decimal(15), "encaissements 661")

    demande = restitution.demander_une_part(imputee, {dettes[0].pk: Decimal(15)}, motif="trop", agent=agent)
    restitution.decider(demande, accord=True, agent=comptable, motif="vu")

    assert soldes(dettes) == [Decimal(815), Decimal(850)]
    assert Anomalie.objects.get(dette=dettes[0]).is_ouverte
    assert not list(invariants.verifier())


def test_approuvee_et_pas_encore_partie_elle_se_dit_a_rendre(client, imputee, dettes, agent, comptable):
    demande = restitution.demander_une_part(imputee, {dettes[0].pk: Decimal(10)}, motif="trop", agent=agent)
    restitution.decider(demande, accord=True, agent=comptable, motif="oui")
    client.force_login(imputee.demarche.auteur)

    page = client.get(reverse("suivi:detail", args=[imputee.demarche.reference])).content.decode()

    assert "10,00\xa0€ de ce paiement doivent vous être rendus\u00a0: la Caf en a donné l’ordre." in page
    assert "n’ont pas pu être déduits" not in page


def test_restee_sans_effet_elle_se_dit_comptee_sur_aucune_dette(client, imputee, dettes, agent, comptable):
    demande = restitution.demander_une_part(imputee, {dettes[0].pk: Decimal(10)}, motif="trop", agent=agent)
    demande = restitution.decider(demande, accord=True, agent=comptable, motif="oui")
    ordres.abandonner(demande, motif="rien ne part", agent=comptable)
    client.force_login(imputee.demarche.auteur)

    page = client.get(reverse("suivi:detail", args=[imputee.demarche.reference])).content.decode()

    assert "10,00\xa0€ de ce paiement ne sont comptés sur aucune dette." in page
    assert "vos dettes avaient déjà baissé" not in page


def test_pendant_une_restitution_le_reste_ne_se_propose_pas_a_placer(
    client, entrer, imputee, dettes, agent, comptable
):
    demande = restitution.demander_une_part(imputee, {dettes[0].pk: Decimal(10)}, motif="trop", agent=agent)
    demande = restitution.decider(demande, accord=True, agent=comptable, motif="oui")
    reliquat = imputee.anomalies.get(genre=Anomalie.Genre.RELIQUAT)
    entrer("GESTION")

    pendant = client.get(fiche(reliquat)).content.decode()
    ordres.abandonner(demande, motif="rien ne part", agent=comptable)
    apres = client.get(fiche(reliquat)).content.decode()

    assert [geste(reliquat, "placer") in page for page in (pendant, apres)] == [False, True]
    assert ["la faire refuser, arrêter son ordre" in page for page in (pendant, apres)] == [True, False]


def test_un_impaye_lu_avant_l_accord_fait_refuser_la_part(lire, imputee, dettes, agent, comptable):
    demande = restitution.demander_une_part(imputee, {dettes[0].pk: Decimal(20)}, motif="trop", agent=agent)
    lire(jri([imputee], SOURCE_AMOUNT="5000"))

    with pytest.raises(restitution.RestitutionImpossible, match="refusez cette demande, réglez l'anomalie"):
        restitution.decider(demande, accord=True, agent=comptable)
