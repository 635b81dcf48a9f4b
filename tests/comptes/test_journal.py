"""Le journal de sécurité : tout ce qui touche un accès ou un dossier y est, pour un an, et nul ne le retouche."""

from datetime import timedelta
from pathlib import Path

import pytest
from allauth.mfa.models import Authenticator
from django.db import DatabaseError, connection, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone, translation

from comptes import services
from comptes.models import Agent, Evenement, Utilisateur
from tests.connexion import donner_le_code, entrer, entrer_en_agent, poser_un_totp
from tests.factories import (
    MOT_DE_PASSE,
    AgentFactory,
    AllocataireFactory,
    CafFactory,
    PaiementFactory,
    UtilisateurFactory,
)

pytestmark = pytest.mark.django_db
Genre = Evenement.Genre
DROITS = Path(__file__).parents[2] / "docs" / "droits.sql"


def lire(*genres: str) -> list[Evenement]:
    return list(Evenement.objects.filter(genre__in=genres).order_by("pk"))


def test_une_connexion_et_sa_fin_se_consignent(client: Client) -> None:
    soi = UtilisateurFactory()

    entrer(client, soi.identifiant)
    client.post(reverse("account_logout"))

    lignes = lire(Genre.CONNEXION, Genre.DECONNEXION)
    assert [(ligne.genre, ligne.compte, ligne.adresse) for ligne in lignes] == [
        (Genre.CONNEXION, soi, "127.0.0.1"),
        (Genre.DECONNEXION, soi, "127.0.0.1"),
    ]
    assert [ligne.cafs for ligne in lignes] == [["661"], ["661"]]


def test_un_echec_dit_le_compte_vise_et_jamais_ce_qui_est_tape(client: Client) -> None:
    soi = UtilisateurFactory()

    entrer(client, soi.identifiant, "faux")
    entrer(client, "mon mot de passe tapé ici", "faux")

    connu, inconnu = lire(Genre.MOT_DE_PASSE_FAUX)
    assert (connu.compte, connu.auteur, connu.cafs) == (soi, None, ["661"])
    assert (inconnu.compte, inconnu.objet, inconnu.cafs) == (None, "", [])


def test_un_blocage_se_consigne_une_fois_par_adresse(client: Client) -> None:
    soi = UtilisateurFactory()

    for _ in range(12):
        entrer(client, soi.identifiant, "faux")

    assert len(lire(Genre.MOT_DE_PASSE_FAUX)) == 5
    assert [ligne.compte for ligne in lire(Genre.BLOCAGE)] == [soi]


def test_une_borne_atteinte_se_consigne(client: Client) -> None:
    for _ in range(51):
        reponse = client.post(reverse("comptes:premiere_connexion"), {"identifiant": "6619999999", "code": "1"})

    assert reponse.status_code == 429
    assert len(lire(Genre.BLOCAGE)) == 1


def test_le_second_facteur_se_consigne_quand_il_nait_echoue_et_s_en_va(client: Client) -> None:
    agent = AgentFactory().utilisateur
    poser_un_totp(agent)
    entrer(client, agent.identifiant)

    client.post(reverse("mfa_authenticate"), {"code": "000000"})
    donner_le_code(client)
    Authenticator.objects.filter(user=agent).delete()

    genres = [ligne.genre for ligne in Evenement.objects.filter(compte=agent).exclude(genre=Genre.ROLE).order_by("pk")]
    assert genres == [Genre.FACTEUR_AJOUTE, Genre.FACTEUR_FAUX, Genre.CONNEXION, Genre.FACTEUR_OTE]


def test_le_journal_nomme_un_second_facteur_en_francais_depuis_une_page_en_anglais() -> None:
    agent = AgentFactory().utilisateur

    with translation.override("en"):
        poser_un_totp(agent).delete()

    objets = {ligne.objet for ligne in lire(Genre.FACTEUR_AJOUTE, Genre.FACTEUR_OTE)}
    with translation.override("fr"):
        assert objets == {str(Authenticator.Type.TOTP.label)}
    with translation.override("en"):
        assert objets != {str(Authenticator.Type.TOTP.label)}


