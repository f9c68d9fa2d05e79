"""Options that several commands share. They are settings: each stands for its variable."""

import os
from collections.abc import Callable
from typing import Any, TypeVar

import click

from webapp.errors import AgentStreamError
from webapp.settings import PREFIX

MOST_COMPLETIONS = 20

F = TypeVar("F", bound=Callable[..., Any])


def setting_option(name: str, **attributes: Any) -> Callable[[F], F]:
    """An option that sets a setting's environment variable, and so wins over all else."""
    variable = PREFIX + name.removeprefix("--").replace("-", "_").upper()

    def set_variable(_context: click.Context, _option: click.Parameter, value: object) -> None:
        if value is not None:
            os.environ[variable] = str(value)

    return click.option(name, callback=set_variable, expose_value=False, **attributes)


def place_options(command: F) -> F:
    """`--var` and `--config`: where a command finds its data and its settings."""
    config = setting_option("--config", metavar="FILE", help="Settings [./agent-stream.toml].")
    var = setting_option("--var", metavar="FOLDER", help="Database and sessions [./var].")
    return var(config(command))


def _ids_like(_context: click.Context, _argument: click.Parameter, start: str) -> list[str]:
    """For the shell's completion: the newest sessions whose ids begin like that."""
    from webapp.commands.place import open_place
    from webapp.store import sessions

    try:
        with open_place() as place, place.database.read() as orm:
            found = sessions.ids_like(orm, start, MOST_COMPLETIONS)
    except AgentStreamError:
        return []
    return [session_id for session_id in found if session_id.startswith(start)]


session_argument = click.argument("session", metavar="SESSION", shell_complete=_ids_like)
