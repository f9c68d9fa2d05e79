"""Starting a session: in an order in which nothing can be lost."""

import contextlib
import os
import sys
import threading
from pathlib import Path

import pytest

from tests.server import wait_for
from tests.sessions.conftest import MakeMachine
from tests.sessions.machine import (
    Machine,
    children,
    is_alive,
    kill,
    kill_fork_server,
    python,
    shell,
)
from tests.store.locked import held
from tests.store.rows import rows
from webapp.agents.profiles import MAX_ARGUMENT_BYTES, Profile
from webapp.errors import BadRequest, Conflict, NotFound, ServiceUnavailable
from webapp.sessions.environment import agent_environment
from webapp.sessions.launch import Launcher
from webapp.sessions.new_session import MAX_MESSAGE_BYTES, Invocation
from webapp.sessions.once import IdempotencyKey
from webapp.store import engine
from webapp.store.models import Session

KEY = IdempotencyKey("key-1", "hash-1")
IN_ARGUMENT = (*python("print(len(sys.argv[1]))"), "{message}")


def session_folders(machine: Machine) -> list[Path]:
    """What lies in the folder of sessions."""
    return list((machine.var / "sessions").glob("*/*"))


def session_count(machine: Machine) -> int:
    """Rows of sessions."""
    return len(rows(machine.database, "SELECT id FROM sessions"))


# --- what stands when invoke answers --------------------------------------------------


def test_row_log_and_lock_stand_when_invoke_answers(make_machine: MakeMachine) -> None:
    machine = make_machine()
    session = machine.invoke("hello")
    assert machine.row(session).is_live
    assert machine.is_locked(session)
    assert session_folders(machine) == [machine.files(session).directory]


def test_row_says_what_was_asked_for(make_machine: MakeMachine) -> None:
    machine = make_machine(("sleep", "600", "{message}"), cwd="/")
    session = machine.row(machine.invoke("hello"))
    assert session.argv == '["sleep", "600", "hello"]'
    assert (session.agent, session.cwd, session.stage_index) == ("agent", "/", 0)
    assert session.log_path.endswith(f"/{session.id}/output.log")
    assert not session.log_path.startswith("/")


def test_message_is_kept_in_the_workflow(make_machine: MakeMachine) -> None:
    machine = make_machine()
    session = machine.invoke("hello")
    (message,) = rows(machine.database, "SELECT * FROM messages")
    assert (message["session_id"], message["content"]) == (session.id, "hello")


