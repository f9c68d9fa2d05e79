"""Figures as people read them, in the words of the pages."""

import shlex
import signal
from datetime import UTC, datetime

from webapp.store.damage import damaged_columns, read_command
from webapp.store.models import Session
from webapp.store.values import read_time

_UNITS = (("d", 86_400), ("h", 3_600), ("min", 60))


STATUS_STYLES = {
    "starting": "cyan",
    "running": "cyan",
    "succeeded": "green",
    "failed": "red",
    "cancelled": "yellow",
    "timed_out": "yellow",
    "lost": "red",
}


def seconds_between(start: str | None, end: str | None) -> float | None:
    """The time from one row's time to another, which may be now; None where one is missing."""
    begin = read_time(start)
    finish = datetime.now(UTC) if end is None else read_time(end)
    return None if begin is None or finish is None else max(0.0, (finish - begin).total_seconds())


def duration(seconds: float | None) -> str:
    """`340 ms`, `4.2 s`, `3 min 5 s`, `2 h 10 min`."""
    if seconds is None:
        return ""
    if seconds < 0.9995:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    parts = []
    for name, size in (*_UNITS, ("s", 1)):
        if whole >= size:
            parts.append(f"{whole // size} {name}")
            whole %= size
        elif parts:
            break
    return " ".join(parts[:2])


def age(time: str | None) -> str:
    """How long ago: `now`, `12 s`, `4 min`, `3 h`, `6 d`; nothing for a damaged time."""
    seconds = seconds_between(time, None)
    if seconds is None:
        return ""
    if seconds < 5:
        return "now"
    for name, size in _UNITS:
        if seconds >= size:
            return f"{seconds // size:.0f} {name}"
    return f"{seconds:.0f} s"


def byte_count(size: int | None) -> str:
    """`512 B`, `1.2 kB`, `3.4 MB`: decimal units."""
    if size is None:
        return ""
    value, unit = float(size), "B"
    for larger in ("kB", "MB", "GB", "TB"):
        if value < 999.5:
            break
        value, unit = value / 1000, larger
    return f"{value:.0f} {unit}" if unit == "B" or value >= 99.5 else f"{value:.1f} {unit}"


def outcome(session: Session) -> str:
    """How it ended: exit code, signal or error; the agent's pid and state while it lives.

    For a damaged row: which columns of it.
    """
    damaged = damaged_columns(session)
    if damaged:
        return f"damaged: {', '.join(damaged)}"
    if session.is_live:
        known = [None if session.pid is None else f"pid {session.pid}", session.state]
        return ", ".join(fact for fact in known if fact is not None)
    if session.exit_signal is not None:
        return session.exit_signal
    if session.exit_code is not None:
        return f"exit {session.exit_code}"
    return session.error or ""


def command_line(session: Session) -> str:
    """The command as a shell would take it; the row's text where that is no command."""
    command = read_command(session)
    return session.argv if command is None else shlex.join(command)


def exit_status(exit_code: int | None, signal_name: str | None) -> int | None:
    """An end as a shell tells it: the exit code, or 128 and the signal; None for neither."""
    if exit_code is not None or signal_name is None:
        return exit_code
    try:
        return 128 + signal.Signals[signal_name]
    except KeyError:
        return None


def dollars(usd: float) -> str:
    """`$0.0312`, `$12.40`."""
    return f"${usd:.4f}" if 0 < usd < 1 else f"${usd:,.2f}"
