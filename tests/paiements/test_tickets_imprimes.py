"""Le ticket imprimé : ce qu'il dit, et ce qu'il dit de plus quand l'argent est reparti."""

import io

import pytest
from django.urls import reverse
from pypdf import PdfReader

from comptes.models import Allocataire
from paiements.documents import tickets
from paiements.models import Paiement
from tests.factories import PaiementFactory, dire
from tests.paiements.livres import crediter, lire_la_structure, lire_le_pdf, rembourser, reprendre

pytestmark = pytest.mark.django_db


def test_le_pdf_se_telecharge_et_tient_sur_une_page(client, ticket):
    client.force_login(ticket.paiement.demarche.auteur)

    reponse = client.get(reverse("paiements:ticket", args=[ticket.paiement.reference]))

    pdf = PdfReader(io.BytesIO(reponse.content))
    assert reponse["Content-Type"] == "application/pdf"
    assert len(pdf.pages) == 1
    assert ticket.paiement.code in lire_le_pdf(reponse.content)


@pytest.mark.parametrize(
    ("repartir", "titre"),
    [
        (lambda paiement: dire(paiement, "CANCELLED"), "Ce paiement a été annulé"),
        (lambda paiement: crediter(paiement, paiement.montant), "La Caf vous a rendu cet argent"),
    ],
    ids=["annulé", "rendu"],
)
def test_le_ticket_et_la_page_d_un_paiement_reparti_depuis_le_disent(client, ticket, repartir, titre):
    client.force_login(ticket.paiement.demarche.auteur)

    def lire_mentions():
        adresses = {nom: reverse(f"paiements:{nom}", args=[ticket.paiement.reference]) for nom in ("ticket", "retour")}
        imprime = " ".join(lire_le_pdf(client.get(adresses["ticket"]).content).split())
        page = client.get(adresses["retour"], follow=True).content.decode()
        return "Depuis, ce paiement a été annulé ou rendu" in imprime, titre in page

    avant = lire_mentions()
    repartir(ticket.paiement)

    assert (avant, lire_mentions()) == ((False, False), (True, True))


def imprimer(paiement):
    """Le texte du ticket, ses lignes mises bout à bout."""
    return " ".join(lire_le_pdf(tickets.rendre_pdf(tickets.lire(Paiement.objects.get(pk=paiement.pk)))).split())


def test_chaque_valeur_suit_son_etiquette_meme_pour_qui_ne_lit_pas_les_balises():
    """Copié, indexé : « Référence » puis la sienne, et non toutes les étiquettes d'abord."""
    paiement = PaiementFactory(impute=True)

    assert f"Référence {paiement.demarche.reference} Numéro allocataire" in imprimer(paiement)


def test_le_ticket_dit_ce_qui_a_ete_rendu_depuis(paye, agent):
    paiement = paye(impute=True)
    avant = imprimer(paiement)
    reprendre(rembourser(paiement, 70), agent)

    assert "Depuis" not in avant
    assert "Depuis, 70,00 € de ce paiement vous ont été rendus." in imprimer(paiement)


def test_le_ticket_ne_dit_pas_rendu_ce_que_la_banque_tient_encore():
    paiement = PaiementFactory(impute=True)
    crediter(paiement, 120)
    dire(paiement, "AUTHORISED", uuid="d" * 32, trans_id="900009")

    assert "Depuis, ce paiement a été annulé ou doit vous être rendu" in imprimer(paiement)


def test_le_ticket_ne_dit_pas_rendu_ce_dont_la_banque_dit_deux_choses():
    paiement = PaiementFactory(impute=True)
    dire(paiement, "CAPTURED")
    dire(paiement, "CAPTURE_FAILED")
    avant = imprimer(paiement)
    crediter(paiement, 30)

    imprime = imprimer(paiement)

    assert "rendus" not in avant
    assert "Depuis, la banque dit deux choses de ce paiement." in avant
    assert "30,00 € de ce paiement vous ont été rendus" in imprime


def test_un_nom_d_un_seul_tenant_ne_sort_pas_de_la_page(ticket):
    # Une minuscule : les références, tirées au sort, ont des W majuscules.
    Allocataire.objects.update(nom="w" * 100)

    texte = lire_le_pdf(tickets.rendre_pdf(tickets.lire(ticket.paiement)))

    assert "w" * 100 not in texte
    assert texte.count("w") == 100


def test_le_pdf_est_balise_pour_les_lecteurs_d_ecran(ticket):
    pdf = PdfReader(io.BytesIO(tickets.rendre_pdf(tickets.lire(ticket.paiement))))
    racine = pdf.trailer["/Root"]

    assert racine["/MarkInfo"]["/Marked"]
    assert racine["/Lang"] == "fr"
    assert b"pdfuaid" in racine["/Metadata"].get_data()


def test_un_lecteur_d_ecran_y_trouve_titres_liste_et_entetes_de_tableau_dans_l_ordre(ticket):
    """Ce que demande un document lisible par tous (RGAA 13.3) : son titre, et la structure que suit la lecture."""
    racine = PdfReader(io.BytesIO(tickets.rendre_pdf(tickets.lire(ticket.paiement)))).trailer["/Root"]
    noeuds = list(lire_la_structure(racine["/StructTreeRoot"]))
    balises = [noeud["/S"] for noeud in noeuds]

    assert racine["/ViewerPreferences"]["/DisplayDocTitle"]
    assert [b for b in balises if b in ("/H1", "/H2", "/L", "/Table")] == ["/H1", "/H2", "/L", "/H2", "/Table"]
    entetes = {noeud["/ID"] for noeud in noeuds if noeud["/S"] == "/TH"}
    cellules = [noeud for noeud in noeuds if noeud["/S"] == "/TD"]
    assert len(entetes) >= 4
    assert cellules
    assert all(set(noeud["/A"]["/Headers"]) <= entetes for noeud in cellules)


def test_un_paiement_qui_n_a_pas_abouti_n_a_pas_de_ticket(client):
    paiement = PaiementFactory(refuse=True)
    client.force_login(paiement.demarche.auteur)

    assert client.get(reverse("paiements:ticket", args=[paiement.reference])).status_code == 404
