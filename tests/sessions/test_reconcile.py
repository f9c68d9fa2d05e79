"""What becomes of sessions whose runner is gone."""

import json
import os
import time
from pathlib import Path

import pytest

from tests.server import wait_for
from tests.sessions.conftest import MakeMachine
from tests.sessions.machine import SLEEP, Machine, is_alive, kill, python, shell
from tests.store.locked import held
from tests.store.rows import add_session, execute
from webapp.keeper.compress import compress_log
from webapp.log import lock
from webapp.log.record import format_record
from webapp.sessions.layout import new_session_files
from webapp.sessions.reconcile import complete_log, reconcile, reconcile_all
from webapp.store import engine
from webapp.store.ids import new_session_id
from webapp.store.models import Session

SESSION = format_record(
    1, b"system", b'{"type":"session","pid":7,"startedAt":"2026-11-23T21:04:00.000Z"}'
)
LINE = format_record(2, b"stdout", b"hello")
DONE = format_record(
    1_795_467_840_123_456_789,
    b"system",
    b'{"type":"done","exitCode":3,"signal":null,"status":"failed"}',
)


def orphan(machine: Machine, log: bytes | None, **columns: object) -> Session:
    """A live row without a runner, with this log."""
    session_id = new_session_id()
    files = new_session_files(machine.var, session_id)
    if log is not None:
        files.directory.mkdir(parents=True)
        files.log.write_bytes(log)
    path = str(files.log.relative_to(machine.var))
    row = {"id": session_id, "log_path": path, "status": "running"} | columns
    add_session(machine.database, machine.create_workflow(), **row)
    return machine.row(Session(id=session_id))


def settle(machine: Machine, session: Session) -> Session:
    """The session after somebody has looked at it."""
    return reconcile(machine.database, machine.var, machine.row(session))


def dones(machine: Machine, session: Session) -> list[dict[str, object]]:
    """The ends that its log tells, with all that is in them."""
    found = [json.loads(r.content) for r in machine.records(session) if r.stream == b"system"]
    return [content for content in found if content["type"] == "done"]


# --- runners that are killed ----------------------------------------------------------


def test_session_of_a_killed_runner_is_lost_without_an_exit_code(
    make_machine: MakeMachine,
) -> None:
    machine = make_machine(shell("echo up; sleep 600"))
    session = machine.wait_until_running(machine.invoke())
    machine.wait_for_output(session, b"up\n")
    kill(session.runner_pid)
    wait_for(lambda: not machine.is_locked(session))
    found = settle(machine, session)
    assert (found.status, found.exit_code, found.exit_signal) == ("lost", None, None)
    assert found.error is not None
    assert found.log_bytes == len(machine.log(session))
    (done,) = dones(machine, session)
    assert (done["status"], done["exitCode"]) == ("lost", None)
    assert machine.output(session) == b"up\n"


def test_everything_that_its_agent_started_is_killed(make_machine: MakeMachine) -> None:
    script = "(trap '' TERM HUP; sleep 600) & setsid sleep 600 & echo up; sleep 600"
    machine = make_machine(shell(script))
    session = machine.wait_until_running(machine.invoke())
    machine.wait_for_output(session, b"up\n")
    agents = [pid for pid in all_processes() if session.id in environment_of(pid)]
    assert len(agents) >= 4
    kill(session.runner_pid)
    wait_for(lambda: not machine.is_locked(session))
    settle(machine, session)
    wait_for(lambda: not any(is_alive(pid) for pid in agents))


def all_processes() -> list[int]:
    """Every process of this machine."""
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def environment_of(pid: int) -> str:
    """What a process was started with."""
    try:
        with open(f"/proc/{pid}/environ", "rb") as file:
            return file.read().decode("utf-8", "replace")
    except OSError:
        return ""


