"""Ids: `<kind>-<epoch ms>-<12 base36>`. They sort by time, and 62 random bits keep apart
what begins in the same millisecond."""

import hashlib
import re
import secrets
import time
from datetime import UTC, datetime

_BASE36 = "0123456789abcdefghijklmnopqrstuvwxyz"
_RANDOM_LETTERS = 12

SESSION_ID = re.compile(r"session-[0-9]{13}-[0-9a-z]{12}")
WORKFLOW_ID = re.compile(r"workflow-[0-9]{13}-[0-9a-z]{12}")


def new_session_id() -> str:
    """An id that no other session has."""
    return _new("session")


def new_workflow_id() -> str:
    """An id that no other workflow has."""
    return _new("workflow")


def hash_key(key: str) -> str:
    """What is stored of a client's idempotency key, which may hold anything: its SHA-256."""
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()


def created_ms(any_id: str) -> int:
    """When an id was made: Unix time in milliseconds."""
    return int(any_id.split("-")[1])


def created_at(any_id: str) -> str:
    """When an id was made, as the rows hold a time."""
    moment = datetime.fromtimestamp(created_ms(any_id) / 1000, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _new(kind: str) -> str:
    letters = "".join(secrets.choice(_BASE36) for _ in range(_RANDOM_LETTERS))
    return f"{kind}-{time.time_ns() // 1_000_000:013d}-{letters}"
