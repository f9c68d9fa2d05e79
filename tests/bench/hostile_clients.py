"""Healthy viewers among hundreds who never read and thousands who reconnect.

The silent ones ask for a long session that has ended, and leave all of it to the server; it drops
them when they have taken nothing for the send timeout, of which they hear nothing. The thousands
watch a session that says nothing: it is their coming that is measured, not the fan-out to them.
Beside it as many watch the C floor, which nobody attacks: what it suffers is the machine's doing.
"""

import time
from pathlib import Path

from tests.bench.crowd import Answer, Crowd, crowd
from tests.bench.floor import running_floor
from tests.bench.held import figures, held, wait_until_back
from tests.bench.report import Figure
from tests.bench.sessions import (
    QUIET,
    add_finished,
    bench_server,
    running_session,
    stream_path,
    ticker,
)
from tests.bench.viewers import live_viewers
from webapp.keeper.starter import CHECK_SECONDS

RATE = 40
"""Events a second: at ten the p99 of half a minute would hang on its three worst."""
HEALTHY = 50
SILENT = 200
COMING = 2000
WARM_UP = 200
BLOCKS = 1
"""Of 100,000 events: what the silent ones ask for and never read, 15 MB for each."""
SETTLE_SECONDS = 1
ALONE_SECONDS = 15
CUTS = 3
BETWEEN_SECONDS = 4


def measure(folder: Path, _runs: int) -> list[Figure]:
    """Once: it takes two minutes."""
    with (
        bench_server(folder, {"ticker": ticker(RATE), "quiet": QUIET}, workers=2) as server,
        running_session(server, "ticker") as session_id,
        running_session(server, "quiet") as quiet_id,
        running_floor(folder, RATE) as floor_port,
    ):
        path, quiet_path = stream_path(session_id), stream_path(quiet_id)
        long_path = stream_path(add_finished(server, BLOCKS))
        with crowd(
            server.port, silent=0, silent_path="/", coming=WARM_UP, path=quiet_path
        ) as warm_up:
            warm_up.storm()
        time.sleep(CHECK_SECONDS + SETTLE_SECONDS)  # until a worker has started the keeper
        before = held(server)
        with live_viewers(server.port, HEALTHY, [path]) as live:
            time.sleep(SETTLE_SECONDS)
            alone = live.measure(ALONE_SECONDS)
        with (
            live_viewers(server.port, HEALTHY, [path]) as live,
            live_viewers(floor_port, HEALTHY, ["/"]) as at_floor,
            crowd(
                server.port, silent=SILENT, silent_path=long_path, coming=COMING, path=quiet_path
            ) as hostile,
        ):
            time.sleep(SETTLE_SECONDS)
            live.begin()
            at_floor.begin()
            answers = _attack(hostile)
            beside, floor = live.end(), at_floor.end()
            hostile.leave()
            back, seconds = wait_until_back(server, before)
    group = f"{HEALTHY} healthy, {SILENT} silent, {COMING:,} reconnecting"
    storm, cuts = answers[1], answers[2:]
    last = answers[-1]
    slowest = max(answer.seconds for answer in cuts)
    return [
        Figure(group, "p99 without them", alone.p99_ms, "ms", note=f"p50 {alone.p50_ms:.2f} ms"),
        Figure(group, "p99 with them", beside.p99_ms, "ms", note=f"p50 {beside.p50_ms:.2f} ms"),
        Figure(group, "p99 of the floor with them", floor.p99_ms, "ms"),
        Figure(group, "with to without", beside.p99_ms / alone.p99_ms, "x", 2),
        Figure(group, "refused", last.refused, "", 0),
        Figure(group, "broken off", last.failed, "", 0),
        Figure(group, "all there after the storm", storm.seconds, "s"),
        Figure(group, "all back after a cut", slowest, "s", note="retry: 0.5 to 2 s"),
        *figures(group, before, back, seconds),
    ]


def _attack(hostile: Crowd) -> list[Answer]:
    """Silence first, then a storm, then all are cut off again and again."""
    answers = [hostile.be_silent(), hostile.storm()]
    for _ in range(CUTS):
        time.sleep(BETWEEN_SECONDS)
        answers.append(hostile.cut())
    time.sleep(BETWEEN_SECONDS)
    return answers
