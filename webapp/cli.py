"""The `agent-stream` command: everything that can be done without a browser."""

import importlib
import io
import logging
import os
import sys
from typing import NoReturn

import click

from webapp.commands.terminal import plain
from webapp.errors import AgentStreamError, BadRequest, SetupError

EXIT_NO, EXIT_SETUP = 1, 2
EXIT_INTERRUPTED, EXIT_BROKEN_PIPE = 130, 141
"""As the shell shows a program that SIGINT or SIGPIPE has ended."""

_NAME = "agent-stream"
_COMPLETE_VARIABLE = "_AGENT_STREAM_COMPLETE"

_COMMANDS = {
    "serve": ("serve", "serve"),
    "run": ("run", "run"),
    "attach": ("attach", "attach"),
    "replay": ("replay", "replay"),
    "migrate": ("serve", "migrate_command"),
    "ls": ("ls", "list_command"),
    "show": ("show", "show_command"),
    "tail": ("tail", "tail"),
    "diff": ("diff", "diff"),
    "send": ("send", "send"),
    "approvals": ("approvals", "approvals_command"),
    "approve": ("approve", "approve"),
    "waiting": ("waiting", "waiting"),
    "interrupt": ("interrupt", "interrupt"),
    "cancel": ("cancel", "cancel"),
    "notify": ("notify", "notify"),
    "search": ("search", "search_command"),
    "export": ("export", "export"),
    "projects": ("projects", "projects_command"),
    "worktree": ("worktree", "worktree"),
    "adopt": ("adopt", "adopt_command"),
    "import": ("take_in", "import_command"),
    "stats": ("stats", "stats"),
    "doctor": ("doctor", "doctor"),
    "prune": ("prune", "prune"),
    "backup": ("backup", "backup"),
    "rebuild": ("rebuild", "rebuild"),
    "logout-everywhere": ("logout", "logout_everywhere"),
    "deploy": ("deploy", "deploy"),
    "help": ("help", "help_command"),
}
"""Where each lies, in the order of `--help`. One that is not asked for is not imported."""


class Commands(click.Group):
    """The group, which imports a command when it is needed."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        module, name = _COMMANDS[cmd_name]
        command = getattr(importlib.import_module(f"webapp.commands.{module}"), name)
        assert isinstance(command, click.Command)
        return command


def _show_version(context: click.Context, _option: click.Parameter, is_asked: bool) -> None:
    if is_asked:
        from importlib.metadata import PackageNotFoundError, version

        try:
            found = version("agent-stream-server")
        except PackageNotFoundError:
            found = "(not installed)"
        click.echo(f"agent-stream {found}")
        context.exit()


@click.group(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 96},
    epilog="""\b
A session is named by its id, by the beginning or the end of its id, or by `last`.

\b
Exit codes:
  0    fine
  1    no: no such session, it had already ended, doctor found a problem
  2    the command line, the settings or the machine are wrong
  130  Ctrl-C
  141  nobody reads the output any more

\b
Examples:
  agent-stream serve
  agent-stream tail -f last
  agent-stream ls --status running --json

\b
Completion with Tab, of session ids too:
  eval "$(_AGENT_STREAM_COMPLETE=bash_source agent-stream)"     (or zsh_source; in ~/.bashrc)

Settings come from AGENT_STREAM_* variables, then from agent-stream.toml.""",
)
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_show_version,
    help="Show the version and exit.",
)
def cli() -> None:
    """Run agents as background sessions and watch them from anywhere.

    Only `serve` starts a server; the others read its folder, whether it runs or not.
    """


class _OneLine(logging.Formatter):
    """What other rooms log, as this command says everything: on one line."""

    def formatException(self, ei: object) -> str:  # noqa: N802
        return ""

    def format(self, record: logging.LogRecord) -> str:
        reason = f": {record.exc_info[1]}" if record.exc_info else ""
        return plain(f"agent-stream: {super().format(record).rstrip()}{reason}")


def main() -> NoReturn:
    """The entry point. Ends the process with one of the codes that `--help` names."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")
    else:
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115 - the shell closed it: `>&-`
    handler = logging.StreamHandler()
    handler.setFormatter(_OneLine())
    logging.basicConfig(level=logging.WARNING, handlers=[handler])

    _complete()
    code = _run(sys.argv[1:])
    sys.exit(code)


def _complete() -> None:
    """Answer a shell that asks how a line may go on; click's own `main` would do this.

    https://click.palletsprojects.com/en/stable/shell-completion/
    """
    instruction = os.environ.get(_COMPLETE_VARIABLE)
    if instruction:
        from click.shell_completion import shell_complete

        sys.exit(shell_complete(cli, {}, _NAME, _COMPLETE_VARIABLE, instruction))


def _run(arguments: list[str]) -> int:
    """Run one command. Not by click's `main`, which prints when the pipe breaks or Ctrl-C comes."""
    try:
        with cli.make_context(_NAME, arguments) as context:
            cli.invoke(context)
        sys.stdout.flush()
    except click.exceptions.Exit as done:
        return done.exit_code
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except AgentStreamError as error:
        click.echo(plain(f"agent-stream: {error}"), err=True)
        return EXIT_SETUP if isinstance(error, SetupError | BadRequest) else EXIT_NO
    except (KeyboardInterrupt, click.Abort):
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        _drop_output()
        return EXIT_BROKEN_PIPE
    except OSError as error:
        _drop_output()
        click.echo(f"agent-stream: {error}", err=True)
        return EXIT_NO
    return 0


def _drop_output() -> None:
    """Else Python's own flush at exit complains about what could not be written.

    https://docs.python.org/3/library/signal.html#note-on-sigpipe
    """
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    main()
