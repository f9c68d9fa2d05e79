"""Live viewers while hundreds of clients without the token do their worst for a minute.

Big and slow bodies, big and slow heads: see `attackers`. Beside them as many viewers watch the C
floor, which nobody attacks: what it suffers is the machine's doing.
"""

import time
import urllib.request
from pathlib import Path
from statistics import median

from tests.bench.attackers import attackers
from tests.bench.floor import running_floor
from tests.bench.held import figures, held, wait_until_back
from tests.bench.report import Figure
from tests.bench.sessions import bench_server, running_session, stream_path, ticker
from tests.bench.viewers import live_viewers
from webapp.keeper.starter import CHECK_SECONDS

RATE = 40
"""Events a second: at ten the p99 of half a minute would hang on its three worst."""
HEALTHY = 50
STRANGERS = 200
SETTLE_SECONDS = 1
NEWCOMER_SECONDS = 0.5
WARM_UP_SECONDS = 5
ALONE_SECONDS = 20
ATTACK_SECONDS = 60
TOKEN = "a-token-of-the-benchmark"


def measure(folder: Path, _runs: int) -> list[Figure]:
    """Once: it takes two minutes."""
    with (
        bench_server(folder, {"ticker": ticker(RATE)}, workers=2, token=TOKEN) as server,
        running_session(server, "ticker") as session_id,
        running_floor(folder, RATE) as floor_port,
    ):
        paths = [stream_path(session_id)]
        with (
            live_viewers(server.port, HEALTHY, paths, TOKEN),
            attackers(server.port, STRANGERS),
        ):
            _newcomers(server.port, time.monotonic() + WARM_UP_SECONDS)
        time.sleep(CHECK_SECONDS + SETTLE_SECONDS)  # until a worker has started the keeper
        before = held(server)
        with live_viewers(server.port, HEALTHY, paths, TOKEN) as live:
            time.sleep(SETTLE_SECONDS)
            alone = live.measure(ALONE_SECONDS)
        with (
            live_viewers(server.port, HEALTHY, paths, TOKEN) as live,
            live_viewers(floor_port, HEALTHY, ["/"]) as at_floor,
            attackers(server.port, STRANGERS) as attack,
        ):
            time.sleep(SETTLE_SECONDS)
            live.begin()
            at_floor.begin()
            newcomers = _newcomers(server.port, time.monotonic() + ATTACK_SECONDS)
            beside, floor = live.end(), at_floor.end()
            under_attack = held(server)
        back, seconds = wait_until_back(server, before)
    group = f"{HEALTHY} live viewers, {STRANGERS} without the token do their worst for a minute"
    connections = attack.connections / ATTACK_SECONDS
    return [
        Figure(group, "p99 without them", alone.p99_ms, "ms", note=f"p50 {alone.p50_ms:.2f} ms"),
        Figure(group, "p99 with them", beside.p99_ms, "ms", note=f"p50 {beside.p50_ms:.2f} ms"),
        Figure(group, "p99 of the floor with them", floor.p99_ms, "ms"),
        Figure(
            group,
            "a request with the token",
            median(newcomers),
            "ms",
            note=f"at most {max(newcomers):.0f} ms",
        ),
        Figure(group, "with to without", beside.p99_ms / alone.p99_ms, "x", 2),
        Figure(group, "their connections a second", connections, ""),
        Figure(
            group,
            "memory more with them",
            (under_attack.resident_bytes - before.resident_bytes) / 1e6,
            "MB",
            note=f"{under_attack.descriptors - before.descriptors} descriptors more",
        ),
        *figures(group, before, back, seconds),
    ]


def _newcomers(port: int, until: float) -> list[float]:
    """How long requests with the token take, each on a connection of its own, in milliseconds."""
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/api/sessions?limit=1",
        headers={"Authorization": f"Bearer {TOKEN}"},
    )
    taken = []
    while time.monotonic() < until:
        began_at = time.monotonic()
        with urllib.request.urlopen(request, timeout=60) as response:
            response.read()
        taken.append(1000 * (time.monotonic() - began_at))
        time.sleep(NEWCOMER_SECONDS)
    return taken
