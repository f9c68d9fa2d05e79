"""Has what a repository's files are kept after each turn, never in the agent's way."""

import os
import signal

FOLDER_NAME = "changes"
"""In the session's directory: made by the worker that launched it, if there is a repository."""


class TurnSnapshots:
    """A forked child at a time, and the turn that the next one is for."""

    def __init__(self) -> None:
        """In the session's directory."""
        folder = os.path.abspath(FOLDER_NAME)
        self._folder = folder if os.path.isdir(folder) else None
        self._ended = 0
        self._due: int | None = None
        self.pid: int | None = None
        """The child that reads the files just now."""

    def note(self, ended: int) -> None:
        """The last turn that has ended: its snapshot is taken, if it has none yet."""
        if self._folder is not None and ended > self._ended:
            self._ended = self._due = ended
        self._start()

    def reap(self, options: int = os.WNOHANG) -> None:
        """Notice the child's end."""
        if self.pid is not None:
            pid, _status = os.waitpid(self.pid, options)
            if pid:
                self.pid = None

    def finish(self, ended: int) -> None:
        """The same as `note`, and wait until all is kept. A snapshot has a time limit."""
        self.note(ended)
        while self.pid is not None:
            self.reap(0)
            self._start()

    def _start(self) -> None:
        if self.pid is not None or self._due is None or self._folder is None:
            return
        turn, self._due = self._due, None
        self.pid = os.fork()
        if self.pid:
            return
        try:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            os.closerange(3, os.sysconf("SC_OPEN_MAX"))  # above all the log, and with it the lock
            from pathlib import Path

            from webapp.changes.snapshots import take

            take(Path(self._folder), turn)
        finally:
            os._exit(0)
