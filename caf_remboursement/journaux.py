"""Journaux à champs : une ligne JSON par fait, que l'on cherche par champ et non par prose."""

import json
import logging
from datetime import UTC, datetime

CHAMPS_ORDINAIRES = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class JsonFormatter(logging.Formatter):
    """Rend le message, le niveau, l'heure UTC et les champs passés dans `extra`."""

    def format(self, record: logging.LogRecord) -> str:
        ligne: dict[str, object] = {
            "quand": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "niveau": record.levelname,
            "source": record.name,
            "message": record.getMessage(),
        }
        ligne |= {nom: valeur for nom, valeur in vars(record).items() if nom not in CHAMPS_ORDINAIRES}
        if record.exc_info:
            ligne["exception"] = self.formatException(record.exc_info)
        return json.dumps(ligne, ensure_ascii=False, default=str)
