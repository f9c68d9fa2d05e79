"""A login ends on the server: at log-out, for all workers, and after seven days."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.server import PATIENCE_SECONDS, ROOT, Server, python_agent, running_server, wait_for

AGENTS = {"forever": python_agent("print('up')\nwhile True: time.sleep(0.05)")}
TOKEN = "s3cret-token-of-tests"
DAY_SECONDS = 24 * 3600


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Three workers that want a token."""
    folder = tmp_path_factory.mktemp("logins")
    with running_server(folder, {}, workers=3, AGENT_STREAM_TOKEN=TOKEN) as started:
        yield started


def ask(method: str, url: str, **options: Any) -> httpx.Response:
    """A request of a client that remembers no cookie."""
    with httpx.Client(verify=False, timeout=30) as client:
        return client.request(method, url, **options)


def log_in(server: Server, **headers: str) -> str:
    """A new cookie, as the header that a browser sends."""
    answer = ask("POST", f"{server.url}/login", data={"token": TOKEN}, headers=headers)
    assert answer.status_code == 303
    return answer.headers["Set-Cookie"].partition(";")[0]


def log_out(server: Server, cookie: str, **form: str) -> httpx.Response:
    """What a button sends."""
    headers = {"Cookie": cookie, "Content-Type": "application/x-www-form-urlencoded"}
    return ask("POST", f"{server.url}/logout", data=form, headers=headers)


def statuses(server: Server, cookie: str) -> set[int]:
    """How the workers answer this cookie, all of them."""
    found: dict[str, int] = {}

    def have_all_answered() -> bool:
        answer = ask("GET", f"{server.url}/api/sessions", headers={"Cookie": cookie})
        found[answer.headers["X-Worker-Pid"]] = answer.status_code
        return {str(pid) for pid in server.worker_pids()} <= found.keys()

    wait_for(have_all_answered)
    return set(found.values())


def test_log_out_ends_the_login_for_all_workers_and_after_a_restart(server: Server) -> None:
    stolen, other = log_in(server), log_in(server)
    assert statuses(server, stolen) == {200}
    assert log_out(server, stolen).status_code == 303
    assert statuses(server, stolen) == {401}
    assert statuses(server, other) == {200}
    server.stop()
    server.start()
    assert statuses(server, stolen) == {401}
    assert statuses(server, other) == {200}


def test_another_login_of_the_same_browser_ends_the_one_before(server: Server) -> None:
    before = log_in(server)
    log_in(server, Cookie=before)
    assert statuses(server, before) == {401}


def test_log_out_everywhere_ends_every_login(server: Server) -> None:
    cookies = [log_in(server) for _ in range(3)]
    assert log_out(server, cookies[0], everywhere="1").status_code == 303
    assert [statuses(server, cookie) for cookie in cookies] == [{401}] * 3


def test_script_with_the_token_logs_out_everywhere(server: Server) -> None:
    cookie = log_in(server)
    ask("POST", f"{server.url}/logout", data={"everywhere": "1"}, headers=server.login)
    assert statuses(server, cookie) == {401}


def test_command_logs_out_everywhere(server: Server) -> None:
    cookie = log_in(server)
    command = [sys.executable, "-m", "webapp.cli", "logout-everywhere", "--var", str(server.var)]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        command, cwd=server.folder, env=environment, capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith(("1 login ended\n", "logins ended\n"))
    assert statuses(server, cookie) == {401}


@pytest.mark.parametrize(
    "headers",
    [{}, {"Authorization": "Bearer x"}, {"Cookie": "agent-stream-8000=" + "0" * 64}],
    ids=str,
)
def test_stranger_logs_nobody_out(server: Server, headers: dict[str, str]) -> None:
    cookie = log_in(server)
    answer = ask("POST", f"{server.url}/logout", data={"everywhere": "1"}, headers=headers)
    assert answer.status_code == 401
    assert statuses(server, cookie) == {200}


def open_stream(stack: ExitStack, url: str, headers: dict[str, str]) -> Iterator[str]:
    """The lines of a stream whose first event is there."""
    client = stack.enter_context(httpx.Client(verify=False, timeout=30))
    response = stack.enter_context(client.stream("GET", url, headers=headers))
    assert response.status_code == 200
    lines = response.iter_lines()
    next(line for line in lines if line.startswith("data:"))
    return lines


def is_done_at_its_end(lines: Iterator[str]) -> bool:
    """Whether the session had ended when the stream did."""
    give_up_at, was_done = time.monotonic() + PATIENCE_SECONDS, False
    for line in lines:
        was_done = was_done or line == "event: done"
        assert time.monotonic() < give_up_at, "the stream goes on"
    return was_done


@pytest.mark.parametrize("worker_class", ["gevent", "gthread"])
def test_log_out_ends_open_streams_and_no_others(folder: Path, worker_class: str) -> None:
    settings = {"ping_seconds": 0.5}
    with (
        running_server(
            folder, AGENTS, worker_class=worker_class, settings=settings, AGENT_STREAM_TOKEN=TOKEN
        ) as server,
        ExitStack() as stack,
    ):
        workflow_id = server.create_workflow()
        session_id = server.invoke("forever", "x", workflow_id)
        watch = f"{server.url}/api/agent-stream?sessionId={session_id}"
        read = f'{server.url}/api/trpc/workflow.onMessage?input={{"workflowId":"{workflow_id}"}}'
        stolen, other = {"Cookie": log_in(server)}, {"Cookie": log_in(server)}
        urls = (watch, f"{watch}&speed=0.01", read)
        ending = [open_stream(stack, url, stolen) for url in urls]
        staying = [open_stream(stack, watch, headers) for headers in (other, server.login)]

        log_out(server, stolen["Cookie"])
        assert [is_done_at_its_end(lines) for lines in ending] == [False] * 3
        cancel = f"{server.url}/api/sessions/{session_id}/cancel"
        assert ask("POST", cancel, json={}, headers=server.login).status_code == 202
        assert [is_done_at_its_end(lines) for lines in staying] == [True] * 2


def test_login_ends_after_seven_days_of_daily_use(server: Server) -> None:
    cookie = log_in(server)
    seen = []
    for _ in range(8):
        answer = ask("GET", f"{server.url}/api/sessions", headers={"Cookie": cookie})
        seen.append(answer.status_code)
        assert "Set-Cookie" not in answer.headers
        for file in (server.var / "logins").iterdir():
            then = file.stat().st_mtime - DAY_SECONDS
            os.utime(file, (then, then))
    assert seen == [200] * 7 + [401]


@pytest.mark.parametrize("tossed", ["x", "0" * 64, ""])
def test_cookie_that_another_port_has_set_locks_nobody_out(server: Server, tossed: str) -> None:
    """A browser sends the cookie with the longer path first: RFC 6265, section 5.4."""
    cookie = log_in(server)
    name = cookie.partition("=")[0]
    many = "; ".join([f"{name}={tossed}"] * 20)
    for header in (f"{many}; {cookie}", f"{cookie}; {many}"):
        assert statuses(server, header) == {200}
        page = ask("GET", f"{server.url}/login", headers={"Cookie": header}).text
        assert "You are logged in" in page
    log_out(server, f"{many}; {cookie}")
    assert statuses(server, cookie) == {401}
