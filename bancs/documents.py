"""Le ticket : le premier rendu d'un ouvrier rapporté aux suivants, et les suivants à WeasyPrint sans soin."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "caf_remboursement.settings")
import django

django.setup()

from datetime import datetime
from decimal import Decimal

from django.conf import settings
from django.template.loader import render_to_string
from django.utils import timezone

from bancs.mesure import Ligne, comparer, dire, get_cpu, rapporter
from caf_remboursement import celery
from paiements.documents.pdf import FEUILLE, render_pdf
from paiements.documents.tickets import Contenu


def composer() -> str:
    """Le HTML d'un ticket d'une page."""
    noms = dict.fromkeys(Contenu.__annotations__, "") | {"paye_le": timezone.localtime(), "lignes": []}
    montants = {nom: Decimal(120) for nom in ("montant", "demande")} | {"rendu": Decimal(0)}
    ticket = noms | montants | {"reference": "P-BANC", "titulaire": "Camille Banc", "caf": "Caf"}
    assert isinstance(ticket["paye_le"], datetime)
    return render_to_string("paiements/ticket_pdf.html", {"ticket": ticket})


def main() -> None:
    html = composer()
    celery.app.amqp.queues.select(["tickets"])
    celery.precharger()
    avant = get_cpu()
    pdf = render_pdf(html)
    premier = get_cpu() - avant
    assert pdf.startswith(b"%PDF"), "un PDF"
    assert len(pdf) <= 15_000, f"{len(pdf)} octets"
    import weasyprint

    style = f"<style>{(settings.BASE_DIR / FEUILLE).read_text()}</style>"
    naif = lambda: weasyprint.HTML(string=html + style, base_url=str(settings.BASE_DIR / FEUILLE)).write_pdf()  # noqa: E731
    temps = comparer({"nous": lambda: render_pdf(html), "naïf": naif}, {"nous": 5, "naïf": 3})
    dire(Ligne("Premier ticket ÷ suivants", [premier / t for t in temps["nous"]], 2))
    dire(Ligne("Ticket ÷ WeasyPrint sans soin", rapporter(temps, "nous", "naïf"), 0.65))


if __name__ == "__main__":
    main()
