"""The machine: Python, SQLite, inotify, open files, packages."""

import ctypes
import errno
import importlib
import os
import platform
import resource
import sqlite3
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import pysqlite3

from webapp.commands.checks.finding import Finding
from webapp.settings import Settings

SQLITE_WITHOUT_THE_BUG = (3, 51, 3)
"""https://sqlite.org/wal.html#walresetbug"""
_INOTIFY = Path("/proc/sys/fs/inotify")
_FEW_WATCHES = 1024
_FEW_VIEWERS = 1000
_WORKER_FILES = 100
"""What a worker has open without a single viewer: libraries, database, sockets."""
_MOST_CONNECTIONS = 20_000
"""`worker_connections` in gunicorn_conf.py."""


def check_python(_settings: Settings) -> Iterator[Finding]:
    """The interpreter; an older one than 3.11 would not have come so far."""
    yield Finding("python", "ok", f"{platform.python_version()} on {platform.platform()}")


def check_sqlite(_settings: Settings) -> Iterator[Finding]:
    """The SQLite that writes the database, and the one that people look into it with."""
    ours = pysqlite3.sqlite_version
    wanted = ".".join(map(str, SQLITE_WITHOUT_THE_BUG))
    if tuple(pysqlite3.sqlite_version_info) < SQLITE_WITHOUT_THE_BUG:
        yield Finding(
            "sqlite",
            "bad",
            f"{ours} in pysqlite3 can corrupt the database (https://sqlite.org/wal.html#walresetbug)",
            f"install a pysqlite3 that carries {wanted} or newer",
        )
    else:
        yield Finding("sqlite", "ok", f"{ours} in pysqlite3")
    if sqlite3.sqlite_version_info < SQLITE_WITHOUT_THE_BUG:
        yield Finding(
            "sqlite",
            "hint",
            f"the system's is {sqlite3.sqlite_version}, which has the WAL-reset bug: nothing here "
            "uses it",
            "with the sqlite3 shell only read; do not write while the server runs",
        )


def check_inotify(_settings: Settings) -> Iterator[Finding]:
    """Whether growth of a log is heard of at once. Without it streams look once a second."""
    polling = "streams look once a second instead"
    number = _try_inotify()
    if number is not None:
        reason = os.strerror(number)
        advice = "use Linux with inotify"
        if number in (errno.EMFILE, errno.ENFILE):
            advice = "sysctl -w fs.inotify.max_user_instances=1024"
        yield Finding("inotify", "warn", f"no instance to be had ({reason}): {polling}", advice)
        return
    watches, instances = _limit("max_user_watches"), _limit("max_user_instances")
    limits = f"max_user_watches {watches}, max_user_instances {instances}"
    if watches is not None and watches < _FEW_WATCHES:
        yield Finding(
            "inotify",
            "warn",
            f"{limits}: with more sessions watched at once {polling}",
            "sysctl -w fs.inotify.max_user_watches=65536",
        )
    else:
        yield Finding("inotify", "ok", f"works; {limits}")


def _try_inotify() -> int | None:
    """The error number of making an instance; None if it can be made."""
    libc = ctypes.CDLL(None, use_errno=True)
    if not hasattr(libc, "inotify_init1"):
        return errno.ENOSYS
    instance_fd = libc.inotify_init1(os.O_CLOEXEC)
    if instance_fd < 0:
        return ctypes.get_errno()
    os.close(instance_fd)
    return None


def _limit(name: str) -> int | None:
    try:
        return int((_INOTIFY / name).read_text())
    except (OSError, ValueError):
        return None


def check_open_files(settings: Settings) -> Iterator[Finding]:
    """How many viewers a worker can have: each is an open file."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    limits = f"soft {_shown(soft)}, hard {_shown(hard)}"
    most = _MOST_CONNECTIONS if settings.worker_class == "gevent" else settings.threads
    room = most if hard == resource.RLIM_INFINITY else max(0, hard - _WORKER_FILES)
    viewers = min(room, most)
    message = f"{limits}; `serve` raises soft to hard: about {viewers} viewers a worker"
    if room >= min(most, _FEW_VIEWERS):
        yield Finding("open files", "ok", message)
    else:
        yield Finding(
            "open files", "warn", message, "raise the limit: `ulimit -n`, LimitNOFILE= in systemd"
        )


def _shown(limit: int) -> str:
    return "unlimited" if limit == resource.RLIM_INFINITY else str(limit)


def check_packages(settings: Settings) -> Iterator[Finding]:
    """What `serve` needs beside this package."""
    needed = {"gunicorn": True, "gevent": settings.worker_class == "gevent", "watchdog": True}
    for name, is_needed in needed.items():
        try:
            importlib.import_module(name)
        except ImportError as error:
            yield Finding(
                "packages",
                "bad" if is_needed else "warn",
                f"{name} cannot be imported: {error}",
                f"pip install {name}",
            )
        else:
            yield Finding("packages", "ok", f"{name} {version(name)}")
