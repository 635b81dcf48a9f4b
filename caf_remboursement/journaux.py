"""Journaux à champs : une ligne JSON par fait, que l'on cherche par champ et non par prose."""

import re
from typing import Any

import structlog
from django.http import HttpRequest
from django_structlog.middlewares import RequestMiddleware
from structlog.stdlib import ProcessorFormatter
from structlog.typing import EventDict, WrappedLogger

# Ce qu'un serveur frontal donne : rien qui puisse contrefaire une ligne, ni porter autre chose qu'un identifiant.
IDENTIFIANT = re.compile(r"[A-Za-z0-9._-]{8,64}")


class RequeteMiddleware(RequestMiddleware):
    """
    Donne un identifiant à chaque requête, sur toutes ses lignes.

    Une page refusée ou en panne a une ligne, avec son adresse sans la question : un agent y a tapé un numéro.
    """

    def prepare(self, request: HttpRequest) -> None:
        if not IDENTIFIANT.fullmatch(request.META.get("HTTP_X_REQUEST_ID", "")):
            request.META.pop("HTTP_X_REQUEST_ID", None)
        super().prepare(request)

    @staticmethod
    def format_request(request: HttpRequest) -> str:
        return f"{request.method} {request.path}"


def build_reglages(*, niveau: str) -> dict[str, Any]:
    """Le réglage `LOGGING` : une sortie, nos lignes à champs, et ce qui parlerait pour ne rien dire, tu."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"json": {"()": "caf_remboursement.journaux.build_formatter"}},
        "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "json"}},
        "root": {"handlers": ["console"], "level": niveau},
        # Les adresses demandées portent des références : le détail des accès reste au serveur frontal.
        "loggers": {
            "django.server": {"level": "WARNING"},
            # Déjà dit, avec l'identifiant de la requête, et sans ce que l'on y cherchait.
            "django.request": {"level": "CRITICAL"},
            # Le balayage de chaque seconde : deux cent mille lignes par jour, sans rien à dire.
            "celery.app.trace": {"level": "WARNING"},
            "celery.worker.strategy": {"level": "WARNING"},
            "celery.beat": {"level": "WARNING"},
            "weasyprint.progress": {"level": "WARNING"},
            "fontTools": {"level": "WARNING"},
        },
    }


def build_formatter() -> ProcessorFormatter:
    """Ce qui écrit une ligne, qu'elle vienne de structlog (la requête, la tâche) ou de `logging` (tout le reste)."""
    communs = (
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="quand"),
    )
    structlog.configure(
        processors=[structlog.stdlib.filter_by_level, *communs, ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
    )
    return ProcessorFormatter(
        foreign_pre_chain=[*communs, structlog.stdlib.ExtraAdder()],
        processors=[
            ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            _nommer,
            structlog.processors.JSONRenderer(ensure_ascii=False, default=str),
        ],
    )


def _nommer(_: WrappedLogger, __: str, ligne: EventDict) -> EventDict:
    """Nos noms de champs. Une requête entière, que Django joint à certaines lignes, dirait la question : on l'ôte."""
    if isinstance(ligne.get("request"), HttpRequest):
        del ligne["request"]
    debut = {
        "quand": ligne.pop("quand"),
        "niveau": ligne.pop("level").upper(),
        "source": ligne.pop("logger"),
        "message": ligne.pop("event"),
    }
    return {**debut, **ligne}
