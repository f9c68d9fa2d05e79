"""`adopt`: go on here with a conversation that an agent began elsewhere, in a terminal."""

import json
import os
import re
import time

import click

from webapp.agents.profiles import Profile
from webapp.commands import claude_files
from webapp.commands.claude_files import ClaudeFile
from webapp.commands.figures import duration
from webapp.commands.options import var_options
from webapp.commands.table import Cell, Column, print_table
from webapp.commands.terminal import one_line, plain
from webapp.commands.var_folder import open_or_make_var_folder, settings_of_a_writer
from webapp.errors import BadRequest, NotFound
from webapp.sessions.adopting import Elsewhere, adopt
from webapp.sessions.secrets import redactor_of
from webapp.settings import Settings

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}")
_MOST_TITLE_LETTERS = 100
_COLUMNS = (
    Column("conversation"),
    Column("age", right=True),
    Column("begins with", may_be_cut=True),
    Column("folder", rank=1),
)


@click.command(
    name="adopt",
    epilog="""\b
Examples:
  agent-stream adopt claude --list
  agent-stream adopt claude b4bd0c1e-9a55-4b0e-8d5e-0f2f5c0f8a11
  agent-stream send last "Go on, please."
  agent-stream adopt gemini 7d1f --cwd ~/project""",
)
@click.argument("agent", metavar="AGENT")
@click.argument("conversation", metavar="ID", required=False)
@click.option("--list", "should_list", is_flag=True, help="List Claude Code's, of this folder.")
@click.option("--all", "is_all", is_flag=True, help="With --list: of all folders.")
@click.option("--cwd", metavar="FOLDER", help="Where it ran; Claude Code's own files say it.")
@click.option("--workflow", metavar="ID", help="In this workflow, not in a new one.")
@click.option("--json", "as_json", is_flag=True, help="With --list: a line of JSON each.")
@var_options
def adopt_command(
    agent: str,
    conversation: str | None,
    should_list: bool,
    is_all: bool,
    cwd: str | None,
    workflow: str | None,
    as_json: bool,
) -> None:
    """Make a session of the conversation ID of AGENT, so that the next message goes on with it.

    End it in the terminal first: two processes on one conversation lose turns.
    """
    settings = settings_of_a_writer()
    profile = _profile(settings, agent)
    if should_list:
        _list(claude_files.list_files(None if is_all else os.getcwd()), as_json=as_json)
        return
    if conversation is None or _ID.fullmatch(conversation) is None:
        raise BadRequest(
            f"The conversation is {conversation!r}, expected an id of 1 to 100 letters, digits, "
            "- and _; --list lists Claude Code's."
        )
    redact = redactor_of(settings, os.environ).redact
    found = _elsewhere(profile, conversation, cwd)
    found = Elsewhere(conversation, redact(found.cwd), found.title and redact(found.title))
    with open_or_make_var_folder() as var_folder:
        session = adopt(var_folder.database, var_folder.var, profile, found, workflow)
    click.echo(plain(f"{session.id}: goes on with your next message, in {found.cwd}"))


def _profile(settings: Settings, name: str) -> Profile:
    profile = settings.agents.get(name)
    if profile is None or profile.talk is None:
        talking = [each.name for each in settings.agents.values() if each.talk is not None]
        raise BadRequest(
            f"The agent is {name!r}, expected one whose profile has `talk`: {', '.join(talking)}."
        )
    return profile


def _elsewhere(profile: Profile, conversation: str, cwd: str | None) -> Elsewhere:
    file = claude_files.find_file(conversation) if profile.talk == "claude" else None
    if cwd is not None:
        return Elsewhere(conversation, os.path.abspath(cwd), None if file is None else file.title)
    if profile.talk != "claude":
        raise BadRequest("--cwd is missing: the folder that the conversation ran in.")
    if file is None:
        raise NotFound(
            f"Claude Code has no conversation {conversation}; `adopt claude --list --all` lists "
            "those that it has."
        )
    return Elsewhere(conversation, file.cwd, file.title)


def _list(files: list[ClaudeFile], *, as_json: bool) -> None:
    if as_json:
        for file in files:
            about = {"conversationId": file.conversation_id, "cwd": file.cwd, "title": file.title}
            click.echo(json.dumps(about))
    elif files:
        print_table(_COLUMNS, [_row(file) for file in files])
    else:
        click.echo("Claude Code has no conversation of this folder.")


def _row(file: ClaudeFile) -> list[Cell]:
    return [
        Cell(file.conversation_id),
        Cell(duration(max(0.0, time.time() - file.changed_at))),
        Cell(one_line(file.title or "", _MOST_TITLE_LETTERS)),
        Cell(file.cwd),
    ]
