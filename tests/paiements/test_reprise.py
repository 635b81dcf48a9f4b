"""Ce que la banque ne tient plus d'un paiement : un agent dit de quelles dettes c'est repris."""

import io
from decimal import Decimal

import pytest
from django.db import DatabaseError, connection, transaction
from django.urls import reverse
from pypdf import PdfReader

from dettes.models import Dette, Mouvement
from paiements import anomalies, attestations, controle, invariants, reprise, restitution, services, tickets
from paiements.imputation import imputer_un_lot
from paiements.models import Anomalie, Paiement, Reprise
from paiements.statuts import Geste, Statut
from tests.connexion import entrer_en_agent
from tests.factories import (
    AgentFactory,
    DemarcheFactory,
    DetteFactory,
    FaitFactory,
    PaiementFactory,
    UtilisateurFactory,
    dire,
    repondre,
)

pytestmark = pytest.mark.django_db

Genre, Issue = Anomalie.Genre, Anomalie.Issue


@pytest.fixture
def agent():
    return AgentFactory().utilisateur


@pytest.fixture
def dettes():
    """L'ancienne et la récente, 900 € chacune, d'un même allocataire."""
    allocataire = UtilisateurFactory().allocataire
    return [DetteFactory(allocataire=allocataire, notifiee_le=jour) for jour in ("2024-03-01", "2025-03-01")]


@pytest.fixture
def paye(dettes):
    """Un paiement de 100 € sur l'ancienne dette et 50 € sur la récente : `paye(impute=True)`."""

    def payer(**traits):
        auteur = dettes[0].allocataire.utilisateurs.get()
        demarche = DemarcheFactory(auteur=auteur, lignes=dict(zip(dettes, (Decimal(100), Decimal(50)), strict=True)))
        return PaiementFactory(demarche=demarche, **traits)

    return payer


def rembourser(paiement, montant, uuid="c" * 32):
    """La banque rend une part au porteur, et le dit."""
    dire(paiement, "CAPTURED", operation="CREDIT", montant=Decimal(montant), uuid=uuid, trans_id="900001")
    return paiement.anomalies.get(constat__vu__uuid=uuid)


def baisser(paiement, montant):
    """Le débit est baissé au Back Office avant la remise."""
    dire(paiement, "AUTHORISED", montant=Decimal(montant))
    return paiement.anomalies.filter(genre=Genre.MONTANT_DIFFERENT).latest("pk")


def reprendre(anomalie, agent, *parts):
    """Reprend, dans l'ordre des dettes, ce qu'on en dit ; sans rien dire, ce que l'écran propose."""
    imputations = anomalie.paiement.imputations.order_by("dette__notifiee_le")
    choix = {i.pk: Decimal(part) for i, part in zip(imputations, parts, strict=True)} if parts else None
    proposees = {i.pk: part for i, part in reprise.proposer(anomalie).items()}
    return reprise.reprendre(anomalie, choix or proposees, motif="vu au Back Office", agent=agent)


def get_soldes():
    return list(Dette.objects.order_by("notifiee_le").values_list("solde", flat=True))


def test_une_part_rendue_par_la_banque_fait_remonter_la_dette_la_plus_recente(paye, agent):
    paiement = paye(impute=True)
    alerte = rembourser(paiement, 70)

    reprendre(alerte, agent)

    paiement.refresh_from_db()
    alerte.refresh_from_db()
    assert get_soldes() == [820, 900]
    assert (paiement.statut, paiement.net, alerte.issue) == (Statut.IMPUTE, 80, Issue.RESTITUEE)
    assert not list(invariants.verifier())


def test_l_agent_choisit_de_quelles_dettes_reprendre(paye, agent):
    alerte = rembourser(paye(impute=True), 70)

    reprendre(alerte, agent, 60, 10)

    assert get_soldes() == [860, 860]
    rejets = Mouvement.objects.filter(genre="REJET").order_by("dette__notifiee_le")
    assert list(rejets.values_list("montant", "motif")) == [(60, "vu au Back Office"), (10, "vu au Back Office")]


@pytest.mark.parametrize(
    ("parts", "raison"),
    [
        ((10, 10), "restent à reprendre sur une dette"),
        ((70, 10), "dépassent les 70"),
        ((10, 60), "plus que ce que ce paiement y a porté"),
        ((-10, 80), "plus que ce que ce paiement y a porté"),
    ],
)
def test_des_parts_qui_ne_vont_pas_ne_changent_rien(paye, agent, parts, raison):
    alerte = rembourser(paye(impute=True), 70)

    with pytest.raises(reprise.RepriseImpossible, match=raison):
        reprendre(alerte, agent, *parts)

    alerte.refresh_from_db()
    assert get_soldes() == [800, 850]
    assert alerte.resolue_le is None


