"""The runner's two writes to its row, while somebody else has the database."""

from collections.abc import Iterator
from contextlib import contextmanager

import pysqlite3

from tests.agents.machine import Machine, shell
from tests.runner.conftest import MakeMachine
from tests.server import wait_for


@contextmanager
def database_locked(machine: Machine) -> Iterator[None]:
    """The write lock, as the sqlite3 shell holds it after BEGIN IMMEDIATE."""
    connection = pysqlite3.connect(str(machine.database.path), isolation_level=None)
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        connection.execute("ROLLBACK")
        connection.close()


def test_start_is_recorded_once_the_database_is_free(make_machine: MakeMachine) -> None:
    machine = make_machine(shell("echo up; sleep 600"))
    session = machine.invoke()
    with database_locked(machine):
        machine.wait_for_output(session, b"up\n")
    assert machine.wait_until_running(session).pid is not None


def test_agent_prints_on_while_the_database_is_locked(make_machine: MakeMachine) -> None:
    machine = make_machine(shell("sleep 0.2; seq 1 50000"))
    session = machine.invoke()
    with database_locked(machine):
        machine.wait_for_output(session, b"\n50000\n")
        wait_for(lambda: machine.events(session)[-1].name == "done")
        assert machine.row(session).is_live
        assert machine.is_locked(session)
    ended = machine.wait_until_ended(session)
    assert (ended.status, ended.exit_code) == ("succeeded", 0)
    assert ended.pid is not None
    assert ended.started_at is not None


def test_end_is_what_the_row_keeps_when_start_and_end_both_waited(
    make_machine: MakeMachine,
) -> None:
    machine = make_machine(shell("read line; exit 3"), message="stdin")
    workflow_id = machine.create_workflow()
    connection = pysqlite3.connect(str(machine.database.path), isolation_level=None)
    session = machine.invoke(workflow_id=workflow_id)
    connection.execute("BEGIN IMMEDIATE")
    wait_for(lambda: machine.events(session) and machine.events(session)[-1].name == "done")
    connection.execute("ROLLBACK")
    connection.close()
    assert machine.wait_until_gone(session).status == "failed"


def test_session_ends_though_its_database_was_removed(make_machine: MakeMachine) -> None:
    machine = make_machine(shell("echo up; sleep 0.5"))
    session = machine.invoke()
    machine.wait_for_output(session, b"up\n")
    path = machine.database.path
    hidden = path.rename(path.with_name("hidden.db"))
    wait_for(lambda: not machine.is_locked(session))
    assert machine.events(session)[-1].name == "done"
    hidden.rename(path)
