"""Chaque commande de gestion du dépôt, trouvée et non listée, tient la même convention (docs/exploitation.md)."""

import importlib
import json
import pkgutil
from io import StringIO
from pathlib import Path

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command, load_command_class
from django.db import connection

from outils.systeme import RACINE
from socle.commandes import A_BLANC, Code, Commande, CommandeSobre
from tests.factories import CafFactory

EXEMPLE = str(RACINE / "donnees/exemple/661")
# Elle sert jusqu'à ce qu'on l'arrête : une unité de systemd, et non un geste de l'exploitant.
SERVEURS = {"servir_metriques"}
# Deux Caf à la fois ne se gênent pas : celles-ci se réservent Caf par Caf (tests/dettes).
PAR_CAF = {"importer_livraison", "emettre_encaissements"}
# Ce qu'il faut taper au moins ; une commande de plus demande sa ligne. « DOSSIER » est celui de l'essai, vide.
ARGUMENTS = {
    "charger_cafs": [],
    "creer_agent": ["agent", "--role", "GESTION", "--caf", "661"],
    "emettre_codes": ["661", "--sortie", "DOSSIER/codes.csv"],
    "emettre_encaissements": ["661", "--dossier", "DOSSIER"],
    "etat_service": [],
    "expliquer_paiement": ["P-RIEN"],
    "exporter_donnees": ["6610000354", "--sortie", "DOSSIER/export.txt"],
    "feuille_du_jour": ["661", "--sorties", "DOSSIER"],
    "importer_livraison": [EXEMPLE, "--rejets", "DOSSIER"],
    "interroger_payzen": ["--jour", "2026-11-27"],
    "lire_journaux": ["DOSSIER"],
    "purger": [],
    "rechiffrer_facteurs": [],
    "rejouer_notification": ["P-RIEN"],
    "rendre_acces": ["agent"],
    "renvoyer_tickets": ["--impossibles"],
    "reprendre_encaissements": ["661", "--dossier", "DOSSIER"],
    "reprendre_service": ["--toutes"],
    "suspendre_service": ["--toutes", "--message", "Maintenance."],
    "verifier_invariants": [],
    "verifier_papier": ["P-RIEN", "ABCD"],
}


def trouver() -> dict[str, CommandeSobre]:
    """Les commandes de nos apps, par leur nom."""
    trouvees = {}
    for app in apps.get_app_configs():
        dossier = Path(app.path) / "management/commands"
        if not dossier.is_relative_to(RACINE) or ".venv" in dossier.parts:
            continue
        for _, nom, _ in pkgutil.iter_modules([str(dossier)]):
            trouvees[nom] = load_command_class(app.name, nom)
    return trouvees


COMMANDES = trouver()
GESTES = sorted(set(COMMANDES) - SERVEURS)
ECRIVENT = [nom for nom in GESTES if COMMANDES[nom].ecrit]
SEULES = [nom for nom in ECRIVENT if COMMANDES[nom].seule]


@pytest.fixture
def lancer(tmp_path, monkeypatch):
    """`lancer(nom, *options)` : rend la sortie, et l'échec annoncé s'il y en a un ; toute autre exception passe."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "essai").mkdir()

    def _lancer(nom, *options):
        sortie = StringIO()
        mots = [mot.replace("DOSSIER", str(tmp_path / "essai")) for mot in ARGUMENTS[nom]]
        try:
            call_command(nom, *mots, *options, stdout=sortie, stderr=StringIO())
        except CommandError as echec:
            return sortie.getvalue(), echec
        return sortie.getvalue(), None

    return _lancer


def lire_la_base():
    """L'empreinte de chaque table : une ligne de plus, de moins ou changée se voit."""
    with connection.cursor() as curseur:
        empreintes = {}
        for table in sorted(t.name for t in connection.introspection.get_table_list(curseur) if t.type == "t"):
            curseur.execute(f"SELECT md5(string_agg(t::text, '|' ORDER BY t::text)) FROM \"{table}\" t")  # noqa: S608
            empreintes[table] = curseur.fetchone()[0]
        return empreintes


def test_chaque_commande_a_sa_ligne_ici():
    assert set(ARGUMENTS) == set(GESTES)


@pytest.mark.parametrize("nom", GESTES)
def test_elle_tient_la_convention(nom):
    commande = COMMANDES[nom]
    options = {mot for action in commande.create_parser("manage.py", nom)._actions for mot in action.option_strings}

    assert isinstance(commande, Commande)
    assert commande.help.endswith(".")
    assert "--json" in options
    assert ("--appliquer" in options) == commande.ecrit
    assert "_" in nom or nom == "purger"


