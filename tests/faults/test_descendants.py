"""What an agent started beside itself, in whatever group or session, when it ends."""

import json
import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.server import ROOT, wait_for
from tests.sessions.machine import Machine, is_alive, kill, machine, processes_of, shell
from webapp.sessions import cancel as stopping
from webapp.sessions.reconcile import reconcile
from webapp.store.models import Session

CASE = "setsid sleep 63 & setsid nohup sleep 64 >/dev/null 2>&1 & sleep 600"
"""A shell with a sleep in its group and two in sessions of their own."""


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as opened:
        yield opened


@pytest.fixture
def make(tmp_path: Path, stack: ExitStack) -> Any:
    def make_machine(script: str, **profile: Any) -> Machine:
        return stack.enter_context(machine(tmp_path, shell(script), **profile))

    return make_machine


def processes(session: Session) -> dict[int, str]:
    """Pid and name of what runs with the session's id in its environment."""
    found = {}
    for pid in processes_of([session.id]):
        try:
            found[pid] = Path(f"/proc/{pid}/comm").read_text().strip()
        except OSError:
            continue
    return found


def start(machine: Machine, names: list[str]) -> tuple[Session, dict[int, str]]:
    """A session that has started processes of these names."""
    session = machine.wait_until_running(machine.invoke())

    def all_of_them() -> dict[int, str]:
        found = processes(session)
        return found if sorted(found.values()) == sorted(names) else {}

    return session, wait_for(all_of_them)


def cancel(machine: Machine, session: Session) -> Session:
    stopping.cancel_session(machine.database, machine.var, session)
    return machine.wait_until_ended(session)


def noticed(machine: Machine, session: Session, kind: str) -> dict[int, dict[str, Any]]:
    """The processes that a notice of this type names."""
    notices = [
        json.loads(event.data) for event in machine.events(session) if event.name == "notice"
    ]
    named = [each for notice in notices if notice["type"] == kind for each in notice["processes"]]
    return {each["pid"]: each for each in named}


def test_cancel_ends_all_descendants_and_names_them(make: Any) -> None:
    machine = make(CASE)
    session, started = start(machine, ["sh", "sleep", "sleep", "sleep"])
    began = time.monotonic()
    assert cancel(machine, session).status == "cancelled"
    wait_for(lambda: not any(map(is_alive, started)))
    assert time.monotonic() - began < 2
    ended = noticed(machine, session, "processes_ended")
    elsewhere = {pid for pid in started if pid in ended}
    assert len(elsewhere) == len(ended) == 2
    assert {each["name"] for each in ended.values()} == {"sleep"}
    assert {each["signal"] for each in ended.values()} == {"SIGTERM"}


def test_descendant_that_ignores_sigterm_is_killed_with_the_agent(make: Any) -> None:
    machine = make("(trap '' TERM; exec setsid sleep 600 >/dev/null 2>&1) & exec sleep 601")
    session, started = start(machine, ["sleep", "sleep"])
    cancel(machine, session)
    wait_for(lambda: not any(map(is_alive, started)))
    (ended,) = noticed(machine, session, "processes_ended").values()
    assert (ended["name"], ended["signal"]) == ("sleep", "SIGKILL")


def test_descendant_without_the_agents_environment_is_ended_too(make: Any) -> None:
    machine = make("env -i /usr/bin/setsid /bin/sleep 600 & echo child=$!; exec sleep 601")
    session = machine.wait_until_running(machine.invoke())
    machine.wait_for_output(session, b"child=")
    child = int(machine.output(session).partition(b"child=")[2])
    cancel(machine, session)
    wait_for(lambda: not is_alive(child))


def test_what_is_left_at_an_ordinary_end_is_ended_and_named(make: Any) -> None:
    machine = make("setsid sleep 600 >/dev/null 2>&1 & sleep 601 >/dev/null 2>&1 & exit 3")
    session = machine.run()
    assert (session.status, session.exit_code) == ("failed", 3)
    assert processes(session) == {}
    ended = noticed(machine, session, "processes_ended")
    assert len(ended) == 2  # `setsid` or already `sleep`
    assert {each["signal"] for each in ended.values()} == {"SIGKILL"}


def test_child_that_ends_by_itself_with_the_agent_is_no_news(make: Any) -> None:
    machine = make("sleep 0.02 >/dev/null 2>&1 & exit 0")
    session = machine.run()
    assert noticed(machine, session, "processes_ended") == {}


def test_agent_may_leave_processes_if_its_profile_says_so(make: Any) -> None:
    machine = make(
        "setsid sleep 600 >/dev/null 2>&1 & sleep 601 >/dev/null 2>&1 & exit 0",
        leave_background=True,
    )
    session = machine.run()
    left = noticed(machine, session, "processes_left")
    assert len(left) == 2
    assert set(left) == set(processes(session))
    assert noticed(machine, session, "processes_ended") == {}
    for pid in left:
        os.kill(pid, signal.SIGKILL)


def test_orphans_of_the_agent_are_reaped(make: Any) -> None:
    machine = make("for i in $(seq 50); do (true & ); done; echo up; exec sleep 600")
    session = machine.wait_until_running(machine.invoke())
    machine.wait_for_output(session, b"up\n")
    children = Path(f"/proc/{session.runner_pid}/task/{session.runner_pid}/children")
    wait_for(lambda: children.read_text().split() == [str(session.pid)])


def test_session_that_an_agent_has_started_outlives_it(make: Any, tmp_path: Path) -> None:
    command = f"{sys.executable} -m webapp.cli run -d -- sleep 600"
    inner_var = tmp_path / "inner"
    machine = make(
        f"cd {tmp_path}; PYTHONPATH={ROOT} AGENT_STREAM_VAR={inner_var} {command}; exec sleep 601"
    )
    session = machine.wait_until_running(machine.invoke())
    machine.wait_for_output(session, b"session-")
    inner = machine.output(session).decode().strip()
    (sleeper,) = wait_for(lambda: processes_of([inner]))
    try:
        cancel(machine, session)
        assert noticed(machine, session, "processes_ended") == {}
        assert is_alive(sleeper)
    finally:
        kill(sleeper)


def test_what_a_killed_runner_leaves_is_ended_and_named(make: Any) -> None:
    machine = make(CASE)
    session, started = start(machine, ["sh", "sleep", "sleep", "sleep"])
    kill(session.runner_pid)
    wait_for(lambda: not machine.is_locked(session))
    assert reconcile(machine.database, machine.var, session).status == "lost"
    wait_for(lambda: not any(map(is_alive, started)))
    assert set(noticed(machine, session, "processes_ended")) == set(started)
