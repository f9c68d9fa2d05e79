"""The worker's side of the keeper: start one if none runs, and end it with the worker."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path

from webapp.clock import Ticker
from webapp.keeper.lock import KeeperLock
from webapp.settings import PREFIX

CHECK_SECONDS = 5.0
"""How often a worker checks that a keeper runs. The first check also waits that long: a server
that lives shorter needs none."""

_VARIABLES = ("CREDENTIALS_DIRECTORY", "HOME", "LANG", "LC_ALL", "LC_CTYPE", "TMPDIR", "TZ")
"""What the keeper inherits of the environment, beside our settings: no agent's keys."""


class KeeperStarter:
    """Keeps a keeper running for a `var` folder; every worker has one of these."""

    def __init__(
        self, var: Path, variables: tuple[str, ...] = (), every_seconds: float = CHECK_SECONDS
    ) -> None:
        """`variables`: the names of those that the keeper needs beside its own."""
        self._var = var
        self._variables = variables
        self._pid: int | None = None
        self._pipe_fd = -1
        self._ticker = Ticker("start of the keeper", every_seconds, self.ensure_running)

    def start(self) -> None:
        """Check at intervals from now on, in a thread."""
        self._ticker.start()

    def stop(self) -> None:
        """End the keeper that was started here."""
        self._ticker.stop()
        if self._pipe_fd >= 0:
            os.close(self._pipe_fd)
            self._pipe_fd = -1

    def ensure_running(self) -> None:
        """Start a keeper unless one has the folder. OSError."""
        if self._pid is not None:
            if os.waitpid(self._pid, os.WNOHANG)[0] == 0:
                return
            self._pid = None
            os.close(self._pipe_fd)
            self._pipe_fd = -1
        lock = KeeperLock(self._var)
        if not lock.acquire():
            return
        lock.release()  # Two workers may both find it free: the second keeper ends at once.
        self._spawn()

    def _spawn(self) -> None:
        read_fd, self._pipe_fd = os.pipe()
        try:
            self._pid = os.posix_spawn(
                sys.executable,
                [sys.executable, "-P", "-m", "webapp.keeper"],
                _environment(os.environ, self._variables),
                file_actions=[(os.POSIX_SPAWN_DUP2, read_fd, 0)],
                setsid=True,
                setsigmask=(),
                setsigdef=(2, 15),
            )
        except BaseException:
            os.close(self._pipe_fd)
            self._pipe_fd = -1
            raise
        finally:
            os.close(read_fd)


def _environment(environ: Mapping[str, str], variables: tuple[str, ...]) -> dict[str, str]:
    """The keeper listens nowhere, and so needs no token."""
    source = Path(__file__).resolve().parent.parent.parent
    given = environ.get("PYTHONPATH")
    kept = {
        name: value
        for name, value in environ.items()
        if name in (*_VARIABLES, *variables) or name.startswith(PREFIX)
    }
    kept.pop(f"{PREFIX}TOKEN", None)
    kept.pop(f"{PREFIX}TOKEN_FILE", None)
    return kept | {
        f"{PREFIX}HOST": "127.0.0.1",
        "PYTHONPATH": os.pathsep.join([str(source), *([given] if given else [])]),
    }