@pytest.mark.parametrize("nom", GESTES)
def test_chaque_argument_a_son_aide(nom):
    actions = COMMANDES[nom].create_parser("manage.py", nom)._actions

    muettes = [a.dest for a in actions if not a.help and a.dest != "help"]
    assert muettes == []


@pytest.mark.parametrize("nom", GESTES)
def test_mal_tapee_elle_sort_en_deux(nom, capsys):
    commande = importlib.import_module(type(COMMANDES[nom]).__module__).Command()
    commande._called_from_command_line = True

    with pytest.raises(SystemExit) as sortie:
        commande.create_parser("manage.py", nom).parse_args(["--cette-option-n-existe-pas"])

    assert sortie.value.code == Code.MAL_TAPEE
    assert "Traceback" not in capsys.readouterr().err


def lister_les_jours():
    """Chaque option qui demande un jour : sa commande, et elle."""
    for nom in GESTES:
        for action in COMMANDES[nom].create_parser("manage.py", nom)._actions:
            if "AAAA-MM-JJ" in (action.help or ""):
                yield nom, action.option_strings[0]


@pytest.mark.parametrize(("nom", "option"), list(lister_les_jours()))
def test_un_jour_mal_ecrit_dit_comment_l_ecrire(nom, option, capsys):
    commande = importlib.import_module(type(COMMANDES[nom]).__module__).Command()
    commande._called_from_command_line = True

    with pytest.raises(SystemExit):
        commande.create_parser("manage.py", nom).parse_args([option, "28/11/2026"])

    assert "« 28/11/2026 » n'est pas un jour : écrivez AAAA-MM-JJ" in capsys.readouterr().err


@pytest.mark.parametrize("nom", ECRIVENT)
@pytest.mark.django_db
def test_a_blanc_elle_n_ecrit_rien_et_le_dit(nom, lancer, tmp_path):
    CafFactory(code="661")
    avant = lire_la_base()

    dit, echec = lancer(nom)

    assert lire_la_base() == avant
    # Un import à blanc écrit ses rejets : c'est ce que la Caf doit lire (FICHIERS §3.6).
    assert nom == "importer_livraison" or list((tmp_path / "essai").iterdir()) == []
    assert echec or A_BLANC in dit


@pytest.mark.parametrize("nom", ECRIVENT)
@pytest.mark.django_db
def test_deux_fois_de_suite_elle_ne_casse_rien(nom, lancer):
    CafFactory(code="661")
    lancer(nom, "--appliquer")

    _, echec = lancer(nom, "--appliquer")

    assert echec is None or echec.returncode in (Code.CONSTAT, Code.MAL_TAPEE)


@pytest.mark.parametrize("nom", GESTES)
@pytest.mark.django_db
def test_en_json_elle_rend_un_seul_objet(nom, lancer):
    CafFactory(code="661")

    dit, _ = lancer(nom, "--json")

    assert isinstance(json.loads(dit), dict)


@pytest.mark.parametrize("nom", SEULES)
@pytest.mark.django_db(transaction=True)
def test_deux_a_la_fois_la_seconde_est_refusee(nom, lancer):
    autre = connection.copy()
    try:
        with autre.cursor() as curseur:
            curseur.execute("SELECT pg_advisory_lock(hashtextextended(%s, 0))", [f"commande {nom}"])

        _, echec = lancer(nom, "--appliquer")
    finally:
        autre.close()

    assert (echec.returncode, str(echec)) == (
        Code.PAS_PU,
        f"{nom} tourne déjà : attendez sa fin, puis relancez.",
    )


def test_toute_commande_qui_ecrit_est_seule_ou_seule_par_caf():
    assert set(ECRIVENT) == set(SEULES) | PAR_CAF


@pytest.fixture
def base_eteinte():
    reglages = connection.settings_dict
    avant = reglages["PORT"], reglages["HOST"], reglages["OPTIONS"]
    reglages["PORT"], reglages["HOST"] = "9", "127.0.0.1"
    reglages["OPTIONS"] = {cle: valeur for cle, valeur in avant[2].items() if cle != "host"}
    connection.close()
    yield
    reglages["PORT"], reglages["HOST"], reglages["OPTIONS"] = avant
    connection.close()


@pytest.mark.parametrize("nom", GESTES)
@pytest.mark.django_db(transaction=True)
def test_base_eteinte_une_ligne_et_le_code_trois(nom, lancer, base_eteinte):
    options = ["--appliquer"] if nom in ECRIVENT else []

    dit, echec = lancer(nom, "--json", *options)

    assert echec is not None, dit
    assert echec.returncode == Code.PAS_PU
    assert "\n" not in str(echec)
    assert isinstance(json.loads(dit), dict)
