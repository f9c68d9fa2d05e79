"""A session that one worker starts, streamed by another: what this project exists for."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.clients.event_source import Dispatched, texts_of
from tests.clients.viewer import Viewer
from tests.server import Server, python_agent, running_server, wait_for

SESSIONS = 200
LINES = 50
NUMBERED_LINES = python_agent(
    f"for n in range({LINES}): print(f'line {{n}}')\nsys.exit(int(sys.stdin.read()))"
)


def watch_elsewhere(server: Server, session_id: str, not_worker: int) -> tuple[list[str], object]:
    """The texts of a session and its end, from another worker than the given one."""

    def elsewhere() -> list[Dispatched]:
        with Viewer(server.url, session_id) as viewer:
            viewer.response.raise_for_status()
            return list(viewer) if viewer.worker_pid != not_worker else []

    events = wait_for(elsewhere)
    assert events[-1].type == "done"
    return texts_of(events), events[-1].json()["exitCode"]


@pytest.mark.parametrize("worker_class", ["gevent", "gthread"])
def test_every_session_streams_from_a_worker_that_did_not_start_it(
    folder: Path, worker_class: str
) -> None:
    with running_server(
        folder, {"lines": NUMBERED_LINES}, workers=4, worker_class=worker_class
    ) as server:
        workflow_id = server.create_workflow()

        def start_and_watch(number: int) -> tuple[list[str], object, int]:
            code = number % 3
            session_id, worker = server.invoke_on("lines", str(code), workflow_id)
            texts, exit_code = watch_elsewhere(server, session_id, worker)
            return texts, exit_code, code

        with ThreadPoolExecutor(16) as threads:
            results = list(threads.map(start_and_watch, range(SESSIONS)))

    expected = [f"line {number}" for number in range(LINES)]
    assert len(results) == SESSIONS
    for texts, exit_code, code in results:
        assert texts == expected
        assert exit_code == code
