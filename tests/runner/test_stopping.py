"""How a session is ended before its time, and what may outlive its agent."""

import os
import signal
import time
from pathlib import Path

import pytest

from tests.runner.conftest import MakeMachine
from tests.server import wait_for
from tests.sessions.machine import Machine, is_alive, kill, python, shell
from webapp.log.record import parse_time
from webapp.store.models import Session

SHORT_SECONDS = 0.5
STUBBORN = python("signal.signal(signal.SIGTERM, signal.SIG_IGN)\nprint('up')\ntime.sleep(600)")


def start(machine: Machine, output: bytes = b"up\n") -> Session:
    """A session whose agent has said that it is up."""
    session = machine.wait_until_running(machine.invoke())
    machine.wait_for_output(session, output)
    return session


def printed_pid(machine: Machine, session: Session, name: str) -> int:
    """The pid that the agent printed as `name=<pid>`."""
    prefix = f"{name}=".encode()

    def found() -> int:
        lines = machine.output(session).split(b"\n")[:-1]
        return next((int(line[len(prefix) :]) for line in lines if line.startswith(prefix)), 0)

    return wait_for(found)


def seconds_between_the_last_two_notices(machine: Machine, session: Session) -> float:
    """From `terminating` to `done`."""
    times = [parse_time(r.time) for r in machine.records(session) if r.stream == b"system"]
    return (times[-1] - times[-2]) / 1e9


def test_sigterm_to_the_runner_cancels_the_session(make_machine: MakeMachine) -> None:
    machine = make_machine(shell("echo up; exec sleep 600"))
    session = start(machine)
    kill(session.runner_pid, signal.SIGTERM)
    ended = machine.wait_until_ended(session)
    assert (ended.status, ended.exit_code, ended.exit_signal) == ("cancelled", None, "SIGTERM")
    notices = [event.data for event in machine.events(session) if event.name == "notice"]
    assert ['"terminating"' in notice for notice in notices] == [True]


def test_cancelled_agent_may_clean_up_and_choose_its_exit_code(make_machine: MakeMachine) -> None:
    machine = make_machine(shell("trap 'echo bye; exit 5' TERM; echo up; sleep 600 & wait"))
    session = start(machine)
    kill(session.runner_pid, signal.SIGTERM)
    ended = machine.wait_until_ended(session)
    assert (ended.status, ended.exit_code) == ("cancelled", 5)
    assert machine.output(session) == b"up\nbye\n"


def test_agent_that_ignores_sigterm_is_killed_after_the_grace_time(
    make_machine: MakeMachine,
) -> None:
    machine = make_machine(STUBBORN, grace_seconds=SHORT_SECONDS)
    session = start(machine)
    kill(session.runner_pid, signal.SIGTERM)
    ended = machine.wait_until_ended(session)
    assert (ended.status, ended.exit_signal) == ("cancelled", "SIGKILL")
    assert SHORT_SECONDS - 0.05 <= seconds_between_the_last_two_notices(machine, session) < 9


def test_its_whole_group_is_killed_with_it(make_machine: MakeMachine) -> None:
    script = "trap '' TERM; sleep 600 & echo child=$!; echo up; wait; sleep 600"
    machine = make_machine(shell(script), grace_seconds=SHORT_SECONDS)
    session = start(machine)
    child = printed_pid(machine, session, "child")
    assert is_alive(child)
    kill(session.runner_pid, signal.SIGTERM)
    machine.wait_until_ended(session)
    wait_for(lambda: not is_alive(child))


def test_agent_that_runs_too_long_is_timed_out(make_machine: MakeMachine) -> None:
    machine = make_machine(shell("echo up; exec sleep 600"), max_seconds=SHORT_SECONDS)
    session = machine.run()
    assert (session.status, session.exit_signal) == ("timed_out", "SIGTERM")
    assert '"maxSeconds":0.5' in machine.events(session)[-2].data


def test_agent_that_is_timed_out_and_ignores_it_is_killed(make_machine: MakeMachine) -> None:
    machine = make_machine(
        shell("trap '' TERM; exec sleep 600"), max_seconds=1, grace_seconds=SHORT_SECONDS
    )
    session = machine.run()
    assert (session.status, session.exit_signal) == ("timed_out", "SIGKILL")


