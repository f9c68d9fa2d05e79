"""A session that one worker starts, streamed by another: what this project exists for."""

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from tests.clients.event_source import Dispatched, texts_of
from tests.clients.viewer import Viewer
from tests.server import HTTP, Server, python_agent, running_server, wait_for

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


def start(server: Server, message: str, workflow_id: str) -> tuple[str, int]:
    """A new session's id, and the pid of the worker that started it.

    On a slow machine the database may be locked for longer than a request waits. Nothing has been
    started then, and a client is to come again.
    """

    def accepted() -> list[httpx.Response]:
        value = {"workflowId": workflow_id, "agent": "lines", "message": message}
        answer = server.call("workflow.invokeAgent", value)
        if answer.status_code == 503:
            assert "database is locked" in answer.text
            time.sleep(int(answer.headers["Retry-After"]))
            return []
        assert answer.is_success, answer.text
        return [answer]

    (answer,) = wait_for(accepted)
    return answer.json()["result"]["data"]["sessionId"], int(answer.headers["X-Worker-Pid"])


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
            session_id, worker = start(server, str(code), workflow_id)
            texts, exit_code = watch_elsewhere(server, session_id, worker)
            return texts, exit_code, code

        with ThreadPoolExecutor(16) as threads:
            results = list(threads.map(start_and_watch, range(SESSIONS)))
        url = f"{server.url}/api/sessions?limit={SESSIONS + 1}"
        started = len(HTTP.get(url).raise_for_status().json()["sessions"])

    expected = [f"line {number}" for number in range(LINES)]
    assert len(results) == SESSIONS == started
    for texts, exit_code, code in results:
        assert texts == expected
        assert exit_code == code
