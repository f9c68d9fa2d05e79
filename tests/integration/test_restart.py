"""Sessions outlive the web: workers are killed, the server is stopped, and nothing is lost."""

import contextlib
import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.clients.event_source import Dispatched
from tests.clients.viewer import Viewer
from tests.server import Server, python_agent, running_server, wait_for

SESSIONS = 20
LINES = 300
STEADY = python_agent(f"for n in range({LINES}):\n    print(f'line {{n}}')\n    time.sleep(0.02)")


class PersistentViewer(threading.Thread):
    """Watches a session to its `done`, coming back with its last id as a browser does."""

    def __init__(self, server: Server, session_id: str) -> None:
        super().__init__(daemon=True)
        self.server = server
        self.session_id = session_id
        self.events: list[Dispatched] = []
        self.connections = 0
        self.last_id: str | None = None
        self.refusals: list[int] = []

    def run(self) -> None:
        while not self.has_done:
            with contextlib.suppress(httpx.TransportError):
                self._connect()
            time.sleep(0.05)

    def _connect(self) -> None:
        with Viewer(self.server.url, self.session_id, last_id=self.last_id) as viewer:
            self.connections += 1
            if viewer.response.status_code != 200:
                self.refusals.append(viewer.response.status_code)
                return
            for event in viewer:
                self.events.append(event)
                self.last_id = event.last_event_id

    @property
    def has_done(self) -> bool:
        return bool(self.events) and self.events[-1].type == "done"

    def check(self) -> None:
        """Every line once and in order, and one end."""
        texts = [event.json()["content"] for event in self.events if event.type == "message"]
        assert texts == [f"line {number}" for number in range(LINES)]
        assert [event.type for event in self.events].count("done") == 1
        assert self.events[-1].json()["exitCode"] == 0
        assert self.refusals == []


@contextlib.contextmanager
def watched_sessions(server: Server) -> Iterator[list[PersistentViewer]]:
    """Sessions with a viewer each, which have all got a part of them when this begins."""
    sessions = [server.invoke("steady") for _ in range(SESSIONS)]
    viewers = [PersistentViewer(server, session_id) for session_id in sessions]
    for viewer in viewers:
        viewer.start()
    wait_for(lambda: all(len(viewer.events) > 5 for viewer in viewers))
    yield viewers
    for viewer in viewers:
        viewer.join(60)
        viewer.check()


@pytest.mark.parametrize("worker_class", ["gevent", "gthread"])
def test_viewers_resume_when_the_web_is_stopped_and_started(
    folder: Path, worker_class: str
) -> None:
    with (
        running_server(folder, {"steady": STEADY}, worker_class=worker_class) as server,
        watched_sessions(server) as viewers,
    ):
        assert server.stop() == 0
        assert not any(viewer.has_done for viewer in viewers)
        server.start()
        wait_for(lambda: all(viewer.connections > 1 for viewer in viewers))


def test_viewers_resume_when_each_worker_is_killed_in_turn(folder: Path) -> None:
    with (
        running_server(folder, {"steady": STEADY}, workers=4) as server,
        watched_sessions(server),
    ):
        for pid in server.worker_pids():
            before = server.worker_pids()
            os.kill(pid, signal.SIGKILL)
            wait_for(lambda before=before: server.worker_pids() - before)  # type: ignore[misc]


def test_streams_end_at_once_when_the_server_is_to_end(folder: Path) -> None:
    with running_server(folder, {"steady": STEADY}) as server:
        session_id = server.invoke("steady")
        with Viewer(server.url, session_id) as viewer:
            events = iter(viewer)
            next(events)
            started = time.monotonic()
            assert server.process is not None
            server.process.send_signal(signal.SIGTERM)
            for _event in events:
                pass
            assert time.monotonic() - started < 2
            assert server.process.wait(10) == 0
        server.start()
        assert server.wait_until_ended(session_id)["status"] == "succeeded"