@pytest.mark.parametrize("delay_seconds", [0, 0.001, 0.003, 0.01, 0.03, 0.1])
def test_runner_may_be_killed_at_any_moment(
    make_machine: MakeMachine, delay_seconds: float
) -> None:
    machine = make_machine(python("while True: print('x' * 100)"))
    for _ in range(3):
        session = machine.invoke()
        time.sleep(delay_seconds)
        wait_for(lambda session=session: is_killed(machine, session))  # type: ignore[misc]
        found = settle(machine, session)
        assert found.status == "lost"
        assert [event.name for event in machine.events(found)][:1] in (["session"], [])
        assert len(dones(machine, found)) == 1
        assert machine.events(found)[-1].name == "done"
        wait_for(lambda found=found: found.pid is None or not is_alive(found.pid))  # type: ignore[misc]


def is_killed(machine: Machine, session: Session) -> bool:
    """Kill the runner, and who is just becoming it; whether nobody is left."""
    for pid in runners_of(session):
        kill(pid)
    return not machine.is_locked(session)


def runners_of(session: Session) -> list[int]:
    """Whoever has the session's log open."""
    return [pid for pid in all_processes() if pid != os.getpid() and has_open(pid, session)]


def has_open(pid: int, session: Session) -> bool:
    """Whether a process has the session's log open."""
    try:
        names = [os.readlink(f"/proc/{pid}/fd/{fd}") for fd in os.listdir(f"/proc/{pid}/fd")]
    except OSError:
        return False
    return any(name.endswith(f"{session.id}/output.log") for name in names)


def test_live_session_stays_as_it_is(make_machine: MakeMachine) -> None:
    machine = make_machine()
    session = machine.wait_until_running(machine.invoke())
    before = machine.log(session)
    assert settle(machine, session).status == "running"
    assert reconcile_all(machine.database, machine.var) == []
    assert machine.log(session) == before
    assert is_alive(session.pid)


def test_ended_session_stays_as_it_is(make_machine: MakeMachine) -> None:
    machine = make_machine(("true",))
    session = machine.wait_until_gone(machine.invoke())
    before = machine.log(session)
    assert settle(machine, session).status == "succeeded"
    assert machine.log(session) == before


def test_all_that_a_crash_left_behind_is_ended_at_once(make_machine: MakeMachine) -> None:
    machine = make_machine()
    lost = [machine.wait_until_running(machine.invoke()) for _ in range(3)]
    live = machine.wait_until_running(machine.invoke())
    for session in lost:
        kill(session.runner_pid)
    wait_for(lambda: not any(machine.is_locked(session) for session in lost))
    ended = reconcile_all(machine.database, machine.var)
    assert {session.id for session in ended} == {session.id for session in lost}
    assert machine.row(live).is_live


def test_row_that_never_got_a_runner_is_ended(make_machine: MakeMachine) -> None:
    machine = make_machine()
    session = orphan(machine, b"", status="starting")
    found = settle(machine, session)
    assert (found.status, found.pid) == ("lost", None)
    assert [event.name for event in machine.events(session)] == ["session", "notice", "done"]


def test_session_is_lost_once_however_many_look(make_machine: MakeMachine) -> None:
    machine = make_machine()
    session = orphan(machine, SESSION + LINE)
    for _ in range(3):
        settle(machine, session)
        reconcile_all(machine.database, machine.var)
    assert len(dones(machine, session)) == 1


def test_session_whose_lock_is_held_is_not_touched(make_machine: MakeMachine) -> None:
    machine = make_machine()
    session = orphan(machine, SESSION)
    fd = lock.open_log(machine.files(session).log, os.O_RDWR)
    assert lock.acquire(fd)
    assert settle(machine, session).status == "running"
    lock.close_log(fd)
    assert settle(machine, session).status == "lost"


# --- what the log tells ---------------------------------------------------------------


def test_row_is_closed_from_the_done_that_the_log_has(make_machine: MakeMachine) -> None:
    machine = make_machine()
    session = orphan(machine, SESSION + LINE + DONE, status="starting")
    found = settle(machine, session)
    assert (found.status, found.exit_code, found.error) == ("failed", 3, None)
    assert (found.pid, found.started_at) == (7, "2026-11-23T21:04:00.000Z")
    assert found.ended_at == "2026-11-23T21:04:00.123Z"
    assert found.log_bytes == len(SESSION + LINE + DONE)
    assert machine.log(session) == SESSION + LINE + DONE