def test_agent_that_ends_in_time_is_not_timed_out(make_machine: MakeMachine) -> None:
    machine = make_machine(shell("exit 0"), max_seconds=30)
    assert machine.run().status == "succeeded"


def test_second_cancel_changes_nothing(make_machine: MakeMachine) -> None:
    machine = make_machine(STUBBORN, grace_seconds=SHORT_SECONDS)
    session = start(machine)
    for _ in range(5):
        kill(session.runner_pid, signal.SIGTERM)
        time.sleep(0.02)
    ended = machine.wait_until_ended(session)
    assert ended.status == "cancelled"
    terminating = [event for event in machine.events(session) if "terminating" in event.data]
    assert len(terminating) == 1


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGHUP, signal.SIGPIPE, signal.SIGQUIT])
def test_runner_ignores_signals_that_are_not_for_it(
    make_machine: MakeMachine, number: signal.Signals
) -> None:
    machine = make_machine(shell("echo up; read line; sleep 0.2; echo end"))
    session = start(machine)
    kill(session.runner_pid, number)
    ended = machine.wait_until_ended(session)
    assert ended.status == "succeeded"
    assert machine.output(session) == b"up\nend\n"


# --- what the agent leaves behind -----------------------------------------------------


def test_child_that_keeps_the_pipe_open_holds_up_the_end_for_two_seconds(
    make_machine: MakeMachine,
) -> None:
    machine = make_machine(shell("(echo late; exec sleep 600) & echo child=$!; exit 0"))
    session = machine.run()
    printed, *_rest, ended = (parse_time(record.time) for record in machine.records(session))
    assert 1.9 < (ended - printed) / 1e9 < 60
    assert (session.status, session.exit_code) == ("succeeded", 0)
    assert b"late\n" in machine.output(session)
    child = printed_pid(machine, session, "child")
    wait_for(lambda: not is_alive(child))


def test_what_a_child_prints_soon_after_the_agents_end_is_kept(make_machine: MakeMachine) -> None:
    machine = make_machine(shell("(sleep 0.3; echo late) & echo early"))
    session = machine.run()
    assert machine.output(session) == b"early\nlate\n"


def test_child_that_left_the_group_does_not_hold_up_the_end(make_machine: MakeMachine) -> None:
    machine = make_machine(shell("setsid sleep 600 & exit 0"))
    session = machine.run()
    assert session.status == "succeeded"


def test_child_that_left_the_group_and_prints_for_ever_does_not_either(
    make_machine: MakeMachine,
) -> None:
    machine = make_machine(shell("setsid yes & exit 0"), max_log_bytes=1_000_000)
    session = machine.run()
    assert session.status == "succeeded"


def test_silent_child_in_the_group_is_gone_with_the_agent(make_machine: MakeMachine) -> None:
    machine = make_machine(shell("sleep 600 >/dev/null 2>&1 & echo child=$!"))
    session = machine.run()
    printed, ended = (parse_time(machine.records(session)[at].time) for at in (1, -1))
    assert (ended - printed) / 1e9 < 1.9
    child = printed_pid(machine, session, "child")
    wait_for(lambda: not is_alive(child))


def test_waiting_for_a_child_that_holds_the_pipe_costs_no_processor_time(
    make_machine: MakeMachine,
) -> None:
    machine = make_machine(
        shell("trap 'exit 0' TERM; (trap '' TERM; exec sleep 600) & echo up; wait"),
        grace_seconds=0.1,
    )
    session = start(machine)
    kill(session.runner_pid, signal.SIGTERM)
    wait_for(lambda: not is_alive(session.pid))
    time.sleep(1.0)  # half of the two seconds
    stat = Path(f"/proc/{session.runner_pid}/stat").read_text().rpartition(")")[2].split()
    assert int(stat[11]) + int(stat[12]) < 0.3 * os.sysconf("SC_CLK_TCK")


def test_runner_leaves_no_process_and_no_socket(make_machine: MakeMachine) -> None:
    machine = make_machine(shell("echo hi"))
    session = machine.wait_until_gone(machine.invoke())
    assert not is_alive(session.pid)
    wait_for(lambda: not machine.files(session).control_socket.exists())
    assert not machine.is_locked(session)
