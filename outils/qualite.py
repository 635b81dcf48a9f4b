"""Les contrôles qui ne sont pas des tests : style, types, flèches entre apps, migrations, réglages de production."""

import json
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import yaml

from outils import postgres
from outils.pytest_services import VARIABLES
from outils.systeme import RACINE, readable_errors

BIN = Path(sys.executable).parent
MANAGE = [sys.executable, "-W", "error", "manage.py"]
# Des réglages de production plausibles : c'est avec eux que le déploiement se vérifie.
PRODUCTION = {
    "DEBUG": "false",
    "HTTPS": "true",
    "SECRET_KEY": secrets.token_urlsafe(50),
    "ALLOWED_HOSTS": "rembourser.caf.invalid",
    "ADRESSE_PUBLIQUE": "https://rembourser.caf.invalid",
    "CONTACT_SECURITE": "mailto:securite@caf.invalid",
    "PAYZEN_MODE": "PRODUCTION",
    "EMAIL_URL": "smtp://127.0.0.1:25",
    "DEFAULT_FROM_EMAIL": "Rembourser ma Caf <ne-pas-repondre@caf.example>",
    "PAYZEN_BOUTIQUES": json.dumps({"66100001": {"PRODUCTION": {"cle": "cle", "mot_de_passe": "prodpassword_faux"}}}),
}
CONTROLES: list[tuple[str, list[str]]] = [
    ("Mise en forme", [str(BIN / "ruff"), "format", "--check", "."]),
    ("Style", [str(BIN / "ruff"), "check", "."]),
    ("Types", [str(BIN / "mypy")]),
    ("Flèches entre apps", [str(BIN / "lint-imports"), "--no-cache"]),
    ("Migrations à jour", [*MANAGE, "makemigrations", "--check", "--dry-run"]),
]
DEPLOIEMENT = [*MANAGE, "check", "--deploy", "--fail-level", "WARNING"]
# Ce qui ne s'installe pas en production : la vérification de déploiement refuse d'y voir le simulateur.
HORS_PRODUCTION = (".*", "simulateur_payzen", "outils", "tests", "donnees", "docs", "staticfiles")


def main() -> None:
    """Passe tous les contrôles, même après un échec ; code 1 si l'un a échoué."""
    with readable_errors(), tempfile.TemporaryDirectory(prefix="rembourser-qualite-") as temporaire:
        Path(temporaire).chmod(0o711)  # le compte de PostgreSQL n'est pas toujours le nôtre
        base, production = Path(temporaire, "base"), Path(temporaire, "production")
        try:
            services = {"DATABASE_URL": postgres.start(base, durable=False), "REDIS_URL": "redis://:mdp@127.0.0.1:1/0"}
            reussites = [_run(titre, commande, services, RACINE) for titre, commande in CONTROLES]
            shutil.copytree(RACINE, production, ignore=shutil.ignore_patterns(*HORS_PRODUCTION))
            reussites.append(_run("Déploiement", DEPLOIEMENT, services | PRODUCTION, production))
        finally:
            postgres.erase(base)
    reussites.append(_check_compose())
    sys.exit(0 if all(reussites) else 1)


def _run(titre: str, commande: list[str], variables: dict[str, str], dossier: Path) -> bool:
    """Passe un contrôle ; sa sortie ne se montre que s'il échoue."""
    environnement = os.environ | VARIABLES | variables
    environnement.pop("DJANGO_ALLOW_ASYNC_UNSAFE")  # pour les tests de navigateur seulement
    controle = subprocess.run(
        commande,
        cwd=dossier,
        env=environnement,
        check=False,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    print(f"{'bon   ' if controle.returncode == 0 else 'ÉCHEC '} {titre}", flush=True)
    if controle.returncode != 0:
        print(controle.stdout, flush=True)
    return controle.returncode == 0


def _check_compose() -> bool:
    """Vérifie que docker-compose.yml se lit, sans Docker, et que chaque service a de quoi naître."""
    services = yaml.safe_load((RACINE / "docker-compose.yml").read_text())["services"]
    complets = all("image" in service or "build" in service for service in services.values())
    print(f"{'bon   ' if complets else 'ÉCHEC '} docker-compose.yml", flush=True)
    return complets


if __name__ == "__main__":
    main()
