"""Speaking to a live runner."""

import pytest

from tests.server import wait_for
from tests.sessions.conftest import MakeMachine
from tests.sessions.machine import is_alive, kill, shell
from webapp.sessions import control
from webapp.sessions.control import RunnerGone


def test_cancel_ends_the_session(make_machine: MakeMachine) -> None:
    machine = make_machine()
    session = machine.invoke()
    control.cancel(machine.files(session))
    ended = machine.wait_until_ended(session)
    assert (ended.status, ended.exit_signal) == ("cancelled", "SIGTERM")


def test_cancel_is_heard_from_the_first_moment_on(make_machine: MakeMachine) -> None:
    machine = make_machine()
    sessions = [machine.invoke() for _ in range(10)]
    for session in sessions:
        control.cancel(machine.files(session))
    for session in sessions:
        assert machine.wait_until_ended(session).status == "cancelled"


def test_cancel_twice_is_cancelled_once(make_machine: MakeMachine) -> None:
    machine = make_machine(shell("trap '' TERM; echo up; sleep 600"), grace_seconds=0.5)
    session = machine.invoke()
    machine.wait_for_output(session, b"up\n")
    control.cancel(machine.files(session))
    control.cancel(machine.files(session))
    assert machine.wait_until_ended(session).status == "cancelled"
    assert sum("terminating" in event.data for event in machine.events(session)) == 1


def test_runner_that_has_ended_is_gone(make_machine: MakeMachine) -> None:
    machine = make_machine(("true",))
    session = machine.wait_until_gone(machine.invoke())
    wait_for(lambda: not control.is_listening(machine.files(session)))
    with pytest.raises(RunnerGone):
        control.cancel(machine.files(session))


def test_runner_that_was_killed_is_gone_though_its_socket_is_there(
    make_machine: MakeMachine,
) -> None:
    machine = make_machine()
    session = machine.wait_until_running(machine.invoke())
    assert control.is_listening(machine.files(session))
    kill(session.runner_pid)
    wait_for(lambda: not is_alive(session.runner_pid))
    assert machine.files(session).control_socket.exists()
    assert not control.is_listening(machine.files(session))
    with pytest.raises(RunnerGone):
        control.cancel(machine.files(session))


def test_removed_folder_is_a_runner_that_is_gone(make_machine: MakeMachine) -> None:
    machine = make_machine(("true",))
    session = machine.wait_until_gone(machine.invoke())
    directory = machine.files(session).directory
    directory.rename(directory.with_name("elsewhere"))
    with pytest.raises(RunnerGone):
        control.cancel(machine.files(session))
