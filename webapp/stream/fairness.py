"""How a worker shares its time: viewers who watch something live come first.

A worker is one event loop for thousands of streams. What an agent has just printed must reach
its viewers within milliseconds, whatever else the worker does, so everything that takes longer
is done in steps, and the event loop runs between two steps:

* New connections. They are accepted in slices of a millisecond, and after a slice not at all for as
  long as live events are late (`Arrivals`); the others wait in the kernel, and nobody is refused.
  One whose request is answered by Flask ends its slice; one that joins a log which is watched
  already costs a tenth of that (`http/fast_path.py`). Clients without a login that connect again
  and again are accepted more slowly. A request for a stream yields between its steps too.
* Viewers who catch up. After each large piece a viewer waits for its turn, of which there is one
  at a time: with a hundred such viewers the live ones wait for one piece, not for a hundred.
* A flood. After a few frames the rest waits for the next turn of the event loop.
* Pings and hang-ups of a crowd are handled in batches.
* Files. The kernel sends them piece by piece.

Under gevent a step ends by `takeover.turn.end_turn`. Code that does not know whether its threads
are greenlets calls `pause()`.
"""

import math
import time
from collections.abc import Callable

SLICE_SECONDS = 0.001
ALONE_SLICE_SECONDS = 0.01
"""So long newcomers are accepted in a turn of the event loop, with live viewers and without."""
TOLERATED_SECONDS = 0.001
MAX_PAUSE_SECONDS = 0.003
"""After a connection that Flask answers, three quarters of the time are for live viewers at worst.
After a slice in which all were served on the fast path it is half of the time: live events that are
late all the same are so for want of a processor, and then it is best to be done soon."""
HALF_LIFE_SECONDS = 0.05
"""What was measured this long ago says half as much about now."""
CALM_WEIGHT = 0.01
"""How fast the calm delay follows one that has become larger."""
STRANGER_SECONDS = 0.03
MAX_STRANGER_SECONDS = 0.25
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


class Arrivals:
    """How long newcomers are accepted in one turn of the event loop, and how long after it none is.

    The pause is what live events have been late of late, beyond twice what they take on a calm
    day of this machine: each is as late as its frame is sent after the agent's line was written.
    """

    def __init__(self, has_viewers: Callable[[], bool]) -> None:
        """Where `has_viewers` says no, there is nobody to spare."""
        self._has_viewers = has_viewers
        self._calm_seconds: float | None = None
        self._late_seconds = 0.0
        self._measured_at = 0.0
        self._strangers_until = 0.0

    def count_delay(self, seconds: float, now: float) -> None:
        """A live event was sent so long after it was written."""
        calm = self._calm_seconds
        if calm is None or seconds < calm:
            calm = seconds
        self._calm_seconds = calm + (seconds - calm) * CALM_WEIGHT
        late_seconds = seconds - max(2 * calm, calm + TOLERATED_SECONDS)
        self._late_seconds = max(late_seconds, self._late_by(now))
        self._measured_at = now

    def _late_by(self, now: float) -> float:
        return self._late_seconds * math.exp2((self._measured_at - now) / HALF_LIFE_SECONDS)

    def slice_seconds(self) -> float:
        """How long newcomers may be accepted before the event loop runs."""
        return SLICE_SECONDS if self._has_viewers() else ALONE_SLICE_SECONDS

    def pause_seconds(self, now: float, *, was_fast: bool = False) -> float:
        """How long to accept nobody from now on. `was_fast`: whoever was accepted is served."""
        if not self._has_viewers():
            return 0.0
        most = SLICE_SECONDS if was_fast else MAX_PAUSE_SECONDS
        late_seconds = min(self._late_by(now), most)
        return max(0.0, late_seconds, self._strangers_until - now)

    def count_stranger(self, now: float) -> None:
        """A connection ended that was for nothing: accept the next one later."""
        if self._has_viewers():
            delayed = max(self._strangers_until, now) + STRANGER_SECONDS
            self._strangers_until = min(delayed, now + MAX_STRANGER_SECONDS)
