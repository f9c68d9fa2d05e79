"""A log, and viewers of it by either way that a stream can take.

`PullTheatre` has the hub in this process and each viewer in a thread. `PushTheatre` has it
in a process of its own, under gevent, as a gunicorn worker has (tests/stream/push_process.py);
its viewers are sockets.
"""

import json
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any, Protocol

import pytest

from tests.server import ROOT, wait_for
from tests.stream.event_source import Dispatched, EventSource
from tests.stream.growing_log import GrowingLog
from webapp.log.event_id import EventId
from webapp.stream import feed, hub
from webapp.stream.feed import Feed
from webapp.stream.format import Format
from webapp.stream.hub import Hub
from webapp.stream.respond import respond
from webapp.stream.view import View

LONG_SECONDS = 3600.0
End = Callable[[], dict[str, object] | None]


class Viewer:
    """One viewer, read by a thread; `events` is what it has got so far."""

    def __init__(self, read: Callable[["Viewer"], None]) -> None:
        self.body = b""
        self.failure: BaseException | None = None
        self._read = read
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            self._read(self)
        except BaseException as failure:
            self.failure = failure

    @property
    def events(self) -> list[Dispatched]:
        """What it has got so far, pings left out."""
        return [event for event in EventSource(self.body).events if event.type != "ping"]

    @property
    def pings(self) -> int:
        """How many pings it has got so far."""
        return sum(event.type == "ping" for event in EventSource(self.body).events)

    @property
    def texts(self) -> list[str]:
        """The contents of its messages."""
        return [event.json()["content"] for event in self.events if event.type == "message"]

    @property
    def names(self) -> list[str]:
        """The names of its events."""
        return [event.type for event in self.events]

    @property
    def has_ended(self) -> bool:
        """Whether its stream is over."""
        return not self._thread.is_alive()

    def wait_for_texts(self, *texts: str) -> None:
        """Until it has got these messages and no others."""
        wait_for(lambda: len(self.texts) >= len(texts))
        assert self.texts == list(texts)

    def wait_until_ended(self) -> None:
        """Until its stream is over."""
        wait_for(lambda: self.has_ended)
        assert self.failure is None


class Theatre(Protocol):
    """What both ways have in common, for the tests of what is told."""

    log: GrowingLog
    abandoned: list[str]
    end_abandoned: End
    recorded_end: End

    def watch(self, offset: int | None = 0, **options: Any) -> Viewer:
        """A new viewer of the log."""

    def stop(self) -> None:
        """The worker is told to end."""

    def hear_nothing(self) -> None:
        """There is no inotify."""

    def never_look(self) -> None:
        """Nobody looks unless something was heard."""


def view_of(log: Path, recorded_end: End, options: dict[str, Any]) -> View:
    """A view of a log, with these options and defaults for the rest."""
    defaults: dict[str, Any] = {
        "session_id": "session",
        "form": Format(),
        "ping_seconds": LONG_SECONDS,
    }
    offset, seen = options.pop("offset"), options.pop("seen", 0)
    options["after"] = None if offset is None else EventId(offset, seen)
    return View(log=log, recorded_end=recorded_end, **(defaults | options))


