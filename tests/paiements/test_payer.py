from datetime import timedelta
from decimal import Decimal

import pytest
from django.urls import reverse
from django.utils import timezone

from demarches import services
from demarches.etats import Etat
from dettes.models import Dette
from paiements import depart
from paiements.models import Paiement
from paiements.payzen import is_signed
from paiements.statuts import Statut
from tests.connexion import donner_le_code, entrer, poser_un_totp
from tests.factories import (
    MOT_DE_PASSE,
    DemarcheFactory,
    DetteFactory,
    PaiementFactory,
    UtilisateurFactory,
    demander,
    dire,
    empreinte,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def demarche():
    return demander(Decimal("120.00"))


@pytest.fixture
def connecte(client, demarche):
    client.force_login(demarche.auteur)
    return client


def payer(client, demarche, empreinte_vue=None):
    adresse = reverse("paiements:payer", args=[demarche.reference])
    return client.post(adresse, {"empreinte": empreinte_vue or empreinte(demarche)}, follow=True)


def test_payer_rend_un_formulaire_signe_vers_payzen(connecte, demarche, settings):
    reponse = payer(connecte, demarche)

    paiement = Paiement.objects.get()
    champs = dict(reponse.context["depart"].champs)
    boutique = settings.PAYZEN_BOUTIQUES[paiement.boutique]
    assert reponse.status_code == 200
    assert (paiement.statut, paiement.montant) == (Statut.EN_ATTENTE, Decimal("120.00"))
    assert (champs["vads_order_id"], champs["vads_amount"]) == (paiement.reference, "12000")
    assert is_signed(champs, champs.pop("signature"), boutique.cle)
    assert "no-store" in reponse["Cache-Control"]
    assert settings.PAYZEN_URL_FORMULAIRE.split("/vads")[0] in reponse["Content-Security-Policy"]


def test_une_connexion_ancienne_se_confirme_avant_de_payer_et_rien_n_est_perdu(client, demarche, time_machine):
    entrer(client, demarche.auteur.identifiant)
    for _ in range(3):  # la session reste active : seule la preuve vieillit
        time_machine.move_to(timezone.now() + timedelta(minutes=11))
        client.get(reverse("demarches:recapitulatif", args=[demarche.reference]))

    porte = payer(client, demarche)
    assert not Paiement.objects.exists()
    assert "depuis plus de 30 minutes" in porte.content.decode()
    retour = client.post(porte.redirect_chain[-1][0], {"password": MOT_DE_PASSE})
    paye = payer(client, demarche)

    assert retour.url == reverse("demarches:recapitulatif", args=[demarche.reference])
    assert (paye.status_code, Paiement.objects.count()) == (200, 1)


def test_qui_a_un_second_facteur_le_redonne(client, demarche, time_machine):
    poser_un_totp(demarche.auteur)
    entrer(client, demarche.auteur.identifiant)
    donner_le_code(client)
    for _ in range(3):
        time_machine.move_to(timezone.now() + timedelta(minutes=11))
        client.get(reverse("demarches:recapitulatif", args=[demarche.reference]))

    porte = payer(client, demarche)

    assert porte.redirect_chain[-1][0].startswith(reverse("mfa_reauthenticate"))
    assert not Paiement.objects.exists()


def test_la_page_de_depart_marche_sans_javascript(connecte, demarche):
    page = payer(connecte, demarche).content.decode()

    assert '<button class="bouton" type="submit"' in page
    assert "<script>" not in page


def test_revenir_de_payzen_ne_remontre_jamais_le_formulaire_parti(connecte, demarche):
    payer(connecte, demarche)

    retour = connecte.get(reverse("paiements:payer", args=[demarche.reference]), follow=True)

    assert retour.redirect_chain[-1][0] == reverse("suivi:detail", args=[demarche.reference])
    assert "vads_order_id" not in retour.content.decode()


def test_un_double_clic_mene_a_la_page_de_depart_que_le_premier_n_a_pas_montree(connecte, demarche):
    adresse, clic = reverse("paiements:payer", args=[demarche.reference]), {"empreinte": empreinte(demarche)}
    connecte.post(adresse, clic)

    seconde = connecte.post(adresse, clic, follow=True)

    assert (seconde.status_code, seconde.context["depart"].paiement) == (200, Paiement.objects.get())


def test_deux_clics_qui_se_croisent_disent_toujours_ou_l_on_en_est(connecte, demarche):
    """La page de départ du premier se montre entre l'envoi du second et sa redirection."""
    adresse, clic = reverse("paiements:payer", args=[demarche.reference]), {"empreinte": empreinte(demarche)}
    premier, second = connecte.post(adresse, clic), connecte.post(adresse, clic)

    montree, suivie = connecte.get(premier["Location"]), connecte.get(second["Location"], follow=True)

    assert "vads_order_id" in montree.text
    assert "déjà partie" in suivie.text


def test_deux_clics_n_ouvrent_qu_un_paiement(connecte, demarche):
    premiere, deuxieme = payer(connecte, demarche), payer(connecte, demarche)

    assert "depart" in premiere.context
    assert Paiement.objects.count() == 1
    assert "déjà partie" in deuxieme.content.decode()


def test_un_formulaire_peut_etre_envoye_n_est_jamais_redonne(connecte, demarche):
    """PayZen le refuserait (erreur 03), sans chemin de retour : on demande plutôt si le paiement est terminé."""
    payer(connecte, demarche)

    page = payer(connecte, demarche).content.decode()

    assert "vads_order_id" not in page
    assert "Avez-vous terminé le paiement" in page
    assert reverse("suivi:repondre", args=[demarche.reference]) in page


def test_passe_la_session_de_payzen_le_formulaire_ne_part_plus(connecte, demarche, time_machine):
    adresse = reverse("paiements:payer", args=[demarche.reference])
    connecte.post(adresse, {"empreinte": empreinte(demarche)})
    time_machine.move_to(timezone.now() + timedelta(minutes=11))

    page = connecte.get(adresse, follow=True).content.decode()

    assert "vads_order_id" not in page
    assert "Avez-vous terminé le paiement" in page


def test_on_ne_paie_que_ce_qui_etait_montre(connecte, demarche):
    reponse = payer(connecte, demarche, empreinte_vue="celle d'un autre onglet")

    demarche.refresh_from_db()
    assert "Votre démarche a changé" in reponse.content.decode()
    assert demarche.etat == Etat.BROUILLON
    assert not Paiement.objects.exists()


def test_ce_qui_n_a_pas_atteint_le_recapitulatif_ne_se_paie_pas(connecte, demarche):
    """Une page refaite à la main peut dire vrai de ce qui est écrit, et n'avoir jamais été montrée."""
    Dette.objects.update(situation=Dette.Situation.ANNULEE)
    DetteFactory(allocataire=demarche.allocataire)
    ajustee = services.ajuster(demarche)

    reponse = payer(connecte, ajustee)

    assert (list(ajustee.lignes.all()), ajustee.montant) == ([], 0)
    assert not Paiement.objects.exists()
    assert reponse.redirect_chain[-1][0].endswith("/montants/")
    assert "Votre démarche a changé" in reponse.content.decode()


def test_un_solde_qui_a_baisse_remontre_le_recapitulatif(connecte, demarche):
    dette = demarche.lignes.get().dette
    dette.mouvements.create(genre="AJUSTEMENT", montant=Decimal("-850.00"), origine="livraison")

    reponse = payer(connecte, demarche)

    assert "il reste 50,00\u00a0€ à payer" in reponse.content.decode()
    assert not Paiement.objects.exists()


def test_l_argent_deja_en_route_n_est_plus_disponible():
    dette = DetteFactory(montant_initial=Decimal(200))
    conjoints = [UtilisateurFactory(allocataire=dette.allocataire, identifiant=nom) for nom in ("un", "deux")]
    premiere, deuxieme = (DemarcheFactory(auteur=auteur, lignes={dette: Decimal(150)}) for auteur in conjoints)
    depart.payer(premiere, empreinte_vue=empreinte(premiere))

    with pytest.raises(depart.RecapitulatifPerime) as perime:
        depart.payer(deuxieme, empreinte_vue=empreinte(deuxieme))

    assert [ecart.dette for ecart in perime.value.ecarts] == [dette]


def test_un_autre_paiement_parti_depuis_se_relit_avant_de_payer(connecte, demarche):
    """Deux conjoints, deux onglets : personne ne paie de plus sans l'avoir lu."""
    vue = empreinte(demarche)
    conjoint = UtilisateurFactory(allocataire=demarche.allocataire, identifiant="conjoint")
    autre = DemarcheFactory(auteur=conjoint, lignes={demarche.lignes.get().dette: Decimal(10)})
    paiement = PaiementFactory(demarche=autre)

    en_route = payer(connecte, demarche, vue)
    vue = empreinte(demarche)
    dire(paiement, "AUTHORISED")
    paye = payer(connecte, demarche, vue)

    assert all("un autre paiement est parti" in page.content.decode() for page in (en_route, paye))
    assert Paiement.objects.get() == paiement


def test_un_paiement_sur_d_autres_dettes_n_empeche_rien(connecte, demarche):
    vue = empreinte(demarche)
    conjoint = UtilisateurFactory(allocataire=demarche.allocataire, identifiant="conjoint")
    autre = DetteFactory(allocataire=demarche.allocataire)
    PaiementFactory(demarche=DemarcheFactory(auteur=conjoint, lignes={autre: Decimal(10)}))

    payer(connecte, demarche, vue)

    assert Paiement.objects.filter(demarche=demarche).exists()


def test_une_caf_suspendue_n_encaisse_pas(connecte, demarche):
    caf = demarche.allocataire.caf
    caf.ouverte, caf.message_suspension = False, "Maintenance de nos serveurs."
    caf.save()

    reponse = payer(connecte, demarche)

    assert reponse.status_code == 503
    assert "Maintenance de nos serveurs." in reponse.content.decode()


def test_une_caf_sans_cles_payzen_le_dit(connecte, demarche, settings):
    settings.PAYZEN_BOUTIQUES = {}

    reponse = payer(connecte, demarche)

    demarche.refresh_from_db()
    assert (reponse.status_code, demarche.etat) == (503, Etat.BROUILLON)


def test_la_demarche_d_un_autre_n_existe_pas(client, demarche):
    client.force_login(UtilisateurFactory())

    assert payer(client, demarche).status_code == 404


def test_revenir_par_get_remontre_le_recapitulatif(connecte, demarche):
    reponse = connecte.get(reverse("paiements:payer", args=[demarche.reference]))

    assert reponse["Location"] == reverse("demarches:recapitulatif", args=[demarche.reference])


def test_un_trans_id_deja_pris_ce_jour_est_retire(demarche, monkeypatch):
    pris = PaiementFactory().trans_id
    tirages = iter([pris, pris, "a9a9a9"])
    # Un tirage au hasard ne retombe pas sur commande : on tient le dé, tout le reste est vrai.
    monkeypatch.setattr(Paiement._meta.get_field("trans_id"), "_get_default", lambda: next(tirages))

    paiement = depart.payer(demarche, empreinte_vue=empreinte(demarche)).paiement

    assert paiement.trans_id == "a9a9a9"


def test_la_reference_envoyee_a_la_plateforme_est_celle_de_la_demarche(demarche):
    paiement = depart.payer(demarche, empreinte_vue=empreinte(demarche)).paiement

    assert paiement.reference == demarche.reference


def test_la_reference_ne_dit_rien_de_la_personne(demarche):
    paiement = depart.payer(demarche, empreinte_vue=empreinte(demarche)).paiement

    assert demarche.allocataire.numero not in paiement.reference
    assert len(paiement.reference) <= 32
