"""
Suit docs/exploitation.md sur une Debian nue, avec les fichiers de deploiement/ : `make essai-installation`.

En root, hors de `make test` : il emploie les postgresql, redis et nginx de Debian (apt), écrit dans /srv, /etc et
/run, et n'en laisse rien. Sans systemd (conteneur), il lance lui-même l'ExecStart de chaque unité.
"""

import os
import shutil
import signal
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TypeVar

from outils.essai.conduite import DONNEES, VAR, essayer
from outils.essai.machine import BOUTIQUE, COPIES, GRAPPE, SRV, Installation, dire, exiger, lancer
from outils.systeme import wait_until

M = TypeVar("M", bound=Installation)
PAR_LE_SERVICE = ("setpriv", "--reuid=rembourser", "--regid=rembourser", "--init-groups")


def main() -> None:
    """Installe, paie, met à jour, revient, sauvegarde, restaure ; dit chaque étape, et s'arrête à une faute."""
    with ouvrir(Installation) as machine:
        version_a = (SRV / "courant").resolve()
        version_b = machine.installer_une_version("B")
        for titre, version in (("mise à jour vers B", version_b), ("retour à A", version_a)):
            with machine.sonder_sans_cesse() as fautes:
                machine.mettre_a_jour(version, migrer=version == version_b)
                imputes = machine.attendre_l_imputation(machine.payer(5))
            dire(f"{titre} : cinq paiements pendant, imputés en {imputes:.1f} s ; réponses fautives : {fautes}")
            exiger(not fautes, "une demande s'est perdue pendant la mise à jour")
        passer_une_nuit(machine, version_a)
        prevenir_les_operateurs(machine, version_a)
        perdre_la_base(machine, version_a)
        dire(lancer("sh", version_a / "deploiement/gerer.sh", "verifier_invariants").strip())
        dire("tout est suivi, tout tient")


@contextmanager
def ouvrir(sorte: type[M]) -> Iterator[M]:
    """Une machine installée et qui tourne ; à la fin, ou arrêtée au milieu, elle défait ce qu'elle a fait."""
    if os.geteuid() != 0:
        raise SystemExit("Cet essai installe des paquets et des comptes : il lui faut root.")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("arrêté"))
    with ExitStack() as pile:
        machine = sorte(pile)
        try:
            installer(machine)
            demarrer(machine)
            yield machine
        except BaseException:
            machine.garder_les_journaux()
            raise


def installer(machine: Installation) -> None:
    """Les étapes 1 à 6 du manuel."""
    dire("machine : paquets de Debian, compte, certificat")
    machine.preparer_la_machine()
    dire("base : creer.sql, rembourser.conf")
    machine.installer_la_base()
    dire("version A : code et environnement (pip --require-hashes)")
    version = machine.installer_une_version("A")
    machine.regler()
    (SRV / "courant").symlink_to(version)
    machine.gerer("migrate", "--no-input", proprietaire=True)
    lancer("psql", machine.proprietaire, "-q", "-f", version / "deploiement/postgresql/droits.sql")
    machine.gerer("collectstatic", "--no-input")
    # Par gerer.sh, comme le manuel : ce que ces commandes écrivent, le compte du service doit pouvoir l'écrire.
    gerer = ("sh", version / "deploiement/gerer.sh")
    lancer(*gerer, "charger_cafs", "--appliquer")
    lancer(*gerer, "importer_livraison", version / "donnees/exemple/661", "--appliquer")
    machine.demander(f"UPDATE comptes_caf SET boutique = '{BOUTIQUE}' WHERE code = '661'")  # noqa: S608 (la nôtre)
    dire(f"check --deploy : {machine.gerer('check', '--deploy', '--fail-level', 'WARNING').strip()}")


def demarrer(machine: Installation) -> None:
    """L'étape 7, et un premier paiement."""
    dire("démarrage : courtier, unités, nginx")
    machine.demarrer()
    accueil, autre = machine.sonder("/"), machine.sonder("/", "10.0.0.5")
    sante = machine.sonder("/sante/", "10.0.0.5")
    dire(f"frontal : accueil {accueil}, autre nom {autre} (0 : rien), santé à tout nom {sante}")
    exiger((accueil, autre, sante) == (200, 0, 200), "le frontal ne répond pas ce qu'il faut")
    dire(f"cinq paiements imputés en {machine.attendre_l_imputation(machine.payer(5)):.1f} s")


def passer_une_nuit(machine: Installation, version: Path) -> None:
    """Ce que la minuterie de la nuit lance, et l'état que lit l'opérateur."""
    reglages = {"CAFS": "661", "ENCAISSEMENTS": str(VAR / "encaissements")}
    lancer(*PAR_LE_SERVICE, "sh", "deploiement/nuit.sh", cwd=version, env=machine.environnement | reglages)
    rendus = sorted(fichier.name for fichier in (VAR / "encaissements/661").iterdir())
    exiger(bool(rendus), "la nuit n'a rien rendu à la Caf")
    dire(f"nuit : {', '.join(rendus)} rendus à la Caf, PayZen interrogé sur deux jours")
    code, etat = essayer("sh", version / "deploiement/gerer.sh", "etat_service")
    dire(f"etat_service, code {code} : {etat.splitlines()[0]}")


