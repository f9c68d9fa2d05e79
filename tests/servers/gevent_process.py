"""A stand-in for a gunicorn worker of class gevent: streams that own their sockets.

`python -m tests.servers.gevent_process OPTIONS`. A viewer connects and sends one line that says
what it wants; the body follows, without a head. Stdin is the control socket, with lines of JSON:
what the test sets and asks, and what the hub asks of a store that there is not.
"""

# ruff: noqa: E402
from gevent import monkey

monkey.patch_all()

import base64
import gc
import json
import os
import pickle
import sys
import threading
from collections.abc import Callable
from typing import Any

import gevent
from gevent import socket
from gevent.event import AsyncResult
from gevent.server import StreamServer

from tests.servers.streams import Options, make_hub, view_of
from webapp.stream.fairness import Arrivals
from webapp.stream.streams import Streams
from webapp.stream.takeover.connection import HandedOver, chunk
from webapp.stream.takeover.takeover import Takeover


def inotify_instances() -> int:
    """Of this process."""
    links = (f"/proc/self/fd/{name}" for name in os.listdir("/proc/self/fd"))
    return sum("inotify" in os.readlink(link) for link in links if os.path.lexists(link))


def greenlets() -> int:
    """That live."""
    gc.collect()
    return sum(isinstance(thing, gevent.Greenlet) and not thing.dead for thing in gc.get_objects())


def runs_what_is_due(streams: Streams) -> bool:
    """Whether a greenlet that waits for a readable socket runs when its caller gives way."""
    ours, other = socket.socketpair()
    with ours, other:
        waiting = gevent.spawn(socket.wait_read, ours.fileno(), 5)
        gevent.sleep(0.01)
        other.send(b"x")
        streams.yield_to_live()
        has_run = waiting.dead
        waiting.join()
        return bool(has_run)


class Worker:
    """The streams of this process and the test that it belongs to."""

    def __init__(self, control: Any, options: Options) -> None:
        self.lines = control.makefile("rw", encoding="utf-8")
        self.answer: AsyncResult | None = None
        self.is_stopping = False
        self.hub = make_hub(
            options,
            lambda session_id: self.call("end_abandoned", session_id=session_id),
            lambda: self.is_stopping,
        )
        takeover = Takeover(
            self.hub,
            Arrivals(lambda: self.hub.viewers > 0),
            ping_seconds=options.ping_seconds,
            send_timeout_seconds=options.send_timeout_seconds,
        )
        self.streams = Streams(self.hub, takeover, options.kernel_timeout_seconds)
        self.figures: dict[str, Callable[[], object]] = {
            "viewers": lambda: self.hub.viewers,
            "files": lambda: len(os.listdir("/proc/self/fd")),
            "threads": lambda: len(os.listdir("/proc/self/task")),
            "python_threads": threading.active_count,
            "inotify": inotify_instances,
            "greenlets": greenlets,
            "runs_what_is_due": lambda: runs_what_is_due(self.streams),
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
        """Do what the test says, until it is gone."""
        for line in self.lines:
            message = json.loads(line)
            if "ask" in message:
                self.say({"answer": self.figures[message["ask"]]()})
            elif "stop" in message:
                self.is_stopping = True
            elif self.answer is not None:
                self.answer.set(message)

    def serve(self, connection: Any, _address: object) -> None:
        """One viewer, as gunicorn serves it."""
        protocol, view = pickle.loads(base64.b64decode(connection.makefile("rb").readline()))
        environ = {
            "gunicorn.socket": connection,
            "wsgi.url_scheme": "http",
            "SERVER_PROTOCOL": protocol,
        }
        asked = view_of(recorded_end=lambda: self.call("recorded_end"), **view)
        try:
            for piece in self.streams.respond(asked, environ):
                connection.sendall(chunk(piece) if protocol == "HTTP/1.1" else piece)
        except HandedOver:
            pass


def main() -> None:
    """Serve until the test ends this process."""
    control = socket.socket(fileno=0)
    worker = Worker(control, Options(**json.loads(sys.argv[1])))
    server = StreamServer(("127.0.0.1", 0), worker.serve)
    server.start()
    worker.lines.write(f"{server.server_port}\n")
    worker.lines.flush()
    worker.obey()


if __name__ == "__main__":
    main()
