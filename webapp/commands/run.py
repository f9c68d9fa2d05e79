"""`run`: start any command, or a profile's agent, as a session, and follow it."""

import json
import os
import signal
import stat
import sys
import threading
import time
from dataclasses import dataclass, replace
from types import FrameType

import click

from webapp.agents.profiles import MAX_ARGUMENT_BYTES, Profile
from webapp.commands.attach import watch
from webapp.commands.figures import exit_status
from webapp.commands.follow import follow
from webapp.commands.keys import is_terminal
from webapp.commands.options import var_options
from webapp.commands.projects import find_project
from webapp.commands.stopper import Stopper
from webapp.commands.terminal import Cleaner, has_colour, one_line
from webapp.commands.var_folder import VarFolder, open_or_make_var_folder, settings_of_a_writer
from webapp.errors import BadRequest
from webapp.log.record import parse_record
from webapp.secret_files import profile_with_secrets
from webapp.sessions.environment import current_folder
from webapp.sessions.launch import Launcher
from webapp.sessions.new_session import MAX_MESSAGE_BYTES, Invocation
from webapp.sessions.secrets import redactor_of
from webapp.settings import PREFIX, Settings
from webapp.store.models import Session
from webapp.store.shapes import session as api_session
from webapp.store.values import MAX_NAME_LETTERS, is_name
from webapp.store.workflows import create_workflow
from webapp.visible import shortened

FROM_STDIN = "-"
NOT_FOUND, NOT_STARTED, LOST, INTERRUPTED = 127, 126, 1, 130
"""Exit codes, the first two as of a shell:
https://pubs.opengroup.org/onlinepubs/9799919799/utilities/V3_chap02.html#tag_19_08_02"""
_COMMAND = "\0command"
"""Its key among the profiles, whose secrets count as well; no settings file holds such a name."""
_MOST_LETTERS = 1000
_IDLE_SECONDS = 1.0
_LOOK_SECONDS = 0.05
_PATIENCE_SECONDS = 10.0


@dataclass(frozen=True)
class Command(Profile):
    """A command of whoever has this shell, run exactly as it was typed: nothing is filled in."""

    def argv(self, values: dict[str, str], is_resumed: bool = False) -> list[str]:
        return list(self.command)


@click.command(
    context_settings={"ignore_unknown_options": False, "allow_interspersed_args": False},
    epilog="""\b
A command runs in this folder, with this shell's whole environment (without AGENT_STREAM_*);
the values of what is called …KEY, …TOKEN, …SECRET, …PASSWORD or …CREDENTIALS there never
reach the log. What claude and codex print is read as of the profiles called so. An agent of
a profile runs as the server runs it, in this folder unless its profile has a `cwd`.

\b
While you follow it:
  Ctrl-C    the first asks it to end (SIGTERM), the second kills it, the third leaves
  Ctrl-Z    leave it running (at a terminal); closing the terminal does, too
  Enter, Ctrl-D, Ctrl-X   as in `attach`

\b
The exit code is the agent's; 128 and the signal that ended it; 127 where the command is not
found, 126 where it cannot be started, 130 if you left before.

\b
Examples:
  agent-stream run -- make test
  agent-stream run --agent claude --message "What does this project do?"
  agent-stream run --project shop --agent claude --message "Add a test for the cart"
  git diff | agent-stream run -- my-reviewer
  agent-stream run --input -- python3 -i
  agent-stream attach $(agent-stream run --detach -- ./long-job)""",
)
@click.argument("command", nargs=-1, metavar="[-- COMMAND…]")
@click.option("--agent", metavar="NAME", help="Run this profile instead of a COMMAND.")
@click.option("--name", metavar="NAME", help="What the COMMAND is called in lists. [its file name]")
@click.option(
    "--message",
    metavar="TEXT",
    help="What the agent is told (- for stdin); a COMMAND reads it on its stdin. "
    "[a COMMAND reads what is piped in]",
)
@click.option(
    "--input",
    "takes_input",
    is_flag=True,
    help="The COMMAND's stdin stays open: what you type, and `send`, reach it.",
)
@click.option("--workflow", metavar="ID", help="Run it in this workflow. [a new one]")
@click.option("--project", metavar="NAME", help="In the folder of this project. [this folder]")
@click.option("--worktree", is_flag=True, help="In a git worktree of the --project of its own.")
@click.option("--stage", type=click.IntRange(min=0), help="In this stage. [the current one]")
@click.option("-d", "--detach", is_flag=True, help="Only start it, and print its id.")
@click.option("--json", "as_json", is_flag=True, help="With --detach: the session as in the API.")
@var_options
@click.pass_context
def run(
    context: click.Context,
    command: tuple[str, ...],
    agent: str | None,
    name: str | None,
    message: str | None,
    takes_input: bool,
    workflow: str | None,
    project: str | None,
    worktree: bool,
    stage: int | None,
    detach: bool,
    as_json: bool,
) -> None:
    """Start COMMAND as a session, with or without a server, and follow it to its end.

    The session outlives this command, this shell and this login. Only who can write to the
    var folder can do this; a client of the server still picks profiles, never commands.
    """
    if bool(command) == bool(agent):
        raise click.UsageError("Give either a COMMAND (after --) or --agent NAME.")
    if agent and (takes_input or name):
        raise click.UsageError("--input and --name are for a COMMAND; a profile says it itself.")
    _check_json(as_json, detach)
    _check_place(workflow, stage, project, worktree=worktree)
    current_folder()
    text = _read_message(message)
    is_passed_on = not (agent or detach or takes_input) and message is None and _is_piped()
    profile = None if agent else _profile_of(command, name, takes_input, has_message=bool(text))

    with open_or_make_var_folder() as var_folder:
        settings = _ending_at_rest(settings_of_a_writer(), None if detach else agent)
        agent = agent if profile is None else profile.name
        is_here = project is None and (profile is not None or not workflow)
        folder = _folder(settings, agent) if is_here else None
        invoked = Invocation(workflow or "", text, stage, agent, folder=folder)
        place = None if project is None else (project, worktree)
        stdin_fd = sys.stdin.fileno() if is_passed_on else None
        session = _start(var_folder, settings, profile, invoked, stdin_fd, place)
        if detach:
            click.echo(json.dumps(api_session(session)) if as_json else session.id)
            return
        is_whole = _follow(var_folder, session)
        if not is_whole:
            _say_left(session)
            context.exit(INTERRUPTED)
        ended = _wait_for_row(var_folder, session)
        if ended.error is not None and not sys.stdout.isatty():
            click.echo(f"agent-stream: {one_line(ended.error, _MOST_LETTERS)}", err=True)
        context.exit(_exit_code(ended))


