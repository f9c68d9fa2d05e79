"""Notices that parked viewers hang up, without a greenlet or a write for each."""

import logging
from collections.abc import Callable

import gevent
from gevent import monkey

from webapp.stream.fairness import HANGUPS_AT_ONCE, HANGUPS_PAUSE_SECONDS

_epoll = monkey.get_original("select", "epoll")
_READ = 1

EPOLLERR, EPOLLHUP, EPOLLRDHUP, EPOLLET = 0x8, 0x10, 0x2000, 1 << 31

logger = logging.getLogger(__name__)


class Hangups:
    """One epoll instance for all parked descriptors; the event loop watches that alone.

    epoll(7): EPOLLRDHUP, edge-triggered. A viewer that has shut down its end of writing may
    still read, so this is not taken for a hang-up.
    """

    def __init__(self, on_half: Callable[[int], None], on_gone: Callable[[int], None]) -> None:
        """Both are called with the descriptor, from a greenlet of this object's own."""
        self._on_half = on_half
        self._on_gone = on_gone
        self._epoll = _epoll()
        gevent.spawn(self._run)

    def add(self, fd: int) -> None:
        """Watch a descriptor; what has happened already is reported as well."""
        self._epoll.register(fd, EPOLLRDHUP | EPOLLET)

    def remove(self, fd: int) -> None:
        """Stop watching one, before it is closed."""
        self._epoll.unregister(fd)

    def _run(self) -> None:
        hub = gevent.get_hub()
        watcher = hub.loop.io(self._epoll.fileno(), _READ)
        while True:
            hub.wait(watcher)
            found = self._epoll.poll(0, HANGUPS_AT_ONCE)
            for fd, mask in found:
                try:
                    if mask & (EPOLLERR | EPOLLHUP):
                        self._on_gone(fd)
                    else:
                        self._on_half(fd)
                except Exception:
                    logger.exception("cannot end the stream on descriptor %d", fd)
            if len(found) == HANGUPS_AT_ONCE:
                gevent.sleep(HANGUPS_PAUSE_SECONDS)
