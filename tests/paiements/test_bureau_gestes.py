"""Ce que les boutons du bureau font de plus : rendre une part, laisser de côté à deux, renvoyer un ticket, régler."""

from decimal import Decimal

import pytest
from django.contrib.admin.models import LogEntry

from paiements.models import Anomalie, DemandeMiseDeCote, DemandeRestitution, Ticket
from paiements.retours import restitution
from tests.factories import AgentFactory, CafFactory, PaiementFactory, dire
from tests.paiements.bureau import faire_un_reliquat, fiche, geste

pytestmark = pytest.mark.django_db


def test_une_part_se_demande_avec_des_montants_tapes_comme_ils_s_affichent(client, entrer, plateforme, paye, dettes):
    paiement = paye(impute=True)
    plateforme(paiement, "CAPTURED")
    entrer()
    assert "ce paiement y a imputé 100,00\xa0€" in client.get(fiche(paiement)).content.decode()

    saisie = {f"part_{dettes[0].pk}": "12,50\xa0€", f"part_{dettes[1].pk}": "", "motif": "trop payé"}
    client.post(geste(paiement, "restituer_une_part"), saisie)

    demande = DemandeRestitution.objects.get()
    assert demande.montant == Decimal("12.50")
    page = client.get(fiche(demande)).content.decode()
    assert f"la dette {dettes[0]} remontera de 12,50\xa0€" in page


def test_une_part_approuvee_avant_la_remise_dit_ce_qu_on_attend(client, entrer, paye, dettes):
    demande = restitution.demander_une_part(
        paye(impute=True), {dettes[0].pk: Decimal(10)}, motif="trop", agent=AgentFactory().utilisateur
    )
    entrer("COMPTABLE")
    avant = client.get(fiche(demande)).content.decode()

    client.post(geste(demande, "approuver"), {"motif": "vu"})
    page = client.get(fiche(demande)).content.decode()

    assert "remis en banque, la nuit" not in avant
    assert "remis en banque, la nuit" in page
    assert "est remontée de 10,00\xa0€" in page
    assert "Prochain essai" in page


def test_on_ne_demande_a_rendre_qu_apres_avoir_relu_la_banque(client, entrer, plateforme):
    paiement = PaiementFactory()
    dire(paiement, "AUTHORISED", montant=Decimal(121))
    anomalie = Anomalie.objects.get(paiement=paiement)
    plateforme(paiement, "AUTHORISED", uuid=anomalie.transaction_id)
    entrer()
    page = client.get(fiche(anomalie)).content.decode()
    assert "D&#x27;abord interroger PayZen" in page
    assert page.index("Interroger PayZen</button>") < page.index("Mettre de côté</button>")

    client.post(geste(anomalie, "restituer"), {"motif": "autre montant"})

    anomalie.refresh_from_db()
    assert not DemandeRestitution.objects.filter(montant=121)


def test_mettre_de_cote_une_grosse_somme_passe_par_un_comptable(client, entrer):
    paiement, anomalie = faire_un_reliquat()
    paiement.caf.seuil_mise_de_cote = Decimal(50)
    paiement.caf.save()
    entrer("GESTION")
    page = client.get(fiche(anomalie)).content.decode()
    assert "Demander la mise de côté</button>" in page
    assert "Mettre de côté</button>" not in page
    client.post(geste(anomalie, "ecarter_a_deux"), {"motif": "rendu par chèque"})
    demande = DemandeMiseDeCote.objects.get()
    entrer("COMPTABLE")

    sans_raison = client.post(geste(demande, "approuver"), {"motif": ""}, follow=True).content.decode()
    client.post(geste(demande, "approuver"), {"motif": "chèque vu"})

    anomalie.refresh_from_db()
    assert "Rien n&#x27;a été fait" in sans_raison
    assert anomalie.etat == Anomalie.Etat.ECARTEE
    assert "100,00\xa0€" in client.get(fiche(demande)).content.decode()


def test_un_ticket_se_renvoie_a_l_adresse_que_l_allocataire_a_dite(client, entrer, ticket):
    Ticket.objects.filter(pk=ticket.pk).update(etat="IMPOSSIBLE", prochain_essai_le=None)
    paiement = ticket.paiement
    entrer()

    client.post(geste(paiement, "ticket"), {"courriel": "juste@exemple.fr", "motif": "au téléphone, le 28"})

    for objet in (ticket, paiement.demarche):
        objet.refresh_from_db()
    assert (ticket.etat, paiement.demarche.courriel) == ("A_ENVOYER", "juste@exemple.fr")
    assert "juste@" not in LogEntry.objects.get().change_message


def test_le_responsable_regle_les_seuils_de_sa_caf(client, entrer):
    caf = CafFactory()
    entrer("RESPONSABLE")

    client.post(geste(caf, "seuils"), {"seuil_controle": "1 500,00 €", "seuil_mise_de_cote": "", "motif": "décision"})

    caf.refresh_from_db()
    assert (caf.seuil_controle, caf.seuil_mise_de_cote) == (Decimal(1500), None)
    assert "décision" in LogEntry.objects.get().change_message


@pytest.mark.parametrize("role", ["CONSULTATION", "GESTION", "COMPTABLE"])
def test_les_seuils_ne_sont_a_personne_d_autre(client, entrer, role):
    caf = CafFactory()
    entrer(role)

    assert client.post(geste(caf, "seuils"), {"seuil_controle": "1", "motif": "x"}).status_code == 403


def test_rouvrir_le_service_demande_une_raison(client, entrer):
    caf = CafFactory(suspendue=True)
    entrer("RESPONSABLE")

    client.post(geste(caf, "rouvrir"), {"motif": ""})
    caf.refresh_from_db()
    assert not caf.ouverte
    client.post(geste(caf, "rouvrir"), {"motif": "réparé"})
    caf.refresh_from_db()

    assert caf.ouverte


def test_la_file_montre_d_abord_la_plus_grosse_somme(client, entrer):
    petite, grosse = faire_un_reliquat()[1], PaiementFactory(impute=True)
    dire(grosse, "AUTHORISED", uuid="d" * 32, montant=Decimal(700), trans_id="900002")
    entrer()

    page = client.get("/agents/paiements/anomalie/").content.decode()

    assert page.index("700,00") < page.index(fiche(petite))
    assert "Tenu par la banque dans cette liste : 800,00" in page
