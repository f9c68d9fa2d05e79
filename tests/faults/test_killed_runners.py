"""`kill -9` of the runner at random moments; FAULT_KILLS of them, 20 unless told."""

import json
import os
import random
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.surroundings import is_anything_left
from tests.server import Server, python_agent, running_server, wait_for
from webapp.log.record import parse_record

KILLS = int(os.environ.get("FAULT_KILLS", "20"))
CHATTY = python_agent(
    "import subprocess\nsubprocess.Popen(['sleep', '600'])\n"
    "n = 0\nwhile True: print('line', n, 'x' * 200); n += 1; time.sleep(0.0002)"
)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running_server(tmp_path_factory.mktemp("kills"), {"chatty": CHATTY}) as started:
        yield started


def runner_of(log: Path) -> int | None:
    """Who holds the lock on the log: its inode, by proc_locks(5)."""
    inode = os.stat(log).st_ino
    with open("/proc/locks", encoding="ascii") as locks:
        for line in locks:
            fields = line.split()
            if "FLOCK" in fields and fields[-3].endswith(f":{inode}"):
                return int(fields[-4])
    return None


def test_runner_that_is_killed_at_any_moment_leaves_a_log_a_row_and_no_process(
    server: Server,
) -> None:
    moments = random.Random(os.urandom(8))
    workflow_id = server.create_workflow()
    for _ in range(KILLS):
        session_id = server.invoke("chatty", "", workflow_id)
        time.sleep(moments.choice([0, moments.uniform(0, 0.03), moments.uniform(0, 0.3)]))
        kill_and_look(server, session_id)


def kill_and_look(server: Server, session_id: str) -> None:
    """Kill the runner of a session; all that has to be true then."""
    log = server.log_path(session_id)
    runner = wait_for(lambda: pid_in(log) or 0)
    os.kill(runner, 9)
    wait_for(lambda: runner_of(log) is None)

    began = time.monotonic()
    found = server.session(session_id)
    assert time.monotonic() - began < 2
    assert (found["status"], found["exitCode"], found["exitSignal"]) == ("lost", None, None)
    wait_for(lambda: not is_anything_left(session_id), 2)
    content = log.read_bytes()
    assert content.endswith(b"\n")
    records = [parse_record(line) for line in content.split(b"\n")[:-1]]
    assert None not in records
    told = [
        json.loads(record.content)["type"]
        for record in records
        if record is not None and record.stream == b"system"
    ]
    assert told[0] == "session"
    assert told.count("done") == 1
    assert told[-1] == "done"


def pid_in(log: Path) -> int | None:
    """The runner as the first record of the log names it."""
    with open(log, "rb") as file:
        line = file.readline()
    return int(json.loads(line[40:])["runnerPid"]) if line.endswith(b"\n") else None
