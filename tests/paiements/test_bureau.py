"""Le bureau des agents : ce qu'ils voient des paiements, et ce que leurs boutons font."""

from datetime import timedelta
from decimal import Decimal

import pytest
from allauth.mfa.totp.internal.auth import TOTP
from django.contrib.admin.models import LogEntry
from django.urls import reverse
from django.utils import timezone

from dettes.models import FichierRecu, Mouvement
from paiements import controle, restitution
from paiements.imputation import imputer_un_lot
from paiements.models import Anomalie, DemandeRestitution
from paiements.statuts import Statut
from tests.factories import AgentFactory, CafFactory, DetteFactory, PaiementFactory, demander, dire

pytestmark = pytest.mark.django_db


@pytest.fixture
def entrer(client):
    """Un agent à son bureau : `entrer("COMPTABLE")`."""

    def entrer(role="GESTION", **champs):
        agent = AgentFactory(role=role, **champs)
        TOTP.activate(agent.utilisateur, "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP")
        client.force_login(agent.utilisateur)
        return agent.utilisateur

    return entrer


def fiche(objet):
    return reverse(f"admin:{objet._meta.app_label}_{objet._meta.model_name}_change", args=[objet.pk])


def geste(objet, nom):
    return reverse(f"admin:{objet._meta.model_name}_geste", args=[objet.pk, nom])


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


def test_une_plateforme_muette_se_dit_a_l_agent(client, entrer, plateforme, settings):
    paiement = PaiementFactory()
    plateforme.serveur.post(f"{settings.PAYZEN_URL_API}Order/Get", status=500)
    entrer()

    page = client.post(geste(paiement, "interroger"), follow=True).content.decode()

    paiement.refresh_from_db()
    assert "n&#x27;est pas possible" in page
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
    assert anomalie.resolue_le is None


def test_l_accueil_dit_ce_qui_attend(client, entrer):
    faire_un_reliquat()
    entrer()

    page = client.get(reverse("admin:index")).content.decode()

    assert "Reste qui ne tient plus sur les dettes" in page
    assert "100,00\xa0€" in page


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
    assert "<strong>En retard</strong> : 1 contrôle, 0 ticket" in page


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
