"""Un numéro de carte ne se garde nulle part : ni dans un motif, ni dans une adresse, ni dans une recherche."""

import importlib
import pkgutil
from collections.abc import Iterator

import pytest
from django import forms
from django.apps import apps
from django.forms.forms import BaseForm
from django.test import Client
from django.urls import reverse

from comptes.models import Agent, Evenement
from paiements.bureau.gestes import ResteForm
from paiements.models import Anomalie
from socle.carte import LUE_AU_PLUS, MotifField, SansCarteMixin, has_numero_de_carte
from tests.connexion import entrer_en_agent
from tests.factories import AgentFactory

CARTE = "4970100000000055"
GROUPES = ("4970", "1000", "0000", "0055")
SEPARATEURS = [
    " ",
    ".",
    "-",
    "/",
    "_",
    "·",
    ",",
    ":",
    "–",
    "—",
    "|",
    "*",
    "+",
    "'",
    "\u00a0",
    "\u202f",
    "\t",
    "\n",
    " - ",
]
INVISIBLES = ["\u200b", "\u200d", "\u2060", "\u00ad", "\ufeff", "\u202e", "\u3164", "\ufe0f\u20e3"]
ZEROS = ["０", "٠", "۰", "०", "𝟎", "𝟶", "⓪"]
# Ce qui ne se garde pas : un mot de passe, un code, une preuve, et l'identifiant avec lequel ils se donnent.
SAISIES_POUR_ENTRER = {
    *("login", "identifiant", "password", "oldpassword", "password1", "password2", "mot_de_passe", "confirmation"),
    *("code", "credential"),
}


@pytest.mark.parametrize("separateur", SEPARATEURS)
def test_quel_que_soit_le_separateur_le_numero_se_voit(separateur: str) -> None:
    assert has_numero_de_carte(separateur.join(GROUPES))
    assert has_numero_de_carte(separateur.join(CARTE))
    assert has_numero_de_carte(f"sa carte{separateur}{separateur.join(GROUPES)}{separateur}12{separateur}27")


@pytest.mark.parametrize("invisible", INVISIBLES)
def test_un_signe_qui_ne_se_voit_pas_ne_cache_rien(invisible: str) -> None:
    assert has_numero_de_carte(invisible.join(CARTE))
    assert has_numero_de_carte(f"49{invisible}70 1000 0000 0055")


@pytest.mark.parametrize("zero", ZEROS)
def test_les_chiffres_de_toute_ecriture_se_lisent(zero: str) -> None:
    suivants = "①②③④⑤⑥⑦⑧⑨" if zero == "⓪" else [chr(ord(zero) + n) for n in range(1, 10)]
    chiffres = [zero, *suivants]

    assert has_numero_de_carte("".join(chiffres[int(chiffre)] for chiffre in CARTE))


@pytest.mark.parametrize(
    "saisie", ["4970 1000-0000.0055", "4970 1000  0000/0055", "3714 496353 98431", f"00{CARTE}99"]
)
def test_des_groupes_de_carte_se_voient_meme_mal_separes(saisie: str) -> None:
    assert has_numero_de_carte(saisie)


@pytest.mark.parametrize("rang", [0, 300, 480, LUE_AU_PLUS - 20])
def test_le_numero_se_voit_ou_qu_il_soit(rang: int) -> None:
    assert has_numero_de_carte("é" * rang + CARTE)


@pytest.mark.parametrize(
    "saisie",
    [
        "Appel du 12/03/2026, 06 12 34 56 78, accord oral",
        "12/03/2026 14:05 06 12 34 56 78",
        "dossier 661 0000354, 1 234,56 €, 12/03/2026",
        "6610000354 / 0612345678",
        "1 250,00 € + 320,50 € + 84,10 € + 999,99 €",
        "IM3-661-000020 : 120,00 € le 03/11/2026",
        "+33 6 12 34 56 78",
        "jean.martin1985@exemple.fr",
    ],
)
def test_ce_qu_un_agent_ecrit_chaque_jour_passe(saisie: str) -> None:
    assert not has_numero_de_carte(saisie)


def lister_les_champs() -> Iterator[tuple[str, forms.Field]]:
    """Les champs de texte de tous nos formulaires, sauf ceux par lesquels on entre."""
    for app in ("comptes", "dettes", "demarches", "paiements", "socle"):
        for module in pkgutil.walk_packages(apps.get_app_config(app).module.__path__, f"{app}."):
            if ".migrations" not in module.name:
                importlib.import_module(module.name)
    for classe in _descendre(BaseForm):
        if classe.__module__.split(".")[0] in ("comptes", "dettes", "demarches", "paiements", "socle"):
            yield from ((f"{classe.__module__}.{nom}", champ) for nom, champ in classe.base_fields.items())


def _descendre(classe: type) -> Iterator[type]:
    for fille in classe.__subclasses__():
        yield fille
        yield from _descendre(fille)


def test_aucun_champ_de_texte_n_oublie_le_filtre() -> None:
    textes = [(nom, champ) for nom, champ in lister_les_champs() if isinstance(champ, forms.CharField)]
    gardes = [(nom, champ) for nom, champ in textes if nom.rpartition(".")[2] not in SAISIES_POUR_ENTRER]

    assert len(gardes) >= 5
    assert [nom for nom, champ in gardes if not isinstance(champ, SansCarteMixin)] == []
    assert [nom for nom, champ in gardes if (champ.max_length or LUE_AU_PLUS + 1) > LUE_AU_PLUS] == []


def test_ce_qui_n_est_pas_lu_en_entier_ne_se_reaffiche_pas() -> None:
    class Essai(forms.Form):
        motif = MotifField(max_length=200)

    form = Essai({"motif": "é" * LUE_AU_PLUS + "suite"})

    assert not form.is_valid()
    assert "suite" not in str(form["motif"]) + str(form.errors)


@pytest.mark.django_db
def test_l_accord_de_l_allocataire_n_en_prend_pas() -> None:
    form = ResteForm({"motif": "au téléphone, " + " ".join(GROUPES)}, objet=Anomalie())

    assert form.errors["motif"] == [MotifField.sans_carte]


@pytest.mark.django_db
@pytest.mark.parametrize("liste", ["comptes_allocataire", "dettes_dette", "paiements_paiement"])
def test_une_recherche_n_en_prend_pas(client: Client, liste: str) -> None:
    entrer_en_agent(client, AgentFactory(role=Agent.Role.GESTION).utilisateur)
    adresse = reverse(f"admin:{liste}_changelist")

    reponse = client.get(adresse, {"q": "/".join(GROUPES)}, follow=True)

    assert reponse.redirect_chain == [(adresse, 302)]
    assert "les quatre derniers chiffres suffisent" in reponse.content.decode()
    assert "4970" not in reponse.content.decode()


@pytest.mark.django_db
def test_une_liste_exportee_n_en_consigne_pas(client: Client) -> None:
    """Ses filtres restent au journal de sécurité, que rien n'efface avant un an."""
    entrer_en_agent(client, AgentFactory(role=Agent.Role.GESTION).utilisateur)

    reponse = client.get(reverse("admin:paiements_paiement_export"), {"montant__gte": CARTE})

    assert reponse.url == "../"
    assert not Evenement.objects.filter(genre=Evenement.Genre.EXPORT).exists()
