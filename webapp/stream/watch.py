"""Hear of a file's growth: one inotify instance and one thread a process, whatever is watched.

A file event is only a hint. Queues overflow, inotify may be absent or out of watches, and
it is silent on network file systems; so whoever waits also looks once a second.
"""

import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

logger = logging.getLogger(__name__)

IN_MODIFY = 0x2
IN_DELETE_SELF = 0x400


class Watch:
    """One watched file, as watchdog's `WatchCallback` protocol wants it."""

    def __init__(self, on_change: Callable[[], None]) -> None:
        self._on_change = on_change
        self._descriptor: Any = None
        self._inotify: Any = None

    def on_event(self, _event: object) -> None:
        """The file was written, cut or removed."""
        self._on_change()

    def on_watch_deleted(self, _descriptor: object) -> None:
        """The kernel took the watch away: the file is gone."""
        self._inotify = None
        self._on_change()

    def on_queue_overflow(self) -> None:
        """Events were lost: anything may have happened."""
        self._on_change()

    def close(self) -> None:
        """Stop watching; the kernel's watch goes with the last one of its file."""
        inotify, self._inotify = self._inotify, None
        if inotify is not None:
            inotify.remove_callbacks([(self._descriptor, id(self))])


def watch_file(path: Path, on_change: Callable[[], None]) -> Watch | None:
    """Call `on_change` whenever the file changes; None where only polling is left.

    `on_change` runs in the watcher's thread and must not block.
    """
    try:
        # Imported late: under gevent it must come after the patch, and elsewhere than on
        # Linux it raises.
        from watchdog.observers.inotify_c import CallbackId, InotifyFD, Mask

        inotify = InotifyFD.get_instance()
        os.set_inheritable(inotify._inotify_fd, False)
        watch = Watch(on_change)
        mask = Mask(IN_MODIFY | IN_DELETE_SELF)
        key = CallbackId(id(watch))
        watch._descriptor = inotify.add_callback(os.fsencode(path), mask, watch, key)
        watch._inotify = inotify
    except (ImportError, OSError) as error:
        logger.warning("no inotify for %s (%s): looking once a second instead", path, error)
        return None
    return watch
