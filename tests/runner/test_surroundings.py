"""What an agent sees of the machine, and what the machine sees of a runner."""

import json
import os
import stat
import sys
import time
from pathlib import Path

import pytest

from tests.runner.conftest import MakeMachine
from tests.server import wait_for
from tests.sessions.machine import Machine, is_alive, python, shell
from webapp.sessions.environment import BASE_ENVIRONMENT, UNBUFFERED
from webapp.store.models import Session

OWN = {"AGENT_STREAM_SESSION_ID", "AGENT_STREAM_WORKFLOW_ID", "AGENT_STREAM_STAGE_INDEX"}
ENVIRONMENT = python("import json\nprint(json.dumps(dict(os.environ)))")


def environment_of(machine: Machine, session: Session) -> dict[str, str]:
    """What the agent printed of its environment."""
    found: dict[str, str] = json.loads(machine.output(session))
    found.pop("LC_CTYPE", None)  # Python itself sets it in the C locale: PEP 538
    return found


def stat_of(pid: int | None) -> tuple[int, int, int]:
    """Parent, group and session of a process."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[1]), int(fields[2]), int(fields[3])


# --- the agent ------------------------------------------------------------------------


def test_environment_is_an_allow_list(
    make_machine: MakeMachine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AGENT_STREAM_TOKEN", "secret")
    monkeypatch.setenv("PASSED_ON", "a=b c\n")
    machine = make_machine(ENVIRONMENT, env=("PASSED_ON", "NOT_THERE"))
    found = environment_of(machine, machine.run())
    assert set(found) <= {*BASE_ENVIRONMENT, *OWN, UNBUFFERED, "PASSED_ON"}
    assert found["PASSED_ON"] == "a=b c\n"
    assert found["PATH"] == os.environ["PATH"]


def test_agent_knows_which_session_it_is(make_machine: MakeMachine) -> None:
    machine = make_machine(ENVIRONMENT)
    session = machine.run()
    found = environment_of(machine, session)
    assert {name: found[name] for name in OWN} == {
        "AGENT_STREAM_SESSION_ID": session.id,
        "AGENT_STREAM_WORKFLOW_ID": session.workflow_id,
        "AGENT_STREAM_STAGE_INDEX": "0",
    }


def test_agent_has_three_descriptors(make_machine: MakeMachine) -> None:
    machine = make_machine(python("print(sorted(map(int, os.listdir('/proc/self/fd'))))"))
    assert machine.output(machine.run()) == b"[0, 1, 2, 3]\n"  # 3 is the listing itself


def test_agent_reads_nothing_where_its_profile_has_no_stdin(make_machine: MakeMachine) -> None:
    machine = make_machine(python("print(repr(sys.stdin.read()))"))
    assert machine.output(machine.run("unread")) == b"''\n"


def test_agent_runs_in_the_folder_of_its_profile(make_machine: MakeMachine, tmp_path: Path) -> None:
    machine = make_machine(("pwd",), cwd=str(tmp_path))
    assert machine.output(machine.run()) == f"{tmp_path}\n".encode()


def test_agent_runs_in_a_folder_of_its_own_by_default(make_machine: MakeMachine) -> None:
    machine = make_machine(("pwd",))
    session = machine.run()
    printed = Path(machine.output(session).decode().strip())
    assert printed.name == session.workflow_id
    assert printed.is_relative_to(machine.var / "work")


def test_agent_has_the_umask_of_the_server(make_machine: MakeMachine) -> None:
    ours = os.umask(0o022)
    try:
        machine = make_machine(shell("umask"))
        assert machine.output(machine.run()) == b"0022\n"
    finally:
        os.umask(ours)


def test_agent_starts_with_no_signal_ignored_or_blocked(make_machine: MakeMachine) -> None:
    machine = make_machine(("cat", "/proc/self/status"))
    lines = machine.output(machine.run()).decode().splitlines()
    fields = dict(line.split(":\t", 1) for line in lines if ":\t" in line)
    of_threads_library = 0b11 << 31  # 32 and 33, which no program can set
    assert int(fields["SigIgn"], 16) & ~of_threads_library == 0
    assert int(fields["SigBlk"], 16) == 0


def test_agent_leads_a_group_of_its_own(make_machine: MakeMachine) -> None:
    machine = make_machine(shell("sleep 600"))
    session = machine.wait_until_running(machine.invoke())
    assert stat_of(session.pid)[1] == session.pid
    assert stat_of(session.pid)[2] == stat_of(session.runner_pid)[2]


# --- its message ----------------------------------------------------------------------

ECHO = python("sys.stdout.buffer.write(sys.stdin.buffer.read().hex().encode() + b'\\n')")


@pytest.mark.parametrize(
    "message",
    [
        "",
        "hello",
        "two\nlines\r\n",
        "\0\x01\x7f\x1b[31m",
        "\u2028\u202e\ufeff\U0001f600\uffff",
        "-rf --help $(reboot) `reboot` {message} %s",
        "x" * (1 << 20),
    ],
    ids=["empty", "word", "lines", "controls", "unicode", "shell", "1 MiB"],
)
def test_message_arrives_byte_for_byte_on_stdin(make_machine: MakeMachine, message: str) -> None:
    machine = make_machine(ECHO, message="stdin")
    assert machine.output(machine.run(message)).strip() == message.encode().hex().encode()


def test_no_message_is_an_empty_stdin(make_machine: MakeMachine) -> None:
    machine = make_machine(ECHO, message="stdin")
    assert machine.output(machine.run()) == b"\n"


def test_message_in_an_argument_is_never_split(make_machine: MakeMachine) -> None:
    command = python("print(sys.argv[1:])")
    machine = make_machine((*command, "--message={message}", "{stageIndex}"))
    message = "a b; $(x) {stageIndex} '\""
    assert machine.output(machine.run(message)).decode() == f"{[f'--message={message}', '0']}\n"


# --- the runner -----------------------------------------------------------------------


def test_runner_is_no_child_of_ours_and_leads_its_own_session(make_machine: MakeMachine) -> None:
    machine = make_machine(shell("sleep 600"))
    session = machine.wait_until_running(machine.invoke())
    parent, _group, session_id = stat_of(session.runner_pid)
    assert session_id != os.getsid(0)
    assert session_id == stat_of(session.pid)[2]
    assert parent != os.getpid()
    assert os.getpid() not in ancestors(session.runner_pid)


def test_each_runner_has_a_session_of_its_own(make_machine: MakeMachine) -> None:
    machine = make_machine(shell("sleep 600"))
    runners = [machine.wait_until_running(machine.invoke()).runner_pid for _ in range(2)]
    assert len({stat_of(pid)[2] for pid in runners}) == 2
    assert len({stat_of(pid)[1] for pid in runners}) == 2


def ancestors(pid: int | None) -> list[int]:
    """The parents of a process, up to init."""
    found: list[int] = []
    parent = stat_of(pid)[0]
    while parent:
        found.append(parent)
        parent = stat_of(parent)[0]
    return found


def test_runner_has_no_controlling_terminal(make_machine: MakeMachine) -> None:
    machine = make_machine(shell("sleep 600"))
    session = machine.wait_until_running(machine.invoke())
    fields = Path(f"/proc/{session.runner_pid}/stat").read_text().rpartition(")")[2].split()
    assert fields[4] == "0"


def test_lock_is_held_as_long_as_the_runner_lives(make_machine: MakeMachine) -> None:
    machine = make_machine(shell("sleep 0.3"))
    session = machine.invoke()
    assert machine.is_locked(session)
    ended = machine.wait_until_gone(session)
    assert not machine.is_locked(ended)


def test_lock_is_not_held_by_the_agent_or_by_what_writes_the_row(
    make_machine: MakeMachine,
) -> None:
    machine = make_machine(shell("sleep 600"))
    session = machine.wait_until_running(machine.invoke())
    os.kill(session.runner_pid or 0, 9)
    wait_for(lambda: not is_alive(session.runner_pid))
    assert is_alive(session.pid)
    assert not machine.is_locked(session)


def test_files_of_a_session_are_for_its_user_alone(make_machine: MakeMachine) -> None:
    ours = os.umask(0o000)
    try:
        machine = make_machine(shell("sleep 600"), message="stdin")
        session = machine.wait_until_running(machine.invoke("secret"))
    finally:
        os.umask(ours)
    directory = machine.files(session).directory
    wait_for(machine.files(session).spec.exists)  # written after the agent has been started
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in directory.iterdir()}
    assert modes == dict.fromkeys(("output.log", "control.sock", "run.json"), 0o600)
    for folder in (directory, directory.parent, directory.parent.parent):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_runner_is_small(make_machine: MakeMachine) -> None:
    machine = make_machine(shell("sleep 600"))
    session = machine.wait_until_running(machine.invoke())
    time.sleep(0.2)
    lines = Path(f"/proc/{session.runner_pid}/smaps_rollup").read_text().splitlines()
    private = sum(int(line.split()[1]) for line in lines if line.startswith("Private_"))
    assert private < 5 * 1024


def test_runner_has_only_its_own_files_open(make_machine: MakeMachine) -> None:
    machine = make_machine(shell("sleep 600"))
    session = machine.wait_until_running(machine.invoke())
    wait_for(lambda: len(os.listdir(f"/proc/{session.runner_pid}/fd")) <= 10)
    names = [
        os.readlink(f"/proc/{session.runner_pid}/fd/{fd}")
        for fd in os.listdir(f"/proc/{session.runner_pid}/fd")
    ]
    files = [name for name in names if name.startswith("/") and name != os.devnull]
    place = machine.files(session)
    assert sorted(files) == [str(place.directory), str(place.log)]


def test_runner_has_no_zombie_while_its_agent_lives(make_machine: MakeMachine) -> None:
    machine = make_machine(shell("sleep 600"))
    session = machine.wait_until_running(machine.invoke())
    children = Path(f"/proc/{session.runner_pid}/task/{session.runner_pid}/children")
    wait_for(lambda: children.read_text().split() == [str(session.pid)])


def test_modules_of_the_runner_are_few() -> None:
    """`json`, `typing` and the like would double what each session costs."""
    code = "import sys; sys.path.insert(0, '.'); sys.path.append(sys.argv[1])\n" + (
        "import webapp.runner.session; print(*sys.modules)"
    )
    import subprocess

    import pysqlite3

    site = str(Path(pysqlite3.__file__).parents[1])
    command = [sys.executable, "-I", "-S", "-c", code, site]
    root = Path(__file__).parents[2]
    loaded = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True).stdout
    assert not {"flask", "sqlalchemy", "webapp.log.events"} & set(loaded.split())
