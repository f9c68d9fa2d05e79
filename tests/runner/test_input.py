"""Input to a live agent: recorded, in order, once, and never in the runner's way."""

import threading

import pytest

from tests.runner.conftest import MakeMachine
from tests.runner.test_session import wait_until_quiet
from tests.server import wait_for
from tests.sessions.machine import Machine, python, shell
from webapp.errors import BadRequest, Conflict, TooManyRequests
from webapp.sessions import input as live_input
from webapp.store.models import Session

CAT = ("cat",)
DEAF = shell("echo ready; sleep 600")


def send(machine: Machine, session: Session, content: str, **options: object) -> None:
    """Send input."""
    live_input.send_input(machine.var, machine.row(session), content, **options)  # type: ignore[arg-type]


def records(machine: Machine, session: Session) -> list[bytes]:
    """What stands in the log as sent to the agent."""
    return [r.content for r in machine.records(session) if r.stream == b"stdin"]


def test_agent_reads_the_message_and_then_the_input(make_machine: MakeMachine) -> None:
    machine = make_machine(CAT, message="stdin", input=True)
    session = machine.invoke("first\nline")
    for content in ("second", "third\n", "é\0\r€", "two\nlines"):
        send(machine, session, content)
    send(machine, session, "", is_last=True)
    ended = machine.wait_until_ended(session)
    assert (ended.status, ended.exit_code) == ("succeeded", 0)
    sent = "first\nline\nsecond\nthird\né\0\r€\ntwo\nlines\n".encode()
    assert machine.output(session) == sent
    assert machine.output(session, b"stdin") == sent
    names = [event.name for event in machine.events(session)]
    assert names[0] == "session"
    assert names.count("input") == 7


def test_input_is_an_event_of_the_stream(make_machine: MakeMachine) -> None:
    machine = make_machine(CAT, input=True)
    session = machine.invoke()
    send(machine, session, "yes")
    wait_for(lambda: machine.output(session) == b"yes\n")
    event = next(event for event in machine.events(session) if event.name == "input")
    assert event.data == '{"content":"yes"}'


def test_input_with_a_key_is_taken_once(make_machine: MakeMachine) -> None:
    machine = make_machine(CAT, input=True)
    session = machine.invoke()
    for content, key in (("a", "1"), ("a", "1"), ("b", "2"), ("a", "1"), ("a", None), ("a", None)):
        send(machine, session, content, key=key)
    with pytest.raises(Conflict, match="other input") as caught:
        send(machine, session, "c", key="1")
    assert caught.value.field == "idempotencyKey"
    send(machine, session, "", is_last=True)
    machine.wait_until_ended(session)
    assert records(machine, session) == [b"a", b"b", b"a", b"a"]
    assert machine.output(session) == b"a\nb\na\na\n"


