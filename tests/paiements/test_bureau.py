"""Le bureau des agents : ce qu'ils voient des paiements, et ce que leurs boutons font."""

import re
from decimal import Decimal

import pytest
from django.contrib.admin.models import LogEntry
from django.urls import reverse

from paiements.causes import par_service
from paiements.file.tenue import mettre_de_cote, signaler
from paiements.models import Anomalie, DemandeRestitution
from paiements.retours import ordres, restitution
from paiements.statuts import Statut
from paiements.verification import interroger
from tests.factories import AgentFactory, CafFactory, PaiementFactory, demander, dire
from tests.paiements.bureau import faire_un_reliquat, fiche, geste, rembourser

pytestmark = pytest.mark.django_db


def lire_la_colonne(page, champ):
    """Ce que dit, ligne après ligne, une colonne des tableaux d'une fiche."""
    return re.findall(rf'<td class="field-{champ}" data-label="[^"]+">(.*?)</td>', page, re.DOTALL)


def test_la_fiche_d_un_paiement_dit_toute_sa_vie(client, entrer):
    paiement = PaiementFactory(impute=True)
    entrer("CONSULTATION")

    page = client.get(fiche(paiement)).content.decode()

    for mot in ("en attente de la banque", "imputé à 1 dette<", "a appris quelque chose", "•••• 0055"):
        assert mot in page


def test_la_fiche_d_un_paiement_a_une_ligne_par_debit_et_par_credit_de_la_banque(client, entrer):
    paiement = PaiementFactory(impute=True)
    dire(paiement, "AUTHORISED", uuid="d" * 32, montant=Decimal(70), trans_id="900002")
    rembourser(paiement, 20)
    entrer()

    page = client.get(fiche(paiement)).content.decode()

    assert page.count(">le débit du paiement, accordé (AUTHORISED)") == 1
    assert lire_la_colonne(page, "identifiant")[:3] == [paiement.debit_id, "d" * 32, "c" * 32]
    assert lire_la_colonne(page, "tenu") == ["100,00\xa0€", "70,00\xa0€", "-"]
    assert lire_la_colonne(page, "debit_rembourse") == ["-", "-", paiement.debit_id]


def test_la_fiche_d_un_paiement_montre_le_journal_de_ses_anomalies(client, entrer):
    _, anomalie = faire_un_reliquat()
    mettre_de_cote(anomalie, motif="vu avec la comptabilité", agent=entrer())

    page = client.get(fiche(anomalie.paiement)).content.decode()

    journal = lire_la_colonne(page, "journal")[0]
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
    interroger.interroger(paiement.pk)
    agent = entrer()

    client.post(geste(paiement, "confirmer"), {"motif": "justificatif vu"})

    paiement.refresh_from_db()
    etape = paiement.etapes.get(geste="verifier")
    assert (paiement.statut, etape.auteur, etape.motif) == (Statut.VERIFIE, agent.identifiant, "justificatif vu")


def test_une_restitution_passe_par_deux_personnes(client, entrer, plateforme):
    paiement = PaiementFactory(impute=True)
    plateforme(paiement, "AUTHORISED")
    entrer("GESTION")
    client.post(geste(paiement, "restituer"), {"motif": "payé deux fois"})
    demande = DemandeRestitution.objects.get()
    entrer("COMPTABLE")

    client.post(geste(demande, "approuver"), {"motif": "vu"})

    demande.refresh_from_db()
    assert demande.etat == DemandeRestitution.Etat.APPROUVEE
    assert ordres.reserver(10) == [demande.pk]


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


def test_seul_l_argent_attend_la_fin_d_une_restitution(client, entrer):
    """Un ticket impossible à envoyer se règle tout de suite : sa fiche ne renvoie pas à une restitution."""
    paiement, anomalie = faire_un_reliquat()
    refus = {"detail": "adresse refusée", "paiement": paiement, "cause": par_service("essai")}
    signaler(Anomalie.Genre.COURRIEL_IMPOSSIBLE, paiement.reference, **refus)
    restitution.demander(paiement, motif="trop", agent=AgentFactory().utilisateur, anomalie=anomalie)
    entrer()

    fiches = {a.genre: client.get(fiche(a)).content.decode() for a in paiement.anomalies.all()}

    attendent = {genre for genre, page in fiches.items() if "Une restitution de ce paiement est en cours" in page}
    assert (attendent, len(fiches)) == ({Anomalie.Genre.RELIQUAT}, 2)