def _check_json(as_json: bool, detach: bool) -> None:
    if as_json and not detach:
        raise click.UsageError("--json is for --detach.")


def _check_place(
    workflow: str | None, stage: int | None, project: str | None, *, worktree: bool
) -> None:
    """Whether these say together where it is to run. UsageError."""
    if stage is not None and workflow is None:
        raise click.UsageError("--stage is a stage of --workflow.")
    if worktree and project is None:
        raise click.UsageError("--worktree is one of a --project.")
    if project is not None and workflow is not None:
        raise click.UsageError("--project is for a new workflow; --workflow has one, or none.")


def _folder(settings: Settings, agent: str | None) -> str | None:
    """This one, unless a profile names another, or a user who may not enter it."""
    profile = settings.agents.get(agent or "")
    is_said = profile is not None and (profile.cwd is not None or profile.run_as is not None)
    return None if is_said else current_folder()


def _ending_at_rest(settings: Settings, agent: str | None) -> Settings:
    """A script waits for the answer, not for the next message that an agent might get."""
    profile = settings.agents.get(agent or "")
    if profile is None or profile.talk is None or is_terminal():
        return settings
    at_rest = replace(profile, idle_seconds=0)
    return replace(settings, agents={**settings.agents, profile.name: at_rest})


def _read_message(message: str | None) -> str | None:
    """BadRequest for one that is too long or no text."""
    if message is None:
        return None
    data = sys.stdin.buffer.read() if message == FROM_STDIN else os.fsencode(message)
    if len(data) > MAX_MESSAGE_BYTES:
        raise BadRequest(
            f"The message has {len(data)} bytes, expected at most {MAX_MESSAGE_BYTES}."
        )
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise BadRequest(
            f"The message must be UTF-8: byte {error.start} is 0x{data[error.start]:02x}."
        ) from None


def _profile_of(
    command: tuple[str, ...], name: str | None, takes_input: bool, *, has_message: bool
) -> Command:
    for number, argument in enumerate(command, start=1):
        data = os.fsencode(argument)
        if len(data) > MAX_ARGUMENT_BYTES:
            raise BadRequest(
                f"Argument {number} of the command has {len(data)} bytes, expected at "
                f"most {MAX_ARGUMENT_BYTES}."
            )
        try:
            data.decode()
        except UnicodeDecodeError:
            raise BadRequest(
                f"Argument {number} of the command is {argument!r}, expected UTF-8."
            ) from None
    if not command[0]:
        raise BadRequest("The command is '', expected a program.")
    shown_name = name or os.path.basename(command[0]) or command[0]
    if not is_name(shown_name):
        raise BadRequest(
            f"The name is {shortened(shown_name)}, expected 1 to {MAX_NAME_LETTERS} visible "
            "characters; --name gives the command another."
        )
    return Command(
        name=shown_name,
        command=command,
        message="stdin" if has_message or takes_input else None,
        input=takes_input,
        env=tuple(name for name in os.environ if not name.startswith(PREFIX)),
    )


