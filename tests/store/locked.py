"""Another program that has the database: the write lock, held in a process of its own.

Two copies of SQLite in one process would not see each other's locks, so this is a child.
"""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

HOLDER = """
import sys
import pysqlite3
connection = pysqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("PRAGMA locking_mode = " + sys.argv[2])
connection.execute("BEGIN " + sys.argv[3])
print(flush=True)
sys.stdin.read()
"""


@contextmanager
def held(database: Path, *, begin: str = "IMMEDIATE", locking: str = "NORMAL") -> Iterator[None]:
    """An open transaction of another process, as the sqlite3 shell may leave it."""
    command = [sys.executable, "-c", HOLDER, str(database), locking, begin]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdin is not None
        assert holder.stdout.readline() == b"\n"
        try:
            yield
        finally:
            holder.stdin.close()
            holder.wait()
