"""Le bureau du comptable : arrêter un ordre, clore sans débit, un impayé, et ce qui n'est à aucune Caf."""

import pytest
from django.urls import reverse

from comptes.models import Caf
from paiements.models import Anomalie, DemandeCloture, DemandeRestitution
from paiements.payzen import EchecRest
from paiements.retours import impaye, ordres, restitution
from paiements.statuts import Statut
from tests.factories import AgentFactory, CafFactory, PaiementFactory
from tests.paiements.bureau import fiche, geste

pytestmark = pytest.mark.django_db

Genre, Etat = Anomalie.Genre, DemandeRestitution.Etat


@pytest.fixture
def ordre():
    """Une restitution approuvée, que la plateforme n'a pas encore exécutée."""
    demande = restitution.demander(PaiementFactory(impute=True), motif="erreur", agent=AgentFactory().utilisateur)
    return restitution.decider(demande, accord=True, agent=AgentFactory(role="COMPTABLE").utilisateur)


def test_un_comptable_arrete_un_ordre_que_la_plateforme_n_a_pas_execute(client, entrer, plateforme, ordre):
    plateforme(ordre.paiement, "CAPTURED")
    entrer("COMPTABLE")

    page = client.post(geste(ordre, "abandonner"), {"motif": "rendu par virement"}, follow=True).content.decode()

    ordre.refresh_from_db()
    assert "L&#x27;ordre est arrêté" in page
    assert (ordre.etat, ordre.prochain_essai_le) == (Etat.ECHOUEE, None)
    assert "rendu par virement" in ordre.cause
    assert "rendu par virement" in client.get(fiche(ordre.paiement.anomalies.get())).content.decode()


def test_un_ordre_ne_s_arrete_pas_sans_reponse_de_la_plateforme(client, entrer, plateforme, ordre, settings):
    plateforme.serveur.post(f"{settings.PAYZEN_URL_API}Order/Get", status=500)
    with pytest.raises(EchecRest):
        ordres.executer(ordre)
    entrer("COMPTABLE")

    page = client.post(geste(ordre, "abandonner"), {"motif": "rendu par virement"}, follow=True).content.decode()

    ordre.refresh_from_db()
    assert "Ce geste n&#x27;est pas possible" in page
    assert ordre.etat == Etat.ENVOYEE


def test_un_impaye_s_enregistre_depuis_la_fiche_du_paiement(client, entrer):
    paiement = PaiementFactory(impute=True)
    agent = entrer("COMPTABLE")

    demande = client.get(fiche(paiement)).content.decode()
    client.post(geste(paiement, "impaye"), {"motif": "journal du 3", "montant": "120"})
    page = client.get(fiche(paiement)).content.decode()

    paiement.refresh_from_db()
    dit = paiement.debit.impayes.get()
    assert (paiement.statut, dit.motif, dit.auteur) == (Statut.REJETE, "journal du 3", agent)
    assert 'value="120,00"' in demande
    assert "repris par la banque : impayé" in page
    assert "Enregistrer un impayé</button>" not in page


def test_l_impaye_d_une_part_dit_son_montant_et_ce_qui_reste_a_faire(client, entrer):
    paiement = PaiementFactory(impute=True)
    entrer("COMPTABLE")

    trop = client.post(geste(paiement, "impaye"), {"motif": "JRI", "montant": "121"}, follow=True).content.decode()
    fait = client.post(geste(paiement, "impaye"), {"motif": "JRI", "montant": "5"}, follow=True).content.decode()
    alerte = client.get(fiche(paiement.anomalies.get(genre=Genre.IMPAYE))).content.decode()

    assert "l&#x27;impayé est du débit entier, 120,00\xa0€, ou moins" in trop
    assert "L&#x27;impayé de 5,00\xa0€ est enregistré ; de quelles dettes le reprendre est à dire" in fait
    assert "repris par la banque : impayé de 5,00\xa0€" in alerte
    assert "5,00\xa0€ sont encore sur les dettes" in alerte


