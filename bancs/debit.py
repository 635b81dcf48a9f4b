"""« Mes dettes » de vingt dettes, servie aussi vite que possible par un vrai gunicorn sur deux cœurs : pages par seconde."""

import os
import time

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "caf_remboursement.settings")
import django

django.setup()

from django.urls import reverse

from bancs.charge import Demande, ouvrir_le_web, presser
from bancs.mesure import TOURS, Ligne, dire
from bancs.pages import creer, entrer

CONNEXIONS, PAR_CONNEXION = 8, int(os.environ.get("PAR_CONNEXION", "20"))


def main() -> None:
    cookies = [entrer(creer(20)) for _ in range(CONNEXIONS)]
    chemins = {"nous": reverse("dettes:liste"), "ordinaire": "/bancs/ordinaire/", "vide": "/bancs/vide/"}
    debits: dict[str, list[float]] = {nom: [] for nom in chemins}
    with ouvrir_le_web() as (port, _):
        for tour in range(TOURS + 1):
            for nom, chemin in chemins.items():
                pages = [Demande(chemin, cookie=cookie) for cookie in cookies] * PAR_CONNEXION
                debut = time.monotonic()
                reponses = presser(port, pages, CONNEXIONS)
                if tour:
                    debits[nom].append(len(pages) / (time.monotonic() - debut))
                assert {reponse.code for reponse in reponses} == {200}, chemin
                if nom == "nous":
                    assert all(reponse.corps.count(b"<article") == 20 for reponse in reponses), (
                        "vingt dettes se lisent"
                    )
    limite, pair = (sorted(debits[nom])[TOURS // 2] for nom in ("vide", "ordinaire"))
    note = "notre client prend sa part des deux cœurs"
    dire(
        Ligne(
            "Mes dettes, 20 dettes : pages/s", debits["nous"], 250, limite, pair, plus_haut_est_mieux=True, note=note
        )
    )


if __name__ == "__main__":
    main()