class PullTheatre:
    """A hub in this process, and viewers in threads."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.log = GrowingLog(folder / "output.log")
        self.abandoned: list[str] = []
        self.end_abandoned: End = lambda: None
        self.recorded_end: End = lambda: None
        self.hub = Hub(self._end_abandoned)
        self.is_stopping = False
        self.hub.should_stop = lambda: self.is_stopping
        self._monkeypatch = monkeypatch
        monkeypatch.setattr(hub, "LOOK_SECONDS", 0.25)

    def _end_abandoned(self, session_id: str) -> dict[str, object] | None:
        self.abandoned.append(session_id)
        return self.end_abandoned()

    def watch(self, offset: int | None = 0, **options: Any) -> Viewer:
        """A new viewer of the log."""
        view = view_of(self.log.path, self.recorded_end, options | {"offset": offset})

        def read(viewer: Viewer) -> None:
            for piece in respond(self.hub, view, {}, LONG_SECONDS):
                viewer.body += piece

        return Viewer(read)

    def stop(self) -> None:
        """The worker is told to end."""
        self.is_stopping = True

    def hear_nothing(self) -> None:
        """There is no inotify."""
        self._monkeypatch.setattr(feed, "watch_file", lambda *_anything: None)

    def never_look(self) -> None:
        """Nobody looks unless something was heard."""
        self._monkeypatch.setattr(hub, "LOOK_SECONDS", LONG_SECONDS)


class PushTheatre:
    """A hub in a process that owns its viewers' connections."""

    def __init__(self, folder: Path) -> None:
        self.log = GrowingLog(folder / "output.log")
        self.abandoned: list[str] = []
        self.end_abandoned: End = lambda: None
        self.recorded_end: End = lambda: None
        ours, theirs = socket.socketpair()
        with theirs:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tests.stream.push_process", str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                cwd=ROOT,
            )
        self._lines = ours.makefile("rw", encoding="utf-8")
        ours.close()
        self.port = int(self._lines.readline())
        self._answers: list[Any] = []
        self._thread = threading.Thread(target=self._answer_calls, daemon=True)
        self._thread.start()

    def _answer_calls(self) -> None:
        """What the process asks of the store, the test answers."""
        for line in self._lines_until_it_ends():
            call = json.loads(line)
            if "answer" in call:
                self._answers.append(call["answer"])
                continue
            if call["call"] == "end_abandoned":
                self.abandoned.append(call["session_id"])
            try:
                answer = getattr(self, call["call"])()
                self._say({"value": answer})
            except OSError as error:
                self._say({"error": str(error)})

    def _lines_until_it_ends(self) -> Iterator[str]:
        try:
            yield from self._lines
        except ConnectionResetError:
            return  # it was killed before it had read all that was said to it

    def _say(self, message: dict[str, Any]) -> None:
        self._lines.write(json.dumps(message) + "\n")
        self._lines.flush()

    def ask(self, question: str) -> Any:
        """A figure of the process: see `FIGURES` there."""
        before = len(self._answers)
        self._say({"ask": question})
        wait_for(lambda: len(self._answers) > before)
        return self._answers[-1]

    def connect(
        self, offset: int | None = 0, *, protocol: str = "HTTP/1.1", **options: Any
    ) -> socket.socket:
        """A connection that nobody reads yet."""
        timeouts = {
            name: options.pop(name, LONG_SECONDS)
            for name in ("send_timeout_seconds", "kernel_timeout_seconds")
        }
        if "pace" in options:
            options["pace"] = asdict(options["pace"])
        if "time" in options:
            options["time"] = options["time"].decode()
        request = {
            "view": options | {"offset": offset, "log": str(options.get("log", self.log.path))},
            "protocol": protocol,
            **timeouts,
        }
        connection = socket.create_connection(("127.0.0.1", self.port))
        connection.sendall(json.dumps(request).encode() + b"\n")
        return connection

    def watch(self, offset: int | None = 0, **options: Any) -> Viewer:
        """A new viewer of the log."""
        is_chunked = options.get("protocol", "HTTP/1.1") == "HTTP/1.1"
        connection = self.connect(offset, **options)
        return Viewer(lambda viewer: read_body(connection, viewer, is_chunked=is_chunked))

    def stop(self) -> None:
        """The worker is told to end."""
        self._say({"stop": True})

    def hear_nothing(self) -> None:
        """There is no inotify."""
        self._say({"hear_nothing": True})

    def never_look(self) -> None:
        """Nobody looks unless something was heard."""
        self._say({"look_seconds": LONG_SECONDS})

    def close(self) -> None:
        """End the process."""
        self.process.kill()
        self.process.wait()


def read_body(connection: socket.socket, viewer: Viewer, *, is_chunked: bool) -> None:
    """Read a response's body to its end; each chunk must be framed as it says.

    A chunked body that just breaks off is over as well: that is how a killed worker ends it.
    """
    with connection, connection.makefile("rb") as body:
        if not is_chunked:
            while data := body.read1():
                viewer.body += data
            return
        while head := body.readline():
            size = int(head, 16)
            data = body.read(size)
            if body.read(2) != b"\r\n":
                raise AssertionError(f"a chunk of {size} bytes does not end there")
            viewer.body += data
            if size == 0:
                return


@contextmanager
def pull_theatre(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[PullTheatre]:
    """A theatre that is closed at the end: no viewer is left behind."""
    stage = PullTheatre(folder, monkeypatch)
    try:
        yield stage
    finally:
        stage.stop()
        wait_for(lambda: stage.hub.viewers == 0)
        stage.log.die()


@contextmanager
def push_theatre(folder: Path) -> Iterator[PushTheatre]:
    """A theatre whose process is ended with it."""
    stage = PushTheatre(folder)
    try:
        yield stage
    finally:
        stage.close()
        stage.log.die()


@contextmanager
def held_feed(hub: Hub, session_id: str, path: Path) -> Iterator[Feed]:
    """A log's feed, held as by one viewer."""
    feed = hub.acquire(session_id, path)
    try:
        yield feed
    finally:
        hub.release(feed)