def test_input_of_many_senders_is_read_in_the_order_of_the_log(make_machine: MakeMachine) -> None:
    machine = make_machine(CAT, input=True)
    session = machine.invoke()

    def send_many(sender: int) -> None:
        for number in range(15):
            send(machine, session, f"{sender} {number}")

    threads = [threading.Thread(target=send_many, args=(sender,)) for sender in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    send(machine, session, "", is_last=True)
    machine.wait_until_ended(session)
    sent = records(machine, session)
    assert machine.output(session).split(b"\n")[:-1] == sent
    for sender in range(4):
        mine = [line for line in sent if line.startswith(b"%d " % sender)]
        assert mine == [b"%d %d" % (sender, number) for number in range(15)]


def test_message_that_is_longer_than_the_pipe_is_read_whole(make_machine: MakeMachine) -> None:
    message = "x" * 1_000_000
    machine = make_machine(python("print(len(sys.stdin.readline()))"), message="stdin", input=True)
    session = machine.run(message)
    assert machine.output(session) == b"1000001\n"
    assert machine.output(session, b"stdin") == message.encode() + b"\n"


def test_agent_that_reads_nothing_gets_no_more_than_fits(make_machine: MakeMachine) -> None:
    machine = make_machine(DEAF, input=True)
    session = machine.invoke()
    chunk = "x" * (live_input.MAX_INPUT_BYTES - 1)
    refusals: list[TooManyRequests] = []
    taken = 0
    while not refusals and taken < 100:
        try:
            send(machine, session, chunk, key=str(taken))
            taken += 1
        except TooManyRequests as refusal:
            refusals.append(refusal)
    assert [refusal.retry_after for refusal in refusals] == [2]
    assert 16 <= taken <= 18  # 1 MiB, and what the pipe holds
    assert len(records(machine, session)) == taken
    send(machine, session, chunk, key="0")  # what was taken, is


def test_refused_input_can_be_sent_again_with_its_key(make_machine: MakeMachine) -> None:
    machine = make_machine(
        python("sys.stdin.readline(); time.sleep(1)\nfor line in sys.stdin: pass"), input=True
    )
    session = machine.invoke()
    send(machine, session, "begin")
    chunk = "x" * (live_input.MAX_INPUT_BYTES - 1)

    def is_taken(number: int) -> bool:
        try:
            send(machine, session, chunk, key=str(number))
        except TooManyRequests:
            return False
        return True

    for number in range(30):
        wait_for(lambda n=number: is_taken(n))  # type: ignore[misc]
    send(machine, session, "", is_last=True)
    machine.wait_until_ended(session)
    assert len(records(machine, session)) == 31


@pytest.mark.parametrize("is_read", [True, False])
def test_agent_that_closes_its_stdin_reads_no_more(
    make_machine: MakeMachine, is_read: bool
) -> None:
    script = "read line; " if is_read else ""
    machine = make_machine(shell(script + "exec <&-; echo closed; exec sleep 600"), input=True)
    session = machine.invoke()
    if is_read:
        send(machine, session, "a")
    machine.wait_for_output(session, b"closed\n")
    with pytest.raises(Conflict, match="reads no more"):
        send(machine, session, "b")
    assert b"b" not in records(machine, session)
    runner = machine.wait_until_running(session).runner_pid
    wait_until_quiet(runner)


def test_input_after_its_end_is_refused(make_machine: MakeMachine) -> None:
    machine = make_machine(DEAF, input=True)
    session = machine.invoke()
    send(machine, session, "last", is_last=True)
    with pytest.raises(Conflict, match="has ended"):
        send(machine, session, "more")


def test_agent_that_has_ended_gets_no_input(make_machine: MakeMachine) -> None:
    machine = make_machine(shell("exit 3"), input=True)
    session = machine.run()
    with pytest.raises(Conflict, match="failed"):
        send(machine, session, "a")
    with pytest.raises(Conflict, match="has ended"):  # by a row that does not know it yet
        live_input.send_input(machine.var, _live_again(session), "a")


def _live_again(session: Session) -> Session:
    session.status = "running"
    return session


def test_agent_without_input_says_so(make_machine: MakeMachine) -> None:
    machine = make_machine(DEAF, message="stdin")
    session = machine.invoke("hello")
    with pytest.raises(BadRequest, match="input = true") as caught:
        send(machine, session, "a")
    assert caught.value.field == "sessionId"
    assert records(machine, session) == []  # its message is in the history, not in the log


def test_agent_that_could_not_be_started_gets_no_input(make_machine: MakeMachine) -> None:
    machine = make_machine(("no-such-agent",), message="stdin", input=True)
    session = machine.run("hello")
    assert session.status == "failed"
    assert records(machine, session) == [b"hello"]


def test_runner_waits_in_peace_for_an_agent_that_reads_later(make_machine: MakeMachine) -> None:
    machine = make_machine(DEAF, message="stdin", input=True)
    session = machine.wait_until_running(machine.invoke("x" * 500_000))
    wait_until_quiet(session.runner_pid)
