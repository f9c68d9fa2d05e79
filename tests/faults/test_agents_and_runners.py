"""What agents do, and what is done to their runners; FAULT_SESSIONS in a row, 60 unless told."""

import json
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.clients.viewer import watch
from tests.faults.surroundings import is_anything_left, row
from tests.server import HTTP, Server, python_agent, running_server, wait_for
from tests.sessions.machine import is_alive, kill
from webapp.log.record import parse_record

SESSIONS = int(os.environ.get("FAULT_SESSIONS", "60"))
"""In a row."""
EVERY_BYTE = bytes(range(256)) + "\u2028\u2029\x85".encode() + b"\xff\xfe\xc3\n\r\r\n"
AGENTS = {
    "forever": python_agent("print('up')\nwhile True: time.sleep(0.05)"),
    # A child that has another environment, and one that has left the group.
    "family": {
        "command": [
            "sh",
            "-c",
            "env -i sh -c 'trap \"\" TERM HUP; echo plain=$$; sleep 600' &"
            " setsid sh -c 'echo apart=$$; sleep 600' & sleep 600",
        ]
    },
    "leaver": {"command": ["sh", "-c", "(exec sleep 600) & exit 0"]},
    "stubborn": {
        "command": ["sh", "-c", "trap '' TERM; (trap '' TERM; echo child=$$; sleep 600) & wait"]
    },
    "flood": {
        "command": ["sh", "-c", "yes 0123456789 | head -c 300000000; exit 4"],
        "max_log_bytes": 5_000_000,
    },
    "one-line": {
        "command": ["sh", "-c", "head -c 300000000 /dev/zero | tr '\\0' x"],
        "max_log_bytes": 50_000_000,
    },
    "bytes": python_agent(f"sys.stdout.buffer.write({EVERY_BYTE!r})"),
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Two workers, and agents that misbehave."""
    folder = tmp_path_factory.mktemp("faults")
    with running_server(folder, AGENTS, settings={"grace_seconds": 0.5}) as started:
        yield started


def output_of(server: Server, session_id: str) -> bytes:
    """What the agent printed, from its log; every line of that must be a record."""
    log = server.log_path(session_id).read_bytes()
    records = [parse_record(line) for line in log.split(b"\n")[:-1]]
    return b"".join(
        record.content + (b"" if record.partial else b"\n")
        for record in records
        if record is not None and record.stream == b"stdout"
    )


def printed(server: Server, session_id: str, name: str) -> int:
    """The pid that an agent printed as `name=<pid>`."""
    prefix = f"{name}=".encode()

    def found() -> int:
        lines = output_of(server, session_id).split(b"\n")
        return next((int(line[len(prefix) :]) for line in lines if line.startswith(prefix)), 0)

    return wait_for(found)


def told(server: Server, session_id: str) -> list[dict[str, Any]]:
    """What the system records of its log say."""
    lines = server.log_path(session_id).read_bytes().split(b"\n")
    return [json.loads(line[40:]) for line in lines if line[30:40] == b" system F "]


def test_killed_runner_is_a_lost_session_without_an_exit_code_or_an_orphan(
    server: Server,
) -> None:
    session_id = server.invoke("family")
    family = [printed(server, session_id, name) for name in ("plain", "apart")]
    runner = wait_for(lambda: row(server, session_id)["runner_pid"])
    family.append(row(server, session_id)["pid"])
    kill(runner)
    wait_for(lambda: not is_alive(runner))

    began = time.monotonic()
    found = server.session(session_id)
    assert time.monotonic() - began < 2
    assert (found["status"], found["exitCode"], found["exitSignal"]) == ("lost", None, None)
    wait_for(lambda: not any(map(is_alive, family)), 2)
    assert [content["type"] for content in told(server, session_id)].count("done") == 1
    assert watch(server.url, session_id)[-1].json()["status"] == "lost"


def test_child_that_keeps_the_pipe_open_ends_the_session_two_seconds_later(
    server: Server,
) -> None:
    began = time.monotonic()
    session_id = server.invoke("leaver")
    assert server.wait_until_ended(session_id)["status"] == "succeeded"
    assert 1.9 < time.monotonic() - began < 4
    wait_for(lambda: not is_anything_left(session_id))


def test_agent_that_ignores_sigterm_is_killed_with_its_whole_group(server: Server) -> None:
    session_id = server.invoke("stubborn")
    child = printed(server, session_id, "child")
    HTTP.post(f"{server.url}/api/sessions/{session_id}/cancel", json={}).raise_for_status()
    began = time.monotonic()
    ended = server.wait_until_ended(session_id)
    assert 0.3 < time.monotonic() - began < 5
    assert (ended["status"], ended["exitSignal"]) == ("cancelled", "SIGKILL")
    wait_for(lambda: not is_alive(child) and not is_anything_left(session_id))


def peak_bytes(pid: int) -> int:
    """The most private memory of a process seen until it ends."""
    peak = 0
    while True:
        try:
            peak = max(peak, private_bytes(pid))
        except OSError:
            return peak
        time.sleep(0.02)


def private_bytes(pid: int) -> int:
    """The memory that a process shares with nobody."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return 1024 * sum(int(line.split()[1]) for line in lines if line.startswith("Private_"))


def growth_while_streamed(server: Server, session_id: str) -> int:
    """By how many bytes the workers' memory is larger at most while they stream a session."""
    before = {pid: private_bytes(pid) for pid in server.worker_pids()}
    most = 0
    url = f"{server.url}/api/agent-stream?sessionId={session_id}"
    with HTTP.stream("GET", url) as response:
        for number, _piece in enumerate(response.iter_raw(1 << 16)):
            if number % 16 == 0:
                now = max(private_bytes(pid) - size for pid, size in before.items())
                most = max(most, now)
    return most


@pytest.mark.parametrize("agent", ["flood", "one-line"])
def test_flood_is_cut_at_the_cap_in_little_memory(server: Server, agent: str) -> None:
    session_id = server.invoke(agent)
    runner = wait_for(lambda: row(server, session_id)["runner_pid"])
    assert 0 < peak_bytes(runner) < 32 << 20
    ended = server.wait_until_ended(session_id)
    cap = AGENTS[agent]["max_log_bytes"]
    assert ended["exitCode"] == (4 if agent == "flood" else 0)
    assert ended["logBytes"] < cap + 10_000
    assert [content["type"] for content in told(server, session_id)] == [
        "session",
        "truncated",
        "done",
    ]
    assert growth_while_streamed(server, session_id) < 48 << 20
    lost = told(server, session_id)[-1]["droppedBytes"]
    assert len(output_of(server, session_id)) + lost == pytest.approx(300_000_000, rel=0.001)
    server.log_path(session_id).unlink()


def test_every_byte_is_exact_in_the_log_and_well_formed_in_the_stream(server: Server) -> None:
    session_id = server.invoke("bytes")
    server.wait_until_ended(session_id)
    assert output_of(server, session_id) == EVERY_BYTE
    events = watch(server.url, session_id)
    texts = [event.json()["content"] for event in events if event.type == "message"]
    assert "\n".join(texts) + "\n" == EVERY_BYTE.decode(errors="replace")
    assert events[-1].type == "done"


def test_signals_go_to_nobody_but_the_proved_runner(server: Server, tmp_path: Path) -> None:
    """A row whose numbers are by now those of innocent processes."""
    session_id = server.invoke("forever")
    runner = wait_for(lambda: row(server, session_id)["runner_pid"])
    kill(runner)
    innocent = os.posix_spawn("/bin/sleep", ["sleep", "600"], os.environ, setsid=True)
    try:
        import pysqlite3

        connection = pysqlite3.connect(str(server.var / "agent-stream.db"), timeout=5)
        with connection:
            connection.execute(
                "UPDATE sessions SET pid = ?, runner_pid = ? WHERE id = ?",
                (innocent, innocent, session_id),
            )
        connection.close()
        answer = HTTP.post(f"{server.url}/api/sessions/{session_id}/cancel", json={})
        assert answer.status_code == 409
        assert server.session(session_id)["status"] == "lost"
        wait_for(lambda: not is_anything_left(session_id))
        assert is_alive(innocent)
    finally:
        os.kill(innocent, signal.SIGKILL)
        os.waitpid(innocent, 0)


def test_many_sessions_leave_no_zombie_no_descriptor_and_no_thread(server: Server) -> None:
    workflow_id = server.create_workflow()
    for number in range(20):  # each worker has its fork server and its connections by then
        server.wait_until_ended(server.invoke("bytes", str(number), workflow_id))
    before = {pid: (descriptors(pid), threads(pid)) for pid in server.worker_pids()}
    for number in range(SESSIONS):
        last = server.invoke("bytes", str(number), workflow_id)
    server.wait_until_ended(last)

    for pid, (files, count) in before.items():
        wait_for(lambda pid=pid, files=files: descriptors(pid) <= files + 3)  # type: ignore[misc]
        assert threads(pid) <= count + 1
    workers = server.worker_pids()
    fork_servers = {pid for pid, parent, _state in processes() if parent in workers}
    assert fork_servers
    wait_for(
        lambda: (
            not [
                pid
                for pid, parent, state in processes()
                if state == "Z" and parent in workers | fork_servers
            ]
        )
    )


def descriptors(pid: int) -> int:
    return len(os.listdir(f"/proc/{pid}/fd"))


def threads(pid: int) -> int:
    return len(os.listdir(f"/proc/{pid}/task"))


def processes() -> list[tuple[int, int, str]]:
    """Pid, parent and state of every process."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            stat = (entry / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if entry.name.isdigit():
            found.append((int(entry.name), int(stat[1]), stat[0]))
    return found
