"""Une demande, où qu'elle en soit, se lit en anglais : sa page, son retour, ses papiers, son courriel."""

import io

import pytest
from django.conf import settings
from django.core import mail
from django.urls import reverse
from pypdf import PdfReader

from paiements.documents import envois
from paiements.models import Ticket
from paiements.statuts import Statut
from tests.connexion import entrer
from tests.factories import DemarcheFactory, DetteFactory, PaiementFactory, UtilisateurFactory, dire
from tests.langues import is_francais, lire_en_anglais, relever_le_francais
from tests.paiements.livres import crediter

pytestmark = pytest.mark.django_db


def lire_en_lignes(pdf: bytes) -> list[str]:
    return [ligne for page in PdfReader(io.BytesIO(pdf)).pages for ligne in page.extract_text().split("\n")]


def rembourser_en_partie(paiement):
    crediter(paiement, 70)


def debiter_apres_coup(paiement):
    dire(paiement, "AUTHORISED", uuid="e" * 32, trans_id="900009")


@pytest.mark.parametrize(
    ("jusqu_a", "ensuite"),
    [
        (Statut.EN_ATTENTE, None),
        (Statut.ACCEPTE, None),
        (Statut.ACCEPTE, rembourser_en_partie),
        (Statut.IMPUTE, None),
        (Statut.IMPUTE, rembourser_en_partie),
        (Statut.IMPUTE, debiter_apres_coup),
        (Statut.REFUSE, None),
        (Statut.REFUSE, debiter_apres_coup),
        (Statut.EXPIRE, None),
    ],
)
def test_ou_qu_elle_en_soit_une_demande_se_lit_en_anglais(client, jusqu_a, ensuite):
    paiement = PaiementFactory(jusqu_a=jusqu_a)
    if ensuite:
        ensuite(paiement)
    entrer(client, paiement.demarche.auteur.identifiant)
    lire_en_anglais(client)

    for adresse in (
        reverse("suivi:detail", args=[paiement.demarche.reference]),
        reverse("paiements:retour", args=[paiement.reference]),
        reverse("dettes:liste"),
    ):
        page = client.get(adresse)
        assert page.status_code == 200
        assert relever_le_francais(page.content.decode()) == []


@pytest.mark.parametrize("papier", ["ticket", "attestation"])
def test_un_papier_telecharge_est_dans_la_langue_de_qui_le_lit(client, papier):
    paiement = PaiementFactory(impute=True)
    entrer(client, paiement.demarche.auteur.identifiant)
    lire_en_anglais(client)

    pdf = b"".join(client.get(reverse(f"paiements:{papier}", args=[paiement.reference])))

    lignes = lire_en_lignes(pdf)
    assert [ligne for ligne in lignes if is_francais(ligne)] == []
    assert "€120.00" in " ".join(lignes)
    assert PdfReader(io.BytesIO(pdf)).trailer["/Root"]["/Lang"] == "en"


@pytest.mark.parametrize(("langue", "sujet"), [("en", "Your payment receipt"), ("fr", "Votre ticket de paiement")])
def test_le_ticket_part_dans_la_langue_ou_l_on_a_paye(client, langue, sujet):
    """L'ouvrier qui l'envoie ne sait rien du navigateur : la démarche s'en souvient."""
    personne = UtilisateurFactory()
    demarche = DemarcheFactory(
        auteur=personne, courriel="a@exemple.fr", lignes={DetteFactory(allocataire=personne.allocataire): 120}
    )
    entrer(client, personne.identifiant)
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = langue
    recap = client.get(reverse("demarches:recapitulatif", args=[demarche.reference]))
    client.post(reverse("paiements:payer", args=[demarche.reference]), {"empreinte": recap.context["empreinte"]})
    depart = client.get(reverse("paiements:payer", args=[demarche.reference]))
    dire(demarche.__class__.objects.get(pk=demarche.pk).paiement, "AUTHORISED")

    envois.envoyer(Ticket.objects.get().pk)

    assert f'name="vads_language" value="{langue}"' in depart.content.decode()
    (courriel,) = mail.outbox
    assert courriel.subject == sujet
    ecrit = courriel.body.split("\n") + lire_en_lignes(courriel.attachments[0].content)
    assert any(is_francais(ligne) for ligne in ecrit) is (langue == "fr")
