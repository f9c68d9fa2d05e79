"""Servers of one growing log, by either way that a stream can take.

`WsgiServer` has the streams in this process and each viewer in a thread. `GeventServer` has them
in a process of its own, which owns its viewers' sockets (tests/servers/gevent_process.py).
"""

import base64
import json
import os
import pickle
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

from tests import fork_server
from tests.clients.thread_viewer import ThreadViewer
from tests.server import ROOT, wait_for
from tests.stream.growing_log import GrowingLog
from webapp.log.event_id import EventId
from webapp.log.watch import Watch, watch_file
from webapp.stream.feed import Feed
from webapp.stream.format import Format
from webapp.stream.hub import Hub
from webapp.stream.streams import Streams
from webapp.stream.view import View

LONG_SECONDS = 3600.0
End = Callable[[], dict[str, object] | None]


@dataclass
class Options:
    """How a server is made; changes count until its first viewer comes."""

    look_seconds: float = 0.25
    has_inotify: bool = True
    ping_seconds: float = LONG_SECONDS
    send_timeout_seconds: float = LONG_SECONDS
    kernel_timeout_seconds: float = LONG_SECONDS


class StreamServer(Protocol):
    """What both ways have in common, for the tests of what viewers get."""

    log: GrowingLog
    options: Options
    abandoned: list[str]
    """The sessions that the hub found abandoned."""
    end_abandoned: End
    recorded_end: End

    def watch(self, offset: int | None = 0, **view: Any) -> ThreadViewer:
        """A new viewer of the log."""

    def stop(self) -> None:
        """The worker is to end."""


def view_of(log: Path, recorded_end: End, offset: int | None, **view: Any) -> View:
    """A view from an offset, with defaults for what is not given."""
    after = None if offset is None else EventId(offset, view.pop("seen", 0))
    defaults: dict[str, Any] = {
        "session_id": "session",
        "log": log,
        "form": Format(),
        "ping_seconds": LONG_SECONDS,
    }
    return View(recorded_end=recorded_end, after=after, **(defaults | view))


def no_inotify(_path: Path, _on_change: Callable[[], None]) -> Watch | None:
    """As `watch_file` where there is no inotify."""
    return None


def make_hub(options: Options, end_abandoned: Any, should_stop: Callable[[], bool]) -> Hub:
    """A hub with these options."""
    return Hub(
        end_abandoned,
        should_stop=should_stop,
        look_seconds=options.look_seconds,
        watch=watch_file if options.has_inotify else no_inotify,
    )


class WsgiServer:
    """Streams in this process, and viewers in threads."""

    def __init__(self, folder: Path) -> None:
        self.log = GrowingLog(folder / "output.log")
        self.options = Options()
        self.abandoned: list[str] = []
        self.end_abandoned: End = lambda: None
        self.recorded_end: End = lambda: None
        self.is_stopping = False
        self._hub: Hub | None = None

    @property
    def hub(self) -> Hub:
        """Made when it is needed first."""
        if self._hub is None:
            self._hub = make_hub(self.options, self._end_abandoned, lambda: self.is_stopping)
        return self._hub

    def use(self, hub: Hub) -> None:
        """Another hub, before the first viewer comes."""
        self._hub = hub

    def _end_abandoned(self, session_id: str) -> dict[str, object] | None:
        self.abandoned.append(session_id)
        return self.end_abandoned()

    def watch(self, offset: int | None = 0, **view: Any) -> ThreadViewer:
        """A new viewer of the log."""
        asked = view_of(self.log.path, self.recorded_end, offset, **view)
        streams = Streams(self.hub, None, self.options.kernel_timeout_seconds)

        def read(viewer: ThreadViewer) -> None:
            for piece in streams.respond(asked, {}):
                viewer.take(piece)

        return ThreadViewer(read)

    def stop(self) -> None:
        """The worker is to end."""
        self.is_stopping = True

    def close(self) -> None:
        """Wait until no viewer is left."""
        self.stop()
        wait_for(lambda: self.hub.viewers == 0)
        self.log.die()


