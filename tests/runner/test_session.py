"""A session from start to end: real runners, real agents, real pipes."""

import json
import time
from pathlib import Path

import pytest

from tests.runner.conftest import MakeMachine
from tests.server import wait_for
from tests.sessions.machine import Machine, python, shell
from webapp.log.record import MAX_LINE_BYTES, parse_time
from webapp.store.models import Session


def said(machine: Machine, session: Session) -> list[tuple[str, bytes]]:
    """Tag and content of what the agent printed to stdout."""
    return [
        ("P" if record.partial else "F", record.content)
        for record in machine.records(session)
        if record.stream == b"stdout"
    ]


def system(machine: Machine, session: Session) -> list[dict[str, object]]:
    """What the runner has to say."""
    return [
        json.loads(record.content)
        for record in machine.records(session)
        if record.stream == b"system"
    ]


# --- the course of things -------------------------------------------------------------


def test_log_begins_with_the_session_and_ends_with_one_done(make_machine: MakeMachine) -> None:
    machine = make_machine(shell("echo out; echo err >&2"))
    session = machine.run()
    first, *_between, last = system(machine, session)
    assert first["type"] == "session"
    assert (first["sessionId"], first["pid"]) == (session.id, session.pid)
    assert last == {"type": "done", "exitCode": 0, "signal": None, "status": "succeeded"}
    assert machine.output(session) == b"out\n"
    assert machine.output(session, b"stderr") == b"err\n"
    assert [event.name for event in machine.events(session)].count("done") == 1


def test_row_says_the_same_as_the_log(make_machine: MakeMachine) -> None:
    machine = make_machine(shell("exit 7"))
    session = machine.run()
    first, *_between, last = system(machine, session)
    assert (session.status, session.exit_code, session.exit_signal) == ("failed", 7, None)
    assert (last["status"], last["exitCode"]) == ("failed", 7)
    assert session.log_bytes == len(machine.log(session))
    assert session.started_at == first["startedAt"]
    assert session.runner_pid == first["runnerPid"]
    assert session.ended_at is not None
    assert session.created_at <= str(session.started_at) <= session.ended_at


def test_row_is_running_and_names_the_agent_while_that_lives(make_machine: MakeMachine) -> None:
    machine = make_machine(shell("echo $$; sleep 600"))
    session = machine.wait_until_running(machine.invoke())
    assert session.status == "running"
    machine.wait_for_output(session, b"%d\n" % (session.pid or 0))
    assert session.ended_at is None


@pytest.mark.parametrize("number", ["KILL", "TERM", "SEGV", "HUP"])
def test_agent_that_is_ended_by_a_signal_has_no_exit_code(
    make_machine: MakeMachine, number: str
) -> None:
    machine = make_machine(shell(f"kill -{number} $$"))
    session = machine.run()
    assert (session.status, session.exit_code) == ("failed", None)
    assert session.exit_signal == f"SIG{number}"
    assert system(machine, session)[-1]["signal"] == f"SIG{number}"


def test_records_carry_the_time_at_which_they_were_printed(make_machine: MakeMachine) -> None:
    machine = make_machine(python("print(time.time_ns())\ntime.sleep(2)\nprint(time.time_ns())"))
    session = machine.run()
    first, second = (r for r in machine.records(session) if r.stream == b"stdout")
    for record in (first, second):
        assert 0 <= parse_time(record.time) - int(record.content) < 1_500_000_000


# --- lines ----------------------------------------------------------------------------


def test_prompt_is_shown_after_a_short_silence_and_goes_on(
    make_machine: MakeMachine, tmp_path: Path
) -> None:
    go = tmp_path / "go"
    wait = f"until [ -e {go} ]; do sleep 0.02; done"
    machine = make_machine(shell(f"printf 'Name? '; {wait}; echo Ada"))
    session = machine.invoke()
    wait_for(lambda: said(machine, session) == [("P", b"Name? ")])
    go.touch()
    machine.wait_until_ended(session)
    assert said(machine, session) == [("P", b"Name? "), ("F", b"Ada")]


def test_tokens_without_a_newline_are_shown_as_they_come(
    make_machine: MakeMachine, tmp_path: Path
) -> None:
    go = tmp_path / "go"
    script = f"""for i in range(100):
    os.write(1, b'word%d ' % i); time.sleep(0.02)
    while i == 50 and not os.path.exists('{go}'): time.sleep(0.02)"""
    machine = make_machine(python(script))
    session = machine.invoke()
    wait_for(lambda: said(machine, session)[-1:] and b"word50 " in said(machine, session)[-1][1])
    go.touch()
    machine.wait_until_ended(session)
    records = said(machine, session)
    assert b"".join(part for _tag, part in records) == b"".join(b"word%d " % i for i in range(100))
    assert {tag for tag, _part in records[:-1]} == {"P"}
    assert len(records) < 80  # of 100 tokens, in 2 s


def test_json_line_that_comes_in_pieces_stays_whole(make_machine: MakeMachine) -> None:
    script = """printf '{"type":'; sleep 0.3; printf '"x","n"'; sleep 0.3; echo ':1}'"""
    machine = make_machine(shell(script))
    session = machine.run()
    assert said(machine, session) == [("F", b'{"type":"x","n":1}')]


def test_line_over_the_cap_is_cut_between_characters(make_machine: MakeMachine) -> None:
    machine = make_machine(python("print('x' + '€' * 700_000)"))
    session = machine.run()
    records = said(machine, session)
    tags = [tag for tag, _content in records]
    assert tags == ["P"] * (len(tags) - 1) + ["F"]
    for _tag, content in records:  # one may be shown before it is full: the line takes its time
        assert len(content) <= MAX_LINE_BYTES
        content.decode()
    assert b"".join(content for _tag, content in records).decode() == "x" + "€" * 700_000


