"""Notices that a file grows: one inotify instance and one thread a process for all files.

A file event is only a hint. Queues overflow, inotify may be absent or out of watches, and
it is silent on network file systems; so what waits for a file also looks once a second.
"""

import logging
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

_READ = 1
_READ_BYTES = 4096

logger = logging.getLogger(__name__)


class Watch:
    """One watched file, as watchdog's `WatchCallback` protocol wants it."""

    def __init__(self, inotify: Any, path: Path, on_change: Callable[[], None]) -> None:
        """OSError if the kernel gives no watch."""
        from webapp.compat import watchdog

        self._on_change = on_change
        self._inotify = inotify
        self._descriptor = watchdog.add_callback(inotify, os.fsencode(path), self)

    def on_event(self, _event: object) -> None:
        """The file was written, cut or removed."""
        self._call()

    def on_watch_deleted(self, _descriptor: object) -> None:
        """The kernel took the watch away: the file is gone."""
        self._inotify = None
        self._call()

    def on_queue_overflow(self) -> None:
        """Events were lost: anything may have happened."""
        self._call()

    def _call(self) -> None:
        try:
            self._on_change()
        except Exception:  # it would end the thread of all watches
            logger.exception("cannot handle a change; the next look will")

    def close(self) -> None:
        """Stop watching; the kernel's watch goes with the last one of its file."""
        from webapp.compat import watchdog

        inotify, self._inotify = self._inotify, None
        if inotify is not None:
            watchdog.remove_callback(inotify, self._descriptor, self)


WatchFile = Callable[[Path, Callable[[], None]], Watch | None]
"""What `watch_file` is."""


def watch_file(path: Path, on_change: Callable[[], None]) -> Watch | None:
    """Call `on_change` whenever the file changes; None where only polling is left.

    `on_change` runs in the watcher's thread and must not block.
    """
    try:
        return Watch(_instance(), path, on_change)
    except (ImportError, OSError) as error:
        logger.warning("no inotify for %s (%s): looking once a second instead", path, error)
        return None


_lock = threading.Lock()
_the_instance: Any = None
_reader: Any = None
"""What reads from it; the event loop does not hold it."""


def _instance() -> Any:
    """This process's inotify instance. OSError if it can't have one (yet)."""
    global _the_instance, _reader
    from webapp.compat import watchdog

    with _lock:
        if _the_instance is None:
            made = watchdog.make_inotify()
            _reader = _start_reading(made)
            _the_instance = made
        return _the_instance


def _start_reading(inotify: Any) -> Any:
    """Handle what comes: in watchdog's thread, or under gevent in the event loop.

    There a thread would be a greenlet, and watchdog waits by `poll()`, for which gevent makes two
    watchers at each call.
    """
    from gevent import get_hub, monkey

    from webapp.compat import watchdog

    if not monkey.is_module_patched("threading"):
        inotify.start()
        return inotify
    fd = watchdog.fileno(inotify)
    readable = get_hub().loop.io(fd, _READ)  # no callback may wait for anything
    readable.start(lambda: watchdog.handle_events(inotify, os.read(fd, _READ_BYTES)))
    return readable
