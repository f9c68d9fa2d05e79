"""`python -m tests.soak --minutes 60`: ordinary life with two workers, one killed each minute.

Sessions of several kinds start, one a second; viewers watch from the start, come late, come
and go, leave, and look again at what ended long ago, and each checks every event that it gets.
Each minute the youngest worker is killed (SIGKILL); the oldest lives from start to end, so that
what it holds shows whether anything grows after the first quarter. Figures are taken each
minute, and at the start (after a moment of the same life, to warm up) and the end with nothing
going on.

Takes a tenth of a core. Exit code 1 if anything was lost, came twice or grew; see verdict.py.
"""

import argparse
import asyncio
import os
import signal
import sys
import tempfile
import time
from pathlib import Path

from tests.server import Server, running_server
from tests.soak import sample, table, verdict
from tests.soak.kinds import profiles
from tests.soak.life import Life
from tests.soak.sample import Sample
from tests.soak.viewer import Seen

MINUTE_SECONDS = 60.0
WARM_UP_SECONDS = 30.0
QUIET_SECONDS = sample.SETTLE_SECONDS + 5
"""Until all that went on has gone: runners, hub, connections."""


async def soak(server: Server, minutes: int, seen: Seen) -> list[Sample]:
    """The figures; the first and the last of a server that has nothing to do."""
    life = Life(server, seen)
    await life.go_on(WARM_UP_SECONDS)
    await asyncio.sleep(QUIET_SECONDS)
    began_at = time.monotonic()
    samples = [await _take(server, life, began_at)]

    going_on = asyncio.create_task(life.go_on(minutes * MINUTE_SECONDS))
    for minute in range(1, minutes + 1):
        await asyncio.sleep(began_at + minute * MINUTE_SECONDS - time.monotonic())
        samples.append(await _take(server, life, began_at))
        if minute < minutes:
            os.kill(samples[-1].workers[-1].pid, signal.SIGKILL)
            seen.counts["workers killed"] += 1
    await going_on
    await asyncio.sleep(QUIET_SECONDS)
    samples.append(await _take(server, life, began_at))
    return samples


async def _take(server: Server, life: Life, began_at: float) -> Sample:
    taken = await asyncio.to_thread(sample.take, server, life, began_at)
    print("  ".join(table.line(taken)), file=sys.stderr, flush=True)
    return taken


def main() -> None:
    """Run it in a folder of its own, and say how it went."""
    parser = argparse.ArgumentParser(prog="make soak", description=__doc__.partition("\n")[0])
    parser.add_argument("--minutes", type=int, default=60)
    parser.add_argument("--json", type=Path, default=Path("var/soak/figures.json"))
    options = parser.parse_args()
    if options.minutes < 1:
        parser.error(f"--minutes is {options.minutes}, expected at least 1")

    seen = Seen()
    with (
        tempfile.TemporaryDirectory(prefix="soak-") as folder,
        running_server(Path(folder), profiles(), workers=2) as server,
    ):
        samples = asyncio.run(soak(server, options.minutes, seen))
    complaints = verdict.complaints(samples, seen)
    table.show(samples, seen, complaints)
    table.write_json(samples, seen, complaints, options.json)
    raise SystemExit(bool(complaints))


if __name__ == "__main__":
    main()