def prevenir_les_operateurs(machine: Installation, version: Path) -> None:
    """Un certificat qui expire, renouvelé ; une unité qui échoue : un courriel pour chaque nouvelle, et un seul."""
    surveiller = ("sh", version / "deploiement/gerer.sh", "etat_service", "--alerter")
    for jours, attendu in ((5, 1), (90, 0)):
        machine.poser_un_certificat(jours)
        codes = [essayer(*surveiller)[0] for _ in range(2)]
        exiger(codes == [attendu] * 2, f"etat_service --alerter, un certificat de {jours} jours : codes {codes}")
    echec = machine.lire_la_commande("echec@rembourser-nuit.service")
    lancer(*PAR_LE_SERVICE, *echec, cwd=SRV / "courant", env=machine.environnement)
    for texte in machine.courrier.textes:
        dire(f"courriel aux opérateurs : {' / '.join(ligne for ligne in texte.splitlines() if ligne)}")
    exiger(len(machine.courrier.textes) == 3, "pas un courriel par nouvelle, et un seul")
    exiger("expire dans" in machine.courrier.textes[0], "le certificat qui expire ne se dit pas")


def refuser_une_archive_tronquee(machine: Installation, copier: list[str]) -> None:
    """Un disque plein tronque l'archive : sauvegarder.sh s'arrête, et ce qu'il gardait reste seul."""
    gardees = sorted((COPIES / "base").iterdir())
    faux = VAR / "tronquer"
    faux.mkdir()
    tronquer = '/usr/bin/pg_basebackup "$@" && find /var/backups/rembourser/en-cours -name "*.gz"'
    (faux / "pg_basebackup").write_text(f"#!/bin/sh\n{tronquer} -exec truncate --size=-100 {{}} +\n")
    (faux / "pg_basebackup").chmod(0o755)
    chemin = f"PATH={faux}:{os.environ['PATH']}"
    par_postgres = ("setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups", "env", "--chdir=/")
    code, _ = essayer(*par_postgres, chemin, f"PGPORT={machine.port_base}", *copier)
    exiger(code != 0, "une archive tronquée a passé pour une sauvegarde")
    exiger(sorted((COPIES / "base").iterdir()) == gardees, "une archive tronquée est restée parmi les sauvegardes")
    dire(f"archive tronquée : refusée (code {code}), l'ancienne reste seule")


def perdre_la_base(machine: Installation, version: Path) -> None:
    """Sauvegarde, paie encore, perd tout, et restaure jusqu'à la dernière minute."""
    copier = ["sh", str(version / "deploiement/sauvegarder.sh"), str(COPIES)]
    sauvegarde = machine.postgres(*copier, env=os.environ | {"PGPORT": str(machine.port_base)}).split()[-1]
    refuser_une_archive_tronquee(machine, copier)
    machine.attendre_l_imputation(machine.payer(3))
    attendu = machine.demander("SELECT count(*), sum(montant) FROM paiements_imputation")
    archives = "SELECT archived_count FROM pg_stat_archiver"
    avant = machine.demander(archives)
    machine.postgres("psql", "-qAt", "-p", str(machine.port_base), "-c", "SELECT pg_switch_wal()")
    exiger(wait_until(lambda: machine.demander(archives) != avant, 60), "le dernier WAL ne s'est pas archivé")
    dire("sauvegarde faite ; puis trois paiements, et la base est perdue")
    machine.arreter_les_unites()
    lancer("pg_ctlcluster", "15", GRAPPE, "stop", "-m", "immediate")
    shutil.rmtree(DONNEES)
    DONNEES.mkdir(mode=0o700)
    shutil.chown(DONNEES, "postgres", "postgres")
    machine.postgres("sh", str(version / "deploiement/restaurer.sh"), sauvegarde, str(DONNEES), str(COPIES / "wal"))
    lancer("pg_ctlcluster", "15", GRAPPE, "start")
    exiger(wait_until(lambda: _est_revenue(machine), 120), "toujours en reprise")
    exiger(machine.sonder("/sante/") != 200, "le service s'est rallumé avant la fin")
    rejouer_ce_qui_a_suivi(machine, version)
    retrouve = machine.demander("SELECT count(*), sum(montant) FROM paiements_imputation")
    dire(f"restaurée : imputations et somme {retrouve}, attendu {attendu}")
    exiger(retrouve == attendu, "la restauration a perdu de l'argent")
    machine.relancer_les_unites()
    lancer("sh", version / "deploiement/gerer.sh", "reprendre_service", "661", "--appliquer")
    dire(f"après restauration, imputés en {machine.attendre_l_imputation(machine.payer(2)):.1f} s")
    machine.postgres("psql", "-qAt", "-p", str(machine.port_base), "-c", "SELECT pg_switch_wal()")
    exiger(wait_until(lambda: machine.demander(archives) != "0", 60), "restaurée, la base n'archive plus")


def _est_revenue(machine: Installation) -> bool:
    code, reprise = essayer("psql", machine.proprietaire, "-At", "-c", "SELECT pg_is_in_recovery()")
    return code == 0 and reprise.strip() == "f"


def rejouer_ce_qui_a_suivi(machine: Installation, version: Path) -> None:
    """« Après un désastre », service arrêté : rien n'a été perdu que les WAL n'aient rendu, et chaque étape le dit."""
    lancer("psql", machine.proprietaire, "-q", "-f", version / "deploiement/postgresql/droits.sql")
    gerer, publies = ("sh", version / "deploiement/gerer.sh"), VAR / "encaissements/661"
    for commande in (
        ("interroger_payzen", "--journaux", "--publies", publies),
        ("reprendre_encaissements", "661", "--dossier", publies),
        ("suspendre_service", "661", "--message", "Nous vérifions vos comptes."),
    ):
        dire(f"{commande[0]} : {lancer(*gerer, *commande, '--appliquer').strip().splitlines()[-1]}")


if __name__ == "__main__":
    main()