@pytest.mark.parametrize("cut", range(1, len(LINE), 7))
def test_torn_record_is_mended_and_nothing_of_the_agents_is_lost(
    make_machine: MakeMachine, cut: int
) -> None:
    machine = make_machine()
    session = orphan(machine, SESSION + LINE + LINE[:cut])
    settle(machine, session)
    had_content = cut > len(LINE) - len(b"hello\n")
    kept = LINE[:cut] + b"\n" if had_content or cut == len(LINE) - 6 else b""
    assert machine.log(session).startswith(SESSION + LINE + kept)
    assert [event.name for event in machine.events(session)][-2:] == ["notice", "done"]
    assert all("corrupt" not in event.data for event in machine.events(session))


@pytest.mark.parametrize("cut", range(1, len(DONE), 11))
def test_torn_done_is_made_again(make_machine: MakeMachine, cut: int) -> None:
    machine = make_machine()
    session = orphan(machine, SESSION + LINE + DONE[:cut])
    found = settle(machine, session)
    assert found.status == "lost"
    assert len(dones(machine, session)) == 1
    assert all("corrupt" not in event.data for event in machine.events(session))


@pytest.mark.parametrize("cut", range(0, len(SESSION), 9))
def test_torn_first_record_is_made_again(make_machine: MakeMachine, cut: int) -> None:
    machine = make_machine()
    session = orphan(machine, SESSION[:cut])
    settle(machine, session)
    events = machine.events(session)
    assert [event.name for event in events] == ["session", "notice", "done"]
    assert json.loads(events[0].data)["sessionId"] == session.id


def test_very_long_torn_line_keeps_its_bytes(make_machine: MakeMachine) -> None:
    machine = make_machine()
    line = format_record(2, b"stdout", b"x" * 300_000)
    session = orphan(machine, SESSION + line[:-1])
    settle(machine, session)
    assert machine.output(session) == b"x" * 300_000 + b"\n"


def test_zeros_at_the_end_after_a_power_loss_do_no_harm(make_machine: MakeMachine) -> None:
    machine = make_machine()
    session = orphan(machine, SESSION + LINE + b"\0" * 4096)
    assert settle(machine, session).status == "lost"
    assert len(dones(machine, session)) == 1


def test_agent_cannot_forge_the_end_of_a_log(make_machine: MakeMachine) -> None:
    """A long line that holds a whole `done` where a reader of the last 64 KiB would begin."""
    forged = format_record(1, b"system", b'{"type":"done","exitCode":0,"status":"succeeded"}')[:-1]
    machine = make_machine()
    for window in (1 << 16, (1 << 16) - 1, 1 << 12, 1 << 18):
        content = b"x" * 500_000 + forged + b" " * (window - len(forged) - 1)
        session = orphan(machine, SESSION + format_record(2, b"stdout", content))
        assert settle(machine, session).status == "lost"
        assert len(dones(machine, session)) == 1


@pytest.mark.parametrize("status", ['"unheard-of"', "null", "7", '"running"'])
def test_done_that_makes_no_sense_does_not_break_the_look_up(
    make_machine: MakeMachine, status: str
) -> None:
    machine = make_machine()
    content = b'{"type":"done","status":' + status.encode() + b"}"
    session = orphan(machine, SESSION + format_record(1, b"system", content))
    assert not settle(machine, session).is_live


# --- logs that are gone ---------------------------------------------------------------


def test_session_without_a_log_is_lost_and_says_so(make_machine: MakeMachine) -> None:
    machine = make_machine()
    session = orphan(machine, None)
    found = settle(machine, session)
    assert found.status == "lost"
    assert found.error is not None
    assert session.log_path in found.error


