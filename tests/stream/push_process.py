"""A stand-in for a gunicorn worker of class gevent: a hub, its push, and a listening socket.

`python -m tests.stream.push_process CONTROL_FD`. A viewer connects and sends one line of JSON
that says what it wants; the body follows, without a head. On the control socket, lines of JSON:
what the test sets and asks, and what the hub asks of a store that there is not.
"""

# ruff: noqa: E402
from gevent import monkey

monkey.patch_all()

import gc
import json
import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gevent
from gevent import socket
from gevent.event import AsyncResult
from gevent.server import StreamServer

from webapp.log.event_id import EventId
from webapp.stream import feed, hub
from webapp.stream.connection import HandedOver, chunk
from webapp.stream.format import Format
from webapp.stream.hub import Hub
from webapp.stream.push import Push
from webapp.stream.respond import respond
from webapp.stream.view import Pace, View

LONG_SECONDS = 3600.0


def inotify_instances() -> int:
    """Of this process."""
    links = (f"/proc/self/fd/{name}" for name in os.listdir("/proc/self/fd"))
    return sum("inotify" in os.readlink(link) for link in links if os.path.lexists(link))


def greenlets() -> int:
    """That live."""
    gc.collect()
    return sum(isinstance(thing, gevent.Greenlet) and not thing.dead for thing in gc.get_objects())


class Worker:
    """The hub of this process and the test that it belongs to."""

    def __init__(self, control: Any) -> None:
        self.lines = control.makefile("rw", encoding="utf-8")
        self.answer: AsyncResult | None = None
        self.is_stopping = False
        self.hub = Hub(lambda session_id: self.call("end_abandoned", session_id=session_id))
        self.hub.should_stop = lambda: self.is_stopping
        self.hub.push = Push(
            self.hub,
            ping_seconds=LONG_SECONDS,
            send_timeout_seconds=LONG_SECONDS,
        )
        self.figures: dict[str, Callable[[], object]] = {
            "viewers": lambda: self.hub.viewers,
            "files": lambda: len(os.listdir("/proc/self/fd")),
            "threads": lambda: len(os.listdir("/proc/self/task")),
            "python_threads": threading.active_count,
            "inotify": inotify_instances,
            "greenlets": greenlets,
        }

    def call(self, name: str, **arguments: object) -> Any:
        """Ask the test."""
        self.answer = AsyncResult()
        self.say({"call": name, **arguments})
        answer = self.answer.get()
        if "error" in answer:
            raise OSError(answer["error"])
        return answer["value"]

    def say(self, message: object) -> None:
        """One line to the test."""
        self.lines.write(json.dumps(message) + "\n")
        self.lines.flush()

    def obey(self) -> None:
        """What the test says, until it is gone."""
        for line in self.lines:
            message = json.loads(line)
            if "ask" in message:
                self.say({"answer": self.figures[message["ask"]]()})
            elif "stop" in message:
                self.is_stopping = True
            elif "hear_nothing" in message:
                feed.watch_file = lambda *_anything: None  # type: ignore[attr-defined]
            elif "look_seconds" in message:
                hub.LOOK_SECONDS = message["look_seconds"]
            elif self.answer is not None:
                self.answer.set(message)

    def serve(self, connection: Any, _address: object) -> None:
        """One viewer, as gunicorn serves it."""
        request = json.loads(connection.makefile("rb").readline())
        is_chunked = request["protocol"] == "HTTP/1.1"
        environ = {
            "gunicorn.socket": connection,
            "wsgi.url_scheme": "http",
            "SERVER_PROTOCOL": request["protocol"],
        }
        push = self.hub.push
        assert push is not None
        push.send_timeout_seconds = request["send_timeout_seconds"]
        view = self.view(request["view"])
        push.ping_seconds = view.ping_seconds
        try:
            for piece in respond(self.hub, view, environ, request["kernel_timeout_seconds"]):
                connection.sendall(chunk(piece) if is_chunked else piece)
        except HandedOver:
            pass

    def view(self, options: dict[str, Any]) -> View:
        """What a viewer asked for."""
        defaults: dict[str, Any] = {
            "session_id": "session",
            "form": (),
            "ping_seconds": LONG_SECONDS,
        }
        options = defaults | options
        options["form"] = Format(*options["form"])
        options["log"] = Path(options["log"])
        offset, seen = options.pop("offset"), options.pop("seen", 0)
        options["after"] = None if offset is None else EventId(offset, seen)
        if "pace" in options:
            options["pace"] = Pace(**options["pace"])
        if "time" in options:
            options["time"] = options["time"].encode()
        return View(recorded_end=lambda: self.call("recorded_end"), **options)


def main() -> None:
    """Serve until the test ends this process."""
    hub.LOOK_SECONDS = 0.25
    worker = Worker(socket.socket(fileno=int(sys.argv[1])))
    server = StreamServer(("127.0.0.1", 0), worker.serve)
    server.start()
    worker.lines.write(f"{server.server_port}\n")
    worker.lines.flush()
    worker.obey()


if __name__ == "__main__":
    main()
