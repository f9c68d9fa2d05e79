"""Notice that parked viewers hang up, without a greenlet or a watcher for each of them."""

import logging
from collections.abc import Callable

import gevent
from gevent import monkey

_epoll = monkey.get_original("select", "epoll")
_READ = 1
_AT_ONCE = 16
"""When hundreds hang up together, the live viewers have their turn in between."""
_PAUSE_SECONDS = 0.005
"""After so many at once: of a crowd that goes, those who stay shall not notice."""

EPOLLERR, EPOLLHUP, EPOLLRDHUP, EPOLLET = 0x8, 0x10, 0x2000, 1 << 31

logger = logging.getLogger(__name__)


class Hangups:
    """One epoll instance for all parked descriptors; the event loop watches that alone.

    epoll(7): EPOLLRDHUP, edge-triggered. A viewer's end of writing need not be its end of
    reading (it may have shut down one half), so it is told apart from its being gone.
    """

    def __init__(self, on_half: Callable[[int], None], on_gone: Callable[[int], None]) -> None:
        """Both are called with the descriptor, from a greenlet of this object's own."""
        self._on_half = on_half
        self._on_gone = on_gone
        self._epoll = _epoll()
        gevent.spawn(self._run)

    def add(self, fd: int) -> None:
        """Watch a descriptor; what has happened already is told as well."""
        self._epoll.register(fd, EPOLLRDHUP | EPOLLET)

    def remove(self, fd: int) -> None:
        """Stop watching one, before it is closed."""
        self._epoll.unregister(fd)

    def _run(self) -> None:
        hub = gevent.get_hub()
        watcher = hub.loop.io(self._epoll.fileno(), _READ)
        while True:
            hub.wait(watcher)
            told = self._epoll.poll(0, _AT_ONCE)
            for fd, mask in told:
                try:
                    if mask & (EPOLLERR | EPOLLHUP):
                        self._on_gone(fd)
                    else:
                        self._on_half(fd)
                except Exception:
                    logger.exception("cannot end the stream on descriptor %d", fd)
            if len(told) == _AT_ONCE:
                gevent.sleep(_PAUSE_SECONDS)
