"""Many viewers at once, and what they saw: drives `native/viewers.c`."""

import json
import os
import select
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
    late: int
    """Those of them that had not come seconds after they were made."""
    connect_seconds: float
    """Until each viewer had the head of its response."""
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
    """Viewers that are connected and wait to be measured, once."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def measure(self, seconds: float) -> Report:
        """What they see of the events that are made in the next so many seconds."""
        self.begin()
        time.sleep(seconds)
        return self.end()

    def begin(self) -> None:
        """Measure from now on."""
        _order(self._process, "measure")

    def end(self) -> Report:
        """Measure no longer."""
        _order(self._process, "stop")
        report = _report(self._process)
        _check(report)
        return report


class ExactViewers:
    """Viewers that come back whenever they are cut off, and miss nothing."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def report(self, patience_seconds: float) -> Report:
        """What they saw when each had its `done`, or when patience was over."""
        assert self._process.stdout is not None
        readable, _, _ = select.select([self._process.stdout], [], [], patience_seconds)
        if not readable:
            _order(self._process, "stop")
        return _report(self._process)


@contextmanager
def live_viewers(
    port: int, count: int, paths: Sequence[str], token: str | None = None
) -> Iterator[LiveViewers]:
    """Connected viewers of the paths in turn, all of whom have been answered."""
    with _running("live", port, count, *paths, token=token) as process:
        assert process.stdout is not None
        ready = process.stdout.readline()
        assert ready == "ready\n", f"the viewers said {ready!r}, and ended"
        yield LiveViewers(process)


@contextmanager
def exact_viewers(port: int, count: int, last: int, path: str) -> Iterator[ExactViewers]:
    """Viewers of a session that prints the numbers from 1 to `last`."""
    with _running("exact", port, count, last, path) as process:
        yield ExactViewers(process)


def drain(port: int, path: str) -> Report:
    """One response, read to its end as fast as it comes."""
    with _running("drain", port, 1, path) as process:
        report = _report(process)
        _check(report)
        return report


@contextmanager
def _running(*arguments: object, token: str | None = None) -> Iterator[subprocess.Popen[str]]:
    command = [program("viewers"), *map(str, arguments)]
    pipe = subprocess.PIPE
    environment = dict(os.environ) if token is None else os.environ | {"TOKEN": token}
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, env=environment) as process:
        try:
            yield process
        finally:
            process.kill()


def _order(process: subprocess.Popen[str], order: str) -> None:
    assert process.stdin is not None
    process.stdin.write(order + "\n")
    process.stdin.flush()


def _report(process: subprocess.Popen[str]) -> Report:
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line, "the viewers ended without a report: they took too long, or were killed"
    return Report(**json.loads(line))


def _check(report: Report) -> None:
    """A figure is worth nothing if not everybody was there."""
    assert report.refused == report.broken == report.breaks == 0, report
