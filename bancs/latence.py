"""L'attente d'une notification en boucle ouverte, à cinquante par seconde, rapportée à une page vide du même gunicorn."""

import os
from itertools import chain

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "caf_remboursement.settings")
import django

django.setup()

from bancs.charge import Demande, envoyer_a_l_heure, get_centile, ouvrir_le_web
from bancs.mesure import TOURS, Ligne, dire
from bancs.notification import compter, preparer_les_messages

PAR_SECONDE, PAR_TOUR = 50, int(os.environ.get("PAR_TOUR", "150"))
BUTS = {50: 2.2, 95: 2.5}


def main() -> None:
    messages, paiements = preparer_les_messages(PAR_TOUR * (TOURS + 1))
    messages["vide"] = [Demande("/bancs/vide/")] * PAR_TOUR * (TOURS + 1)
    attentes: dict[str, list[list[float]]] = {nom: [] for nom in messages}
    with ouvrir_le_web() as (port, _):
        for tour in range(TOURS + 1):
            for nom, siens in messages.items():
                vues = envoyer_a_l_heure(port, siens[tour * PAR_TOUR : (tour + 1) * PAR_TOUR], PAR_SECONDE)
                if tour:
                    attentes[nom].append(vues)
    compter(paiements)
    for centile, but in BUTS.items():
        rapports = {nom: rapporter(siennes, attentes["vide"], centile) for nom, siennes in attentes.items()}
        titre = f"Notification à {PAR_SECONDE}/s : p{centile} ÷ page vide"
        limite, pair = (sorted(rapports[nom])[TOURS // 2] for nom in ("un ordre", "orm"))
        dire(Ligne(titre, rapports["nous"], but, limite, pair))
    p99 = {nom: get_centile(sorted(chain.from_iterable(siennes)), 99) * 1000 for nom, siennes in attentes.items()}
    dire(Ligne(f"Notification à {PAR_SECONDE}/s : p99, en ms", [p99["nous"]], 15, p99["un ordre"], p99["orm"]))


def rapporter(siennes: list[list[float]], vides: list[list[float]], centile: int) -> list[float]:
    """Ce centile, tour par tour, rapporté à celui de la page vide."""
    return [get_centile(a, centile) / get_centile(vide, centile) for a, vide in zip(siennes, vides, strict=True)]


if __name__ == "__main__":
    main()
