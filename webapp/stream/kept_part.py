"""A file of kept frames in the making: it gets its name when all of it is on the disk."""

import itertools
import os

from webapp.log.write_all import write_all
from webapp.stream import kept_file
from webapp.stream.kept_aim import Aim
from webapp.stream.kept_folder import NEVER_USED_NS, PART_SUFFIX, KeptFolder, remove

_numbers = itertools.count()


class KeptPart:
    """To be closed by whoever has made it; without its `finish` nothing is left of it."""

    def __init__(self, folder: KeptFolder, aim: Aim) -> None:
        """In a folder that is there. OSError."""
        self.size = 0
        """Bytes of frames so far."""
        self._folder = folder
        self._aim = aim
        self._path = folder.path / aim.name
        self._part = f"{self._path}.{os.getpid()}-{next(_numbers)}{PART_SUFFIX}"
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        self._fd = os.open(self._part, flags, 0o600)

    def add(self, frames: bytes) -> bool:
        """Write what comes next; False if there is no room for it. OSError."""
        fits = self.size + len(frames) <= self._folder.max_bytes
        if not fits or not self._folder.disk_has(len(frames)):
            return False
        write_all(self._fd, frames)
        self.size += len(frames)
        return True

    def finish(self, *, is_used: bool) -> None:
        """All is there. What no viewer has asked for is the first to go. OSError."""
        write_all(self._fd, kept_file.trailer(self.size, self._aim.fingerprint))
        os.fsync(self._fd)  # else the name could outlive a loss of power, and the content not
        os.rename(self._part, self._path)
        if not is_used:
            os.utime(self._fd, ns=(NEVER_USED_NS, NEVER_USED_NS))
        if not self._aim.log.parent.exists():
            remove(self._path)  # the session was deleted meanwhile, and who did has looked here
        self._folder.make_room(0)

    def close(self) -> None:
        """Let go of the file, and remove it unless it is finished."""
        os.close(self._fd)
        remove(self._part)
