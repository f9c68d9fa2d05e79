"""An agent opens the gate of its stage, whoever watches and however its line arrives."""

import json
from collections.abc import Callable
from pathlib import Path

import pysqlite3
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.runner.conftest import MakeMachine
from tests.runner.test_row import invoked_into_a_locked_database
from tests.server import wait_for
from tests.sessions.machine import Machine, kill, python, shell
from tests.store.rows import rows
from webapp.runner.gate import MARK, satisfies_gate
from webapp.runner.pump import Pump
from webapp.sessions import input as live_input
from webapp.sessions.new_session import Invocation
from webapp.store import progress, workflows
from webapp.store.models import Session
from webapp.store.templates import StageTemplate

LINE = '{"type":"gate_satisfied"}'
STAGES = (
    StageTemplate("build", "build", "agent"),
    StageTemplate("publish", "publish", "human_approval"),
    StageTemplate("tell", "tell", "agent"),
)


def gated_workflow(machine: Machine) -> str:
    """A new workflow whose gates are: agent, human_approval, agent."""
    return machine.database.write(
        lambda orm: (
            workflows.create_workflow(
                orm,
                template="gated",
                request_id=None,
                initial_message=None,
                templates={"gated": STAGES},
            ).id
        )
    )


def gates(machine: Machine, workflow_id: str) -> list[bool]:
    """Which gates are open."""
    with machine.database.read() as orm:
        stages = workflows.get_workflow(orm, workflow_id).stages
        return [stage.gate_satisfied_at is not None for stage in stages]


def invoke(machine: Machine, stage_index: int | None = None) -> Session:
    """A session in a gated workflow."""
    invocation = Invocation(gated_workflow(machine), stage_index=stage_index)
    return machine.launcher.invoke(invocation)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ('{"type":"gate_satisfied"}', True),
        ('{"type":"gate_satisfied","gate":"tests"}', True),
        (' {"type": "gate_satisfied"}\r', True),
        ('{"gatesSatisfied":["tests"]}', True),
        ('{"type":"result","gatesSatisfied":1}', True),
        ('{"gatesSatisfied":true}', True),
        ('{"gatesSatisfied":[]}', False),
        ('{"gatesSatisfied":false}', False),
        ('{"gatesSatisfied":null}', False),
        ('{"type":"message","content":"gate_satisfied"}', False),
        ('{"a":{"type":"gate_satisfied"}}', False),
        ('[{"type":"gate_satisfied"}]', False),
        ('{"type":"gate_satisfied"} ok', False),
        ('{"type":"gate_satisfied"', False),
        ("gate_satisfied", False),
        ("satisfied", False),
        ('{"satisfied":' + "[" * 100_000, False),
        ('{"satisfied":' + "9" * 5000 + "}", False),
    ],
    ids=lambda value: str(value)[:40],
)
def test_line_that_says_so_is_an_object_of_its_own(line: str, expected: bool) -> None:
    assert satisfies_gate(line.encode()) is expected


def test_line_that_is_no_text_says_nothing() -> None:
    assert not satisfies_gate(b'{"type":"gate_satisfied","x":"\xff"}')


@given(st.lists(st.integers(1, 40), max_size=30), st.booleans(), st.booleans())
def test_line_is_found_however_it_is_cut(
    sizes: list[int], has_newline: bool, is_quiet: bool
) -> None:
    output = b"first\n{}\n" + LINE.encode() + b"\n\nlast\n" + LINE.encode()
    output += b"\n" if has_newline else b""
    pump, rest = Pump(b"stdout", 100, mark=MARK), output
    for size in [*sizes, len(output)]:
        if rest[:size]:
            pump.feed(rest[:size], 1)
        if is_quiet and pump.is_showable:
            pump.show_pending(1)
        rest = rest[size:]
    pump.finish(1)
    assert pump.marked == [LINE.encode()] * 2


@pytest.mark.parametrize(
    "pieces",
    [
        [b"x" * 120 + LINE.encode() + b"\n"],
        [b"Thinking ", None, LINE.encode() + b"\n"],
    ],
    ids=["over the cap", "after a prompt"],
)
def test_line_that_was_cut_in_the_log_says_nothing(pieces: list[bytes | None]) -> None:
    pump = Pump(b"stdout", 100, mark=MARK)
    for piece in pieces:
        if piece is None:
            pump.show_pending(1)
        else:
            pump.feed(piece, 1)
    assert pump.marked == []


