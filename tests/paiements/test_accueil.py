"""L'accueil du bureau : ce qui attend un agent, l'argent retenu et mis de côté, la journée, les liens ; de ses Caf."""

import re
from datetime import timedelta
from decimal import Decimal
from html import unescape

import pytest
from django.urls import reverse
from django.utils import timezone

from dettes.models import FichierRecu
from paiements.file.tenue import mettre_de_cote
from paiements.models import Anomalie, Paiement, Ticket
from paiements.retours import cloture, ordres, restitution
from paiements.verification import interroger
from tests.factories import AgentFactory, CafFactory, PaiementFactory, dire
from tests.paiements.bureau import faire_un_reliquat, reprendre

pytestmark = pytest.mark.django_db

RETARD = timedelta(minutes=10)


@pytest.fixture(autouse=True)
def heure_arretee(time_machine):
    """Un essai qui commence avant minuit finit le même jour."""
    time_machine.move_to(timezone.now(), tick=False)


@pytest.fixture
def lire(client):
    """La page d'accueil, telle que l'agent connecté la lit."""
    return lambda: client.get(reverse("admin:index")).content.decode()


def debiter_deux_fois(paiement):
    dire(paiement, "AUTHORISED", uuid="d" * 32, montant=Decimal(70), trans_id="900002")
    return paiement.anomalies.get(transaction="d" * 32)


def recevoir_une_livraison(caf, jours=0):
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


def test_l_accueil_dit_ce_qui_attend(entrer, lire):
    faire_un_reliquat()
    entrer()

    page = lire()

    assert "Reste qui ne tient plus sur les dettes" in page
    assert '<div id="content" class="colM">' in page
    assert re.search(">1</a></td><td[^>]*>100,00\xa0€</td><td[^>]*>à l’instant</td>", page)


def test_l_argent_retenu_ne_compte_pas_ce_que_la_banque_ne_tient_plus(entrer, lire):
    paiement = PaiementFactory(impute=True)
    dire(paiement, "CAPTURED", operation="CREDIT", montant=Decimal(20), uuid="c" * 32, parent=paiement.debit_id)
    entrer()

    page = lire()

    assert "Annulé ou remboursé à la banque" in page
    assert re.search(">1</a></td><td[^>]*>0,00\xa0€</td>", page)


def test_l_argent_mis_de_cote_reste_compte_tant_que_la_banque_le_tient(entrer, lire):
    agent = entrer()
    rendu, tenu = debiter_deux_fois(PaiementFactory(impute=True)), faire_un_reliquat()[1]
    for anomalie in (rendu, tenu):
        mettre_de_cote(anomalie, motif="vu", agent=agent)
    avant = lire()

    dire(rendu.paiement, "CANCELLED", uuid="d" * 32, montant=Decimal(70), trans_id="900002")
    apres = lire()

    assert "2 anomalies mises de côté</a> : 170,00\xa0€ que la banque tient encore" in avant
    assert "1 anomalie mise de côté</a> : 100,00\xa0€ que la banque tient encore" in apres


def test_un_debit_mis_de_cote_deux_fois_ne_compte_qu_une_fois(entrer, lire, plateforme):
    paiement, reliquat = faire_un_reliquat()
    plateforme(paiement, "CAPTURED")
    agent = entrer()
    demande = restitution.demander(paiement, motif="trop", agent=agent, anomalie=reliquat)
    restitution.decider(demande, accord=True, agent=AgentFactory(role="COMPTABLE").utilisateur)
    ordres.abandonner(demande, motif="rendu par chèque", agent=agent)
    for anomalie in paiement.anomalies.ouvertes():
        mettre_de_cote(anomalie, motif="vu", agent=agent)

    assert "2 anomalies mises de côté</a> : 100,00\xa0€" in lire()


def test_l_accueil_compte_ce_que_la_banque_tient_vraiment_des_paiements_du_jour(entrer, lire):
    rendu, entame, _tenu = [PaiementFactory(impute=True) for _ in range(3)]
    dire(rendu, "CANCELLED")
    dire(entame, "CAPTURED", operation="CREDIT", montant=Decimal(20), uuid="c" * 32, parent=entame.debit_id)
    reprendre(entame, entrer())

    page = lire()

    assert "3 acceptés</a> ; de ceux-là, la banque tient 220,00\xa0€." in page
    assert "0 paiement à confirmer" in page