def test_last_line_without_a_newline_is_kept_and_marked(make_machine: MakeMachine) -> None:
    machine = make_machine(shell("echo one; printf two; printf three >&2"))
    session = machine.run()
    assert said(machine, session) == [("F", b"one"), ("F", b"two")]
    done = system(machine, session)[-1]
    assert sorted(done["noNewline"]) == ["stderr", "stdout"]  # type: ignore[call-overload]


def test_every_byte_is_kept_as_it_is(make_machine: MakeMachine) -> None:
    machine = make_machine(python("sys.stdout.buffer.write(bytes(range(256)) * 40 + b'\\n')"))
    session = machine.run()
    assert machine.output(session) == bytes(range(256)) * 40 + b"\n"


def test_flood_is_kept_whole_and_in_order(make_machine: MakeMachine) -> None:
    machine = make_machine(("seq", "1", "400000"))
    session = machine.run()
    assert machine.output(session) == b"".join(b"%d\n" % n for n in range(1, 400_001))
    assert session.exit_code == 0


def test_both_pipes_are_read_while_both_are_flooded(make_machine: MakeMachine) -> None:
    machine = make_machine(shell("seq 1 60000 >&2 & seq 1 60000; wait"))
    session = machine.run()
    expected = b"".join(b"%d\n" % n for n in range(1, 60_001))
    assert machine.output(session) == expected
    assert machine.output(session, b"stderr") == expected


def test_agent_that_closes_its_pipes_and_lives_on_is_waited_for(make_machine: MakeMachine) -> None:
    machine = make_machine(shell("echo bye; exec >&- 2>&-; sleep 0.5; exit 3"))
    session = machine.run()
    assert machine.output(session) == b"bye\n"
    assert session.exit_code == 3


def test_output_of_an_agent_that_ends_at_once_is_never_lost(make_machine: MakeMachine) -> None:
    machine = make_machine(shell("seq 1 2000"))
    sessions = [machine.invoke() for _ in range(15)]
    for session in sessions:
        machine.wait_until_ended(session)
        assert machine.output(session).count(b"\n") == 2000


# --- the cap --------------------------------------------------------------------------


def test_output_over_the_cap_is_dropped_and_the_agent_may_finish(
    make_machine: MakeMachine,
) -> None:
    machine = make_machine(shell("seq 1 300000; exit 4"), max_log_bytes=100_000)
    session = machine.run()
    assert (session.status, session.exit_code) == ("failed", 4)
    assert len(machine.log(session)) < 101_000
    kinds = [content["type"] for content in system(machine, session)]
    assert kinds == ["session", "truncated", "done"]
    assert int(str(system(machine, session)[-1]["droppedBytes"])) > 1_000_000


def test_what_is_kept_under_the_cap_is_the_beginning(make_machine: MakeMachine) -> None:
    machine = make_machine(("seq", "1", "300000"), max_log_bytes=50_000)
    session = machine.run()
    kept = machine.output(session)
    count = kept.count(b"\n")
    assert count > 500
    assert kept == b"".join(b"%d\n" % n for n in range(1, count + 1))


# --- what cannot be started -----------------------------------------------------------


@pytest.mark.parametrize(
    ("command", "options", "reason"),
    [
        (("no-such-agent",), {}, "command not found: 'no-such-agent'"),
        (("/nowhere/agent",), {}, "command not found: '/nowhere/agent'"),
        (("/etc/passwd",), {}, "cannot start '/etc/passwd': Permission denied"),
        (("/",), {}, "cannot start '/': Permission denied"),
        (("sh",), {"cwd": "/nowhere"}, "cannot enter cwd '/nowhere': No such file or directory"),
        (("sh",), {"cwd": "/etc/passwd"}, "cannot enter cwd '/etc/passwd': Not a directory"),
    ],
)
def test_agent_that_cannot_be_started_fails_with_the_reason(
    make_machine: MakeMachine, command: tuple[str, ...], options: dict[str, str], reason: str
) -> None:
    machine = make_machine(command, **options)
    session = machine.run()
    assert (session.status, session.exit_code, session.pid) == ("failed", None, None)
    assert session.error is not None
    assert session.error.startswith(reason)
    first, notice, done = system(machine, session)
    assert first["type"] == "session"
    assert notice == {"type": "error", "message": session.error}
    assert (done["status"], done["exitCode"]) == ("failed", None)


def test_program_without_a_first_line_says_so(make_machine: MakeMachine) -> None:
    machine = make_machine(("./agent",), cwd="/tmp")  # the real one follows: it needs the folder
    program = machine.var / "agent"
    program.write_text("echo hi\n")
    program.chmod(0o755)
    machine = make_machine((str(program),))
    session = machine.run()
    assert session.error is not None
    assert "#!" in session.error


# --- time -----------------------------------------------------------------------------


def test_runner_does_not_wake_up_for_a_silent_agent(make_machine: MakeMachine) -> None:
    machine = make_machine(shell("printf '{'; sleep 600"))
    session = machine.wait_until_running(machine.invoke())
    wait_until_quiet(session.runner_pid)


def wait_until_quiet(pid: int | None) -> None:
    """Until a process has done what it may still have to do, and sleeps for half a second."""

    def is_quiet() -> bool:
        before = _cpu_ticks(pid)
        time.sleep(0.5)
        return _cpu_ticks(pid) - before <= 1

    wait_for(is_quiet)


def _cpu_ticks(pid: int | None) -> int:
    """Processor time of a process, in clock ticks (10 ms)."""
    with open(f"/proc/{pid}/stat") as file:
        fields = file.read().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])
