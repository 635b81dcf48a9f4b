"""Conduire une machine d'essai : relancer ses unités comme systemd, payer, sonder, mettre à jour."""

import json
import os
import re
import secrets
import shlex
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import requests

from outils.systeme import find_port, wait_until

GRAPPE = "rembourser"
NOM = "rembourser.caf.example"
PAQUETS = (
    *("postgresql", "redis-server", "nginx", "python3-venv"),
    *("libpango-1.0-0", "libpangoft2-1.0-0", "libharfbuzz-subset0"),
)
SRV, ETC, RUN = Path("/srv/rembourser"), Path("/etc/rembourser"), Path("/run/rembourser")
DONNEES = Path("/var/lib/postgresql/15") / GRAPPE
VAR, COPIES = Path("/var/lib/rembourser"), Path("/var/backups/rembourser")
HORS_PRODUCTION = (".*", "simulateur_payzen", "outils", "tests", "staticfiles", "__pycache__")
UNITES = (
    *("notification@1", "notification@2", "site@1", "site@2"),
    *("ouvrier@argent", "ouvrier@payzen", "ouvrier@tickets", "planificateur", "metriques"),
)
BOUTIQUE = "66100001"
CARTE = {"numero": "4970100000000055", "mois": "12", "annee": "2030", "cryptogramme": "123"}
PAYER = """
import json
from decimal import Decimal
from comptes.models import Utilisateur
from demarches import services as demarches
from demarches.recapitulatif import lire_le_recapitulatif
from paiements.depart import payer
personne, departs = Utilisateur.objects.get(identifiant="6610000355"), []
dettes = [dette for dette in demarches.get_dettes_de(personne.allocataire) if dette.disponible >= 2]
for rang in range({combien}):
    demarche = demarches.enregistrer_informations(demarches.commencer(personne), courriel="personne@exemple.fr")
    demarche = demarches.enregistrer_montants(demarche, {{dettes[rang].pk: Decimal("1.00")}})
    montre = lire_le_recapitulatif(demarche, demarches.get_dettes(demarche))
    depart = payer(demarche, empreinte_vue=montre.empreinte)
    departs.append([depart.paiement.reference, depart.adresse, depart.champs])
print("DEPARTS" + json.dumps(departs))
"""


RELANCER = """#!/bin/sh
echo "${{1#rembourser-}}" > {demande}.neuf && mv {demande}.neuf {demande}
while [ ! -e {fait} ]; do sleep 0.1; done
rm {fait}
"""


def dire(texte: str) -> None:
    """Une ligne datée : le journal de l'essai."""
    print(f"{time.strftime('%H:%M:%S', time.gmtime())}  {texte}", flush=True)


def exiger(condition: bool, phrase: str) -> None:
    """Arrête l'essai sur une phrase si ce qu'il attendait n'est pas."""
    if not condition:
        raise SystemExit(f"échec : {phrase}")


def lancer(*commande: str | Path, **options: Any) -> str:
    """Une commande qui doit réussir ; rend ce qu'elle imprime."""
    faite = subprocess.run(commande, capture_output=True, text=True, check=False, **options)
    if faite.returncode:
        raise SystemExit(f"échec : {shlex.join(map(str, commande))}\n{faite.stdout}{faite.stderr}")
    return str(faite.stdout)


def essayer(*commande: str | Path) -> tuple[int, str]:
    """Une commande qui peut échouer ; rend son code et ce qu'elle imprime."""
    faite = subprocess.run(commande, capture_output=True, text=True, check=False)
    return faite.returncode, faite.stdout