def _is_piped() -> bool:
    """Whether stdin is a pipe, a socket or a file: what a command reads that a shell starts."""
    try:
        mode = os.fstat(sys.stdin.fileno()).st_mode
    except (AttributeError, OSError, ValueError):  # the shell closed it: `<&-`
        return False
    return stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode) or stat.S_ISREG(mode)


def _start(
    var_folder: VarFolder,
    settings: Settings,
    profile: Command | None,
    invocation: Invocation,
    stdin_fd: int | None,
    place: tuple[str, bool] | None,
) -> Session:
    """In the workflow that was asked for, or in a new one of its own."""
    if profile is not None:
        program = os.path.basename(profile.command[0])
        known = settings.agents.get(f"{program}-once") or settings.agents.get(program)
        if known is not None:
            profile = replace(profile, dialect=known.dialect, messages=known.messages)
        settings = replace(settings, agents={**settings.agents, _COMMAND: profile})
        name = redactor_of(settings, os.environ).redact(profile.name)
        profile = replace(profile, name=name)
        settings = replace(settings, agents={**settings.agents, _COMMAND: profile})
        invocation = replace(invocation, agent=_COMMAND)
    elif (known := settings.agents.get(invocation.agent or "")) is not None:
        read = profile_with_secrets(known, os.environ)
        read = replace(read, idle_seconds=_IDLE_SECONDS)  # its turn is what was asked for
        settings = replace(settings, agents={**settings.agents, known.name: read})
    launcher = Launcher(settings, var_folder.database)
    try:
        if not invocation.workflow_id:
            made = _new_workflow(launcher, place)
            invocation = replace(invocation, workflow_id=made)
        return launcher.invoke(invocation, stdin_fd=stdin_fd)
    finally:
        launcher.runners.stop()


def _new_workflow(launcher: Launcher, place: tuple[str, bool] | None) -> str:
    """The id of a new workflow, which works in a project and perhaps in a worktree of that."""
    asked, has_worktree = place or (None, False)
    folders = launcher.folders
    project = None if asked is None else find_project(folders.projects, asked)
    if project is not None and has_worktree:
        folders.worktrees.check(project)
    return launcher.database.write(
        lambda orm: (
            create_workflow(
                orm,
                template="chat",
                request_id=None,
                initial_message=None,
                project=None if project is None else project.name,
                worktree_of=folders.worktrees.folder_of if has_worktree else None,
            ).id
        )
    )


def _say_left(session: Session) -> None:
    click.echo(f"left {session.id}, which goes on: agent-stream attach {session.id}", err=True)


# --- following it -----------------------------------------------------------------------


def _follow(var_folder: VarFolder, session: Session) -> bool:
    """Show the session to its end; False if somebody left before."""
    if is_terminal():
        return watch(var_folder, session, lines=None, interrupt_stops=True)
    stopper = Stopper(var_folder, session)

    def on_interrupt(_number: int, _frame: FrameType | None) -> None:
        if stopper.presses >= 2:
            raise KeyboardInterrupt
        threading.Thread(target=lambda: click.echo(stopper.press(), err=True)).start()

    previous = signal.signal(signal.SIGINT, on_interrupt)
    try:
        if sys.stdout.isatty():
            return watch(var_folder, session, lines=None, interrupt_stops=True)
        click.echo(session.id, err=True)
        _pass_on(var_folder, session)
        return True
    except KeyboardInterrupt:
        return False
    finally:
        signal.signal(signal.SIGINT, previous)


def _pass_on(var_folder: VarFolder, session: Session) -> None:
    """What the agent prints, as it prints it: for a pipe or a file."""
    streams = {b"stdout": sys.stdout, b"stderr": sys.stderr}
    cleaners = {name: Cleaner(colour=has_colour()) for name in streams}
    with var_folder.reading(session) as log:
        for chunk in follow(var_folder, session, log, 0):
            for line in chunk.records.split(b"\n")[:-1]:
                record = parse_record(line)
                stream = None if record is None else streams.get(record.stream)
                if record is None or stream is None:
                    continue
                content = record.content if record.partial else record.content + b"\n"
                if stream.isatty():
                    stream.write(cleaners[record.stream].clean(content.decode("utf-8", "replace")))
                else:
                    stream.buffer.write(content)
            for stream in streams.values():
                stream.flush()


def _wait_for_row(var_folder: VarFolder, session: Session) -> Session:
    """The log has its end before the row does."""
    give_up_at = time.monotonic() + _PATIENCE_SECONDS
    session = var_folder.look_up(session.id)
    while session.is_live and time.monotonic() < give_up_at:
        time.sleep(_LOOK_SECONDS)
        session = var_folder.look_up(session.id)
    return session


def _exit_code(session: Session) -> int:
    status = exit_status(session.exit_code, session.exit_signal)
    if status is not None:
        return status
    error = session.error or ""
    if error.startswith("command not found"):
        return NOT_FOUND
    return NOT_STARTED if error.startswith("cannot") else LOST