class GeventServer:
    """Streams in a process that owns its viewers' sockets."""

    def __init__(self, folder: Path) -> None:
        self.log = GrowingLog(folder / "output.log")
        self.options = Options()
        self.abandoned: list[str] = []
        self.end_abandoned: End = lambda: None
        self.recorded_end: End = lambda: None
        self._process: _Process | None = None

    @property
    def process(self) -> "_Process":
        """Started when it is needed first."""
        if self._process is None:
            self._process = _Process(self)
        return self._process

    def ask(self, question: str) -> Any:
        """A figure of the process: see `figures` there."""
        return self.process.ask(question)

    def connect(
        self, offset: int | None = 0, *, protocol: str = "HTTP/1.1", **view: Any
    ) -> socket.socket:
        """A connection that nobody reads yet."""
        self.options.ping_seconds = view.get("ping_seconds", self.options.ping_seconds)
        request = (protocol, {"log": self.log.path, "offset": offset, **view})
        connection = socket.create_connection(("127.0.0.1", self.process.port))
        connection.sendall(base64.b64encode(pickle.dumps(request)) + b"\n")
        return connection

    def watch(
        self, offset: int | None = 0, *, protocol: str = "HTTP/1.1", **view: Any
    ) -> ThreadViewer:
        """A new viewer of the log."""
        return read_by_thread(self.connect(offset, protocol=protocol, **view), protocol)

    def stop(self) -> None:
        """The worker is to end."""
        self.process.say({"stop": True})

    def close(self) -> None:
        """End the process."""
        if self._process is not None:
            self._process.kill()
        self.log.die()


class _Process:
    """`tests.servers.gevent_process`, and what it asks of a store that there is not."""

    def __init__(self, server: GeventServer) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            self._process = fork_server.start(
                [json.dumps(asdict(server.options))],
                ROOT,
                dict(os.environ),
                (theirs.fileno(), 1, 2),
                module="tests.servers.gevent_process",
            )
        self._lines = ours.makefile("rw", encoding="utf-8")
        ours.close()
        self.port = int(self._lines.readline())
        self._server = server
        self._answers: list[Any] = []
        threading.Thread(target=self._answer_calls, daemon=True).start()

    def say(self, message: dict[str, Any]) -> None:
        """A line to the process."""
        self._lines.write(json.dumps(message) + "\n")
        self._lines.flush()

    def ask(self, question: str) -> Any:
        """One of its figures."""
        before = len(self._answers)
        self.say({"ask": question})
        wait_for(lambda: len(self._answers) > before)
        return self._answers[-1]

    def kill(self) -> None:
        """End it."""
        self._process.kill()
        self._process.wait()

    def _answer_calls(self) -> None:
        for line in self._lines_until_it_ends():
            call = json.loads(line)
            if "answer" in call:
                self._answers.append(call["answer"])
                continue
            if call["call"] == "end_abandoned":
                self._server.abandoned.append(call["session_id"])
            try:
                self.say({"value": getattr(self._server, call["call"])()})
            except OSError as error:
                self.say({"error": str(error)})

    def _lines_until_it_ends(self) -> Iterator[str]:
        try:
            yield from self._lines
        except ConnectionResetError:
            return  # it was killed before it had read everything


def read_by_thread(connection: socket.socket, protocol: str = "HTTP/1.1") -> ThreadViewer:
    """Read a response's body to its end; each chunk must be framed as it says.

    A chunked body that just breaks off is over as well: that is how a killed worker ends it.
    """

    def read(viewer: ThreadViewer) -> None:
        with connection, connection.makefile("rb") as body:
            if protocol == "HTTP/1.0":
                while data := body.read1():
                    viewer.take(data)
                return
            while head := body.readline():
                size = int(head, 16)
                data = body.read(size)
                if body.read(2) != b"\r\n":
                    raise AssertionError(f"a chunk of {size} bytes does not end there")
                viewer.take(data)
                if size == 0:
                    return

    return ThreadViewer(read)


@contextmanager
def held_feed(hub: Hub, session_id: str, path: Path) -> Iterator[Feed]:
    """A log's feed, held as by one viewer."""
    feed = hub.acquire(session_id, path)
    try:
        yield feed
    finally:
        hub.release(feed)
