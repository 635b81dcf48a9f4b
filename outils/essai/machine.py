"""Une machine où l'on suit le manuel : les paquets de Debian et les fichiers de deploiement/."""

import importlib.util
import json
import os
import re
import secrets
import shlex
import shutil
import signal
import sys
from contextlib import ExitStack
from pathlib import Path

from outils.essai.conduite import (
    BOUTIQUE,
    COPIES,
    ETC,
    GRAPPE,
    HORS_PRODUCTION,
    NOM,
    PAQUETS,
    RUN,
    SRV,
    VAR,
    Machine,
    dire,
    exiger,
    lancer,
)
from outils.essai.courrier import Courrier
from outils.systeme import RACINE, wait_until

__all__ = ["BOUTIQUE", "COPIES", "GRAPPE", "SRV", "Installation", "dire", "exiger", "lancer"]


class Installation(Machine):
    """Le manuel, dans son ordre, et un serveur de courriel qui reçoit les tickets."""

    def __init__(self, pile: ExitStack) -> None:
        super().__init__(pile)
        self.courrier = Courrier()
        pile.callback(self.courrier.controleur.stop)

    def preparer_la_machine(self) -> None:
        """Paquets, compte, dossiers, certificat, nom."""
        manquants = [
            p for p in PAQUETS if "ok installed" not in lancer("sh", "-c", f"dpkg -s {p} 2>/dev/null || true")
        ]
        if manquants:
            lancer("apt-get", "install", "-y", "--no-install-recommends", *manquants)
        # Le groupe peut être resté d'une fois d'avant : useradd, seul, s'y arrêterait.
        lancer("groupadd", "--system", "--force", "rembourser")
        creer = "useradd --system --gid rembourser --home-dir /srv/rembourser rembourser"
        lancer("sh", "-c", f"id rembourser >/dev/null 2>&1 || {creer}")
        lancer("usermod", "-a", "-G", "rembourser", "www-data")
        for dossier in (SRV / "versions", ETC / "tls", RUN, VAR, COPIES / "base", COPIES / "wal"):
            dossier.mkdir(parents=True, exist_ok=True)
        for dossier in (RUN, VAR):
            shutil.chown(dossier, "rembourser", "rembourser")
        shutil.chown(COPIES, "postgres")
        for dossier in (COPIES / "base", COPIES / "wal"):
            shutil.chown(dossier, "postgres")
        self.pile.callback(self._effacer)
        self.poser_un_certificat(90)
        hotes = Path("/etc/hosts")
        avant = hotes.read_text()
        hotes.write_text(f"{avant}127.0.0.1 {NOM}\n")
        self.pile.callback(lambda: hotes.write_text(avant))

    def poser_un_certificat(self, jours: int) -> None:
        """Celui de l'adresse publique, valable autant de jours ; nginx le prend s'il tourne."""
        lancer(
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", str(jours), "-subj", f"/CN={NOM}"),
            *("-addext", f"subjectAltName=DNS:{NOM}", "-addext", "basicConstraints=critical,CA:TRUE"),
            *("-keyout", ETC / "tls/cle.pem", "-out", ETC / "tls/certificat.pem"),
        )
        if nginx := self.lances.get("nginx"):
            nginx.send_signal(signal.SIGHUP)
            exiger(wait_until(lambda: self.sonder("/sante/") == 200, 60), "nginx ne prend pas le nouveau certificat")

    def installer_la_base(self) -> None:
        """creer.sql par postgres ; les réglages et l'archivage sont ceux de deploiement/."""
        lancer("pg_createcluster", "15", GRAPPE, "--port", str(self.port_base), "--", "--auth-host=scram-sha-256")
        # pg_dropcluster laisse ce qu'on a mis dans conf.d, que la fois d'après reprendrait.
        self.pile.callback(shutil.rmtree, Path("/etc/postgresql/15", GRAPPE), ignore_errors=True)
        self.pile.callback(lancer, "pg_dropcluster", "--stop", "15", "rembourser")
        conf = Path("/etc/postgresql/15", GRAPPE, "conf.d/rembourser.conf")
        # Cette machine d'essai n'a pas huit gigaoctets : seule la mémoire change.
        texte = (RACINE / "deploiement/postgresql/rembourser.conf").read_text()
        conf.write_text(re.sub(r"(shared_buffers|effective_cache_size) = \dGB", r"\1 = 128MB", texte))
        lancer("pg_ctlcluster", "15", GRAPPE, "start")
        sql = RACINE / "deploiement/postgresql/creer.sql"
        variables = ["-v", f"mdp={self.mdp}", "-v", f"mdp_service={self.mdp_service}"]
        self.postgres("psql", "-q", "-p", str(self.port_base), *variables, stdin=sql.open())

    def installer_une_version(self, nom: str) -> Path:
        """Le code sans ce qui ne s'installe pas, et son environnement, d'après requirements/production.txt."""
        version = SRV / "versions" / nom
        shutil.copytree(RACINE, version, ignore=shutil.ignore_patterns(*HORS_PRODUCTION))
        # Celui de Debian, que le compte du service sait lancer.
        lancer("/usr/bin/python3", "-m", "venv", version / ".venv")
        exigences = ["--require-hashes", "-r", str(version / "requirements/production.txt")]
        # uv lit la même liste et vérifie les mêmes empreintes que pip, en dix fois moins de temps.
        installeur: list[str | Path] = [
            sys.executable,
            "-m",
            "uv",
            "pip",
            "install",
            "--python",
            version / ".venv/bin/python",
        ]
        if importlib.util.find_spec("uv") is None:
            installeur = [version / ".venv/bin/pip", "install"]
        lancer(*installeur, "-q", *exigences)
        return version

    def regler(self) -> None:
        """/etc/rembourser/service.env, et les fichiers du frontal et du courtier."""
        reglages = {
            "SECRET_KEY": secrets.token_urlsafe(50),
            "DATABASE_URL": self.proprietaire.replace(
                f"rembourser:{self.mdp}", f"rembourser_service:{self.mdp_service}"
            ),
            "REDIS_URL": f"redis://:{self.mdp}@127.0.0.1:{self.courtier}/0",
            "PAYZEN_MODE": "TEST",
            "PAYZEN_BOUTIQUES": json.dumps({BOUTIQUE: self.cles}),
            "PAYZEN_URL_FORMULAIRE": f"http://127.0.0.1:{self.simulateur}/vads-payment/",
            "PAYZEN_URL_API": f"http://127.0.0.1:{self.simulateur}/api-payment/V4/",
            "ADRESSE_PUBLIQUE": f"https://{NOM}",
            "EMAIL_URL": f"smtp://127.0.0.1:{self.courrier.port}",
            "DEFAULT_FROM_EMAIL": "Rembourser ma Caf <ne-pas-repondre@caf.example>",
            "ALERTES_A": "astreinte@caf.example",
            "CONTACT_SECURITE": "mailto:securite@caf.example",
            "REQUESTS_CA_BUNDLE": str(ETC / "tls/certificat.pem"),
            "SSL_CERT_FILE": str(ETC / "tls/certificat.pem"),
        }
        self.environnement = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", **reglages}
        fichier = ETC / "service.env"
        fichier.write_text("".join(f"{nom}={shlex.quote(valeur)}\n" for nom, valeur in reglages.items()))
        shutil.chown(fichier, "root", "rembourser")
        fichier.chmod(0o640)
        for nom, ou in (("rembourser.conf", "conf.d"), ("rembourser_proxy.conf", "")):
            shutil.copy(RACINE / "deploiement/nginx" / nom, Path("/etc/nginx", ou, nom))
            self.pile.callback(Path("/etc/nginx", ou, nom).unlink)
        Path("/etc/nginx/sites-enabled/default").unlink(missing_ok=True)
        texte = (RACINE / "deploiement/valkey/rembourser.conf").read_text()
        texte = texte.replace("MOT_DE_PASSE_DU_COURTIER", self.mdp).replace("port 6379", f"port {self.courtier}")
        (ETC / "courtier.conf").write_text(texte)

    def demarrer(self) -> None:
        """Le courtier, la plateforme d'essai, nginx, et chaque unité."""
        self._lancer("courtier", ["redis-server", str(ETC / "courtier.conf")], RACINE, "root")
        boutique = {
            "nom": "Caf 661",
            "cle_test": self.cles["TEST"]["cle"],
            "mot_de_passe_test": self.cles["TEST"]["mot_de_passe"],
            "cle_production": secrets.token_hex(8),
            "mot_de_passe_production": f"prodpassword_{secrets.token_hex(12)}",
            "url_notification": f"https://{NOM}/paiements/payzen/notification",
        }
        plus = {
            "SIMULATEUR_BOUTIQUES": json.dumps({BOUTIQUE: boutique}),
            "SIMULATEUR_SECRET_KEY": secrets.token_urlsafe(50),
            "SIMULATEUR_BASE": str(SRV / "simulateur.sqlite3"),
            "SIMULATEUR_AUTORITES": str(ETC / "tls/certificat.pem"),
            "SIMULATEUR_FORMATION": "oui",
            "SIMULATEUR_REGLES": "fin,annulation,refus_tentative,bo,batch",
            # Le manuel demande le rejeu automatique ; ici, un quart d'heure y dure dix secondes.
            "SIMULATEUR_REJEU_AUTO": "oui",
            "SIMULATEUR_QUART_D_HEURE_S": "10",
        }
        simulateur = [sys.executable, "-m", "simulateur_payzen", "serveur", "--port", str(self.simulateur)]
        self._lancer("simulateur", simulateur, RACINE, "root", **plus)
        lancer("nginx", "-t")
        self._lancer("nginx", ["nginx", "-g", "daemon off;"], RACINE, "root")
        self.relancer_les_unites()