def test_sessions_of_several_threads_are_all_started(make_machine: MakeMachine) -> None:
    machine = make_machine(shell("echo $AGENT_STREAM_SESSION_ID"))
    workflow_id = machine.create_workflow()
    started: list[Session] = []
    threads = [
        threading.Thread(target=lambda: started.append(machine.invoke(workflow_id=workflow_id)))
        for _ in range(12)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({session.id for session in started}) == 12
    for session in started:
        machine.wait_until_ended(session)
        assert machine.output(session) == f"{session.id}\n".encode()


# --- what is refused ------------------------------------------------------------------


def test_unknown_agent_is_refused_with_those_that_there_are(make_machine: MakeMachine) -> None:
    agents = {name: Profile(name, ("true",)) for name in ("agent", "claude")}
    machine = make_machine(agents=agents)
    with pytest.raises(BadRequest, match=r"'gpt'.*agent, claude") as caught:
        machine.invoke(agent="gpt")
    assert caught.value.field == "agent"


def test_unknown_workflow_leaves_nothing_behind(make_machine: MakeMachine) -> None:
    machine = make_machine()
    with pytest.raises(NotFound):
        machine.invoke(workflow_id="workflow-0")
    assert session_folders(machine) == []


def test_stage_out_of_range_leaves_nothing_behind(make_machine: MakeMachine) -> None:
    machine = make_machine()
    workflow_id = machine.create_workflow()
    with pytest.raises(BadRequest):
        machine.launcher.invoke(Invocation(workflow_id, stage_index=7))
    assert session_folders(machine) == []
    assert session_count(machine) == 0


def test_locked_database_leaves_nothing_behind(make_machine: MakeMachine) -> None:
    machine = make_machine()
    machine.database.patience_seconds = 0.2
    workflow_id = machine.create_workflow()
    with held(machine.database.path), pytest.raises(ServiceUnavailable) as caught:
        machine.invoke(workflow_id=workflow_id)
    assert caught.value.retry_after is not None
    assert session_folders(machine) == []
    assert session_count(machine) == 0


def test_var_that_cannot_be_written_is_reported_before_anything_is_started(
    make_machine: MakeMachine,
) -> None:
    machine = make_machine()
    (machine.var / "sessions").rmdir()
    (machine.var / "sessions").touch()
    with pytest.raises(ServiceUnavailable, match="session's files"):
        machine.invoke()
    assert session_count(machine) == 0


def test_running_out_of_descriptors_is_reported_and_leaves_nothing_behind(
    make_machine: MakeMachine,
) -> None:
    import resource

    machine = make_machine()
    workflow_id = machine.create_workflow()
    machine.invoke(workflow_id=workflow_id)
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    folders = session_folders(machine)
    free = os.dup(0)
    os.close(free)
    try:
        for spare in range(4):
            resource.setrlimit(resource.RLIMIT_NOFILE, (free + spare, limits[1]))
            with contextlib.suppress(ServiceUnavailable):
                machine.launcher.invoke(Invocation(workflow_id))
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
    assert len(session_folders(machine)) - len(folders) == session_count(machine) - 1


# --- a message on the command line ----------------------------------------------------


def test_longest_message_that_an_argument_holds_is_taken(make_machine: MakeMachine) -> None:
    machine = make_machine(IN_ARGUMENT)
    session = machine.run("x" * MAX_ARGUMENT_BYTES)
    assert machine.output(session) == b"%d\n" % MAX_ARGUMENT_BYTES


@pytest.mark.parametrize(
    "message", ["x" * (MAX_ARGUMENT_BYTES + 1), "é" * (MAX_ARGUMENT_BYTES // 2 + 1)], ids=len
)
def test_longer_message_is_refused_with_the_limit(make_machine: MakeMachine, message: str) -> None:
    machine = make_machine(IN_ARGUMENT)
    with pytest.raises(BadRequest, match=f"{MAX_ARGUMENT_BYTES} bytes") as caught:
        machine.invoke(message)
    assert caught.value.field == "message"
    assert session_folders(machine) == []


def test_message_with_a_nul_is_refused_where_an_argument_must_hold_it(
    make_machine: MakeMachine,
) -> None:
    machine = make_machine(IN_ARGUMENT)
    with pytest.raises(BadRequest, match="NUL") as caught:
        machine.invoke("a\0b")
    assert caught.value.field == "message"
    assert session_folders(machine) == []


def test_longest_message_goes_by_stdin(make_machine: MakeMachine) -> None:
    machine = make_machine(python("print(len(sys.stdin.read()))"), message="stdin")
    session = machine.run("x" * MAX_MESSAGE_BYTES)
    assert machine.output(session) == b"%d\n" % MAX_MESSAGE_BYTES


# --- the same request twice -----------------------------------------------------------


def test_same_key_gives_the_session_that_it_started(make_machine: MakeMachine) -> None:
    machine = make_machine()
    workflow_id = machine.create_workflow()
    first = machine.invoke(workflow_id=workflow_id, key=KEY)
    second = machine.invoke(workflow_id=workflow_id, key=KEY)
    assert first.id == second.id
    assert session_count(machine) == 1
    assert session_folders(machine) == [machine.files(first).directory]


def test_same_key_gives_its_session_when_that_has_ended_too(make_machine: MakeMachine) -> None:
    machine = make_machine(("true",))
    workflow_id = machine.create_workflow()
    first = machine.wait_until_ended(machine.invoke(workflow_id=workflow_id, key=KEY))
    second = machine.invoke(workflow_id=workflow_id, key=KEY)
    assert (second.id, second.status) == (first.id, "succeeded")


def test_same_key_for_another_request_is_a_conflict(make_machine: MakeMachine) -> None:
    machine = make_machine()
    workflow_id = machine.create_workflow()
    first = machine.invoke(workflow_id=workflow_id, key=KEY)
    with pytest.raises(Conflict, match=first.id):
        machine.invoke(workflow_id=workflow_id, key=IdempotencyKey("key-1", "hash-2"))
    assert len(session_folders(machine)) == 1


def test_another_key_starts_another_session(make_machine: MakeMachine) -> None:
    machine = make_machine()
    workflow_id = machine.create_workflow()
    first = machine.invoke(workflow_id=workflow_id, key=KEY)
    second = machine.invoke(workflow_id=workflow_id, key=IdempotencyKey("key-2", "hash-1"))
    assert first.id != second.id


def test_same_key_from_many_at_once_starts_one_session(make_machine: MakeMachine) -> None:
    machine = make_machine()
    workflow_id = machine.create_workflow()
    found: list[str] = []

    def invoke() -> None:
        found.append(machine.invoke(workflow_id=workflow_id, key=KEY).id)

    threads = [threading.Thread(target=invoke) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert len(set(found)) == session_count(machine) == len(session_folders(machine)) == 1


def test_key_of_a_request_that_failed_can_be_used_again(make_machine: MakeMachine) -> None:
    machine = make_machine()
    with pytest.raises(NotFound):
        machine.invoke(workflow_id="workflow-0", key=KEY)
    assert machine.invoke(key=KEY).status == "starting"


# --- runners that cannot be started ---------------------------------------------------


def test_session_whose_runner_cannot_be_started_fails_and_says_why(
    make_machine: MakeMachine, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine = make_machine(("true",))
    machine.run()
    kill_fork_server()
    monkeypatch.setattr(sys, "executable", "/nonexistent/python")
    session = machine.row(machine.invoke())
    assert session.status == "failed"
    assert session.error is not None
    assert "No such file or directory" in session.error
    assert [event.name for event in machine.events(session)] == ["session", "notice", "done"]
    assert not machine.is_locked(session)


def test_invoke_leaves_no_zombie_and_no_descriptor(make_machine: MakeMachine) -> None:
    machine = make_machine(("true",))
    machine.run()
    files, before = len(os.listdir("/proc/self/fd")), children()
    for _ in range(20):
        machine.run()
    assert len(os.listdir("/proc/self/fd")) <= files
    assert children() <= before


def test_next_session_starts_though_what_makes_runners_was_killed(
    make_machine: MakeMachine,
) -> None:
    before = children()
    machine = make_machine(shell("echo hi; sleep 600"))
    first = machine.wait_until_running(machine.invoke())
    (fork_server,) = children() - before
    kill(fork_server)
    wait_for(lambda: not is_alive(fork_server))
    second = machine.invoke()
    machine.wait_for_output(second, b"hi\n")
    assert machine.is_locked(first)


def test_sessions_live_on_when_their_worker_stops(make_machine: MakeMachine) -> None:
    machine = make_machine(shell("echo hi; sleep 600"))
    session = machine.wait_until_running(machine.invoke())
    machine.launcher.runners.stop()
    assert is_alive(session.runner_pid)
    assert is_alive(session.pid)
    assert machine.is_locked(session)


def test_worker_that_stopped_can_start_sessions_again(make_machine: MakeMachine) -> None:
    machine = make_machine(("true",))
    machine.run()
    machine.launcher.runners.stop()
    assert machine.run().status == "succeeded"


# --- small parts ----------------------------------------------------------------------


def test_environment_of_an_agent_holds_what_is_named_and_there() -> None:
    profile = Profile("agent", ("true",), env=("KEY", "OTHER"))
    session = Session(id="s", workflow_id="w", stage_index=2)
    environ = {"PATH": "/bin", "KEY": "k", "SECRET": "x", "AGENT_STREAM_TOKEN": "x"}
    assert agent_environment(profile, session, environ) == {
        "PATH": "/bin",
        "KEY": "k",
        "PYTHONUNBUFFERED": "1",
        "AGENT_STREAM_SESSION_ID": "s",
        "AGENT_STREAM_WORKFLOW_ID": "w",
        "AGENT_STREAM_STAGE_INDEX": "2",
    }


@pytest.mark.parametrize("environ", [{}, {"PYTHONUNBUFFERED": ""}])
def test_profile_that_names_it_decides_whether_python_buffers(environ: dict[str, str]) -> None:
    profile = Profile("agent", ("true",), env=("PYTHONUNBUFFERED",))
    session = Session(id="s", workflow_id="w", stage_index=0)
    found = agent_environment(profile, session, environ)
    assert found.get("PYTHONUNBUFFERED") == environ.get("PYTHONUNBUFFERED")


def test_environment_cannot_change_who_the_agent_is() -> None:
    profile = Profile("agent", ("true",), env=("AGENT_STREAM_SESSION_ID",))
    session = Session(id="s", workflow_id="w", stage_index=0)
    environ = {"AGENT_STREAM_SESSION_ID": "another"}
    assert agent_environment(profile, session, environ)["AGENT_STREAM_SESSION_ID"] == "s"


def test_var_may_be_named_by_a_relative_or_a_very_long_path(
    make_machine: MakeMachine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / ("deep-" * 30)
    folder.mkdir()
    machine = make_machine(("true",))
    machine.var.rename(folder / "var")
    monkeypatch.chdir(folder)
    from dataclasses import replace

    settings = replace(machine.settings, var=Path("var"))
    database = engine.open_migrated(settings.var)
    moved = Machine(settings, database, Launcher(settings, database))
    assert moved.run().status == "succeeded"
    moved.launcher.runners.stop()
    database.close()