def test_une_part_ne_se_reprend_pas_deux_fois(paye, agent):
    alerte = rembourser(paye(impute=True), 70)
    reprendre(alerte, agent)

    with pytest.raises(reprise.RepriseImpossible, match="déjà fait"):
        reprendre(alerte, agent, 70, 0)

    assert get_soldes() == [820, 900]


def test_la_somme_restee_sans_dette_est_reprise_la_premiere(paye, agent, dettes):
    paiement = paye(verifie=True)
    Mouvement.objects.create(dette=dettes[0], genre="AJUSTEMENT", montant=-860, origine="livraison")
    imputer_un_lot()
    reliquat = paiement.anomalies.get(genre=Genre.RELIQUAT)

    reprendre(rembourser(paiement, 45), agent)
    reliquat.refresh_from_db()
    apres_la_premiere = reliquat.montant, get_soldes()
    reprendre(rembourser(paiement, 35, uuid="d" * 32), agent)

    reliquat.refresh_from_db()
    assert apres_la_premiere == (15, [0, 850])
    assert (reliquat.issue, get_soldes()) == (Issue.RESTITUEE, [0, 870])
    assert not list(invariants.verifier())


def test_tout_repris_le_paiement_est_restitue(paye, agent):
    paiement = paye(impute=True)
    reprendre(rembourser(paiement, 60), agent)

    rembourser(paiement, 90, uuid="d" * 32)
    debit = FaitFactory(paiement=paiement, statut="CAPTURED", source="REST")
    credit = {"statut": "CAPTURED", "operation": "CREDIT", "parent": debit.uuid, "source": "REST"}
    parts = [
        FaitFactory(paiement=paiement, montant=Decimal(m), uuid=u * 32, **credit) for m, u in ((60, "c"), (90, "d"))
    ]
    repondre(paiement, debit, *parts)

    paiement.refresh_from_db()
    assert (paiement.statut, paiement.demarche.etat, get_soldes()) == (Statut.RESTITUE, "RESTITUEE", [900, 900])
    assert not list(invariants.verifier())


def test_deux_parts_reprises_par_un_agent_restituent_aussi_le_paiement(paye, agent):
    paiement = paye(impute=True)
    alertes = [rembourser(paiement, part, uuid=uuid * 32) for part, uuid in ((60, "c"), (90, "d"))]

    for alerte in alertes:
        reprendre(alerte, agent)

    paiement.refresh_from_db()
    assert (paiement.statut, get_soldes()) == (Statut.RESTITUE, [900, 900])
    assert not list(invariants.verifier())


def test_une_annulation_de_la_banque_ne_reprend_que_le_reste(paye, agent):
    paiement = paye(impute=True)
    reprendre(baisser(paiement, 90), agent)

    dire(paiement, "CANCELLED", montant=Decimal(90))

    paiement.refresh_from_db()
    assert (paiement.statut, get_soldes()) == (Statut.REJETE, [900, 900])
    assert not list(invariants.verifier())


@pytest.mark.parametrize("trait", ["accepte", "verifie"])
def test_une_part_reprise_avant_l_imputation_n_est_portee_nulle_part(paye, agent, trait):
    paiement = paye(**{trait: True})
    reprendre(rembourser(paiement, 70), agent)
    services.appliquer(Geste.VERIFIER, paiement, motif="test", auteur="test")

    imputer_un_lot()

    assert get_soldes() == [820, 900]
    assert not paiement.anomalies.ouvertes().exists()


def test_un_montant_baisse_et_repris_se_verifie_et_ferme_le_desaccord(paye, agent, plateforme):
    paiement = paye(accepte=True)
    plateforme(paiement, "AUTHORISED", montant=Decimal(90))
    controle.controler(paiement.pk)
    desaccord = paiement.anomalies.get(genre=Genre.DESACCORD)

    reprendre(paiement.anomalies.get(genre=Genre.MONTANT_DIFFERENT), agent)
    assert controle.reserver(10) == [paiement.pk]
    controle.controler(paiement.pk)

    paiement.refresh_from_db()
    desaccord.refresh_from_db()
    assert (paiement.statut, desaccord.issue) == (Statut.VERIFIE, Issue.CADUQUE)
    assert not paiement.anomalies.ouvertes().exists()


def test_un_montant_baisse_deux_fois_se_reprend_en_une(paye, agent):
    paiement = paye(impute=True)
    alertes = [baisser(paiement, montant) for montant in (120, 90)]

    reprendre(alertes[1], agent)
    dire(paiement, "CAPTURED", montant=Decimal(120))

    assert get_soldes() == [810, 900]
    assert not paiement.anomalies.ouvertes().exists()
    assert paiement.notifications.latest("pk").motif == "montant baissé depuis"