def test_trop_de_codes_faux_se_consignent_avec_le_compte(client: Client) -> None:
    agent = AgentFactory().utilisateur
    poser_un_totp(agent)
    entrer(client, agent.identifiant)

    for _ in range(8):
        client.post(reverse("mfa_authenticate"), {"code": "000000"})

    assert len(lire(Genre.FACTEUR_FAUX)) == 5
    assert [(ligne.compte, ligne.cafs) for ligne in lire(Genre.BLOCAGE)] == [(agent, ["661"])]


def test_une_cle_de_securite_qui_ne_va_pas_se_consigne(client: Client) -> None:
    agent = AgentFactory().utilisateur
    poser_un_totp(agent)
    entrer(client, agent.identifiant)

    client.post(reverse("mfa_authenticate"), {"credential": "{}"})

    assert [ligne.compte for ligne in lire(Genre.FACTEUR_FAUX)] == [agent]


def test_un_code_de_premiere_connexion_faux_puis_trop_se_consignent(client: Client) -> None:
    soi = UtilisateurFactory()
    saisie = {"mot_de_passe": "lune-seau-brique-feu", "confirmation": "lune-seau-brique-feu", "code": "1234567890"}

    for _ in range(7):
        client.post(reverse("comptes:premiere_connexion"), {"identifiant": soi.identifiant, **saisie})

    assert [ligne.compte for ligne in lire(Genre.CODE_FAUX)] == [soi] * 5
    assert [ligne.compte for ligne in lire(Genre.BLOCAGE)] == [soi]


def test_un_blocage_se_consigne_pour_chaque_compte_vise(client: Client) -> None:
    vises = UtilisateurFactory.create_batch(3)

    for soi in vises:
        for _ in range(6):
            entrer(client, soi.identifiant, "faux")

    assert [ligne.compte for ligne in lire(Genre.BLOCAGE)] == vises


def test_un_operateur_cree_et_un_role_ote_se_consignent() -> None:
    operateur = Utilisateur.objects.create_superuser("operateur", MOT_DE_PASSE)
    agent = AgentFactory(role=Agent.Role.GESTION, cafs=[CafFactory()])
    agent.delete()

    assert [ligne.compte for ligne in lire(Genre.ROLE) if ligne.objet == "opérateur"] == [operateur]
    assert [ligne.cafs for ligne in lire(Genre.ROLE) if ligne.objet == "rôle ôté : gestion"] == [["661"]]


def test_le_service_ne_cree_pas_d_operateur() -> None:
    soi = UtilisateurFactory(allocataire=None, identifiant="a.agent", is_staff=True)
    with connection.cursor() as curseur:
        curseur.execute(DROITS.read_text())
        curseur.execute("SET LOCAL ROLE rembourser_service")
        for faute in (
            lambda: Utilisateur.objects.filter(pk=soi.pk).update(is_superuser=True),
            lambda: Utilisateur.objects.create_superuser("pirate", MOT_DE_PASSE),
        ):
            with pytest.raises(DatabaseError, match="ne crée pas d'opérateur"), transaction.atomic():
                faute()
        soi.set_password(MOT_DE_PASSE)
        soi.save()
        curseur.execute("RESET ROLE")


def test_un_mot_de_passe_change_se_consigne_par_quelque_chemin_que_ce_soit() -> None:
    compte = Utilisateur.objects.create_user("a.agent", MOT_DE_PASSE, is_staff=True)
    compte.set_password("autre-cheval-pile-agrafe")
    compte.save()

    assert [ligne.compte for ligne in lire(Genre.MOT_DE_PASSE)] == [compte] * 2


def test_un_role_change_se_consigne_avec_ses_caf() -> None:
    agent = AgentFactory(role=Agent.Role.GESTION, cafs=[CafFactory()])
    services.creer_agent(agent.utilisateur.identifiant, Agent.Role.COMPTABLE, [CafFactory(code="751")], "")

    assert [(ligne.objet, ligne.cafs) for ligne in lire(Genre.ROLE)] == [
        ("rôle : gestion", []),
        ("Caf ajoutées : 661", ["661"]),
        ("rôle : comptable", ["661"]),
        ("Caf ôtées : 661", ["661"]),
        ("Caf ajoutées : 751", ["751"]),
    ]


