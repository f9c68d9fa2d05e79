"""Clients that behave badly, many at once: drives `native/crowd.c`."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from tests.bench.programs import program


@dataclass(frozen=True)
class Answer:
    """How it stands after an order; the fields of the program's JSON."""

    order: str
    watching: int
    """Coming clients that have their stream."""
    refused: int
    """Answers other than 200, since the start."""
    failed: int
    """Connections that ended before an answer, or in the middle of a stream, since the start."""
    seconds: float
    """How long the order took."""


class Crowd:
    """The clients, and what they can be told; each order returns when it is done."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def be_silent(self) -> Answer:
        """The silent ones connect, ask, and never read."""
        return self._order("silence")

    def storm(self) -> Answer:
        """The others all come at the same moment."""
        return self._order("storm")

    def arrive(self) -> Answer:
        """They all come at the same moment; done when each has its first event."""
        return self._order("arrive")

    def cut(self) -> Answer:
        """They all hang up at once, and come back when the server asked them to."""
        return self._order("cut")

    def leave(self) -> Answer:
        """They hang up for good; the silent ones stay."""
        return self._order("leave")

    def _order(self, order: str) -> Answer:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(order + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        assert line, f"the crowd ended over the order {order!r}"
        return Answer(**json.loads(line))


@contextmanager
def crowd(
    port: int, *, silent: int, silent_path: str, coming: int, path: str, niceness: int = 0
) -> Iterator[Crowd]:
    """So many silent clients and so many that come and go; nobody is there yet.

    With a niceness of 19 they are as if on another machine: what is measured is not how they share
    a processor with the server.
    """
    nice = ["nice", "-n", str(niceness)] if niceness else []
    command = [*nice, program("crowd"), *map(str, (port, silent, silent_path, coming, path))]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as process:
        try:
            yield Crowd(process)
        finally:
            process.kill()