class Machine:
    """Une machine, et la main sur chacune de ses unités."""

    def __init__(self, pile: ExitStack) -> None:
        self.pile = pile
        self.mdp, self.mdp_service = secrets.token_hex(12), secrets.token_hex(12)
        self.courtier, self.simulateur, self.port_base = find_port(), find_port(), find_port()
        self.lances: dict[str, subprocess.Popen[bytes]] = {}
        self.environnement: dict[str, str] = {}
        self.proprietaire = f"postgresql://rembourser:{self.mdp}@127.0.0.1:{self.port_base}/rembourser"
        self.cles = {"TEST": {"cle": secrets.token_hex(8), "mot_de_passe": f"testpassword_{secrets.token_hex(12)}"}}

    # --- Agir

    def relancer(self, unite: str) -> None:
        """Ce que fait `systemctl restart` : SIGTERM, le temps de finir, puis l'ExecStart de l'unité."""
        commande = self.lire_la_commande(unite)
        if ancien := self.lances.pop(unite, None):
            self._arreter(ancien)
        self._lancer(unite, commande, SRV / "courant", "rembourser")
        if prise := re.search(r"unix:(\S+)", shlex.join(commande)):
            exiger(wait_until(Path(prise[1]).is_socket, 600), f"{unite} n'écoute pas")
            wait_until(lambda: self.sonder("/sante/vie/") == 200, 30)

    def arreter_les_unites(self) -> None:
        """Ce que fait `systemctl stop 'rembourser-*'` : toutes, les minuteries n'étant pas de cet essai."""
        for unite in UNITES:
            self._arreter(self.lances.pop(unite))

    def relancer_les_unites(self) -> None:
        """Ce que fait `systemctl start rembourser.target`, puis l'attente qu'il réponde."""
        for unite in UNITES:
            self.relancer(unite)
        exiger(wait_until(lambda: self.sonder("/sante/") == 200, 120), "le service ne répond pas")

    def lire_la_commande(self, unite: str) -> list[str]:
        """L'ExecStart d'une unité, ses ajouts compris."""
        modele, _, instance = unite.partition("@")
        fichier = SRV / "courant/deploiement/systemd" / f"rembourser-{modele}{'@' if instance else ''}.service"
        ajouts = sorted(fichier.parent.glob(f"rembourser-{unite}.service.d/*.conf"))
        texte = "\n".join(lu.read_text() for lu in (fichier, *ajouts)).replace("%i", instance).replace("%H", "essai")
        *_, ligne = re.findall(r"^ExecStart=(.+)$", texte, re.MULTILINE)  # le dernier dit vaut, comme pour systemd
        return shlex.split(ligne)

    def gerer(self, *commande: str, proprietaire: bool = False) -> str:
        """Une commande de gestion, par le compte du service ou celui qui possède les tables."""
        environnement = self.environnement | ({"DATABASE_URL": self.proprietaire} if proprietaire else {})
        python = SRV / "courant/.venv/bin/python"
        return lancer(python, "manage.py", *commande, cwd=SRV / "courant", env=environnement)

    def mettre_a_jour(self, version: Path, *, migrer: bool) -> None:
        """deploiement/mettre_a_jour.sh, dont les `systemctl restart` nous reviennent par un fichier."""
        demande, fait, script = VAR / "relancer", VAR / "relancer.fait", VAR / "relancer.sh"
        script.write_text(RELANCER.format(demande=demande, fait=fait))
        script.chmod(0o755)
        # Un retour ne migre rien : il n'a pas l'adresse du propriétaire.
        plus = {"RELANCER": str(script)} | ({"DATABASE_URL_PROPRIETAIRE": self.proprietaire} if migrer else {})
        commande = ["/bin/sh", str(version / "deploiement/mettre_a_jour.sh"), str(version)]
        # Rien d'autre que ce qu'a l'opérateur : les réglages, le script les lit lui-même.
        with subprocess.Popen(commande, env={"PATH": os.environ["PATH"]} | plus) as passage, ExitStack() as fin:
            fin.callback(passage.kill)  # une faute ici ne doit pas l'attendre toujours ; fini, ceci ne fait rien
            while passage.poll() is None:
                if not demande.exists():
                    time.sleep(0.1)
                    continue
                unite = demande.read_text().strip()
                demande.unlink()
                self.relancer(unite)
                fait.touch()
        exiger(passage.returncode == 0, "mettre_a_jour.sh a échoué")

    def payer(self, combien: int) -> list[str]:
        """Autant de paiements d'un euro, par la vraie page de la plateforme ; rend leurs références."""
        departs = json.loads(
            self.gerer("shell", "--verbosity", "0", "-c", PAYER.format(combien=combien)).partition("DEPARTS")[2]
        )
        for _, adresse, champs in departs:
            web = requests.Session()
            page = web.post(adresse, data=champs, timeout=60)
            for saisie in ({"marque": "CB"}, CARTE):
                web.post(page.url, data=saisie, timeout=60)
        return [reference for reference, _, _ in departs]

    def attendre_l_imputation(self, references: list[str]) -> float:
        """Jusqu'à ce que tous soient sur leur dette ; rend les secondes."""
        debut = time.monotonic()
        requete = "SELECT reference FROM paiements_paiement WHERE statut = 'IMPUTE'"
        tous = set(references)
        exiger(wait_until(lambda: tous <= set(self.demander(requete).split()), 240), "pas tous imputés")
        return time.monotonic() - debut

    def demander(self, sql: str) -> str:
        """Une question à la base, par le propriétaire."""
        return lancer("psql", self.proprietaire, "-At", "-c", sql).strip()

    def sonder(self, chemin: str, hote: str = NOM) -> int:
        """Le code que rend le frontal ; 0 s'il ne répond pas."""
        try:
            reponse = requests.get(
                f"https://{NOM}{chemin}",
                headers={"Host": hote},
                verify=str(ETC / "tls/certificat.pem"),
                timeout=20,
                allow_redirects=False,
            )
        except requests.RequestException:
            return 0
        return reponse.status_code

    @contextmanager
    def sonder_sans_cesse(self) -> Iterator[list[int]]:
        """Demande la santé et l'accueil sans cesse ; rend les codes qui ne sont pas 200."""
        fautes: list[int] = []
        fini = threading.Event()

        def boucler() -> None:
            while not fini.is_set():
                fautes.extend(code for chemin in ("/sante/", "/") if (code := self.sonder(chemin)) != 200)
                time.sleep(0.25)  # nginx accorde cinq sondes par seconde

        fil = threading.Thread(target=boucler)
        fil.start()
        try:
            yield fautes
        finally:
            fini.set()
            fil.join()

    # --- Dessous

    def garder_les_journaux(self) -> None:
        """L'essai échoue, et la machine va s'effacer : les journaux de ses processus restent, à lire."""
        if VAR.exists():
            gardes = tempfile.mkdtemp(prefix="rembourser-essai-")
            shutil.copytree(VAR, gardes, dirs_exist_ok=True, ignore=shutil.ignore_patterns("encaissements", "*.sh"))
            dire(f"les journaux sont dans {gardes}")

    def postgres(self, *commande: str, **options: Any) -> str:
        """Une commande, par le compte postgres."""
        return lancer(
            "setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups", *commande, cwd="/", **options
        )

    def _lancer(self, nom: str, commande: list[str], dossier: Path, compte: str, **plus: str) -> None:
        par = [] if compte == "root" else ["setpriv", f"--reuid={compte}", f"--regid={compte}", "--init-groups"]
        with (VAR / f"{nom}.log").open("ab") as journal:
            self.lances[nom] = subprocess.Popen(
                [*par, *commande],
                cwd=dossier,
                env=self.environnement | plus,
                stdout=journal,
                stderr=journal,
                start_new_session=True,
            )

    def _arreter(self, lance: "subprocess.Popen[bytes]") -> None:
        lance.terminate()
        if not wait_until(lambda: lance.poll() is not None, 60):
            os.killpg(lance.pid, signal.SIGKILL)
        lance.wait()

    def _effacer(self) -> None:
        for lance in self.lances.values():
            lance.terminate()
        for lance in self.lances.values():
            self._arreter(lance)
        for dossier in (SRV, ETC, RUN, VAR, COPIES):
            shutil.rmtree(dossier, ignore_errors=True)
