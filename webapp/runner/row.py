"""The runner's two writes to its row: the start and the end.

The start is written by a forked child, so that the runner never waits for the database
while the agent prints. The end is written by the runner itself, when the log is complete;
it tries until it can.

The driver is the one that the web uses (the `pysqlite3` wheel): SQLite before 3.51.3 can
corrupt a file that several processes write (https://sqlite.org/wal.html#walresetbug).
"""

import _signal as signal
import os
from time import gmtime, sleep, strftime

from pysqlite3 import dbapi2 as sqlite

from webapp.runner.spec import Spec

_RETRY_SECONDS = 0.1
_START_SQL = """
UPDATE sessions SET status = 'running', pid = :pid, runner_pid = :runner_pid,
    started_at = :started_at
WHERE id = :id AND status = 'starting'
"""
_END_SQL = """
UPDATE sessions SET status = :status, exit_code = :exit_code, exit_signal = :exit_signal,
    error = :error, log_bytes = :log_bytes, ended_at = :ended_at,
    pid = :pid, runner_pid = :runner_pid, started_at = :started_at
WHERE id = :id AND status IN ('starting', 'running')
"""


def format_row_time(time_ns: int) -> str:
    """Unix time in nanoseconds as a row holds it: `2026-11-23T21:04:00.123Z`."""
    second, nanosecond = divmod(time_ns, 1_000_000_000)
    return f"{strftime('%Y-%m-%dT%H:%M:%S', gmtime(second))}.{nanosecond // 1_000_000:03d}Z"


def fork_start_writer(spec: Spec, values: dict[str, object]) -> int:
    """Write the start in a child process; its pid, for the caller to reap."""
    pid = os.fork()
    if pid:
        return pid
    try:
        signal.set_wakeup_fd(-1)  # a signal would write into whatever gets that number next
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        os.closerange(3, os.sysconf("SC_OPEN_MAX"))  # above all the log, and with it the lock
        _write(spec, _START_SQL, values)
    finally:
        os._exit(0)


def write_end(spec: Spec, values: dict[str, object]) -> None:
    """Write the end; returns when the row has it, or can never have it."""
    _write(spec, _END_SQL, values)


def _write(spec: Spec, statement: str, values: dict[str, object]) -> None:
    while os.path.exists(spec.database):
        try:
            connection = sqlite.connect(spec.database, timeout=0.2, isolation_level=None)
            try:
                connection.execute("PRAGMA synchronous = FULL")
                connection.execute(statement, {"id": spec.sessionId, **values})
            finally:
                connection.close()
            return
        except sqlite.OperationalError as error:
            if "no such table" in str(error):
                return  # another database stands in its place: it will never have the row
            # Locked, or its disk is full: somebody else's trouble, and it will pass.
            sleep(_RETRY_SECONDS)
