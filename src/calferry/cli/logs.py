"""How the service writes its log: lines for people, or one JSON object a line, with a wide one for each step."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime
from enum import StrEnum


class Form(StrEnum):
    AUTO = "auto"
    TEXT = "text"
    JSON = "json"


class JsonLines(logging.Formatter):
    """One object a line: when (ISO 8601, UTC), how grave, who, what; and what a record brings along as `fields`."""

    def format(self, record: logging.LogRecord) -> str:
        told = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info and record.exc_info[0]:
            told["exception"] = record.exc_info[0].__name__  # what it says may be personal data
        return json.dumps(told, ensure_ascii=False, default=str)


def arrange(form: Form) -> None:
    """Log in that form; left to itself, in lines for people where one is at the terminal."""
    if form is Form.AUTO:
        form = Form.TEXT if sys.stderr.isatty() else Form.JSON
    logging.getLogger("calferry").setLevel(logging.INFO)
    logging.getLogger("apscheduler").setLevel(logging.ERROR)  # that a step is still at it is no news
    if form is Form.JSON:
        for handler in logging.getLogger().handlers:
            handler.setFormatter(JsonLines())
        logging.getLogger("calferry.steps").setLevel(logging.DEBUG)  # a quiet step is a sign of life
