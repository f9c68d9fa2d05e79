"""Rows made again from the logs."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from tests.server import wait_for
from tests.sessions.conftest import MakeMachine
from tests.sessions.machine import Machine, kill, shell
from tests.store.rows import execute, rows
from webapp.agents.profiles import Profile
from webapp.keeper.compress import compress_log
from webapp.sessions.layout import new_session_files
from webapp.sessions.rebuild import rebuild
from webapp.sessions.reconcile import reconcile_all
from webapp.store.ids import new_session_id

USAGE = '{"type":"usage","inputTokens":9,"outputTokens":7,"costUsd":0.5,"durationMs":850}'
AGENTS = {
    "agent": Profile("agent", shell("echo hello; exit 3"), message="stdin"),
    "counted": Profile("counted", shell(f"echo '{USAGE}'")),
    "killed": Profile("killed", shell("kill -9 $$")),
    "missing": Profile("missing", ("no-such-agent",)),
    "slow": Profile("slow", ("sleep", "600")),
}
SESSIONS = "SELECT * FROM sessions ORDER BY id"
STAGES = "SELECT workflow_id, stage_index, name, type, gate_type FROM stages"
USAGES = "SELECT * FROM session_usage ORDER BY session_id"
WORKFLOWS = "SELECT id, request_id, template, created_at FROM workflows ORDER BY id"


def forget(machine: Machine) -> None:
    """Every row gone, as with a new database."""
    for table in (
        "messages",
        "idempotency_keys",
        "session_usage",
        "sessions",
        "stages",
        "workflows",
    ):
        execute(machine.database, f"DELETE FROM {table}")


def everything(machine: Machine) -> list[list[dict[str, Any]]]:
    """What the logs can tell of all rows."""
    return [rows(machine.database, query) for query in (SESSIONS, STAGES, WORKFLOWS, USAGES)]


def test_rows_of_all_kinds_of_ends_come_back_as_they_were(make_machine: MakeMachine) -> None:
    machine = make_machine(agents=AGENTS)
    for agent in ("agent", "killed", "missing", "counted"):
        machine.wait_until_gone(machine.invoke("hi", agent=agent))
    before = everything(machine)
    assert [len(found) for found in before] == [4, 4, 4, 1]
    forget(machine)

    rebuilt = rebuild(machine.database, machine.var)
    assert (rebuilt.logs, rebuilt.sessions, rebuilt.workflows) == (4, 4, 4)
    assert rebuilt.unusable == []
    assert everything(machine) == before


def test_rows_that_are_there_stay_as_they_are(make_machine: MakeMachine) -> None:
    machine = make_machine(agents=AGENTS)
    machine.wait_until_gone(machine.invoke())
    execute(machine.database, "UPDATE workflows SET status = 'paused'")
    before = everything(machine), rows(machine.database, "SELECT status FROM workflows")
    rebuilt = rebuild(machine.database, machine.var)
    assert (rebuilt.logs, rebuilt.sessions, rebuilt.workflows) == (1, 0, 0)
    assert (everything(machine), rows(machine.database, "SELECT status FROM workflows")) == before


def test_live_session_is_live_again_and_ends_as_it_would_have(make_machine: MakeMachine) -> None:
    machine = make_machine(agents=AGENTS)
    session = machine.wait_until_running(machine.invoke(agent="slow"))
    forget(machine)
    rebuild(machine.database, machine.var)
    found = machine.row(session)
    assert (found.status, found.pid, found.runner_pid) == (
        "running",
        session.pid,
        session.runner_pid,
    )
    assert reconcile_all(machine.database, machine.var) == []
    kill(session.pid)
    assert machine.wait_until_ended(session).exit_signal == "SIGKILL"


def test_session_whose_runner_was_killed_meanwhile_is_lost(make_machine: MakeMachine) -> None:
    machine = make_machine(agents=AGENTS)
    session = machine.wait_until_running(machine.invoke(agent="slow"))
    forget(machine)
    kill(session.runner_pid)
    wait_for(lambda: not machine.is_locked(session))
    rebuild(machine.database, machine.var)
    (ended,) = reconcile_all(machine.database, machine.var)
    assert (ended.id, ended.status, ended.exit_code) == (session.id, "lost", None)


def test_log_without_its_first_record_is_described_by_run_json(make_machine: MakeMachine) -> None:
    machine = make_machine(agents=AGENTS)
    session = machine.wait_until_gone(machine.invoke())
    log = machine.files(session).log
    log.write_bytes(log.read_bytes().partition(b"\n")[2])
    forget(machine)
    assert rebuild(machine.database, machine.var).sessions == 1
    found = machine.row(session)
    assert (found.workflow_id, found.exit_code) == (session.workflow_id, 3)


def test_workflow_of_a_log_that_says_nothing_of_it_gets_stages_enough(
    make_machine: MakeMachine,
) -> None:
    machine = make_machine(agents=AGENTS)
    session = machine.wait_until_gone(machine.invoke())
    log = machine.files(session).log
    head, _newline, rest = log.read_bytes().partition(b"\n")
    facts = json.loads(head[head.index(b"{") :]) | {"stageIndex": 2, "workflow": {"stages": [7]}}
    log.write_bytes(head[: head.index(b"{")] + json.dumps(facts).encode() + b"\n" + rest)
    forget(machine)
    assert rebuild(machine.database, machine.var).workflows == 1
    assert len(rows(machine.database, STAGES)) == 3


@pytest.mark.parametrize(
    "changes",
    [
        {"sessionId": "session-1795467840123-000000000000"},
        {"workflowId": "../../etc"},
        {"workflowId": 7},
        {"stageIndex": -1},
        {"stageIndex": "0"},
        {"argv": "rm -rf /"},
        {"agent": None},
    ],
    ids=str,
)
def test_log_that_makes_no_sense_is_left_out_and_named(
    make_machine: MakeMachine, changes: dict[str, object]
) -> None:
    machine = make_machine(agents=AGENTS)
    bad, good = (machine.wait_until_gone(machine.invoke()) for _ in range(2))
    log = machine.files(bad).log
    head, _newline, rest = log.read_bytes().partition(b"\n")
    facts = json.loads(head[head.index(b"{") :]) | changes
    log.write_bytes(head[: head.index(b"{")] + json.dumps(facts).encode() + b"\n" + rest)
    forget(machine)

    rebuilt = rebuild(machine.database, machine.var)
    assert [place.name for place, _reason in rebuilt.unusable] == [bad.id]
    assert [row["id"] for row in rows(machine.database, SESSIONS)] == [good.id]


def test_no_garbage_on_disk_stops_it(make_machine: MakeMachine, tmp_path: Path) -> None:
    machine = make_machine(agents=AGENTS)
    good = machine.wait_until_gone(machine.invoke())
    day = machine.files(good).directory.parent
    (day / "notes.txt").write_text("x")
    (day / "session-x").mkdir()
    for content in (b"", b"\0" * 5000, b"garbage\n", b"\xff" * 100):
        files = new_session_files(machine.var, new_session_id())
        files.directory.mkdir(parents=True)
        files.log.write_bytes(content)
    linked = new_session_files(machine.var, new_session_id())
    linked.directory.mkdir(parents=True)
    linked.log.symlink_to(machine.files(good).log)
    new_session_files(machine.var, new_session_id()).directory.mkdir()
    elsewhere = day.with_name("2001-01-01")
    os.symlink(day, elsewhere)
    forget(machine)

    rebuilt = rebuild(machine.database, machine.var)
    assert (rebuilt.sessions, len(rebuilt.unusable)) == (1, 6)


def test_row_of_a_compressed_log_comes_back_and_names_that(make_machine: MakeMachine) -> None:
    machine = make_machine(shell("echo hello; exit 3"))
    session = machine.wait_until_gone(machine.invoke())
    compress_log(machine.files(session).log)
    forget(machine)
    assert rebuild(machine.database, machine.var).unusable == []
    again = machine.row(session)
    assert again.log_path == f"{session.log_path}.zst"
    assert (again.status, again.exit_code, again.log_bytes) == ("failed", 3, session.log_bytes)
