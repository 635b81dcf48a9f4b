from django.core.management.base import CommandError

from paiements.surveillance.invariants import INVARIANTS, regarder
from socle.commandes import Code, Commande


class Command(Commande):
    help = "Vérifie, en lecture seule, qu'aucun euro n'est perdu, doublé ou inexpliqué."

    def handle(self, **options: object) -> None:
        pas_vus: dict[str, str] = {}
        violations = [violation for _, trouvees in regarder(pas_vus) for violation in trouvees]
        lignes = [{"invariant": v.invariant.nom, "objet": v.objet, "detail": v.detail} for v in violations]
        vus = len(INVARIANTS) - len(pas_vus)
        self.montrer(
            {"invariants": vus, "violations": lignes, "pas_vus": pas_vus},
            [
                *("{invariant} : {objet} : {detail}".format(**ligne) for ligne in lignes),
                *(f"{nom} : pas regardé : {pourquoi}" for nom, pourquoi in pas_vus.items()),
                f"{vus} invariants vérifiés, {len(violations)} violation(s).",
            ],
        )
        if violations:
            raise CommandError(f"{len(violations)} violation(s) : prévenir quelqu'un.", returncode=Code.CONSTAT)
        if pas_vus:
            raise CommandError(f"{len(pas_vus)} invariant(s) pas regardé(s) : relancez.", returncode=Code.PAS_PU)
