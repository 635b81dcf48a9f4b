"""Le bureau des agents : ce qu'ils voient des paiements, et ce que leurs boutons font."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.contrib.admin.models import LogEntry
from django.urls import reverse
from django.utils import timezone

from dettes.models import FichierRecu, Mouvement
from paiements import anomalies, controle, reprise, restitution
from paiements.imputation import imputer_un_lot
from paiements.models import Anomalie, DemandeRestitution
from paiements.statuts import Statut
from tests.factories import AgentFactory, CafFactory, DetteFactory, PaiementFactory, demander, dire
from tests.paiements.bureau import fiche, geste

pytestmark = pytest.mark.django_db


def faire_un_reliquat():
    paiement = PaiementFactory(verifie=True)
    dette = paiement.demarche.lignes.get().dette
    Mouvement.objects.create(dette=dette, genre="AJUSTEMENT", montant=Decimal(-880), origine="livraison")
    imputer_un_lot()
    return paiement, paiement.anomalies.get()


def test_la_fiche_d_un_paiement_dit_toute_sa_vie(client, entrer):
    paiement = PaiementFactory(impute=True)
    entrer("CONSULTATION")

    page = client.get(fiche(paiement)).content.decode()

    for mot in ("en attente de la banque", "porté sur 1 dette(s)", "a fait avancer le paiement", "•••• 0055"[-4:]):
        assert mot in page


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
    assert client.get(fiche(paiement)).status_code == 404


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
    controle.controler(paiement.pk)
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
    assert restitution.reserver(10) == [demande.pk]


def test_un_reliquat_se_place_depuis_sa_fiche(client, entrer):
    paiement, anomalie = faire_un_reliquat()
    autre = DetteFactory(allocataire=paiement.demarche.allocataire)
    entrer()

    client.post(geste(anomalie, "placer"), {"reference": autre.reference.lower(), "motif": "accord le 3 mars"})

    anomalie.refresh_from_db()
    autre.refresh_from_db()
    assert (anomalie.issue, autre.solde) == (Anomalie.Issue.IMPUTEE, Decimal(800))
    assert "accord le 3 mars" in LogEntry.objects.get().change_message


def test_un_reste_place_sur_une_dette_inconnue_dit_pourquoi_non(client, entrer):
    _, anomalie = faire_un_reliquat()
    entrer()

    page = client.post(geste(anomalie, "placer"), {"reference": "RIEN", "motif": "oui"}, follow=True).content.decode()

    anomalie.refresh_from_db()
    assert "n&#x27;a pas de dette de cette référence" in page
    assert page.index("Référence de la dette") < page.index("Accord de l&#x27;allocataire")
    assert 'size="60"' in page[page.index("Accord de l&#x27;allocataire") :][:300]
    assert anomalie.resolue_le is None


def test_l_accueil_dit_ce_qui_attend(client, entrer):
    faire_un_reliquat()
    entrer()

    page = client.get(reverse("admin:index")).content.decode()

    assert "Reste qui ne tient plus sur les dettes" in page
    assert '<div id="content" class="colM">' in page
    assert "100,00\xa0€" in page


def test_l_accueil_compte_ce_que_la_banque_tient_vraiment_des_paiements_du_jour(client, entrer):
    rendu, entame, _tenu = [PaiementFactory(impute=True) for _ in range(3)]
    dire(rendu, "CANCELLED")
    dire(entame, "CAPTURED", operation="CREDIT", montant=Decimal(20), uuid="c" * 32, trans_id="900001")
    alerte = entame.anomalies.get()
    parts = {imputation.pk: part for imputation, part in reprise.proposer(alerte).items()}
    reprise.reprendre(alerte, parts, motif="vu", agent=entrer())

    page = client.get(reverse("admin:index")).content.decode()

    assert "3 paiements demandés, 3 acceptés ; la banque en tient 220,00\xa0€." in page
    assert "0 paiement à confirmer" in page


def test_l_accueil_ne_dit_rien_des_autres_caf(client, entrer):
    faire_un_reliquat()
    entrer(cafs=[CafFactory(code="751", nom="Caf de Paris", boutique="75100001")])

    assert "Aucune anomalie ouverte" in client.get(reverse("admin:index")).content.decode()


@pytest.mark.parametrize("liste", ["paiement", "anomalie", "demanderestitution"])
def test_les_listes_coutent_autant_pour_un_que_pour_dix(client, entrer, django_assert_max_num_queries, liste):
    for _ in range(10):
        _, anomalie = faire_un_reliquat()
        restitution.demander(anomalie.paiement, motif="trop", agent=AgentFactory().utilisateur, anomalie=anomalie)
    entrer()

    with django_assert_max_num_queries(16):
        reponse = client.get(reverse(f"admin:paiements_{liste}_changelist"))

    assert reponse.status_code == 200


def test_l_accueil_dit_les_taches_en_retard(client, entrer, time_machine):
    PaiementFactory()
    entrer()
    calme = client.get(reverse("admin:index")).content.decode()

    time_machine.move_to(timezone.now() + timedelta(minutes=70), tick=False)
    page = client.get(reverse("admin:index")).content.decode()

    assert "rien n’est en retard" in calme
    assert "<strong>En retard</strong> : 1 contrôle, 0 ticket." in page


def test_l_accueil_dit_les_notifications_perdues(client, entrer, plateforme):
    PaiementFactory(accepte=True)
    perdu = PaiementFactory()
    entrer()
    calme = client.get(reverse("admin:index")).content.decode()

    plateforme(perdu, "AUTHORISED")
    controle.controler(perdu.pk)
    page = client.get(reverse("admin:index")).content.decode()

    assert "Notifications perdues" not in calme
    assert "<strong>Notifications perdues</strong> : depuis deux heures, 1 paiement accepté sans" in page
    assert "Dernière notification de PayZen : il y a 0\xa0minute" in page


def test_l_accueil_dit_la_caf_que_l_on_n_entend_plus(client, entrer):
    cafs = [CafFactory(), CafFactory(code="751", nom="Caf de Paris", boutique="75100001")]
    for jours, caf in zip((0, 9), cafs, strict=True):
        recu = FichierRecu.objects.create(
            caf=caf,
            sequence=1,
            empreinte="a" * 64,
            arrete_le=timezone.now(),
            mode="complet",
            derniere_sequence_encaissements=0,
            somme_soldes=0,
        )
        FichierRecu.objects.filter(pk=recu.pk).update(pris_le=timezone.now() - timedelta(days=jours))
    entrer(cafs=cafs)

    page = client.get(reverse("admin:index")).content.decode()

    assert "attend depuis le plus longtemps : il y a 1\xa0semaine" in page


def test_un_numero_de_carte_n_entre_dans_aucun_journal(client, entrer):
    paiement = PaiementFactory(impute=True)
    entrer()

    page = client.post(
        geste(paiement, "restituer"), {"motif": "carte 4970 1000 0000 0055"}, follow=True
    ).content.decode()

    assert "quatre derniers chiffres suffisent" in page
    assert not DemandeRestitution.objects.exists()
    assert not LogEntry.objects.exists()


@pytest.mark.parametrize("nom", ["placer", "reprendre", "accepter", "restituer"])
def test_un_geste_force_sur_une_anomalie_sans_paiement_est_refuse_sans_panne(client, entrer, nom):
    dire(PaiementFactory(), "AUTHORISED", reference="P-INCONNUE")
    anomalie = Anomalie.objects.get()
    entrer()

    page = client.post(geste(anomalie, nom), {"motif": "essai", "reference": "X"}, follow=True).content.decode()

    assert "aucun paiement né de ce service" in page


def test_la_liste_des_anomalies_dit_l_argent_retenu_et_ce_que_la_banque_annonce(client, entrer):
    paiement = PaiementFactory(impute=True)
    dire(paiement, "CAPTURED", operation="CREDIT", montant=Decimal(70), uuid="c" * 32, trans_id="900001")
    entrer()

    page = client.get(reverse("admin:paiements_anomalie_changelist")).content.decode()

    assert '<td class="field-retenu">0,00\xa0€</td><td class="field-annonce">70,00\xa0€</td>' in page
    assert "50,00\xa0€" in client.get(fiche(paiement)).content.decode()
    assert "Argent retenu" in page
    assert "Annoncé par la banque" in page


@pytest.mark.parametrize(("choix", "combien"), [("", 2), ("1", 1), ("0", 1)])
def test_les_anomalies_se_filtrent_entre_a_traiter_et_resolues(client, entrer, choix, combien):
    agent = entrer()
    _, anomalie = faire_un_reliquat()
    faire_un_reliquat()
    anomalies.resoudre(anomalie, motif="vu", agent=agent, issue=Anomalie.Issue.ECARTEE)

    filtre = {"resolue_le__isempty": choix} if choix else {}
    reponse = client.get(reverse("admin:paiements_anomalie_changelist"), filtre)

    page = reponse.content.decode()
    assert reponse.context["cl"].result_count == combien
    assert "à traiter</a>" in page
    assert "résolues</a>" in page


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
    dire(paiement, "CAPTURED", operation="CREDIT", montant=Decimal(70), uuid="c" * 32, trans_id="900001")
    imputation = paiement.imputations.get()
    entrer()

    page = client.post(
        geste(paiement.anomalies.get(), "reprendre"), {f"part_{imputation.pk}": "130", "motif": "vu"}, follow=True
    ).content.decode()

    assert f"{imputation.dette} (ce paiement y a porté 120,00\xa0€) : au plus 120,00\xa0€" in page


def test_ce_que_l_agent_a_repris_s_ecrit_a_la_francaise_dans_l_historique(client, entrer, plateforme):
    paiement = PaiementFactory(impute=True)
    dire(paiement, "CAPTURED", operation="CREDIT", montant=Decimal(70), uuid="c" * 32, trans_id="900001")
    plateforme(paiement, "AUTHORISED")
    entrer()

    client.post(
        geste(paiement.anomalies.get(), "reprendre"), {f"part_{paiement.imputations.get().pk}": "70,00", "motif": "vu"}
    )

    assert LogEntry.objects.get().change_message == "Reprendre ce que la banque ne tient plus : 70,00 : vu"
