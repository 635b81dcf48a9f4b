"""« Mes démarches » : la liste, le détail de chaque état, recommencer."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.urls import reverse
from django.utils import timezone

from demarches.etats import Etat
from demarches.models import Demarche
from paiements.file.tenue import mettre_de_cote
from paiements.imputation.imputer import imputer_un_lot
from paiements.models import DemandeRestitution, Paiement, Ticket
from tests.factories import AgentFactory, DemarcheFactory, DetteFactory, PaiementFactory, UtilisateurFactory, dire

pytestmark = pytest.mark.django_db

LISTE = "/mon-compte/demarches/"


@pytest.fixture
def dette(personne):
    return DetteFactory(allocataire=personne.allocataire)


@pytest.fixture
def payer(personne, dette):
    """Paie 120 € sur la dette : `payer(accepte=True)`."""

    def ouvrir(montant="120.00", **traits):
        demarche = DemarcheFactory(auteur=personne, courriel="ines@exemple.fr", lignes={dette: Decimal(montant)})
        return PaiementFactory(demarche=demarche, **traits)

    return ouvrir


def retenir(paiement, montant="6.00"):
    """La banque annonce un débit que nous n'attendions pas : un agent l'a en main."""
    dire(paiement, "AUTHORISED", uuid="d" * 32, montant=Decimal(montant))


def annuler(paiement):
    """La banque défait le débit du paiement."""
    dire(paiement, "CANCELLED")


def rembourser(paiement, montant="120.00"):
    """La banque rend le débit du paiement, en tout ou partie."""
    debit = Paiement.objects.get(pk=paiement.pk).debit_id
    credit = {"operation": "CREDIT", "uuid": "e" * 32, "trans_id": "900001", "montant": Decimal(montant)}
    dire(paiement, "AUTHORISED", parent=debit, **credit)


def get_frise(reponse):
    return [(evenement["titre"], evenement["etat"]) for evenement in reponse.context["evenements"]]


def test_la_plus_recente_est_en_tete(connecte, payer):
    demarches = {jours: payer("1.00", expire=True).demarche for jours in (3, 1, 2)}
    for jours, demarche in demarches.items():
        Demarche.objects.filter(pk=demarche.pk).update(cree_le=timezone.now() - timedelta(days=jours))

    page = connecte.get(LISTE).context["page"]

    assert list(page) == [demarches[1], demarches[2], demarches[3]]


def test_sans_demarche_la_page_invite_a_rembourser(connecte):
    assert "Vous n’avez encore rien remboursé en ligne" in connecte.get(LISTE).content.decode()


def test_la_liste_est_par_vingt_et_coute_toujours_autant(connecte, payer, django_assert_max_num_queries):
    payer(expire=True)
    with django_assert_max_num_queries(6) as avec_une:
        connecte.get(LISTE)
    for _ in range(20):
        payer("1.00", expire=True)

    with django_assert_max_num_queries(len(avec_une)):
        page = connecte.get(LISTE).content.decode()

    assert page.count("Non réalisée") == 20
    assert "Page 1 sur 2" in page


def test_le_detail_coute_autant_pour_une_dette_que_pour_dix(connecte, personne, django_assert_max_num_queries):
    dettes = DetteFactory.create_batch(11, allocataire=personne.allocataire)
    une = PaiementFactory(demarche=DemarcheFactory(auteur=personne, lignes={dettes[0]: Decimal(10)}), impute=True)
    with django_assert_max_num_queries(9) as avec_une:
        connecte.get(f"{LISTE}{une.demarche.reference}/")
    lignes = {dette: Decimal(10) for dette in dettes[1:]}
    dix = PaiementFactory(demarche=DemarcheFactory(auteur=personne, lignes=lignes), impute=True)

    with django_assert_max_num_queries(len(avec_une)):
        connecte.get(f"{LISTE}{dix.demarche.reference}/")


def test_une_demarche_abandonnee_quitte_la_liste_mais_s_explique(connecte, voir, personne):
    demarche = DemarcheFactory(auteur=personne, etat=Etat.ABANDONNEE)

    assert demarche.reference not in connecte.get(LISTE).content.decode()
    assert "Cette démarche est abandonnée" in voir("detail", demarche).content.decode()


def test_le_conjoint_suit_les_paiements_du_dossier_mais_pas_les_saisies(client, payer, personne, dette):
    paye, brouillon = payer(refuse=True).demarche, DemarcheFactory(auteur=personne)
    client.force_login(UtilisateurFactory(allocataire=personne.allocataire, identifiant="conjoint"))

    liste = client.get(LISTE).content.decode()
    detail = client.get(f"{LISTE}{paye.reference}/").content.decode()

    assert paye.reference in liste
    assert brouillon.reference not in liste
    assert client.get(f"{LISTE}{brouillon.reference}/").status_code == 404
    assert "ines@exemple.fr" not in detail
    assert "Recommencer" not in detail
    assert client.post(f"{LISTE}{paye.reference}/recommencer/").status_code == 404


def test_un_brouillon_se_reprend(voir, personne):
    page = voir("detail", DemarcheFactory(auteur=personne)).content.decode()

    assert "Reprendre" in page
    assert "Abandonner" in page


def test_a_la_banque_on_dit_quoi_faire_et_de_ne_pas_repayer(voir, payer):
    reponse = voir("detail", payer().demarche)

    page = reponse.content.decode()
    assert "Avez-vous terminé le paiement" in page
    assert "ne payez pas une deuxième fois" in page
    assert "Recommencer" not in page
    assert "ticket.pdf" not in page
    assert get_frise(reponse) == [
        ("Demandée", "fait"),
        ("À la banque", "en_cours"),
        ("Enregistrée", "a_venir"),
        ("Vérifiée par la Caf", "a_venir"),
        ("Dettes mises à jour", "a_venir"),
    ]


def test_enregistree_on_attend_la_verification_avec_son_ticket(voir, payer):
    paiement = payer(accepte=True)

    reponse = voir("detail", paiement.demarche)

    page = reponse.content.decode()
    assert reverse("paiements:ticket", args=[paiement.reference]) in page
    assert "se terminant par 0055" in page
    assert get_frise(reponse)[1:3] == [("Enregistrée", "fait"), ("Vérifiée par la Caf", "en_cours")]


def test_prise_en_compte_montre_le_solde_apres(voir, payer):
    reponse = voir("detail", payer(impute=True).demarche)

    assert {etat for _, etat in get_frise(reponse)} == {"fait"}
    assert "Il restait 780,00\u00a0€ après ce paiement" in reponse.content.decode()


def test_une_dette_eteinte_est_dite_soldee(voir, payer):
    assert "Soldée par ce paiement" in voir("detail", payer("900.00", impute=True).demarche).content.decode()


def test_ce_qui_n_a_pas_trouve_place_est_dit(voir, payer, dette):
    paiement = payer(verifie=True)
    dette.mouvements.create(genre="RETENUE", montant=Decimal("-800"), origine="livraison")
    imputer_un_lot()

    page = voir("detail", paiement.demarche).content.decode()

    assert "20,00\u00a0€ n’ont pas pu être déduits" in page


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
    assert "50,00\u00a0€ sont encore comptés sur vos dettes : elles remonteront d’autant" in page


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


@pytest.mark.parametrize(
    ("etat", "phrase"),
    [
        ("A_ENVOYER", "Ticket à envoyer à</dt><dd>ines@exemple.fr"),
        ("ENVOYE", "Ticket envoyé à</dt><dd>ines@exemple.fr"),
        ("IMPOSSIBLE", "Nous n’avons pas pu l’envoyer"),
    ],
)
def test_le_ticket_n_est_dit_envoye_qu_une_fois_parti(voir, payer, etat, phrase):
    paiement = payer(accepte=True)
    Ticket.objects.update(etat=etat, envoye_le=timezone.now() if etat == "ENVOYE" else None)

    page = voir("detail", paiement.demarche).content.decode()

    assert phrase in page
    assert page.count("ines@exemple.fr") == (etat != "IMPOSSIBLE")


def test_sans_accord_de_la_banque_il_n_est_pas_question_de_ticket(voir, payer):
    assert "Ticket" not in voir("detail", payer(refuse=True).demarche).content.decode()


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


@pytest.mark.parametrize(("trait", "en_route"), [({}, False), ({"accepte": True}, True)])
def test_un_debit_examine_ne_cache_que_l_attente_de_la_banque(connecte, payer, trait, en_route):
    retenir(payer(**trait))

    page = connecte.get(reverse("dettes:liste")).content.decode()

    assert "Voir cette demande" in page
    assert ("Suivre cette démarche" in page) is en_route


def test_les_dettes_choisies_se_disent_a_la_troisieme_personne(connecte, voir, payer, personne, dette):
    payer(refuse=True)
    saisie = DemarcheFactory(auteur=personne, lignes={dette: Decimal(10)})

    for page in (connecte.get(LISTE), connecte.get(reverse("demarches:recapitulatif", args=[saisie.reference]))):
        assert "Des dettes choisies" in page.content.decode()
    DetteFactory(allocataire=personne.allocataire)
    assert (
        "Je choisis mes dettes"
        in connecte.get(reverse("demarches:montants", args=[saisie.reference])).content.decode()
    )


def test_un_refus_suivi_d_un_accord_raconte_l_accord(voir, payer):
    paiement = payer(refuse=True)
    dire(paiement, "AUTHORISED", uuid="f" * 32)

    reponse = voir("detail", paiement.demarche)

    assert get_frise(reponse)[:2] == [("Demandée", "fait"), ("Enregistrée", "fait")]


def test_recommencer_mene_au_recapitulatif_deja_rempli(connecte, envoyer, payer):
    reponse = envoyer("recommencer", payer(refuse=True).demarche)

    page = connecte.get(reponse["Location"]).content.decode()
    assert "Payer 120,00\u00a0€" in page
    assert "ines@exemple.fr" in page


def test_recommencer_dit_que_les_montants_ont_baisse(connecte, envoyer, payer, dette):
    refusee = payer(refuse=True).demarche
    dette.mouvements.create(genre="RETENUE", montant=Decimal("-850"), origine="livraison")

    reponse = envoyer("recommencer", refusee)

    page = connecte.get(reponse["Location"]).content.decode()
    assert "nous les avons baissés" in page
    assert "Payer 50,00\u00a0€" in page


def test_recommencer_ne_se_fait_pas_par_get(voir, payer):
    demarche = payer(refuse=True).demarche

    # On y revient en GET après s'être reconnecté : la démarche se relit, rien ne s'ouvre.
    assert voir("recommencer", demarche)["Location"] == f"{LISTE}{demarche.reference}/"
    assert not Demarche.objects.brouillons().exists()


def test_recommencer_ce_qui_est_en_route_ramene_au_suivi(envoyer, payer):
    demarche = payer(accepte=True).demarche

    assert envoyer("recommencer", demarche)["Location"] == f"{LISTE}{demarche.reference}/"
    assert not Demarche.objects.brouillons().exists()


def test_recommencer_une_dette_soldee_depuis_le_dit(envoyer, payer, dette):
    refusee = payer(refuse=True).demarche
    dette.mouvements.create(genre="REMISE", montant=Decimal("-900"), origine="livraison")

    assert "Vous n’avez rien à rembourser ici" in envoyer("recommencer", refusee).content.decode()


def test_une_demarche_recommencee_mene_a_la_nouvelle_et_ne_se_recommence_plus(connecte, voir, envoyer, payer):
    ancienne = payer(refuse=True)
    envoyer("recommencer", ancienne.demarche)
    nouvelle = Demarche.objects.brouillons().get()

    pages = [
        voir("detail", ancienne.demarche).content.decode(),
        connecte.get(reverse("paiements:retour", args=[ancienne.reference])).content.decode(),
    ]

    for page in pages:
        assert "Vous avez recommencé cette demande" in page
        assert f'href="{LISTE}{nouvelle.reference}/"' in page
        assert "/recommencer/" not in page


def test_recommencer_de_nouveau_mene_a_ce_qui_est_deja_recommence(connecte, envoyer, payer):
    ancienne = payer(refuse=True).demarche
    envoyer("recommencer", ancienne)
    nouvelle = Demarche.objects.brouillons().get()

    en_saisie = envoyer("recommencer", ancienne)["Location"]
    PaiementFactory(demarche=nouvelle, accepte=True)
    payee = envoyer("recommencer", ancienne)["Location"]

    assert en_saisie == reverse("demarches:recapitulatif", args=[nouvelle.reference])
    assert payee == f"{LISTE}{nouvelle.reference}/"
    assert not Demarche.objects.brouillons().exists()


def test_le_conjoint_lit_que_c_est_recommence_sans_voir_la_saisie(client, envoyer, payer, personne):
    ancienne = payer(refuse=True).demarche
    envoyer("recommencer", ancienne)
    nouvelle = Demarche.objects.brouillons().get()
    client.force_login(UtilisateurFactory(allocataire=personne.allocataire, identifiant="conjoint"))

    en_saisie = client.get(f"{LISTE}{ancienne.reference}/").content.decode()
    PaiementFactory(demarche=nouvelle)
    partie = client.get(f"{LISTE}{ancienne.reference}/").content.decode()

    assert nouvelle.reference not in en_saisie
    assert "Cette demande a été recommencée" in partie
    assert nouvelle.reference in partie
