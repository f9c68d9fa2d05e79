"""All viewers come back at once, as after a deploy, while a few others watch something live.

Beside it the same viewers come to nginx with nchan, with two workers as well. Time runs from the
moment at which all begin to connect to the moment at which each has its first event. What they
watch says nothing more: their arrival is measured, not the fan-out to them.
"""

import time
from contextlib import AbstractContextManager
from pathlib import Path
from typing import NamedTuple

from tests.bench.crowd import Crowd, crowd
from tests.bench.nchan import publish, publishing, running_nchan, watch_path
from tests.bench.report import Figure, median
from tests.bench.sessions import QUIET, bench_server, running_session, stream_path, ticker
from tests.bench.viewers import Report, live_viewers
from webapp.keeper.starter import CHECK_SECONDS

SIZES = {500: 4.0, 2000: 1.5, 5000: 1.5}
"""Viewers, and how many times nchan's time is allowed."""
STORMS = 3
RATE = 40
"""Events a second: at ten the p99 of a few seconds would hang on its worst."""
LIVE = 50
WARM_UP = 200
SETTLE_SECONDS = 1
ALONE_SECONDS = 5
BETWEEN_SECONDS = 0.5


class _Side(NamedTuple):
    """One of the two servers."""

    port: int
    live_path: str
    quiet_path: str


class _Storms(NamedTuple):
    """What the joining viewers saw, and what the live ones saw."""

    seconds: float
    failed: int
    """Connections that broke off, as the kernel's queue was full; their clients came again."""
    live: Report


def measure(folder: Path, _runs: int) -> list[Figure]:
    """The medians of a few storms of each size: it takes less than three minutes."""
    with (
        bench_server(folder, {"ticker": ticker(RATE), "quiet": QUIET}, workers=2) as server,
        running_session(server, "ticker") as session_id,
        running_session(server, "quiet") as quiet_id,
        running_nchan(folder / "nchan") as nchan_port,
    ):
        ours = _Side(server.port, stream_path(session_id), stream_path(quiet_id))
        nchan = _Side(nchan_port, watch_path("live"), watch_path("quiet"))
        publish(nchan_port, "quiet", '{"type":"session"}')
        with _coming(ours, WARM_UP) as warm_up:
            warm_up.arrive()
        time.sleep(CHECK_SECONDS + SETTLE_SECONDS)  # until a worker has started the keeper
        figures = []
        for viewers, bar in SIZES.items():
            with live_viewers(ours.port, LIVE, [ours.live_path]) as live:
                time.sleep(SETTLE_SECONDS)
                alone = live.measure(ALONE_SECONDS)
            our_storms = _storm(ours, viewers)
            with publishing(nchan_port, "live", RATE):
                nchan_storms = _storm(nchan, viewers)
            figures += _compare(viewers, bar, alone, our_storms, nchan_storms)
        return figures


def _storm(side: _Side, viewers: int) -> _Storms:
    """They come, and leave, again and again."""
    seconds = []
    with (
        live_viewers(side.port, LIVE, [side.live_path]) as live,
        _coming(side, viewers) as coming,
    ):
        time.sleep(SETTLE_SECONDS)
        live.begin()
        for _ in range(STORMS):
            answer = coming.arrive()
            assert answer.refused == 0, answer
            seconds.append(answer.seconds)
            coming.leave()
            time.sleep(BETWEEN_SECONDS)
        return _Storms(median(seconds), answer.failed, live.end())


def _coming(side: _Side, viewers: int) -> AbstractContextManager[Crowd]:
    return crowd(
        side.port, silent=0, silent_path="/", coming=viewers, path=side.quiet_path, niceness=19
    )


def _compare(
    viewers: int, bar: float, alone: Report, ours: _Storms, nchan: _Storms
) -> list[Figure]:
    group = f"{viewers:,} viewers arrive at once"
    ratio = ours.live.p99_ms / alone.p99_ms
    return [
        Figure(group, "all have their first event, nchan", nchan.seconds, "s", note=_failed(nchan)),
        Figure(group, "all have their first event, server", ours.seconds, "s", note=_failed(ours)),
        Figure(group, "server to nchan", ours.seconds / nchan.seconds, "x", bar),
        Figure(group, f"p99 of {LIVE} live viewers without them", alone.p99_ms, "ms"),
        Figure(group, "p99 of live viewers with them", ours.live.p99_ms, "ms"),
        Figure(group, "with to without", ratio, "x", 2, note=f"nchan {nchan.live.p99_ms:.1f} ms"),
    ]


def _failed(storms: _Storms) -> str:
    return f"{storms.failed} broke off and came again" if storms.failed else ""
