"""The folder of kept frames: how much may lie in it, and what goes when there is more.

Everything in it may be removed at any time, by anybody: what is missing is made again. The
workers share it without a lock: a file gets its name when it is whole, and one that is in use
stays open for its reader when it is removed.
"""

import os
import time
from pathlib import Path
from typing import NamedTuple

PART_SUFFIX = ".part"
_ABANDONED_SECONDS = 3600.0
"""A part that has not grown for so long is what a killed worker left."""
_FREE_BYTES = 256 << 20
_FREE_SHARE = 0.05
"""So much of the disk stays free, whatever else fills it: agents' logs need it more."""


class _Entry(NamedTuple):
    """A file in the folder; what was used last has the latest time."""

    used_at: float
    size: int
    path: str


class KeptFolder:
    """Where kept frames lie; several processes may use it at once."""

    def __init__(self, path: Path, max_bytes: int) -> None:
        self.path = path
        self.max_bytes = max_bytes

    def make_room(self, needed: int) -> bool:
        """Make the folder, and remove what was used least recently, until `needed` bytes fit.

        False if they cannot, or if the disk has no room for them. OSError.
        """
        self.path.parent.mkdir(mode=0o700, exist_ok=True)
        self.path.mkdir(mode=0o700, exist_ok=True)
        entries = sorted(self._entries())
        total = sum(entry.size for entry in entries) + needed
        for entry in entries:
            is_abandoned = entry.path.endswith(PART_SUFFIX) and _is_abandoned(entry)
            if is_abandoned or (total > self.max_bytes and not entry.path.endswith(PART_SUFFIX)):
                remove(entry.path)
                total -= entry.size
        return total <= self.max_bytes and self.disk_has(needed)

    def disk_has(self, needed: int) -> bool:
        """Whether the disk has so much room and more. OSError."""
        disk = os.statvfs(self.path)
        least = max(_FREE_BYTES, int(_FREE_SHARE * disk.f_blocks * disk.f_frsize))
        return disk.f_bavail * disk.f_frsize - needed >= least

    def forget(self, session_id: str) -> None:
        """Remove what was kept of a session."""
        for entry in self._entries():
            if os.path.basename(entry.path).startswith(f"{session_id}."):
                remove(entry.path)

    def _entries(self) -> list[_Entry]:
        found = []
        try:
            with os.scandir(self.path) as folder:
                for entry in folder:
                    try:
                        facts = entry.stat(follow_symlinks=False)
                    except FileNotFoundError:
                        continue
                    found.append(_Entry(facts.st_mtime, facts.st_size, entry.path))
        except (FileNotFoundError, NotADirectoryError):
            pass
        return found


def remove(path: str | os.PathLike[str]) -> None:
    """Remove a file, unless somebody else has."""
    try:
        os.unlink(path)
    except FileNotFoundError:
        pass


def _is_abandoned(entry: _Entry) -> bool:
    return entry.used_at < time.time() - _ABANDONED_SECONDS
