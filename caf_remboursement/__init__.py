"""Assemble les apps ; ne décide rien. L'application Celery se charge avec Django, pour que les tâches la trouvent."""

from caf_remboursement.celery import app as celery_app

__all__ = ["celery_app"]
