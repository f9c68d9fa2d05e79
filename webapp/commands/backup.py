"""`backup`: a copy of the database, whether the server runs or not."""

from datetime import UTC, datetime
from pathlib import Path

import click

from webapp.commands.figures import byte_count
from webapp.commands.options import var_options
from webapp.errors import SetupError
from webapp.settings import settings_of_a_reader
from webapp.store import backup as store
from webapp.store.engine import FILE_NAME


@click.command(
    epilog="""\b
The logs are plain files that only grow: `rsync -a var/sessions/ elsewhere/` copies them.

\b
Examples:
  agent-stream backup
  agent-stream backup /mnt/elsewhere/agent-stream.db"""
)
@click.argument("file", required=False, type=click.Path(path_type=Path, dir_okay=False))
@var_options
def backup(file: Path | None) -> None:
    """Copy the database to FILE [var/backups/<time>.db], and check the copy.

    Agents, viewers and the server go on meanwhile. To restore it, stop the server, put the
    copy in the place of agent-stream.db, and remove agent-stream.db-wal and -shm.
    """
    var = settings_of_a_reader().var.resolve()
    database = var / FILE_NAME
    if not database.exists():
        raise SetupError(f"There is no database at {database}.")
    if file is None:
        folder = var / "backups"
        folder.mkdir(mode=0o700, exist_ok=True)
        file = folder / f"{datetime.now(UTC):%Y-%m-%dT%H-%M-%S.%fZ}.db"
    store.backup(database, file)
    click.echo(f"{file} ({byte_count(file.stat().st_size)}), whole")
