"""Options that several commands share. They are settings: each stands for its variable."""

import os
import re
from collections.abc import Callable
from typing import Any, TypeVar

import click

from webapp.errors import AgentStreamError
from webapp.settings import PREFIX

MOST_COMPLETIONS = 20

F = TypeVar("F", bound=Callable[..., Any])

_UNITS = {"": 1, "B": 1, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}
_SIZE = re.compile(r"(\d{1,15}(?:\.\d{1,3})?)\s*([BKMGT]?)(?:B)?", re.ASCII | re.IGNORECASE)


def setting_option(name: str, **attributes: Any) -> Callable[[F], F]:
    """An option that sets a setting's environment variable, and so wins over all else."""
    variable = PREFIX + name.removeprefix("--").replace("-", "_").upper()

    def set_variable(_context: click.Context, _option: click.Parameter, value: object) -> None:
        if value is not None:
            os.environ[variable] = str(value)

    return click.option(name, callback=set_variable, expose_value=False, **attributes)


def as_size(_context: click.Context, _option: click.Parameter, text: str | None) -> int | None:
    """For an option: `500MB`, `20G` in bytes."""
    if text is None:
        return None
    found = _SIZE.fullmatch(text.strip())
    if found is None:
        raise click.BadParameter(f"{text!r} is no size, expected one such as 500MB or 20G.")
    return int(float(found[1]) * _UNITS[found[2].upper()])


def var_options(command: F) -> F:
    """`--var` and `--config`: where a command finds its data and its settings."""
    config = setting_option("--config", metavar="FILE", help="Settings [./agent-stream.toml].")
    var = setting_option("--var", metavar="FOLDER", help="Database and sessions [./var].")
    return var(config(command))


def _ids_like(_context: click.Context, _argument: click.Parameter, start: str) -> list[str]:
    """For the shell's completion: the newest sessions whose ids begin like that."""
    from webapp.commands.var_folder import open_var_folder
    from webapp.store import sessions

    try:
        with open_var_folder() as var_folder, var_folder.database.read() as orm:
            found = sessions.ids_like(orm, start, MOST_COMPLETIONS)
    except AgentStreamError:
        return []
    return [session_id for session_id in found if session_id.startswith(start)]


session_argument = click.argument("session", metavar="SESSION", shell_complete=_ids_like)
