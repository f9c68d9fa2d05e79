"""`doctor`: is this machine fit to run agents, and if not, what to do?"""

import json
import os
from collections.abc import Iterator

import click

from webapp.commands.checks.archive import check_index, check_keeper, check_retention
from webapp.commands.checks.data import check_database, check_var
from webapp.commands.checks.finding import Finding
from webapp.commands.checks.machine import (
    check_inotify,
    check_open_files,
    check_packages,
    check_python,
    check_sqlite,
)
from webapp.commands.checks.profiles import check_agents, check_settings
from webapp.commands.checks.webhooks import check_webhooks
from webapp.commands.options import var_options
from webapp.commands.terminal import has_colour, paint, plain

_CHECKS = (
    check_python,
    check_sqlite,
    check_packages,
    check_inotify,
    check_open_files,
    check_var,
    check_database,
    check_index,
    check_retention,
    check_keeper,
    check_agents,
    check_webhooks,
)
_STYLES = {"ok": "green", "hint": "dim", "warn": "yellow", "bad": "red"}


@click.command(
    epilog="""\b
Marks:
  ok    as it should be
  hint  good to know
  warn  works, but worse than it could
  bad   sessions cannot run; the exit code is 1

\b
Examples:
  agent-stream doctor
  agent-stream doctor --json | jq 'select(.mark == "bad")'"""
)
@click.option(
    "--json",
    "as_json",
    is_flag=True,
    help="A line of JSON a finding: check, mark, message, advice.",
)
@var_options
@click.pass_context
def doctor(context: click.Context, as_json: bool) -> None:
    """Check the machine, the settings and the data, and say what to do. Changes nothing."""
    worst_is_bad = False
    for finding in _findings():
        worst_is_bad = worst_is_bad or finding.mark == "bad"
        click.echo(json.dumps(finding._asdict()) if as_json else _shown(finding))
    if worst_is_bad:
        context.exit(1)


def _findings() -> Iterator[Finding]:
    settings, finding = check_settings(os.environ)
    yield finding
    for check in _CHECKS:
        try:
            yield from check(settings)
        except OSError as error:
            name = check.__name__.removeprefix("check_").replace("_", " ")
            yield Finding(name, "bad", f"cannot be checked: {error}", "is this the right user?")


def _shown(finding: Finding) -> str:
    mark = paint(f"{finding.mark:<4}", _STYLES[finding.mark], colour=has_colour())
    line = f"{mark}  {finding.check:<14} {plain(finding.message)}"
    return f"{line}\n{'':>21}-> {plain(finding.advice)}" if finding.advice else line
