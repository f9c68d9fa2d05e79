"""How a worker shares its time: viewers who watch something live come first.

A worker is one event loop for thousands of streams. What an agent has just printed must reach
its viewers within milliseconds, whatever else the worker does, so everything that takes longer
is done in steps, and the event loop runs between two steps:

* New connections. To answer a new viewer takes most of a millisecond. While anybody watches,
  connections beyond a burst are accepted at a rate that leaves three quarters of the time to the
  live viewers; the others wait in the kernel. Nobody is refused, and a connection that comes
  alone does not wait (`AcceptRate`). Clients without a login that connect again and again are
  accepted more slowly still. A request for a stream yields between its steps too.
* Viewers who catch up. After each large piece a viewer waits for its turn, of which there is one
  at a time: with a hundred such viewers the live ones wait for one piece, not for a hundred.
* A flood. After a few frames the rest waits for the next turn of the event loop.
* Pings and hang-ups of a crowd are handled in batches.
* Files. The kernel sends them piece by piece.

Under gevent a step ends by `gevent.idle()`: `gevent.sleep(0)` lets greenlets run, but the loop
looks at no descriptor for 5 ms of them. Code that does not know whether its threads are
greenlets calls `pause()`.
"""

import time
from collections.abc import Callable

ACCEPT_SECONDS = 0.003
"""Between one new connection and the next, where there are more than a burst."""
ACCEPT_BURST = 4
"""This many new connections are accepted without a wait."""
STRANGER_SECONDS = 0.015
MAX_STRANGER_SECONDS = 0.05
"""How much later the next connection is accepted after one that ended without a login."""

LARGE_PIECE_BYTES = 64 * 1024
"""A viewer who catches up waits for its turn after a piece of this size."""

FRAMES_AT_ONCE = 4
"""Of one log, to the viewers who are parked at its end."""

PINGS_AT_ONCE = 100

HANGUPS_AT_ONCE = 16
HANGUPS_PAUSE_SECONDS = 0.005

FILE_PIECE_BYTES = 256 * 1024

_PAUSE_SECONDS = 0.0001


def pause() -> None:
    """Let the other threads or greenlets of this worker run."""
    time.sleep(_PAUSE_SECONDS)  # under gevent, with 0 the loop would look at no descriptor


class AcceptRate:
    """A token bucket for new connections."""

    def __init__(self, has_viewers: Callable[[], bool]) -> None:
        """Where `has_viewers` says no, no connection waits."""
        self._has_viewers = has_viewers
        self._next_at = 0.0

    def take(self, now: float) -> float:
        """Accept a connection now; the seconds that the next one has to wait."""
        if not self._has_viewers():
            return 0.0
        earliest = now - ACCEPT_BURST * ACCEPT_SECONDS
        self._next_at = max(self._next_at, earliest) + ACCEPT_SECONDS
        return max(0.0, self._next_at - now)

    def count_stranger(self, now: float) -> None:
        """A connection ended that was for nothing: accept the next one later."""
        if self._has_viewers():
            delayed = max(self._next_at, now) + STRANGER_SECONDS
            self._next_at = min(delayed, now + MAX_STRANGER_SECONDS)