def test_un_montant_plus_petit_s_accepte_et_se_porte_sur_la_plus_ancienne(paye, agent, plateforme):
    paiement = paye()
    alerte = baisser(paiement, 120)
    plateforme(paiement, "AUTHORISED", montant=Decimal(120))

    reprise.accepter_le_montant(alerte, controle.interroger(paiement).faits, motif="oui", agent=agent)
    controle.controler(paiement.pk)
    imputer_un_lot()

    paiement.refresh_from_db()
    assert (paiement.statut, paiement.net, get_soldes()) == (Statut.IMPUTE, 120, [800, 880])
    assert paiement.etapes.get(geste="accepter").auteur == agent.identifiant
    assert not list(invariants.verifier())


@pytest.mark.parametrize(
    "autre", [{"montant": Decimal(150)}, {"montant": Decimal(160)}, {"devise": "USD"}, {"uuid": "e" * 32}]
)
def test_seul_le_debit_plus_petit_que_l_on_a_vu_s_accepte(paye, agent, autre):
    paiement = paye()
    alerte = baisser(paiement, 120)

    with pytest.raises(reprise.RepriseImpossible):
        reprise.accepter_le_montant(
            alerte, [FaitFactory(paiement=paiement, **{"montant": Decimal(120)} | autre)], motif="oui", agent=agent
        )

    paiement.refresh_from_db()
    assert paiement.statut == Statut.EN_ATTENTE


def test_rien_ne_se_reprend_pendant_une_restitution(paye, agent):
    paiement = paye(impute=True)
    restitution.demander(paiement, motif="erreur", agent=agent)
    alerte = rembourser(paiement, 70)

    with pytest.raises(reprise.RepriseImpossible, match="restitution de ce paiement est en cours : attendez sa fin"):
        reprendre(alerte, agent)


def test_une_restitution_attend_que_la_part_rendue_soit_reprise(paye, agent):
    paiement = paye(impute=True)
    alerte = rembourser(paiement, 70)

    with pytest.raises(restitution.RestitutionImpossible, match="reprenez-la d'abord"):
        restitution.demander(paiement, motif="erreur", agent=agent)
    reprendre(alerte, agent)

    assert restitution.demander(paiement, motif="erreur", agent=agent).montant == 80


def test_un_agent_ne_confirme_pas_ce_dont_la_banque_a_rendu_une_part(paye, agent):
    paiement = paye(accepte=True)
    Paiement.objects.filter(pk=paiement.pk).update(confirme_le=paiement.cree_le)
    alerte = rembourser(paiement, 70)

    with pytest.raises(services.TransitionImpossible, match="reprenez-la d'abord"):
        controle.confirmer(paiement, motif="vu", agent=agent)
    reprendre(alerte, agent)
    controle.confirmer(paiement, motif="vu", agent=agent)
    imputer_un_lot()

    assert sum(imputation.montant for imputation in paiement.imputations.all()) == 80


def test_la_base_refuse_de_reprendre_plus_que_ce_qui_a_ete_pris(paye, agent):
    paiement = paye(impute=True)
    reprendre(rembourser(paiement, 70), agent)
    prise = Reprise.objects.get(montant=50)

    for faute in (
        "UPDATE paiements_reprise SET montant = 1",
        "DELETE FROM paiements_reprise",
        "INSERT INTO paiements_reprise (paiement_id, anomalie_id, montant, le) VALUES (%s, %s, 80.01, now())",
    ):
        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as curseur:
            curseur.execute(faute, [paiement.pk, prise.anomalie_id] if "%s" in faute else None)


def test_une_reprise_ne_depasse_pas_son_imputation(paye, agent):
    paiement = paye(impute=True)
    reprendre(rembourser(paiement, 70), agent)
    prise = Reprise.objects.get(montant=50)
    mouvement = Mouvement.objects.create(
        dette=prise.imputation.dette, genre="REJET", montant=Decimal(1), origine=paiement.reference
    )

    with pytest.raises(DatabaseError, match="plus que ce qui a été pris"), transaction.atomic():
        Reprise.objects.create(
            paiement=paiement,
            anomalie=prise.anomalie,
            imputation=prise.imputation,
            mouvement=mouvement,
            montant=Decimal(1),
        )


def test_l_allocataire_lit_ce_qui_lui_a_ete_rendu(client, paye, agent):
    paiement = paye(impute=True)
    reprendre(rembourser(paiement, 70), agent)
    client.force_login(paiement.demarche.auteur)

    page = client.get(reverse("demarches:detail", args=[paiement.demarche.reference])).content.decode()

    assert "Somme rendue sur votre carte" in page
    assert "70,00\xa0€ de ce paiement" in page
    assert "a remonté d’autant" in page