@pytest.mark.parametrize(
    "code",
    [
        f"print('{LINE}'); time.sleep(600)",
        f"sys.stdout.write('{LINE[:12]}'); time.sleep(0.3); print('{LINE[12:]}'); time.sleep(600)",
        f"print('x' * 300_000 + '\\n' + '{LINE}' + '\\n' + 'y' * 300_000); time.sleep(600)",
        'print(\'{"gatesSatisfied":["build"]}\'); time.sleep(600)',
    ],
    ids=["at once", "in pieces", "between long lines", "gatesSatisfied"],
)
def test_gate_opens_while_the_agent_lives_and_nobody_watches(
    make_machine: MakeMachine, code: str
) -> None:
    machine = make_machine(python(code))
    session = invoke(machine)
    wait_for(lambda: gates(machine, session.workflow_id) == [True, False, False])
    assert machine.wait_until_running(session).status == "running"
    (message,) = rows(machine.database, "SELECT role, session_id, content FROM messages")
    assert message == {
        "role": "system",
        "session_id": session.id,
        "content": "The gate of stage 'build' is open: its agent says so.",
    }


@pytest.mark.parametrize(
    "script",
    [f"echo '{LINE}'", f"printf '%s' '{LINE}'", f"printf '%s' '{LINE}'; exit 3"],
    ids=["line", "no newline", "failed"],
)
def test_gate_opens_with_the_last_line_before_the_session_has_ended(
    make_machine: MakeMachine, script: str
) -> None:
    machine = make_machine(shell(script))
    session = invoke(machine)
    machine.wait_until_ended(session)
    assert gates(machine, session.workflow_id) == [True, False, False]


@pytest.mark.parametrize("script", [f"echo '{LINE}' >&2", "echo gate_satisfied", "echo {}"])
def test_gate_stays_closed_unless_the_agent_says_so(make_machine: MakeMachine, script: str) -> None:
    machine = make_machine(shell(script))
    session = invoke(machine)
    machine.wait_until_ended(session)
    assert not any(gates(machine, session.workflow_id))


def test_gate_of_another_stage_than_the_current_stays_closed(make_machine: MakeMachine) -> None:
    machine = make_machine(shell(f"echo '{LINE}'"))
    session = invoke(machine, stage_index=2)
    machine.wait_until_ended(session)
    assert not any(gates(machine, session.workflow_id))


def test_no_agent_gives_the_approval_of_a_person(make_machine: MakeMachine) -> None:
    machine = make_machine(shell(f"echo '{LINE}'"))
    workflow_id = gated_workflow(machine)
    machine.database.write(lambda orm: progress.satisfy_gate(orm, workflow_id, None))
    machine.database.write(lambda orm: progress.advance(orm, workflow_id, None))
    machine.wait_until_ended(machine.invoke(workflow_id=workflow_id))
    assert gates(machine, workflow_id) == [True, False, False]


@pytest.mark.parametrize(("status", "opens"), [("paused", True), ("cancelled", False)])
def test_gate_of_a_paused_workflow_opens_and_of_one_that_is_over_does_not(
    make_machine: MakeMachine, status: str, opens: bool
) -> None:
    machine = make_machine(shell(f"read line; echo '{LINE}'"), input=True)
    session = invoke(machine)
    machine.database.write(lambda orm: progress.set_status(orm, session.workflow_id, status))
    live_input.send_input(machine.var, session, "go")
    machine.wait_until_ended(session)
    assert gates(machine, session.workflow_id)[0] is opens


def test_agent_is_not_held_up_while_the_database_is_locked(
    make_machine: MakeMachine, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine = make_machine(shell(f"echo '{LINE}'; seq 1 100000; sleep 600"))
    _invoke_gated(machine, monkeypatch)
    with invoked_into_a_locked_database(machine) as session:
        machine.wait_for_output(session, b"\n100000\n")
        assert not any(gates(machine, session.workflow_id))
    wait_for(lambda: gates(machine, session.workflow_id)[0])
    assert machine.wait_until_running(session).pid is not None


def test_gate_opens_though_the_runner_is_killed_before_it_could_be_written(
    make_machine: MakeMachine, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine = make_machine(shell(f"sleep 0.2; echo '{LINE}'; sleep 600"))
    _invoke_gated(machine, monkeypatch)
    session = machine.wait_until_running(machine.invoke())
    connection = pysqlite3.connect(str(machine.database.path), isolation_level=None)
    connection.execute("BEGIN IMMEDIATE")
    machine.wait_for_output(session, LINE.encode())
    runner = json.loads(machine.records(session)[0].content)["runnerPid"]
    wait_for(lambda: _has_child(runner, "run-"))
    kill(runner)
    connection.execute("ROLLBACK")
    connection.close()
    wait_for(lambda: gates(machine, session.workflow_id)[0])


def _has_child(pid: int, name: str) -> bool:
    """Whether a process has a child with such a name, beside the agent's."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    names = [Path(f"/proc/{child}/comm").read_text() for child in children]
    return any(found.startswith(name) for found in names)


def _invoke_gated(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the machine's next workflows be gated ones."""
    make: Callable[[], str] = lambda: gated_workflow(machine)  # noqa: E731
    monkeypatch.setattr(machine, "create_workflow", make)
