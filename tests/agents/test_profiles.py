"""What a profile runs."""

import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webapp.agents.profiles import BUILT_IN, PROTOCOLS, Profile
from webapp.runner.talk import opening

VALUES = {"message": "hi", "workflowId": "w-1", "stageIndex": "2", "sessionId": "s-1"}
texts = st.text() | st.text(st.sampled_from("{}message sessionId"))


def filled(*command: str, **values: str) -> list[str]:
    """The command with its placeholders filled in."""
    return Profile("agent", command).argv(VALUES | values)


@pytest.mark.parametrize(
    ("element", "expected"),
    [
        ("{message}", "hi"),
        ("--message={message}", "--message=hi"),
        ("{workflowId}/{stageIndex}/{sessionId}", "w-1/2/s-1"),
        ("{message}{message}", "hihi"),
        ("plain", "plain"),
        ("", ""),
        ("{unknown}", "{unknown}"),
        ("{Message}", "{Message}"),
        ("{ message }", "{ message }"),
        ("{{message}}", "{hi}"),
        ("{message", "{message"),
        ("{}", "{}"),
        ('{"type":"{message}"}', '{"type":"hi"}'),
        ("%s $message", "%s $message"),
    ],
)
def test_placeholders_are_filled_in(element: str, expected: str) -> None:
    assert filled(element) == [expected]


@pytest.mark.parametrize("message", ["a b", "a\nb", "", "'\"", "--help", "$(reboot)", "*"])
def test_element_is_never_split(message: str) -> None:
    assert filled("agent", "{message}", "end", message=message) == ["agent", message, "end"]


@pytest.mark.parametrize(
    "name", ["message", "workflowId", "stageIndex", "sessionId", "mode", "conversation"]
)
def test_what_a_placeholder_brings_in_is_not_looked_at_again(name: str) -> None:
    nested = "{message}{sessionId}{workflowId}{stageIndex}"
    assert filled(f"<{{{name}}}>", **{name: nested}) == [f"<{nested}>"]


def test_runner_speaks_each_protocol_that_a_profile_may_name() -> None:
    assert set(opening.PROTOCOLS) == set(PROTOCOLS)


def test_halves_of_two_values_do_not_make_a_placeholder() -> None:
    assert filled("{workflowId}{sessionId}", workflowId="{mess", sessionId="age}") == ["{message}"]


@given(texts, texts, texts)
def test_any_message_arrives_as_it_is(before: str, message: str, after: str) -> None:
    literal = str.maketrans("{}", "<>")
    before, after = before.translate(literal), after.translate(literal)
    assert filled(f"{before}{{message}}{after}", message=message) == [before + message + after]


def test_demo_needs_nothing_but_this_python() -> None:
    assert BUILT_IN["demo"].command[0] == sys.executable
    assert BUILT_IN["demo"].env == ()


@pytest.mark.parametrize("profile", BUILT_IN.values(), ids=list(BUILT_IN))
def test_built_in_profile_takes_its_message_somewhere(profile: Profile) -> None:
    in_command = any("{message}" in element for element in profile.command)
    ways = [profile.message == "stdin", in_command, profile.talk is not None]
    assert ways.count(True) == 1


@pytest.mark.parametrize("profile", BUILT_IN.values(), ids=list(BUILT_IN))
def test_message_of_a_built_in_profile_is_never_an_option(profile: Profile) -> None:
    assert "{message}" not in profile.command
