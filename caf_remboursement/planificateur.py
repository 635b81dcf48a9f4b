"""Le planificateur de Celery, qui ne s'endort pas quand l'heure recule."""

from typing import Any

from celery.beat import PersistentScheduler


class Planificateur(PersistentScheduler):  # type: ignore[misc]  # celery n'a pas de types
    """
    Une horloge que l'on remet à l'heure, un calendrier écrit par une machine en avance : ce qui a « déjà été fait »
    plus tard que maintenant se refait d'ici une période.

    Sans cela, Celery attend que l'heure ait rattrapé : autant de minutes sans un balayage que l'heure en a perdu.
    """

    def tick(self, *args: Any, **kwargs: Any) -> Any:
        """Réveille ce dont l'heure est venue ; rend les secondes à dormir."""
        maintenant = self.app.now()
        faites_plus_tard = [ligne for ligne in self.schedule.values() if ligne.last_run_at > maintenant]
        for ligne in faites_plus_tard:
            ligne.last_run_at = maintenant
        if faites_plus_tard:
            self._heap = None  # rangé d'après l'ancienne heure
        return super().tick(*args, **kwargs)
