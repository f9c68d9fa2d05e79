"""The runner's two writes to its row, while somebody else has the database."""

import json
from collections.abc import Iterator
from contextlib import contextmanager

import pysqlite3

from tests.runner.conftest import MakeMachine
from tests.server import wait_for
from tests.sessions.machine import Machine, kill, shell
from webapp.sessions.runners import RunnerRequest
from webapp.store.models import Session


@contextmanager
def invoked_into_a_locked_database(machine: Machine) -> Iterator[Session]:
    """A session whose row stands, with the database locked before its runner was started.

    The lock is what the sqlite3 shell holds after BEGIN IMMEDIATE.
    """
    connection = pysqlite3.connect(str(machine.database.path), isolation_level=None)
    start = machine.launcher.runners.start

    def lock_and_start(request: RunnerRequest, log_fd: int, stdin_fd: int | None = None) -> None:
        connection.execute("BEGIN IMMEDIATE")
        start(request, log_fd, stdin_fd)

    machine.launcher.runners.start = lock_and_start  # type: ignore[method-assign]
    try:
        yield machine.invoke()
    finally:
        connection.execute("ROLLBACK")
        connection.close()


def test_start_is_recorded_once_the_database_is_free(make_machine: MakeMachine) -> None:
    machine = make_machine(shell("echo up; sleep 600"))
    with invoked_into_a_locked_database(machine) as session:
        machine.wait_for_output(session, b"up\n")
        assert machine.row(session).status == "starting"
    assert machine.wait_until_running(session).pid is not None


def test_what_waits_to_write_the_start_does_not_hold_the_lock_on_the_log(
    make_machine: MakeMachine,
) -> None:
    machine = make_machine(shell("echo up; sleep 600"))
    with invoked_into_a_locked_database(machine) as session:
        machine.wait_for_output(session, b"up\n")
        kill(json.loads(machine.records(session)[0].content)["runnerPid"])
        wait_for(lambda: not machine.is_locked(session))


def test_agent_prints_and_ends_while_the_database_is_locked(make_machine: MakeMachine) -> None:
    machine = make_machine(shell("seq 1 50000; exit 3"))
    with invoked_into_a_locked_database(machine) as session:
        wait_for(lambda: [e.name for e in machine.events(session)][-1:] == ["done"])
        assert machine.output(session).endswith(b"\n50000\n")
        assert machine.row(session).status == "starting"
        assert machine.is_locked(session)
    ended = machine.wait_until_gone(session)
    assert (ended.status, ended.exit_code) == ("failed", 3)
    assert ended.pid is not None
    assert ended.started_at is not None


def test_session_ends_though_its_database_was_removed(make_machine: MakeMachine) -> None:
    machine = make_machine(shell("echo up; sleep 0.5"))
    session = machine.invoke()
    machine.wait_for_output(session, b"up\n")
    path = machine.database.path
    hidden = path.rename(path.with_name("hidden.db"))
    wait_for(lambda: not machine.is_locked(session))
    assert machine.events(session)[-1].name == "done"
    hidden.rename(path)
