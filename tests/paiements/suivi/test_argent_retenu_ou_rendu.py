"""Ce que le suivi dit d'un débit retenu, d'un deuxième débit, et de ce qui est rendu."""

from decimal import Decimal

import pytest
from django.urls import reverse
from django.utils import timezone

from paiements.file.tenue import mettre_de_cote
from paiements.models import DemandeRestitution
from paiements.suivi.progres import dire_ou_en_est
from tests.factories import AgentFactory, dire
from tests.paiements.suivi.conftest import annuler, get_frise, rembourser, retenir

pytestmark = pytest.mark.django_db

LISTE = "/mon-compte/demarches/"


@pytest.mark.parametrize(
    ("fin", "titre"), [("refuse", "Refusée par la banque"), ("expire", "Non réalisée")], ids=["refusée", "expirée"]
)
def test_une_demarche_sans_suite_se_recommence(voir, payer, fin, titre):
    reponse = voir("detail", payer(**{fin: True}).demarche)

    page = reponse.content.decode()
    assert get_frise(reponse)[-1] == (titre, "echec")
    assert "Recommencer" in page
    assert "À notre connaissance, votre carte n’a pas été débitée" in page


@pytest.mark.parametrize(
    ("repartir", "attendu", "derniere"),
    [
        (annuler, "La banque a annulé ce paiement, ou en a repris l’argent.", ("Annulée par la banque", "echec")),
        (rembourser, "La Caf vous a rendu cet argent", ("Restituée", "fait")),
    ],
    ids=["annulé", "remboursé"],
)
def test_l_argent_reparti_apres_coup_s_explique(voir, payer, repartir, attendu, derniere):
    paiement = payer(accepte=True)
    repartir(paiement)

    reponse = voir("detail", paiement.demarche)

    assert attendu in reponse.content.decode()
    assert get_frise(reponse) == [("Demandée", "fait"), ("Enregistrée", "fait"), derniere]
    assert "Recommencer" not in reponse.content.decode()


@pytest.mark.parametrize("fin", ["refuse", "expire"])
def test_sans_suite_la_frise_dit_le_debit_retenu(voir, payer, fin):
    paiement = payer(**{fin: True})
    retenir(paiement)

    page = voir("detail", paiement.demarche).content.decode()

    assert "Un débit annoncé par la banque est examiné par un agent." in page
    assert "Aucun débit à notre connaissance" not in page
    assert "La banque annonce un débit de 6,00\u00a0€, que nous vérifions" in page


def test_a_la_banque_un_debit_retenu_remplace_l_attente(voir, payer):
    paiement = payer()
    retenir(paiement)

    reponse = voir("detail", paiement.demarche)

    page = reponse.content.decode()
    assert "La banque annonce un débit de 6,00\u00a0€, que nous vérifions" in page
    assert "Nous attendons la réponse de votre banque" not in page
    assert "vous pourrez recommencer" not in page
    assert get_frise(reponse)[1] == ("À la banque", "en_cours")


def test_ce_qui_reste_a_rendre_n_est_pas_dit_rendu(voir, payer):
    paiement = payer(accepte=True)
    rembourser(paiement)
    retenir(paiement)

    reponse = voir("detail", paiement.demarche)

    page = reponse.content.decode()
    assert get_frise(reponse)[-1] == ("Restitution en cours", "en_cours")
    assert "La banque tient encore 6,00\u00a0€" in page
    assert "La Caf vous a rendu" not in page


@pytest.mark.parametrize(
    ("trait", "repartir", "phrase"),
    [
        ("accepte", None, "La banque tient aussi 6,00\u00a0€ en plus de ce paiement."),
        ("impute", None, "La banque tient aussi 6,00\u00a0€ en plus de ce paiement."),
        ("impute", annuler, "La banque tient encore 6,00\u00a0€ pour cette démarche."),
    ],
)
def test_un_deuxieme_debit_se_dit_a_cote_du_premier(voir, payer, trait, repartir, phrase):
    paiement = payer(**{trait: True})
    if repartir:
        repartir(paiement)
    avant = voir("detail", paiement.demarche).content.decode()

    retenir(paiement)

    assert phrase not in avant
    assert phrase in voir("detail", paiement.demarche).content.decode()


@pytest.fixture
def rendre_a_part():
    """Une restitution faite d'un débit que la banque a défait : `rendre_a_part(paiement, "d" * 32)`."""

    def rendre(paiement, debit):
        demandeur, approbateur = (AgentFactory(role=role).utilisateur for role in ("GESTION", "COMPTABLE"))
        DemandeRestitution.objects.create(
            paiement=paiement,
            montant=6,
            motif="à rendre",
            debit_id=debit,
            demandeur=demandeur,
            approbateur=approbateur,
            decidee_le=timezone.now(),
            etat="FAITE",
        )

    return rendre


def defaire(paiement):
    """Le débit examiné est défait par la banque."""
    retenir(paiement)
    dire(paiement, "CANCELLED", uuid="d" * 32, montant=Decimal(6))


def test_un_debit_de_trop_rendu_par_la_caf_se_dit(voir, payer, rendre_a_part):
    paiement = payer(impute=True)
    defaire(paiement)
    rendre_a_part(paiement, "d" * 32)

    assert "La Caf vous a rendu 6,00\u00a0€, débités en trop" in voir("detail", paiement.demarche).content.decode()