def test_l_accueil_dit_les_taches_en_retard(entrer, lire, time_machine):
    PaiementFactory()
    PaiementFactory(verifie=True)
    entrer()
    calme = lire()

    time_machine.move_to(timezone.now() + timedelta(minutes=70), tick=False)
    entrer()  # la session a fini entre-temps
    page = lire()

    assert "rien n’est en retard" in calme
    assert "<strong>En retard</strong>" in page
    for mot in ("2 interrogations</a>", "1 imputation</a>", "0 ticket</a>"):
        assert mot in page


def test_l_accueil_dit_les_notifications_perdues(entrer, lire, plateforme):
    PaiementFactory(accepte=True)
    perdu = PaiementFactory()
    entrer()
    calme = lire()

    plateforme(perdu, "AUTHORISED", source="REST")
    interroger.interroger(perdu.pk)
    page = lire()

    assert "Notifications perdues" not in calme
    assert "<strong>Notifications perdues</strong> : depuis deux heures, " in page
    assert ">1 paiement accepté</a> sans" in page
    assert "Dernière notification de PayZen : à l’instant" in page


def test_l_accueil_dit_la_caf_que_l_on_n_entend_plus(entrer, lire):
    cafs = [CafFactory(), CafFactory(code="751", nom="Caf de Paris", boutique="75100001")]
    for jours, caf in zip((0, 9), cafs, strict=True):
        recevoir_une_livraison(caf, jours)
    entrer(cafs=cafs)

    assert ">livré il y a 1\xa0semaine" in lire()


@pytest.fixture
def de_tout(plateforme):
    """Une Caf où tout ce que l'accueil compte existe une fois."""
    agent = AgentFactory().utilisateur
    faire_un_reliquat()
    mettre_de_cote(debiter_deux_fois(PaiementFactory(impute=True)), motif="vu", agent=agent)
    restitution.demander(PaiementFactory(impute=True), motif="trop", agent=agent)
    cloture.demander(PaiementFactory(), motif="clés perdues", agent=agent)
    Paiement.objects.filter(pk=PaiementFactory(accepte=True).pk).update(confirme_le=timezone.now())
    Paiement.objects.filter(pk=PaiementFactory(verifie=True).pk).update(imputer_le=timezone.now() - RETARD)
    Ticket.objects.create(paiement=PaiementFactory(), prochain_essai_le=timezone.now() - RETARD)
    Paiement.objects.filter(pk=PaiementFactory().pk).update(prochain_controle_le=timezone.now() - RETARD)
    perdu = PaiementFactory()
    plateforme(perdu, "AUTHORISED", source="REST")
    interroger.interroger(perdu.pk)
    recevoir_une_livraison(CafFactory())


# Ce que dit l'accueil quand il y a quelque chose, et quand il n'y a rien.
COMPTES = {
    "anomalies": ("Reste qui ne tient plus", "Aucune anomalie ouverte"),
    "mises de côté": ("1 anomalie mise de côté</a> : 70,00", "0 anomalie mise de côté</a> : 0,00"),
    "à confirmer": ("1 paiement à confirmer", "0 paiement à confirmer"),
    "restitutions": ("1 restitution à approuver", "0 restitution à approuver"),
    "clôtures": ("1 clôture sans débit, ou confirmation à deux, à", "0 clôture sans débit, ou confirmation à deux, à"),
    "journée": (" paiements demandés</a>, ", "0 accepté</a> ; de ceux-là, la banque tient 0,00"),
    "notification": ("PayZen : à l’instant", "PayZen : aucune"),
    "notifications perdues": ("Notifications perdues", "Dernière notification"),
    "livraison": ("livré à l’instant", "le plus longtemps : aucune"),
    "interrogations": ("1 interrogation</a>", "rien n’est en retard"),
    "imputations": ("1 imputation</a>", "rien n’est en retard"),
    "tickets": ("1 ticket</a>", "rien n’est en retard"),
}


