"""A new session's log on its way from the worker to the runner: open, and locked."""

import contextlib
import errno
import os

from webapp.errors import ServiceUnavailable
from webapp.log import folder, lock
from webapp.sessions.layout import SessionFiles

LEAST_FREE_BYTES = 1 << 20
"""With less room an agent is not even started: what it printed would be lost."""


class Handover:
    """Makes the session's directory and its log; `with` lets go of both descriptors."""

    def __init__(self, files: SessionFiles) -> None:
        self.files = files
        self.is_needed = False
        """Set once the row stands: from then on the files stay, whatever happens."""
        self.log_fd = -1

    def __enter__(self) -> "Handover":
        """ServiceUnavailable where the files cannot be made."""
        try:
            os.close(folder.open_folder(self.files.directory, make=True))
            flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_EXCL
            self.log_fd = folder.open_file(self.files.log, flags)
            _check_room(self.log_fd)
            if not lock.acquire(self.log_fd):
                raise OSError(f"somebody else holds the lock on {self.files.log}")
        except OSError as error:
            self.close()
            raise ServiceUnavailable(
                f"Cannot write the session's files: {error.strerror or error}.", retry_after=30
            ) from error
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the log; without a row, leave nothing behind."""
        if self.log_fd >= 0:
            os.close(self.log_fd)
            self.log_fd = -1
        if not self.is_needed:
            with contextlib.suppress(OSError):
                self.files.log.unlink(missing_ok=True)
                self.files.directory.rmdir()


def _check_room(log_fd: int) -> None:
    disk = os.fstatvfs(log_fd)
    if disk.f_bavail * disk.f_frsize < LEAST_FREE_BYTES:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
