"""`--help`, of every command."""

import pytest
from click.testing import CliRunner

from tests.server import ROOT
from webapp.cli import Commands, cli

assert isinstance(cli, Commands)
NAMES = cli.list_commands(cli.make_context("agent-stream", ["--help"], resilient_parsing=True))


@pytest.mark.parametrize("name", NAMES)
def test_each_command_explains_itself_with_examples(name: str) -> None:
    shown = CliRunner().invoke(cli, [name, "--help"])

    assert shown.exit_code == 0
    assert f"Usage: cli {name}" in shown.output
    assert f"  agent-stream {name}" in shown.output.partition("Examples:")[2]
    assert max(map(len, shown.output.splitlines())) <= 96


def test_the_readme_names_every_command() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")

    for name in NAMES:
        assert f"    agent-stream {name}" in readme
