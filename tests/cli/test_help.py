"""`--help`, of every command."""

import pytest
from click.testing import CliRunner

from webapp.cli import Commands, cli
from webapp.docs.topics import TOPICS

assert isinstance(cli, Commands)
NAMES = cli.list_commands(cli.make_context("agent-stream", ["--help"], resilient_parsing=True))


@pytest.mark.parametrize("name", NAMES)
def test_each_command_explains_itself_with_examples(name: str) -> None:
    shown = CliRunner().invoke(cli, [name, "--help"])

    assert shown.exit_code == 0
    assert f"Usage: cli {name}" in shown.output
    assert f"  agent-stream {name}" in shown.output.partition("Examples:")[2]
    assert max(map(len, shown.output.splitlines())) <= 96


def test_help_without_a_topic_lists_all_topics() -> None:
    shown = CliRunner().invoke(cli, ["help"])

    assert [line.split()[0] for line in shown.output.splitlines()] == list(TOPICS)


def test_help_prints_a_topic_and_its_settings() -> None:
    shown = CliRunner().invoke(cli, ["help", "settings"])

    assert shown.output.startswith("# Settings\n")
    assert "| `AGENT_STREAM_PORT` | 8000 |" in shown.output


def test_help_prints_the_questions_for_sqlite3() -> None:
    shown = CliRunner().invoke(cli, ["help", "forensics.sql"])

    assert "SELECT * FROM live_sessions;" in shown.output


def test_help_names_the_topics_when_one_is_unknown() -> None:
    shown = CliRunner().invoke(cli, ["help", "cooking"])

    assert shown.exit_code == 2
    assert "'cooking'" in shown.output
    assert "forensics" in shown.output