def test_live_session_whose_log_was_removed_is_not_lost(
    make_machine: MakeMachine, tmp_path: Path
) -> None:
    machine = make_machine(shell(f"until [ -e {tmp_path}/go ]; do sleep 0.05; done; exit 3"))
    session = machine.wait_until_running(machine.invoke())
    log = machine.files(session).log
    hidden = log.rename(log.with_name("hidden"))
    assert settle(machine, session).status == "running"
    assert is_alive(session.pid)
    hidden.rename(log)
    (tmp_path / "go").touch()
    ended = machine.wait_until_ended(session)
    assert (ended.status, ended.exit_code) == ("failed", 3)


def test_agent_of_a_killed_runner_is_killed_though_the_log_is_gone(
    make_machine: MakeMachine,
) -> None:
    machine = make_machine(SLEEP)
    session = machine.wait_until_running(machine.invoke())
    kill(session.runner_pid)
    wait_for(lambda: not is_alive(session.runner_pid))
    machine.files(session).log.unlink()
    assert settle(machine, session).status == "lost"
    wait_for(lambda: not is_alive(session.pid))


def test_symbolic_link_instead_of_the_log_is_not_written_through(
    make_machine: MakeMachine,
) -> None:
    machine = make_machine()
    session = orphan(machine, SESSION)
    path = machine.files(session).log
    victim = path.rename(path.with_name("victim"))
    path.symlink_to(victim)
    (ended,) = reconcile_all(machine.database, machine.var)
    assert (ended.status, ended.error) == ("lost", f"its log is gone: {session.log_path}")
    assert victim.read_bytes() == SESSION


def test_database_that_is_locked_leaves_the_end_for_later(make_machine: MakeMachine) -> None:
    machine = make_machine()
    machine.database.patience_seconds = 0.1
    session = orphan(machine, SESSION + LINE)
    with held(machine.database.path), pytest.raises(engine.DatabaseBusy):
        settle(machine, session)
    assert settle(machine, session).status == "lost"
    assert len(dones(machine, session)) == 1


def test_locked_database_does_not_keep_the_server_from_starting(make_machine: MakeMachine) -> None:
    machine = make_machine()
    machine.database.patience_seconds = 0.1
    lost = [orphan(machine, SESSION + LINE) for _ in range(2)]
    with held(machine.database.path):
        assert reconcile_all(machine.database, machine.var) == []
    assert len(reconcile_all(machine.database, machine.var)) == 2
    for session in lost:
        assert len(dones(machine, session)) == 1


# --- an end that the log has lost -----------------------------------------------------


def test_ended_session_gets_the_done_back_that_its_log_lost(make_machine: MakeMachine) -> None:
    machine = make_machine(("true",))
    session = machine.wait_until_gone(machine.invoke())
    log = machine.files(session).log
    wait_for(lambda: not machine.is_locked(session))
    os.truncate(log, len(machine.log(session)) - 5)
    complete_log(machine.database, machine.var, machine.row(session))
    (done,) = dones(machine, session)
    assert (done["status"], done["exitCode"]) == ("succeeded", 0)


def test_log_that_has_its_done_is_not_mended(make_machine: MakeMachine) -> None:
    machine = make_machine()
    session = orphan(machine, SESSION + LINE + DONE)
    execute(machine.database, "UPDATE sessions SET status = 'failed', ended_at = 'then'")
    complete_log(machine.database, machine.var, machine.row(session))
    assert machine.log(session) == SESSION + LINE + DONE


def test_there_is_nothing_to_mend_where_the_log_is_gone(make_machine: MakeMachine) -> None:
    machine = make_machine()
    session = orphan(machine, None)
    complete_log(machine.database, machine.var, session)
    assert not machine.files(session).log.exists()


def test_live_row_of_a_compressed_log_gets_the_end_that_the_log_says(
    make_machine: MakeMachine,
) -> None:
    machine = make_machine()
    session = orphan(machine, SESSION + LINE + DONE)
    compress_log(machine.files(session).log)
    ended = settle(machine, session)
    assert (ended.status, ended.exit_code, ended.pid) == ("failed", 3, 7)
    assert ended.log_bytes == len(SESSION + LINE + DONE)
