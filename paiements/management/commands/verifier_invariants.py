import json

from django.core.management.base import BaseCommand, CommandParser

from paiements.surveillance.invariants import INVARIANTS, verifier


class Command(BaseCommand):
    help = "Vérifie, en lecture seule, qu'aucun euro n'est perdu, doublé ou inexpliqué."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", dest="en_json", help="rendre un objet JSON")

    def handle(self, *, en_json: bool, **options: object) -> None:
        violations = list(verifier())
        if en_json:
            lignes = [{"invariant": v.invariant.nom, "objet": v.objet, "detail": v.detail} for v in violations]
            self.stdout.write(json.dumps({"invariants": len(INVARIANTS), "violations": lignes}, ensure_ascii=False))
        else:
            for violation in violations:
                self.stdout.write(f"{violation.invariant.nom} : {violation.objet} : {violation.detail}")
            self.stdout.write(f"{len(INVARIANTS)} invariants vérifiés, {len(violations)} violation(s).")
        if violations:
            raise SystemExit(1)