def test_un_impaye_enregistre_a_tort_s_annule_depuis_sa_fiche(client, entrer):
    paiement = PaiementFactory(impute=True)
    impaye.enregistrer(paiement, motif="JRI", agent=entrer("COMPTABLE"))
    anomalie = paiement.anomalies.get(genre=Genre.IMPAYE)

    client.post(geste(anomalie, "annuler_impaye"), {"motif": "mauvaise ligne"})
    deuxieme = client.post(geste(anomalie, "annuler_impaye"), {"motif": "encore"}, follow=True).content.decode()

    anomalie.refresh_from_db()
    paiement.refresh_from_db()
    assert (anomalie.etat, anomalie.etapes.last().motif) == (Anomalie.Etat.CLOSE, "mauvaise ligne")
    assert "déjà annulé" in deuxieme
    assert (paiement.statut, paiement.solde.tenu) == (Statut.ACCEPTE, paiement.montant)


def test_un_autre_role_n_annule_pas_un_impaye(client, entrer):
    paiement = PaiementFactory(impute=True)
    impaye.enregistrer(paiement, motif="JRI", agent=AgentFactory(role="COMPTABLE").utilisateur)
    entrer("GESTION")
    anomalie = paiement.anomalies.get(genre=Genre.IMPAYE)

    assert client.post(geste(anomalie, "annuler_impaye"), {"motif": "non"}).status_code == 403


def test_un_paiement_se_clot_sans_debit_par_deux_personnes(client, entrer):
    paiement = PaiementFactory()
    entrer("GESTION")
    client.post(geste(paiement, "clore"), {"motif": "boutique fermée, rien au Back Office"})
    demande = DemandeCloture.objects.get()
    entrer("COMPTABLE")
    fiche_du_paiement = client.get(fiche(paiement)).content.decode()

    client.post(geste(demande, "approuver"), {"motif": "vu"})

    paiement.refresh_from_db()
    demande.refresh_from_db()
    assert "boutique fermée, rien au Back Office" in fiche_du_paiement
    assert (demande.accord, paiement.statut) == (True, Statut.EXPIRE)


def test_une_cloture_refusee_laisse_le_paiement_attendre(client, entrer):
    paiement = PaiementFactory()
    entrer("RESPONSABLE")
    client.post(geste(paiement, "clore"), {"motif": "boutique fermée"})
    demande = DemandeCloture.objects.get()
    seul = client.post(geste(demande, "approuver")).status_code
    entrer("COMPTABLE")

    client.post(geste(demande, "refuser"), {"motif": "non"})

    paiement.refresh_from_db()
    demande.refresh_from_db()
    assert (seul, demande.accord, paiement.statut) == (403, False, Statut.EN_ATTENTE)


def test_une_cloture_se_demande_une_fois_et_seulement_d_un_paiement_qui_attend(client, entrer):
    en_attente, impute = PaiementFactory(), PaiementFactory(impute=True)
    entrer("GESTION")
    client.post(geste(en_attente, "clore"), {"motif": "boutique fermée"})

    deuxieme = client.post(geste(en_attente, "clore"), {"motif": "encore"}, follow=True).content.decode()
    trop_tard = client.post(geste(impute, "clore"), {"motif": "non"}, follow=True).content.decode()

    assert "sa clôture est déjà demandée" in deuxieme
    assert "le paiement est imputé" in trop_tard
    assert "Demander la clôture sans débit</button>" not in deuxieme + trop_tard
    assert DemandeCloture.objects.count() == 1


@pytest.mark.parametrize("connue", [True, False])
def test_un_message_illisible_va_aux_agents_de_sa_caf(client, entrer, notifier, connue):
    paiement = PaiementFactory()
    notifier(
        paiement, "AUTHORISED", vads_amount="beaucoup", vads_order_id=paiement.reference if connue else "MANUEL-1"
    )
    entrer()

    anomalie = Anomalie.objects.get()

    assert (anomalie.caf, anomalie.paiement) == (paiement.caf, paiement if connue else None)
    assert client.get(fiche(anomalie)).status_code == 200


def test_ce_qui_n_est_a_aucune_caf_est_a_tous_les_agents(client, entrer, notifier):
    paiement = PaiementFactory()
    Caf.objects.update(boutique="")
    notifier(paiement, "AUTHORISED", vads_order_id="MANUEL-1")
    anomalie = Anomalie.objects.get()
    entrer(cafs=[CafFactory(code="751", nom="Caf de Paris", boutique="75100001")])

    client.post(geste(anomalie, "ecarter"), {"motif": "rendu au Back Office"})
    accueil = client.get(reverse("admin:index")).content.decode()

    anomalie.refresh_from_db()
    assert (anomalie.genre, anomalie.caf, anomalie.etat) == (Genre.REFERENCE_INCONNUE, None, "ECARTEE")
    assert Genre.REFERENCE_INCONNUE.label not in accueil
