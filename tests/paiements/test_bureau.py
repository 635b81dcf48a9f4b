"""Le bureau des agents : ce qu'ils voient des paiements, et ce que leurs boutons font."""

import re
from decimal import Decimal

import pytest
from django.contrib.admin.models import LogEntry
from django.urls import reverse

from paiements.file.tenue import mettre_de_cote
from paiements.models import Anomalie, DemandeRestitution, TransactionPayzen
from paiements.retours import ordres, restitution
from paiements.statuts import Statut
from paiements.verification import interroger
from tests.factories import AgentFactory, CafFactory, DetteFactory, PaiementFactory, demander, dire
from tests.paiements.bureau import faire_un_reliquat, fiche, geste

pytestmark = pytest.mark.django_db


def rembourser(paiement, montant=70):
    """La banque rend une part du débit au porteur, et PayZen dit de quel débit."""
    dire(
        paiement,
        "CAPTURED",
        operation="CREDIT",
        montant=Decimal(montant),
        uuid="c" * 32,
        trans_id="900001",
        parent=paiement.debit_id,
    )


def test_la_fiche_d_un_paiement_dit_toute_sa_vie(client, entrer):
    paiement = PaiementFactory(impute=True)
    entrer("CONSULTATION")

    page = client.get(fiche(paiement)).content.decode()

    for mot in ("en attente de la banque", "imputé à 1 dette(s)", "a appris quelque chose", "•••• 0055"):
        assert mot in page


def test_la_fiche_d_un_paiement_a_une_ligne_par_debit_et_par_credit_de_la_banque(client, entrer):
    paiement = PaiementFactory(impute=True)
    dire(paiement, "AUTHORISED", uuid="d" * 32, montant=Decimal(70), trans_id="900002")
    rembourser(paiement, 20)
    entrer()

    page = client.get(fiche(paiement)).content.decode()

    assert page.count("<p>le débit du paiement, accordé (AUTHORISED)") == 1
    identifiants = re.findall(r'<td class="field-identifiant">\s*<p>(.*?)</p>', page)
    assert identifiants[:3] == [paiement.debit_id, "d" * 32, "c" * 32]
    assert re.findall(r'<td class="field-tenu">\s*<p>(.*?)</p>', page) == ["100,00\xa0€", "70,00\xa0€", "-"]
    assert re.findall(r'<td class="field-debit_rembourse">\s*<p>(.*?)</p>', page) == ["-", "-", paiement.debit_id]


def test_la_fiche_d_un_paiement_montre_le_journal_de_ses_anomalies(client, entrer):
    _, anomalie = faire_un_reliquat()
    mettre_de_cote(anomalie, motif="vu avec la comptabilité", agent=entrer())

    page = client.get(fiche(anomalie.paiement)).content.decode()

    journal = page[page.index('<td class="field-journal">') :]
    assert journal.index("à traiter, par service") < journal.index("mise de côté, par agent-")
    assert "vu avec la comptabilité" in journal


@pytest.mark.parametrize(
    ("role", "voit"),
    [
        ("CONSULTATION", []),
        ("GESTION", ["Interroger PayZen", "Demander la restitution"]),
        ("COMPTABLE", []),
        ("RESPONSABLE", ["Interroger PayZen", "Demander la restitution"]),
    ],
)
def test_chaque_role_a_ses_boutons(client, entrer, role, voit):
    paiement = PaiementFactory(impute=True)
    entrer(role)

    page = client.get(fiche(paiement)).content.decode()

    assert [texte for texte in ("Interroger PayZen", "Demander la restitution") if texte in page] == voit


def test_un_geste_sans_le_droit_est_refuse_meme_sans_bouton(client, entrer):
    paiement = PaiementFactory(impute=True)
    entrer("CONSULTATION")

    reponse = client.post(geste(paiement, "restituer"), {"motif": "pour voir"})

    assert reponse.status_code == 403
    assert not DemandeRestitution.objects.exists()


def test_le_paiement_d_une_autre_caf_n_existe_pas(client, entrer):
    paiement = PaiementFactory(impute=True)
    entrer(cafs=[CafFactory(code="751", nom="Caf de Paris", boutique="75100001")])

    assert client.post(geste(paiement, "interroger")).status_code == 404
    assert client.get(fiche(paiement)).status_code == 302


def test_sans_motif_rien_n_est_fait(client, entrer):
    paiement = PaiementFactory(impute=True)
    entrer()

    page = client.post(geste(paiement, "restituer"), {"motif": ""}, follow=True).content.decode()

    assert "Rien n&#x27;a été fait" in page
    assert not DemandeRestitution.objects.exists()


def test_interroger_payzen_fait_avancer_le_paiement(client, entrer, plateforme):
    paiement = PaiementFactory()
    plateforme(paiement, "AUTHORISED")
    entrer()

    client.post(geste(paiement, "interroger"))

    paiement.refresh_from_db()
    assert paiement.statut == Statut.VERIFIE


def test_une_plateforme_muette_se_dit_a_l_agent(client, entrer, plateforme, settings, caplog):
    paiement = PaiementFactory()
    plateforme.serveur.post(f"{settings.PAYZEN_URL_API}Order/Get", status=500)
    entrer()

    page = client.post(geste(paiement, "interroger"), follow=True).content.decode()

    paiement.refresh_from_db()
    assert "PayZen n&#x27;a pas répondu ; réessayez dans quelques minutes" in page
    assert any("JSONDecodeError" in record.__dict__.get("motif", "") for record in caplog.records)
    assert paiement.statut == Statut.EN_ATTENTE