def test_une_part_du_paiement_rendue_ne_se_dit_pas_debitee_en_trop(voir, payer, rendre_a_part):
    paiement = payer(impute=True)
    rendre_a_part(paiement, paiement.debit_id)

    assert "débités en trop" not in voir("detail", paiement.demarche).content.decode()


def test_ce_que_la_banque_rend_se_dit_avant_qu_un_agent_agisse(voir, payer):
    paiement = payer(impute=True)
    rembourser(paiement, "50.00")

    page = voir("detail", paiement.demarche).content.decode()

    assert "50,00\u00a0€ de ce paiement vous sont rendus" in page
    assert "50,00\u00a0€ sont encore comptés sur vos dettes\u00a0: elles remonteront d’autant" in page


@pytest.mark.parametrize("trait", ["refuse", "expire"])
def test_ce_qui_a_ete_debite_puis_rendu_ne_se_dit_pas_jamais_debite(voir, payer, rendre_a_part, trait):
    paiement = payer(**{trait: True})
    defaire(paiement)
    rendre_a_part(paiement, "d" * 32)

    page = voir("detail", paiement.demarche).content.decode()

    assert "elle vous est rendue" in page
    assert "Ce que la banque avait débité vous est rendu." in page
    assert "n’a pas été débitée" not in page
    assert "Aucun débit" not in page


@pytest.mark.parametrize("fin", ["refuse", "expire"])
def test_un_debit_examine_previent_avant_de_payer_de_nouveau(connecte, payer, fin):
    paiement = payer(**{fin: True})
    pages = ["/mon-compte/", reverse("dettes:liste"), reverse("demarches:commencer")]

    def lire():
        return [connecte.get(page).content.decode() for page in pages]

    avant = lire()
    retenir(paiement)
    pendant = lire()
    mettre_de_cote(paiement.anomalies.get(), motif="réglé autrement", agent=AgentFactory().utilisateur)
    apres = lire()

    for page in pendant:
        assert "La banque annonce un débit de 6,00\u00a0€ pour votre demande du" in page
        assert f'<p><a href="{LISTE}{paiement.demarche.reference}/">Voir cette demande</a></p>' in page
        assert "attend la réponse de votre banque" not in page
    assert not any("Voir cette demande" in page for page in avant + apres)


EN_COURS, EXAMINE = "Un agent de votre Caf s’en occupe", "Un agent de votre Caf l’a examiné"


@pytest.mark.parametrize(
    "etat", [{"expire": True}, {"accepte": True}, {"impute": True}], ids=["expiré", "accepté", "imputé"]
)
def test_mis_de_cote_il_se_dit_examine_et_non_en_cours(payer, etat):
    paiement = payer(**etat)
    retenir(paiement)

    def lire():
        progres = dire_ou_en_est(paiement)
        dit = " ".join([progres.phrase, *progres.suite])
        return EN_COURS in dit, EXAMINE in dit, "appelez le 3230" in dit

    pendant = lire()
    mettre_de_cote(paiement.anomalies.get(), motif="réglé autrement", agent=AgentFactory().utilisateur)

    assert (pendant, lire()) == ((True, False, False), (False, True, True))


def ecarter(paiement):
    mettre_de_cote(paiement.anomalies.get(), motif="réglé autrement", agent=AgentFactory().utilisateur)


@pytest.mark.parametrize("etat", [{"expire": True}, {"refuse": True}, {}], ids=["expiré", "refusé", "à la banque"])
def test_la_frise_dit_aussi_qu_il_a_ete_examine(voir, payer, etat):
    paiement = payer(**etat)
    retenir(paiement)
    ecarter(paiement)

    page = voir("detail", paiement.demarche).content.decode()

    assert "Un débit annoncé par la banque a été examiné par un agent." in page
    assert "est examiné par un agent" not in page


def test_restituee_la_frise_ne_promet_plus_rien_de_ce_qui_a_ete_examine(voir, payer):
    paiement = payer(accepte=True)
    rembourser(paiement)
    retenir(paiement)
    ecarter(paiement)

    reponse = voir("detail", paiement.demarche)

    assert get_frise(reponse)[-1] == ("Une somme a été examinée", "fait")
    assert "Une somme reste à vous rendre" not in reponse.content.decode()


@pytest.mark.parametrize("etat", [{}, {"accepte": True}], ids=["à la banque", "accepté"])
def test_les_autres_pages_disent_aussi_qu_il_a_ete_examine(connecte, payer, etat):
    paiement = payer(**etat)
    retenir(paiement)
    ecarter(paiement)

    mes_dettes = connecte.get(reverse("dettes:liste")).content.decode()

    assert "qu’un agent de votre Caf a examiné." in mes_dettes
    assert "de votre Caf examine" not in mes_dettes


def test_a_la_banque_un_debit_examine_ne_se_verifie_plus(connecte, payer):
    paiement = payer()
    retenir(paiement)
    ecarter(paiement)

    page = connecte.get(reverse("paiements:retour", args=[paiement.reference])).content.decode()

    assert "Votre banque annonce un débit." in page
    assert "Nous vérifions un débit" not in page


@pytest.mark.parametrize(("trait", "en_route"), [({}, False), ({"accepte": True}, True)])
def test_un_debit_examine_ne_cache_que_l_attente_de_la_banque(connecte, payer, trait, en_route):
    retenir(payer(**trait))

    page = connecte.get(reverse("dettes:liste")).content.decode()

    assert "Voir cette demande" in page
    assert ("Suivre cette démarche" in page) is en_route