def test_ce_qui_est_rendu_avant_la_restitution_reste_ecrit(client, paye, agent):
    paiement = paye(impute=True)
    reprendre(rembourser(paiement, 70), agent)
    services.appliquer(Geste.RESTITUER, paiement, motif="test", auteur="test")
    dire(paiement, "AUTHORISED", uuid="d" * 32, montant=Decimal(80))
    client.force_login(paiement.demarche.auteur)

    page = client.get(reverse("demarches:detail", args=[paiement.demarche.reference])).content.decode()

    assert page.count("Somme rendue sur votre carte") == 2  # 50 € d’une dette, 20 € de l’autre
    assert "La banque tient encore 80,00\xa0€" in page


def test_on_dit_le_montant_debite_et_non_celui_demande(client, paye, agent):
    paiement = paye(accepte=True)
    reprendre(baisser(paiement, 120), agent)
    client.force_login(paiement.demarche.auteur)

    liste = client.get(reverse("dettes:liste")).content.decode()
    detail = client.get(reverse("demarches:detail", args=[paiement.demarche.reference])).content.decode()

    assert "Vous avez effectué un paiement de 120,00\xa0€" in liste
    assert "demandés\xa0; votre banque a débité 120,00\xa0€" in detail


def imprimer(paiement):
    """Le texte du ticket, ses lignes mises bout à bout."""
    pages = PdfReader(io.BytesIO(tickets.rendre_pdf(tickets.lire(paiement)))).pages
    return " ".join(" ".join(page.extract_text() for page in pages).split())


def test_le_ticket_dit_ce_qui_a_ete_rendu_depuis(paye, agent):
    paiement = paye(impute=True)
    avant = imprimer(paiement)
    reprendre(rembourser(paiement, 70), agent)
    rendu = imprimer(paiement)
    dire(paiement, "CANCELLED", operation="CREDIT", montant=Decimal(70), uuid="c" * 32, trans_id="900001")

    assert "Depuis" not in avant
    assert "Depuis, 70,00 € de ce paiement vous ont été rendus." in rendu
    assert "vous ont été rendus, ou doivent l’être." in imprimer(paiement)


def test_le_ticket_ne_dit_pas_rendu_ce_que_la_banque_tient_encore(paye):
    paiement = paye(impute=True)
    services.appliquer(Geste.RESTITUER, paiement, motif="test", auteur="test")
    dire(paiement, "AUTHORISED", uuid="d" * 32)

    texte = imprimer(Paiement.objects.get())

    assert "Depuis, ce paiement a été annulé ou doit vous être rendu" in texte


def test_l_attestation_et_le_ticket_disent_le_vrai_montant(paye, agent, plateforme):
    paiement = paye()
    plateforme(paiement, "AUTHORISED", montant=Decimal(120))
    alerte = baisser(paiement, 120)
    reprise.accepter_le_montant(alerte, controle.interroger(paiement).faits, motif="oui", agent=agent)
    controle.controler(paiement.pk)
    imputer_un_lot()
    paiement = Paiement.objects.get()
    reprendre(rembourser(paiement, 10), agent)

    ticket, attestation = tickets.lire(paiement), attestations.lire(paiement)

    assert (ticket.montant, ticket.demande) == (120, 150)
    assert (attestation.porte, attestation.reste_a_placer, attestation.repris_des_dettes) == (120, 0, 10)


def test_l_agent_corrige_la_proposition_depuis_la_fiche(client, paye, agent, plateforme):
    paiement = paye(impute=True)
    plateforme(paiement, "CAPTURED")
    alerte = rembourser(paiement, 70)
    ancienne, recente = paiement.imputations.order_by("dette__notifiee_le")
    entrer_en_agent(client, agent)
    fiche = reverse("admin:paiements_anomalie_change", args=[alerte.pk])
    geste = reverse("admin:anomalie_geste", args=[alerte.pk, "reprendre"])

    propose = client.get(fiche).content.decode()
    client.post(geste, {f"part_{ancienne.pk}": "100,00", f"part_{recente.pk}": "0", "motif": "vu"})
    refuse = client.get(fiche).content.decode()
    client.post(geste, {f"part_{ancienne.pk}": "70,00", f"part_{recente.pk}": "0", "motif": "vu"})

    assert f'name="part_{recente.pk}" value="50,00"' in propose
    assert "dépassent les 70,00\xa0€" in refuse
    assert get_soldes() == [870, 850]
    alerte.refresh_from_db()
    assert alerte.resolue_par == agent


def test_une_alerte_mise_de_cote_par_erreur_se_reprend_encore(paye, agent):
    alerte = rembourser(paye(impute=True), 70)
    anomalies.resoudre(alerte, motif="le crédit d'un autre débit", agent=agent, issue=Issue.ECARTEE)

    reprendre(alerte, agent)

    alerte.refresh_from_db()
    assert (alerte.issue, get_soldes()) == (Issue.RESTITUEE, [820, 900])
    assert alerte.resolution == "le crédit d'un autre débit Puis : vu au Back Office"
