"""`rebuild`: the rows made again from the logs."""

import os
from datetime import UTC, datetime
from pathlib import Path

import click
from sqlalchemy import exc

from webapp.commands.options import var_options
from webapp.commands.terminal import plain
from webapp.errors import AgentStreamError, SetupError
from webapp.keeper import lock as keeper_lock
from webapp.sessions.rebuild import Rebuilt
from webapp.sessions.rebuild import rebuild as rebuild_rows
from webapp.sessions.reconcile import reconcile_all
from webapp.settings import settings_of_a_reader
from webapp.store import in_use
from webapp.store.engine import FILE_NAME, Database, open_migrated, quick_check
from webapp.store.migrate import migrate

KEEPER_SECONDS = 10.0
"""How long one that is ending is waited for: it may be in the middle of a step."""


@click.command(
    epilog="""\b
What no log tells is lost unless a backup has it: messages, idempotency keys, workflows
without a session, and which gates were open. Restore a backup first if you have one:
`rebuild` then adds the sessions that are newer.

\b
Examples:
  agent-stream rebuild
  agent-stream rebuild --var /srv/agent-stream"""
)
@var_options
@click.pass_context
def rebuild(context: click.Context) -> None:
    """Make the rows of sessions and workflows again from the logs.

    A database that is damaged is put aside, never removed. Rows that are there stay as they
    are. The server must not run; agents may.
    """
    var = settings_of_a_reader().var.resolve()
    if not var.is_dir():
        raise SetupError(f"There is no folder {var}.")
    # A keeper ends a little after its server: it would go on in the file that is put aside, and
    # what it compresses or deletes while logs are read would stand in no row.
    with in_use.alone(var), keeper_lock.alone(var, KEEPER_SECONDS):
        aside = _put_aside_if_damaged(var)
        if aside is not None:
            click.echo(f"the damaged database is now {aside}")
        migrate(var, is_rebuilding=True)
        database = open_migrated(var)
        try:
            rebuilt = rebuild_rows(database, var)
            reconcile_all(database, var)
        finally:
            database.close()
    _report(rebuilt)
    if rebuilt.unusable:
        context.exit(1)


def _put_aside_if_damaged(var: Path) -> Path | None:
    """Rename what cannot be used, with its WAL; its new name."""
    path = var / FILE_NAME
    if not path.exists() or _is_whole(path):
        return None
    aside = path.with_name(f"{FILE_NAME}.damaged-{datetime.now(UTC):%Y-%m-%dT%H-%M-%S.%fZ}")
    os.rename(path, aside)
    for suffix in ("-wal", "-shm"):
        beside = path.with_name(path.name + suffix)
        if beside.exists():
            os.rename(beside, aside.with_name(aside.name + suffix))
    return aside


def _is_whole(path: Path) -> bool:
    database = Database(path)
    try:
        database.revision()
        with database.read() as orm:
            return quick_check(orm) == "ok"
    except (SetupError, exc.DatabaseError):
        return False
    except AgentStreamError as error:
        raise SetupError(f"{path} cannot be read now: {error}") from error
    finally:
        database.close()


def _report(rebuilt: Rebuilt) -> None:
    click.echo(
        f"{rebuilt.logs} session(s) on disk: {rebuilt.sessions} row(s) and "
        f"{rebuilt.workflows} workflow(s) made again"
    )
    for directory, reason in rebuilt.unusable:
        click.echo(plain(f"left out: {directory}: {reason}"), err=True)
