"""Completion with Tab, as bash asks for it."""

from tests.cli.command import run
from tests.server import Server


def completed(place: Server, *words: str) -> list[str]:
    line = " ".join(["agent-stream", *words])
    output = run(
        place,
        _AGENT_STREAM_COMPLETE="bash_complete",
        COMP_WORDS=line,
        COMP_CWORD=str(len(words)),
    )
    assert output.returncode == 0, output.stderr
    return [answer.partition(",")[2] for answer in output.stdout.split()]


def test_bash_gets_a_script_to_source(place: Server) -> None:
    output = run(place, _AGENT_STREAM_COMPLETE="bash_source")

    assert "complete -o nosort -F _agent_stream_completion agent-stream" in output.stdout


def test_commands_and_options_are_completed(place: Server) -> None:
    assert completed(place, "sta") == ["stats"]
    assert "--since" in completed(place, "stats", "--")


def test_ids_of_sessions_are_completed(place: Server) -> None:
    session_id = place.invoke("say", "hello")

    assert session_id in completed(place, "show", "session-")
    assert completed(place, "show", session_id[:-2]) == [session_id]
    assert completed(place, "show", "nothing-like-it") == []