def test_l_accueil_ne_dit_que_ce_qui_est_aux_caf_de_l_agent(entrer, lire, de_tout):
    entrer()
    la_sienne = lire()
    entrer(cafs=[CafFactory(code="751", nom="Caf de Paris", boutique="75100001")])
    d_une_autre = lire()

    assert {nom for nom, (present, _) in COMPTES.items() if present not in la_sienne} == set()
    assert {nom for nom, (present, _) in COMPTES.items() if present in d_une_autre} == set()
    assert {nom for nom, (_, absent) in COMPTES.items() if absent not in d_une_autre} == set()


# Ce que compte l'accueil, et dont chaque nombre mène à ses lignes ; la courbe a les siens.
COMPTEES = (
    *("paiement à confirmer", "restitution à approuver", "mise de côté à approuver", "clôture sans débit"),
    *("anomalie mise de côté", "paiements demandés", "acceptés", "finis", "à la banque", "refusé", "abandonné"),
    *("expiré", "paiement accepté", "interrogation", "imputation", "ticket", "reçu", "envoyé"),
)


def test_chaque_chiffre_mene_a_exactement_ses_lignes(client, entrer, lire, de_tout):
    entrer()
    accueil = lire()
    accueil = accueil[accueil.index('<section class="accueil">') :].partition("</section>")[0]
    liens = re.findall(r'<a href="([^"]+)">(\d+)([^<]*)</a>', accueil)
    jours = [lien for lien in liens if "cree_le__lt" in lien[0]]

    comptes = {lien: compter_les_lignes(client, lien[0]) for lien in liens if lien not in jours[4:]}

    assert {lien for lien, compte in comptes.items() if compte != int(lien[1])} == set()
    assert len(jours) == 60
    assert [mot for mot in COMPTEES if not any(mot in texte for _, _, texte in liens)] == []


def compter_les_lignes(client, adresse):
    return len(client.get(unescape(adresse)).context["cl"].result_list)


def test_une_anomalie_ancienne_mene_a_ses_lignes_et_sa_somme_est_celle_de_la_liste(
    client, entrer, lire, de_tout, time_machine
):
    time_machine.move_to(timezone.now() + timedelta(days=8))
    faire_un_reliquat()
    entrer()
    accueil = lire()

    vieille = re.search(r'<strong><a href="([^"]+)">1</a></strong>, 100,00', accueil)
    toutes = re.search(r'<a href="([^"]+genre__exact=RELIQUAT[^"]*)">2</a></td><td[^>]*>200,00', accueil)

    assert compter_les_lignes(client, vieille[1]) == 1
    assert compter_les_lignes(client, toutes[1]) == 2
    page = client.get(unescape(toutes[1])).content.decode()
    assert "Tenu par la banque dans cette liste : 200,00\xa0€" in page


def test_l_accueil_coute_autant_pour_beaucoup_que_pour_peu(
    client, entrer, lire, de_tout, django_assert_num_queries, django_assert_max_num_queries
):
    entrer()
    lire()
    with django_assert_max_num_queries(32) as peu:
        lire()
    for _ in range(3):
        debiter_deux_fois(PaiementFactory(impute=True))
        faire_un_reliquat()

    with django_assert_num_queries(len(peu)):
        lire()


def test_une_espece_d_une_version_plus_recente_n_arrete_pas_le_bureau(client, entrer):
    """On en est revenu ; ce qu'elle a ouvert se lit, et attend qu'elle revienne."""
    paiement = PaiementFactory()
    Anomalie.objects.create(genre="ESPECE_A_VENIR", cle="x", paiement=paiement, caf=paiement.caf)
    entrer()

    accueil = client.get(reverse("admin:index"))
    liste = client.get(reverse("admin:paiements_anomalie_changelist"))

    assert (accueil.status_code, liste.status_code) == (200, 200)
    assert "ESPECE_A_VENIR" in accueil.content.decode()
    assert "Une version plus récente du service l&#x27;a ouverte" in liste.content.decode()
