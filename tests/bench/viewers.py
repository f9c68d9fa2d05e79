"""Many viewers at once, and what they saw: drives `native/viewers.c`."""

import json
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from tests.bench.programs import program


@dataclass(frozen=True)
class Report:
    """What the viewers saw while it was measured; the fields of the program's JSON."""

    viewers: int
    answered: int
    """Responses with status 200, since the start."""
    refused: int
    """Responses with another status."""
    broken: int
    """Responses that were no valid HTTP."""
    breaks: int
    """Connections that ended before their response did."""
    watching: int
    """Viewers that are still connected."""
    done: int
    pings: int
    missing: int
    twice: int
    latencies: int
    fewest: int
    """Measured events of the viewer that got the fewest."""
    most: int
    p50_ms: float
    p99_ms: float
    max_ms: float
    bytes: int
    events: int
    seconds: float
    cpu_share: float
    """Of one core, that the viewers took themselves."""
    workers: dict[str, int]
    """Responses by the pid of the worker that gave them."""


class LiveViewers:
    """Viewers that are connected and wait to be measured."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def measure(self, seconds: float) -> Report:
        """What they see of the events that are made in the next so many seconds. Once only."""
        self.begin()
        time.sleep(seconds)
        return self.end()

    def begin(self) -> None:
        """Measure from now on."""
        self._order("measure")

    def end(self) -> Report:
        """Measure no longer."""
        self._order("stop")
        return _sound(_report(self._process))

    def _order(self, order: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(order + "\n")
        self._process.stdin.flush()


@contextmanager
def live_viewers(port: int, count: int, paths: Sequence[str]) -> Iterator[LiveViewers]:
    """Connected viewers of the paths in turn, all of whom have been answered."""
    with _running("live", port, count, *paths) as process:
        assert process.stdout is not None
        ready = process.stdout.readline()
        assert ready == "ready\n", f"the viewers said {ready!r}, and ended"
        yield LiveViewers(process)


def drain(port: int, path: str) -> Report:
    """One response, read to its end as fast as it comes."""
    with _running("drain", port, 1, path) as process:
        return _sound(_report(process))


@contextmanager
def exact_viewers(port: int, count: int, last: int, path: str) -> Iterator[subprocess.Popen[str]]:
    """Viewers of the numbers from 1 to `last`, who come back whenever they are cut off."""
    with _running("exact", port, count, last, path) as process:
        yield process


def exact_report(process: subprocess.Popen[str]) -> Report:
    """What they saw in the end. Waits for each viewer's `done`."""
    return _report(process)


@contextmanager
def _running(*arguments: object) -> Iterator[subprocess.Popen[str]]:
    command = [program("viewers"), *map(str, arguments)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def _report(process: subprocess.Popen[str]) -> Report:
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line, "the viewers ended without a report: too slow, or killed"
    return Report(**json.loads(line))


def _sound(report: Report) -> Report:
    """A figure is worth nothing if not everybody saw everything."""
    assert report.refused == report.broken == report.breaks == 0, report
    assert report.fewest >= report.most - 1, f"some viewers missed events: {report}"
    return report