def test_un_agent_confirme_au_dessus_du_seuil(client, entrer, plateforme):
    demarche = demander(Decimal(500))
    demarche.allocataire.caf.seuil_controle = Decimal(500)
    demarche.allocataire.caf.save()
    paiement = PaiementFactory(demarche=demarche, accepte=True)
    plateforme(paiement, "AUTHORISED")
    interroger.interroger(paiement.pk)
    agent = entrer()

    client.post(geste(paiement, "confirmer"), {"motif": "justificatif vu"})

    paiement.refresh_from_db()
    etape = paiement.etapes.get(geste="verifier")
    assert (paiement.statut, etape.auteur, etape.motif) == (Statut.VERIFIE, agent.identifiant, "justificatif vu")


def test_une_restitution_passe_par_deux_personnes(client, entrer):
    paiement = PaiementFactory(impute=True)
    entrer("GESTION")
    client.post(geste(paiement, "restituer"), {"motif": "payé deux fois"})
    demande = DemandeRestitution.objects.get()
    entrer("COMPTABLE")

    client.post(geste(demande, "approuver"))

    demande.refresh_from_db()
    assert demande.etat == DemandeRestitution.Etat.APPROUVEE
    assert ordres.reserver(10) == [demande.pk]


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


@pytest.mark.parametrize("liste", ["paiement", "anomalie", "demanderestitution"])
def test_les_listes_coutent_autant_pour_un_que_pour_dix(client, entrer, django_assert_max_num_queries, liste):
    for _ in range(10):
        _, anomalie = faire_un_reliquat()
        restitution.demander(anomalie.paiement, motif="trop", agent=AgentFactory().utilisateur, anomalie=anomalie)
        dire(anomalie.paiement, "AUTHORISED", uuid=f"d{anomalie.pk:031}", montant=Decimal(70), trans_id="900002")
    entrer()

    with django_assert_max_num_queries(16):
        reponse = client.get(reverse(f"admin:paiements_{liste}_changelist"))

    assert reponse.status_code == 200


def test_un_numero_de_carte_n_entre_dans_aucun_journal(client, entrer):
    paiement = PaiementFactory(impute=True)
    entrer()

    page = client.post(
        geste(paiement, "restituer"), {"motif": "carte 4970 1000 0000 0055"}, follow=True
    ).content.decode()

    assert "quatre derniers chiffres suffisent" in page
    assert not DemandeRestitution.objects.exists()
    assert not LogEntry.objects.exists()


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

    assert '<td class="field-argent_en_jeu">70,00\xa0€ en moins à la banque</td>' in page
    assert '<td class="field-age">0\xa0minute</td>' in page
    assert '<td class="field-conseil">Reprendre des dettes ce que la banque ne tient plus.</td>' in page
    assert "50,00\xa0€" in client.get(fiche(paiement)).content.decode()


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
    for etat in ("à traiter", "mise de côté", "réglée par un agent", "sans objet depuis"):
        assert f"{etat}</a>" in page


def test_ce_qui_attend_depuis_le_plus_longtemps_est_en_haut_de_la_file(client, entrer):
    agent = entrer()
    ecartee, ancienne, recente = [faire_un_reliquat()[1] for _ in range(3)]
    mettre_de_cote(ecartee, motif="vu", agent=agent)

    file = client.get(reverse("admin:paiements_anomalie_changelist")).context["cl"].result_list

    assert list(file) == [ancienne, recente, ecartee]


def test_une_fiche_porte_le_nom_de_ce_qu_elle_montre(client, entrer):
    paiement, anomalie = faire_un_reliquat()
    demande = restitution.demander(paiement, motif="trop", agent=AgentFactory().utilisateur, anomalie=anomalie)
    entrer()

    titres = [client.get(fiche(objet)).context["title"] for objet in (paiement, anomalie, demande)]

    assert titres == ["Paiement", "Anomalie", "Demande de restitution"]
    assert str(demande) == f"restitution de 100,00\xa0€ sur {paiement.reference}"


def test_une_restitution_en_cours_ne_se_redemande_pas(client, entrer):
    paiement, anomalie = faire_un_reliquat()
    entrer()
    avant = [client.get(fiche(objet)).content.decode() for objet in (paiement, anomalie)]

    restitution.demander(paiement, motif="trop", agent=AgentFactory().utilisateur, anomalie=anomalie)
    apres = [client.get(fiche(objet)).content.decode() for objet in (paiement, anomalie)]

    assert all("Demander la restitution" in page for page in avant)
    assert not any("Demander la restitution" in page for page in apres)


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
    assert LogEntry.objects.get().change_message == "Reprendre ce que la banque ne tient plus : 70,00 : vu"


def test_un_montant_plus_petit_s_admet_depuis_sa_fiche(client, entrer):
    paiement = PaiementFactory()
    dire(paiement, "AUTHORISED", montant=Decimal(70))
    entrer()

    page = client.post(geste(paiement.anomalies.get(), "admettre"), {"motif": "vu"}, follow=True).content.decode()

    paiement.refresh_from_db()
    assert "Le montant est admis : 70,00\xa0€" in page
    assert (paiement.statut, paiement.montant_admis) == (Statut.ACCEPTE, Decimal(70))


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
