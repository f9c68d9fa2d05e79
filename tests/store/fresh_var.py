"""A migrated `var` folder in a millisecond: migrated once, then copied."""

import tempfile
from functools import cache
from pathlib import Path

from webapp.store.engine import FILE_NAME
from webapp.store.migrate import migrate


@cache
def _migrated_database() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        migrate(Path(folder))
        return (Path(folder) / FILE_NAME).read_bytes()


def make_var(folder: Path) -> Path:
    """`folder/var`, as `agent-stream migrate` makes it."""
    var = folder / "var"
    var.mkdir(mode=0o700)
    (var / "sessions").mkdir(mode=0o700)
    (var / FILE_NAME).write_bytes(_migrated_database())
    return var
