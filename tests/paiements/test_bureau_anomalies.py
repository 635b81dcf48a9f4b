"""La file au bureau des agents : ce qu'elle montre, et comment chaque anomalie en sort."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.contrib.admin.models import LogEntry
from django.urls import reverse
from django.utils import timezone

from paiements.bureau.faits import ecrire_en_jeu
from paiements.causes import par_service
from paiements.file.tenue import mettre_de_cote, signaler
from paiements.models import Anomalie, TransactionPayzen
from paiements.retours import impaye
from paiements.statuts import Statut
from tests.factories import DetteFactory, PaiementFactory, dire
from tests.paiements.bureau import faire_un_reliquat, fiche, geste, rembourser

pytestmark = pytest.mark.django_db


def test_un_reliquat_se_place_depuis_sa_fiche(client, entrer):
    paiement, anomalie = faire_un_reliquat()
    autre = DetteFactory(allocataire=paiement.demarche.allocataire)
    entrer()
    page = client.get(fiche(anomalie)).content.decode()

    client.post(geste(anomalie, "placer"), {f"part_{autre.pk}": "100,00", "motif": "accord le 3 mars"})

    anomalie.refresh_from_db()
    autre.refresh_from_db()
    assert f'name="part_{autre.pk}" value="100,00"' in page
    assert (anomalie.etat, autre.solde) == (Anomalie.Etat.CLOSE, Decimal(800))
    assert "accord le 3 mars" in LogEntry.objects.get().change_message


def test_un_reste_se_partage_entre_plusieurs_dettes_la_plus_ancienne_d_abord(client, entrer):
    paiement, anomalie = faire_un_reliquat()
    allocataire = paiement.demarche.allocataire
    ancienne = DetteFactory(allocataire=allocataire, notifiee_le="2024-03-01", montant_initial=Decimal(30))
    recente = DetteFactory(allocataire=allocataire, notifiee_le="2026-03-01")
    entrer()

    page = client.get(fiche(anomalie)).content.decode()

    assert f"À placer sur la dette {ancienne} (elle peut recevoir 30,00\xa0€)" in page
    assert f'name="part_{ancienne.pk}" value="30,00"' in page
    assert f'name="part_{recente.pk}" value="70,00"' in page


def test_un_reste_mal_place_dit_pourquoi_non(client, entrer):
    paiement, anomalie = faire_un_reliquat()
    autre = DetteFactory(allocataire=paiement.demarche.allocataire)
    entrer()

    saisie = {f"part_{autre.pk}": "40,00", "motif": "oui"}
    page = client.post(geste(anomalie, "placer"), saisie, follow=True).content.decode()

    anomalie.refresh_from_db()
    assert "les parts doivent faire 100,00\xa0€" in page
    assert page.index("À placer sur la dette") < page.index("Accord de l&#x27;allocataire")
    assert 'size="60"' in page[page.index("Accord de l&#x27;allocataire") :][:300]
    assert anomalie.is_ouverte


def test_un_reste_ne_se_place_pas_sur_la_dette_d_un_autre(client, entrer):
    _, anomalie = faire_un_reliquat()
    d_un_autre = DetteFactory()
    entrer()

    client.post(geste(anomalie, "placer"), {f"part_{d_un_autre.pk}": "100,00", "motif": "oui"})

    anomalie.refresh_from_db()
    d_un_autre.refresh_from_db()
    assert (anomalie.is_ouverte, d_un_autre.solde) == (True, Decimal(900))


def test_sans_dette_qui_puisse_le_recevoir_un_reste_ne_se_place_pas(client, entrer):
    _, anomalie = faire_un_reliquat()
    entrer()

    page = client.get(fiche(anomalie)).content.decode()

    assert "Placer le reste sur d&#x27;autres dettes</button>" not in page
    assert "Demander la restitution</button>" in page


@pytest.mark.parametrize("nom", ["placer", "reprendre", "admettre", "tenue", "defaite", "restituer", "interroger"])
def test_un_geste_force_sur_une_anomalie_sans_paiement_est_refuse_sans_panne(client, entrer, nom):
    dire(PaiementFactory(), "AUTHORISED", reference="P-INCONNUE")
    anomalie = Anomalie.objects.get()
    entrer()

    page = client.post(geste(anomalie, nom), {"motif": "essai", "reference": "X"}, follow=True).content.decode()

    assert "aucun paiement né de ce service" in page


def test_la_liste_des_anomalies_dit_l_argent_en_jeu_l_age_et_quoi_faire(client, entrer):
    paiement = PaiementFactory(impute=True)
    rembourser(paiement)
    entrer()

    page = client.get(reverse("admin:paiements_anomalie_changelist")).content.decode()

    assert '<td data-label="Argent en jeu" class="field-argent_en_jeu">70,00\xa0€ en moins à la banque</td>' in page
    assert '<td data-label="Depuis" class="field-age">moins d&#x27;une minute</td>' in page
    conseil = "Reprendre des dettes ce que la banque ne tient plus."
    assert f'<td data-label="Ce qu&#x27;on propose" class="field-conseil">{conseil}</td>' in page
    assert "50,00\xa0€" in client.get(fiche(paiement)).content.decode()


def test_un_impaye_et_un_paiement_tardif_disent_leur_argent_et_passent_devant_un_courriel(client, entrer, comptable):
    impaye.enregistrer(PaiementFactory(impute=True), motif="JRI", agent=comptable)
    dire(PaiementFactory(expire=True), "AUTHORISED")
    courriel = PaiementFactory(impute=True)
    signaler(Anomalie.Genre.COURRIEL_IMPOSSIBLE, courriel.reference, paiement=courriel, cause=par_service("refus"))
    Anomalie.objects.filter(paiement=courriel).update(ouverte_le=timezone.now() - timedelta(days=3))
    entrer()

    file = client.get(reverse("admin:paiements_anomalie_changelist")).context["cl"].result_list

    dits = [(anomalie.genre, ecrire_en_jeu(anomalie, anomalie.en_jeu)) for anomalie in file]
    assert dits == [
        ("IMPAYE", "120,00\xa0€ en moins à la banque"),
        ("PAIEMENT_TARDIF", "120,00\xa0€"),
        ("COURRIEL_IMPOSSIBLE", "-"),
    ]


def test_une_anomalie_dit_ce_qui_s_est_passe_avant_ce_qu_il_faut_faire(client, entrer):
    paiement = PaiementFactory(impute=True)
    rembourser(paiement)
    entrer()

    page = client.get(fiche(paiement.anomalies.get())).content.decode()

    passe = page.index("70,00\xa0€ en ont été remboursés au porteur.")
    conseil = page.index("Reprendre des dettes ce que la banque ne tient plus.")
    assert passe < conseil < page.index("Reprendre ce que la banque ne tient plus</button>")


@pytest.mark.parametrize(("choix", "combien"), [("", 2), ("OUVERTE", 1), ("ECARTEE", 1), ("CLOSE", 0)])
def test_les_anomalies_se_filtrent_par_etat(client, entrer, choix, combien):
    agent = entrer()
    _, anomalie = faire_un_reliquat()
    faire_un_reliquat()
    mettre_de_cote(anomalie, motif="vu", agent=agent)

    filtre = {"etat__exact": choix} if choix else {}
    reponse = client.get(reverse("admin:paiements_anomalie_changelist"), filtre)

    page = reponse.content.decode()
    assert reponse.context["cl"].result_count == combien
    for etat in ("À traiter", "Mise de côté", "Réglée par un agent", "Sans objet depuis"):
        assert f"{etat}</a>" in page


def test_ce_qui_attend_depuis_le_plus_longtemps_est_en_haut_de_la_file(client, entrer):
    agent = entrer()
    ecartee, ancienne, recente = [faire_un_reliquat()[1] for _ in range(3)]
    mettre_de_cote(ecartee, motif="vu", agent=agent)

    file = client.get(reverse("admin:paiements_anomalie_changelist")).context["cl"].result_list

    assert list(file) == [ancienne, recente, ecartee]


def test_une_part_de_trop_dit_jusqu_ou_l_on_peut_aller(client, entrer):
    paiement = PaiementFactory(impute=True)
    rembourser(paiement)
    dette = paiement.imputations.get().dette
    entrer()

    page = client.post(
        geste(paiement.anomalies.get(), "reprendre"), {f"part_{dette.pk}": "130", "motif": "vu"}, follow=True
    ).content.decode()

    assert f"{dette} (ce paiement y a imputé 120,00\xa0€) : au plus 120,00\xa0€" in page


def test_reprendre_propose_la_part_et_la_reprend_au_nom_de_l_agent(client, entrer, plateforme):
    paiement = PaiementFactory(impute=True)
    rembourser(paiement)
    plateforme(paiement, "AUTHORISED")
    dette = paiement.imputations.get().dette
    agent = entrer()
    anomalie = paiement.anomalies.get()
    page = client.get(fiche(anomalie)).content.decode()

    client.post(geste(anomalie, "reprendre"), {f"part_{dette.pk}": "70,00", "motif": "vu"})

    reprise = paiement.imputations.get(montant__lt=0)
    dette.refresh_from_db()
    anomalie.refresh_from_db()
    assert f'name="part_{dette.pk}" value="70,00"' in page
    assert (reprise.montant, reprise.motif, reprise.auteur) == (Decimal(-70), "vu", agent.identifiant)
    assert (dette.solde, anomalie.etat) == (Decimal(850), Anomalie.Etat.CLOSE)
    assert LogEntry.objects.get().change_message == "Reprendre ce que la banque ne tient plus : 70,00\u00a0€ : vu"


def test_un_montant_plus_petit_s_admet_depuis_sa_fiche(client, entrer):
    paiement = PaiementFactory()
    dire(paiement, "AUTHORISED", montant=Decimal(70))
    entrer()

    page = client.post(geste(paiement.anomalies.get(), "admettre"), {"motif": "vu"}, follow=True).content.decode()

    paiement.refresh_from_db()
    assert "Le montant est admis : 70,00\xa0€" in page
    assert (paiement.statut, paiement.montant_admis) == (Statut.ACCEPTE, Decimal(70))


def test_un_agent_dit_quel_debit_un_remboursement_rend_quand_payzen_le_tait(client, entrer, plateforme):
    paiement = PaiementFactory(impute=True)
    plateforme(paiement, "AUTHORISED")
    dire(paiement, "AUTHORISED", operation="CREDIT", uuid="c" * 32, trans_id="900001", montant=Decimal(50))
    anomalie = paiement.anomalies.get()
    entrer()
    page = client.get(fiche(anomalie)).content.decode()

    client.post(geste(anomalie, "rattacher"), {"debit": paiement.debit_id, "motif": "lu au Back Office"})

    anomalie.refresh_from_db()
    assert "Dire quel débit il rembourse" in page
    assert f'value="{paiement.debit_id}"' in page
    assert (anomalie.etat, paiement.transactions.get(pk="c" * 32).parent_id) == ("CLOSE", paiement.debit_id)


@pytest.mark.parametrize(("nom", "verdict"), [("tenue", "TENUE"), ("defaite", "DEFAITE")])
def test_un_agent_tranche_ce_dont_la_banque_dit_deux_choses(client, entrer, nom, verdict):
    paiement = PaiementFactory(impute=True)
    dire(paiement, "CAPTURED")
    dire(paiement, "CANCELLED")
    entrer()
    anomalie = paiement.anomalies.get()
    page = client.get(fiche(anomalie)).content.decode()

    sans_motif = client.post(geste(anomalie, nom), {"motif": ""}, follow=True).content.decode()
    client.post(geste(anomalie, nom), {"motif": "lu au Back Office"})

    assert "La banque tient cet argent</button>" in page
    assert "La banque ne le tient pas</button>" in page
    assert "Rien n&#x27;a été fait" in sans_motif
    assert TransactionPayzen.objects.get().verdict == verdict
    anomalie.refresh_from_db()
    assert (anomalie.etat, anomalie.etapes.last().motif) == (Anomalie.Etat.CLOSE, "lu au Back Office")


def test_ce_qui_raconte_un_evenement_se_clot_et_ne_se_met_pas_de_cote(client, entrer):
    paiement = PaiementFactory(expire=True)
    dire(paiement, "AUTHORISED")
    agent = entrer()
    anomalie = paiement.anomalies.get()
    page = client.get(fiche(anomalie)).content.decode()

    client.post(geste(anomalie, "clore"), {"motif": "il n'a payé qu'une fois"})
    deuxieme = client.post(geste(anomalie, "clore"), {"motif": "encore"}, follow=True).content.decode()

    anomalie.refresh_from_db()
    assert "Mettre de côté</button>" not in page
    assert "déjà réglée par un agent" in deuxieme
    assert (anomalie.etat, anomalie.etapes.last().auteur) == (Anomalie.Etat.CLOSE, agent.identifiant)


def test_payzen_s_interroge_depuis_une_anomalie(client, entrer, plateforme):
    paiement = PaiementFactory(impute=True)
    dire(paiement, "CAPTURED", operation="CREDIT", montant=Decimal(20), uuid="c" * 32, trans_id="900001")
    plateforme(paiement, "CAPTURED")
    entrer()

    page = client.post(geste(paiement.anomalies.get(), "interroger"), follow=True).content.decode()

    assert "PayZen a été interrogé : rien de neuf." in page
