"""A log record as one line: for people (`text`), as JSON, or as key=value pairs (`logfmt`).

By the standard library's logging: gunicorn, watchdog and SQLAlchemy speak to it already, so
one formatter makes all lines alike.
"""

import json
import logging
import re
from collections.abc import Callable
from datetime import UTC, datetime

from webapp.server_log import context
from webapp.visible import visible

FORMATS = ("text", "json", "logfmt")

_SESSION_ID = re.compile(r"\bsession-\d{13}-[0-9a-z]{12}\b")
_QUERY = re.compile(r"(/[^\s?'\"]*)\?[^\s'\"]*")
_MALFORMED = re.compile(r"(Invalid request from ip=\S+ [^'\"]*)['\"].*", re.DOTALL)
"""gunicorn quotes what it cannot read, which may be any part of an address or a message."""
_NEEDS_QUOTES = re.compile(r'[\s"=]|^$')


class LineFormatter(logging.Formatter):
    """Every record in one format, without secrets, and without what was asked in a URL."""

    def __init__(self, form: str, redact: Callable[[str], str]) -> None:
        super().__init__()
        self._write = {"text": _as_text, "json": _as_json, "logfmt": _as_logfmt}[form]
        self._redact = redact

    def format(self, record: logging.LogRecord) -> str:
        """The line; a traceback makes it several in `text`, and none of the others."""
        line = self._redact(self._write(record, self._facts(record)))
        return visible(line, keep="\n")  # logs are read at terminals

    def _facts(self, record: logging.LogRecord) -> dict[str, object]:
        # The query of a URL may hold a message for an agent; gunicorn's errors have all of it.
        message = _MALFORMED.sub(r"\1…", record.getMessage())
        message = _QUERY.sub(r"\1?…", message)
        facts: dict[str, object] = {
            "time": _time(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "pid": record.process,
            "message": message,
        }
        session = context.session_id.get()
        if session is None and (found := _SESSION_ID.search(message)):
            session = found[0]
        facts["request"], facts["session"] = context.request_id.get(), session
        facts |= getattr(record, "fields", {})
        if record.exc_info:
            facts["error"] = _QUERY.sub(r"\1?…", self.formatException(record.exc_info))
        return {name: fact for name, fact in facts.items() if fact is not None}


def _time(record: logging.LogRecord) -> str:
    time = datetime.fromtimestamp(record.created, UTC)
    return time.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _as_json(_record: logging.LogRecord, facts: dict[str, object]) -> str:
    return json.dumps(facts, ensure_ascii=False, separators=(",", ":"))


def _as_logfmt(_record: logging.LogRecord, facts: dict[str, object]) -> str:
    return " ".join(f"{name}={_quoted(str(fact))}" for name, fact in facts.items())


def _quoted(text: str) -> str:
    is_plain = text.isprintable() and not _NEEDS_QUOTES.search(text)
    return text if is_plain else json.dumps(text, ensure_ascii=False)


def _as_text(record: logging.LogRecord, facts: dict[str, object]) -> str:
    """As gunicorn writes it, with the request and session at the end."""
    time = datetime.fromtimestamp(record.created, UTC)
    about = "".join(f" {name}={facts[name]}" for name in ("request", "session") if name in facts)
    message = "\\n".join(str(facts["message"]).splitlines())
    line = f"[{time:%Y-%m-%d %H:%M:%S} +0000] [{record.process}] [{record.levelname}] {message}"
    error = "\n".join(str(facts.get("error", "")).splitlines())
    return line + about + (f"\n{error}" if error else "")
