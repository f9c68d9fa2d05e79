"""Workers that may not open another file: errors are clear, live streams go on, and it passes."""

import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from tests.clients.crowd import crowd
from tests.faults.surroundings import folders, row_count, wait_for_all_workers
from tests.faults.test_hearing import AGENTS, Echo
from tests.server import Server, running_server, wait_for

SPARE = range(9)
"""So many files may be opened beside those that are open: from no connection to nearly enough."""


@contextmanager
def files_to_spare(server: Server, count: int) -> Iterator[None]:
    """Workers that may open so many files more, give or take the gaps in their numbers."""
    before = {pid: resource.prlimit(pid, resource.RLIMIT_NOFILE) for pid in server.worker_pids()}
    for pid, (_soft, hard) in before.items():
        highest = max(map(int, os.listdir(f"/proc/{pid}/fd")))
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (highest + 1 + count, hard))
    try:
        yield
    finally:
        for pid, limits in before.items():
            resource.prlimit(pid, resource.RLIMIT_NOFILE, limits)


def ask(server: Server, method: str, path: str, **options: object) -> httpx.Response | None:
    """The answer, less the body of a stream; None where the connection was not taken or broke."""
    with httpx.Client(verify=False, timeout=1) as client:
        try:
            with client.stream(method, server.url + path, **options) as answer:  # type: ignore[arg-type]
                if "event-stream" not in answer.headers["Content-Type"]:
                    answer.read()
                return answer
        except httpx.TransportError:
            return None


def test_worker_without_a_descriptor_to_spare_says_so_and_streams_on(folder: Path) -> None:
    with running_server(folder, AGENTS) as server:
        wait_for_all_workers(server)
        workers = server.worker_pids()
        echo = Echo(server, "echo")
        (folder / "over.end").touch()
        (folder / "over").touch()
        value = {
            "workflowId": server.create_workflow(),
            "agent": "echo",
            "message": f"{folder}/over",
        }
        refusals: list[httpx.Response] = []
        started, unanswered = row_count(server), 0
        with crowd(server.port, echo.session_id, 8) as watching:
            wait_for(watching.are_watching)
            for number, count in enumerate(SPARE, start=1):
                with files_to_spare(server, count):
                    answers = [
                        ask(server, "GET", f"/api/sessions/{echo.session_id}"),
                        ask(server, "GET", f"/api/sessions/{echo.session_id}/log"),
                        ask(server, "GET", f"/api/agent-stream?sessionId={echo.session_id}"),
                        ask(server, "POST", "/api/trpc/workflow.invokeAgent", json=value),
                    ]
                    echo.say()
                    wait_for(lambda number=number: watching.have_seen(number))  # type: ignore[misc]
                invoked = answers[-1]
                started += invoked is not None and invoked.status_code == 200
                unanswered += invoked is None  # it may be taken when there is room again
                refusals += [one for one in answers if one is not None and one.status_code != 200]

            assert {one.status_code for one in refusals} == {503}
            assert all(int(one.headers["Retry-After"]) > 0 for one in refusals)
            assert any("Too many open files" in one.text for one in refusals)
            assert started <= row_count(server) <= started + unanswered
            wait_for(lambda: len(folders(server)) == row_count(server))
            assert server.worker_pids() == workers
            echo.end()
            wait_for(watching.have_done)
            watching.check_exact()
            assert len(watching.connections) == len(watching.viewers)  # no stream broke off
