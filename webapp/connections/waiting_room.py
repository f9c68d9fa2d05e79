"""The clients whose request is on its way and who have not shown the token: never too many.

Nobody is refused. When the room is full, the one that has been at its request for longest has
to go: an honest request is there within milliseconds, one that drips in is the oldest soon.
"""

import resource
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

MOST = 1024
MOST_OF_AN_ADDRESS = 64
"""Honest ones of one address, such as a company's, wait for milliseconds each."""


class Waiting(Protocol):
    """A client as the room knows it."""

    address: str
    began_at: float

    def hang_up(self) -> None:
        """End the connection, whoever reads from it."""


class WaitingRoom:
    """One a worker. Its threads may use it at once."""

    def __init__(self, most: int, most_of_an_address: int | None) -> None:
        """None: addresses say nothing, such as that of a proxy."""
        self._most = most
        self._most_of_an_address = most_of_an_address
        self._waiting: set[Waiting] = set()
        self._of_address: Counter[str] = Counter()
        self._lock = threading.Lock()

    @contextmanager
    def wait(self, client: Waiting) -> Iterator[None]:
        """Be in the room meanwhile; the oldest is thrown out if that is one too many."""
        with self._lock:
            self._add(client)
            oldest = self._find_one_too_many(client.address)
        if oldest is not None:
            oldest.hang_up()
        try:
            yield
        finally:
            with self._lock:
                self._discard(client)

    def _add(self, client: Waiting) -> None:
        self._waiting.add(client)
        self._of_address[client.address] += 1

    def _discard(self, client: Waiting) -> None:
        if client in self._waiting:
            self._waiting.remove(client)
            self._of_address[client.address] -= 1
            if not self._of_address[client.address]:
                del self._of_address[client.address]

    def _find_one_too_many(self, address: str) -> Waiting | None:
        candidates: list[Waiting] = []
        limit = self._most_of_an_address
        if limit is not None and self._of_address[address] > limit:
            candidates = [one for one in self._waiting if one.address == address]
        elif len(self._waiting) > self._most:
            candidates = list(self._waiting)
        if not candidates:
            return None
        oldest = min(candidates, key=lambda one: one.began_at)
        self._discard(oldest)
        return oldest


def make_waiting_room(*, threads: int | None, has_proxies: bool) -> WaitingRoom:
    """As large as this process has descriptors for; with threads, three quarters stay free."""
    most = min(MOST, resource.getrlimit(resource.RLIMIT_NOFILE)[0] // 4)
    if threads is not None:
        most = min(most, max(1, threads // 4))
    return WaitingRoom(most, None if has_proxies else min(MOST_OF_AN_ADDRESS, max(1, most // 2)))
