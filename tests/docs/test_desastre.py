"""Restaurer selon le manuel : tout s'arrête d'abord, et rien ne se rallume avant la dernière lecture de PayZen."""

import re

from outils.systeme import RACINE

MANUEL = (RACINE / "docs/exploitation.md").read_text()
UNITES = RACINE / "deploiement/systemd"
MINUTERIES = sorted(minuterie.name for minuterie in UNITES.glob("*.timer"))
RALLUMER = re.compile(r"systemctl (?:start|enable|restart)\b[^`\n]*rembourser\.target[^`\n]*")


def lire_la_section(titre: str) -> str:
    return MANUEL.partition(f"\n## {titre}\n")[2].partition("\n## ")[0]


def test_restaurer_arrete_les_minuteries_et_ce_qu_elles_lancent():
    (arret,) = re.findall(r"systemctl disable --now (.+)", lire_la_section("Sauvegarder, restaurer"))
    tout = lire_la_section("Sauvegarder, restaurer").partition(arret)[2].splitlines()[1]

    assert sorted(arret.split()) == sorted(["rembourser.target", *MINUTERIES])
    assert "systemctl stop 'rembourser-*'" in tout


def test_rien_ne_se_rallume_avant_la_fin_du_desastre():
    desastre = lire_la_section("Après un désastre")
    (rallumer,) = RALLUMER.findall(desastre)
    apres = desastre.partition(rallumer)[2]

    assert RALLUMER.findall(lire_la_section("Sauvegarder, restaurer")) == []
    assert all(commande in desastre for commande in ("--publies", "lire_journaux", "reprendre_encaissements"))
    assert not re.search(r"--publies|lire_journaux|importer_livraison|reprendre_encaissements", apres)


def lire_ce_qui_s_allume(texte: str) -> list[str]:
    lignes = re.findall(r"systemctl enable --now ([^`\n]+)", texte)
    return sorted(unite for ligne in lignes for unite in ligne.split())


def test_ce_qui_se_rallume_est_ce_que_l_installation_allume():
    allumees = [
        lire_ce_qui_s_allume(lire_la_section(titre)) for titre in ("Installer en production", "Après un désastre")
    ]

    assert allumees == [sorted(["rembourser.target", *MINUTERIES])] * 2


def test_rien_ne_se_publie_ni_ne_se_purge_avant_la_verification():
    avant, _, apres = lire_la_section("Après un désastre").partition("`verifier_invariants`")

    assert not {"rembourser-nuit.timer", "rembourser-purge.timer"} & set(lire_ce_qui_s_allume(avant))
    assert lire_ce_qui_s_allume(apres) == ["rembourser-nuit.timer", "rembourser-purge.timer"]


def test_le_script_ne_dit_pas_un_autre_ordre():
    entete = (RACINE / "deploiement/restaurer.sh").read_text().partition("set -eu")[0]

    assert "--jour" not in entete
    assert "« Après un désastre »" in entete
