"""The database held by somebody else; starts after a crash, and many at once."""

import time
from pathlib import Path

from tests.clients.event_source import texts_of
from tests.clients.viewer import Viewer, watch
from tests.faults.surroundings import folders, is_anything_left, row, row_count
from tests.server import HTTP, Server, python_agent, running_server, wait_for
from tests.sessions.machine import is_alive, kill
from tests.store.locked import held
from webapp.log.record import format_record

AGENTS = {
    "steady": python_agent(
        "import os\ngo = sys.stdin.read()\nn = 0\n"
        "while not os.path.exists(go): print('line', n); n += 1; time.sleep(0.02)\nsys.exit(7)"
    ),
    "forever": python_agent("print('up')\nwhile True: time.sleep(0.05)"),
    "say": python_agent("print(sys.stdin.read())"),
}


def test_write_lock_that_another_holds_stops_no_stream_and_loses_no_end(folder: Path) -> None:
    go = folder / "go"
    with running_server(folder, AGENTS) as server:
        session_id = server.invoke("steady", str(go))
        workflow_id = server.create_workflow()
        wait_for(lambda: row(server, session_id)["status"] == "running")
        before = row_count(server), len(folders(server))
        with Viewer(server.url, session_id) as viewer, held(server.var / "agent-stream.db"):
            events = iter(viewer)
            began = time.monotonic()
            refused = server.call("workflow.invokeAgent", {"workflowId": workflow_id})
            assert time.monotonic() - began < 5
            assert (refused.status_code, "Retry-After" in refused.headers) == (503, True)
            assert (row_count(server), len(folders(server))) == before
            assert HTTP.get(f"{server.url}/api/sessions/{session_id}").status_code == 200

            go.touch()
            rest = list(events)
            assert rest[-1].json()["exitCode"] == 7
            numbers = [int(text.split()[1]) for text in texts_of(rest)]
            assert numbers == list(range(len(numbers)))
            time.sleep(1)  # longer than the runner waits for a lock at a time
            assert row(server, session_id)["status"] == "running"
        wait_for(lambda: row(server, session_id)["status"] == "failed", 5)
        assert row(server, session_id)["exit_code"] == 7


def test_rows_without_a_runner_are_lost_before_the_first_answer(folder: Path) -> None:
    with running_server(folder, AGENTS) as server:
        sessions = [server.invoke("forever") for _ in range(3)]
        wait_for(lambda: all(row(server, one)["runner_pid"] for one in sessions))
        server.stop()
        for one in sessions:
            kill(row(server, one)["runner_pid"])
        wait_for(lambda: not any(is_alive(row(server, one)["runner_pid"]) for one in sessions))
        server.start()
        for one in sessions:  # nobody has asked for any of them yet
            assert (row(server, one)["status"], row(server, one)["exit_code"]) == ("lost", None)
            assert not is_anything_left(one)


def test_many_who_start_at_once_on_nothing_all_start(folder: Path) -> None:
    servers = [Server(folder, 4, "gevent") for _ in range(2)]
    for server in servers:
        server.output = folder / f"server-{server.port}.log"
    try:
        processes = [server.spawn() for server in servers]
        for server in servers:
            server.wait_until_ready()
        assert all(process.poll() is None for process in processes)
        session_id = servers[0].invoke("demo", "count 1 0")
        assert servers[1].wait_until_ended(session_id)["status"] == "succeeded"
    finally:
        for server in servers:
            server.stop()


def test_order_is_that_of_the_file_when_the_clock_steps_back(folder: Path) -> None:
    with running_server(folder, AGENTS) as server:
        session_id = server.invoke("say", "hello")
        server.wait_until_ended(session_id)
        log = server.log_path(session_id)
        head, _newline, rest = log.read_bytes().partition(b"\n")
        backwards = b"".join(
            format_record(1_800_000_000_000_000_000 - n * 10**12, b"stdout", b"line %d" % n)
            for n in range(50)
        )
        log.write_bytes(head + b"\n" + backwards + rest)
        texts = texts_of(watch(server.url, session_id))
        assert texts[:50] == [f"line {n}" for n in range(50)]
        resumed = texts_of(watch(server.url, session_id, last_id=str(len(head) + 1)))
        assert resumed == texts
