"""What the process that the application runs in says of itself.

A WSGI server makes the application by calling a factory without arguments, so a server that has
more to say, which is ours under gunicorn, says it here before. Nothing in here needs gevent, nor
may it: gunicorn's settings call it before the worker has patched anything.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from webapp.metrics.memory import Memory


def _never() -> bool:
    return False


@dataclass(frozen=True)
class Host:
    """By default a process on its own, such as a test or another WSGI server."""

    should_stop: Callable[[], bool] = _never
    """Whether this worker is to end."""
    memory: Memory = field(default_factory=lambda: Memory(1))
    """The numbers of all workers."""
    slot: int = 0
    """Which of them are this worker's."""
    gunicorn_worker: Any = None
    """One of `connections/`, if gunicorn runs the process."""
    has_sockets: bool = False
    """Whether that worker has sockets to give: plain ones, in a gevent loop."""


_current = Host()


def enter(host: Host) -> None:
    """Say what the applications that this process makes from now on run in."""
    global _current
    _current = host


def current() -> Host:
    """What this process runs in."""
    return _current