def test_un_compte_ferme_par_l_operateur_se_consigne(client: Client) -> None:
    soi = UtilisateurFactory()
    operateur = Utilisateur.objects.create_superuser("operateur", MOT_DE_PASSE)
    entrer_en_agent(client, operateur)

    client.post(reverse("admin:comptes_utilisateur_change", args=[soi.pk]), {"is_active": "False"})

    assert [(ligne.auteur, ligne.compte, ligne.objet) for ligne in lire(Genre.COMPTE)] == [(operateur, soi, "fermé")]


@pytest.mark.parametrize("page", ["change", "history"])
@pytest.mark.parametrize("modele", ["comptes_allocataire", "dettes_dette", "paiements_paiement"])
def test_regarder_un_dossier_se_consigne_avec_la_personne(client: Client, modele: str, page: str) -> None:
    paiement = PaiementFactory(impute=True)
    personne = paiement.demarche.allocataire
    objet = {
        "comptes_allocataire": personne,
        "dettes_dette": personne.dettes.first(),
        "paiements_paiement": paiement,
    }[modele]
    agent = entrer_en_agent(client, AgentFactory().utilisateur)

    client.get(reverse(f"admin:{modele}_{page}", args=[objet.pk]))

    (ligne,) = lire(Genre.CONSULTATION)
    assert (ligne.auteur, ligne.allocataire, ligne.cafs) == (agent, personne, ["661"])
    assert ligne.objet == f"{objet._meta.label_lower} {objet.pk}"


def test_parcourir_une_liste_se_consigne_sans_ce_que_l_on_cherche(client: Client) -> None:
    agent = entrer_en_agent(client, AgentFactory().utilisateur)

    client.get(reverse("admin:comptes_allocataire_changelist"), {"q": "0000357"})

    assert [(ligne.auteur, ligne.objet) for ligne in lire(Genre.LISTE)] == [(agent, "comptes.allocataire")]


def test_ce_qui_n_est_pas_a_l_agent_ne_se_consigne_pas(client: Client) -> None:
    ailleurs = AllocataireFactory(caf=CafFactory(code="751"))
    entrer_en_agent(client, AgentFactory().utilisateur)

    client.get(reverse("admin:comptes_allocataire_change", args=[ailleurs.pk]))

    assert lire(Genre.CONSULTATION) == []


def test_le_responsable_lit_ce_qui_touche_ses_caf_et_rien_d_autre(client: Client) -> None:
    ici, ailleurs = (
        UtilisateurFactory(),
        UtilisateurFactory(allocataire=AllocataireFactory(caf=CafFactory(code="751"))),
    )
    for compte in (ici, ailleurs):
        entrer(Client(), compte.identifiant, "faux")
    entrer_en_agent(client, AgentFactory(role=Agent.Role.RESPONSABLE).utilisateur)

    liste = client.get(reverse("admin:comptes_evenement_changelist"), {"genre": Genre.MOT_DE_PASSE_FAUX})

    assert [ligne.compte for ligne in liste.context["cl"].queryset] == [ici]


def consigner_il_y_a(jours: int) -> None:
    Evenement.objects.create(genre=Genre.LISTE, cafs=[], le=timezone.now() - timedelta(days=jours))


def test_une_ligne_ne_se_retouche_pas_et_se_garde_un_an() -> None:
    consigner_il_y_a(360)
    for faute in (lambda: Evenement.objects.update(objet="autre"), lambda: Evenement.objects.all().delete()):
        with pytest.raises(DatabaseError, match="Cannot"), transaction.atomic():
            faute()
    consigner_il_y_a(367)

    Evenement.objects.filter(le__lt=timezone.now() - timedelta(days=366)).delete()

    assert Evenement.objects.count() == 1


@pytest.mark.parametrize("faute", ["UPDATE comptes_evenement SET objet = ''", "DELETE FROM comptes_evenement"])
def test_le_service_lui_meme_ne_peut_pas_y_toucher(faute: str) -> None:
    with connection.cursor() as curseur:
        curseur.execute(DROITS.read_text())
        curseur.execute("SET LOCAL ROLE rembourser_service")
        consigner_il_y_a(400)
        with pytest.raises(DatabaseError, match="permission denied"), transaction.atomic():
            curseur.execute(faute)
        curseur.execute("RESET ROLE")
