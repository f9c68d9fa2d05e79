"""`cancel`."""

from tests.cli.command import run
from tests.cli.test_ls_and_show import kill_runner
from tests.server import Server, wait_for


def test_cancel_waits_and_says_how_the_session_ended(place: Server) -> None:
    session_id = place.invoke("forever")
    output = run(place, "cancel", session_id)

    assert output.returncode == 0
    assert output.stdout.startswith(f"{session_id}: cancelled (SIGTERM, after ")
    assert place.session(session_id)["status"] == "cancelled"


def test_cancel_of_an_agent_that_does_not_listen_kills_it(place: Server) -> None:
    session_id = place.invoke("stubborn")
    wait_for(lambda: b"started" in place.log_path(session_id).read_bytes())

    assert "cancelled (SIGKILL" in run(place, "cancel", session_id).stdout


def test_cancel_without_waiting_only_asks(place: Server) -> None:
    session_id = place.invoke("stubborn")
    wait_for(lambda: b"started" in place.log_path(session_id).read_bytes())
    output = run(place, "cancel", "--no-wait", session_id)

    assert output.stdout == f"{session_id}: asked to end\n"
    assert place.session(session_id)["status"] == "running"
    assert place.wait_until_ended(session_id)["status"] == "cancelled"


def test_cancel_of_a_session_that_has_ended_fails(place: Server) -> None:
    session_id = place.invoke("say", "hello")
    place.wait_until_ended(session_id)
    output = run(place, "cancel", session_id)

    assert output.returncode == 1
    assert output.stderr == f"agent-stream: {session_id} had already ended: it is succeeded.\n"


def test_cancel_of_a_session_that_lost_its_runner_fails(place: Server) -> None:
    session_id = place.invoke("forever")
    kill_runner(place, session_id)

    assert "it is lost" in run(place, "cancel", session_id).stderr


def test_cancel_needs_no_server(place: Server) -> None:
    session_id = place.invoke("forever")
    place.stop()
    try:
        assert run(place, "cancel", session_id).returncode == 0
    finally:
        place.start()
