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
NEVER_USED_NS = 0
"""The time of frames that no viewer has asked for yet: they are the first to go."""
_ABANDONED_NS = 3600 * 10**9
"""A part that has not grown for so long is what a killed worker left."""
_FREE_BYTES = 256 << 20
_FREE_SHARE = 0.05
"""So much of the disk stays free, whatever else fills it: agents' logs need it more."""


class _Entry(NamedTuple):
    """A file in the folder; what was used last has the latest time."""

    used_ns: int
    named_ns: int
    """Among those that were never used the oldest goes first."""
    size: int
    path: str

    @property
    def is_part(self) -> bool:
        """Whether somebody is just writing it, or was."""
        return self.path.endswith(PART_SUFFIX)

    def is_abandoned(self) -> bool:
        """Whether it is what somebody who was killed left."""
        return self.is_part and self.used_ns < time.time_ns() - _ABANDONED_NS


class KeptFolder:
    """Where kept frames lie; several processes may use it at once."""

    def __init__(self, path: Path, max_bytes: int) -> None:
        self.path = path
        self.max_bytes = max_bytes

    def make_room(self, needed: int, *, spare_used: bool = False) -> bool:
        """Make the folder, and remove what was used least recently, until `needed` bytes fit.

        `spare_used`: only what was never used, and nothing if that is not enough. False if they
        cannot fit, or if the disk has no room for them. OSError.
        """
        self.path.parent.mkdir(mode=0o700, exist_ok=True)
        self.path.mkdir(mode=0o700, exist_ok=True)
        entries = self._remove_abandoned()
        excess = sum(entry.size for entry in entries) + needed - self.max_bytes
        if spare_used:
            entries = [entry for entry in entries if entry.used_ns == NEVER_USED_NS]
            if excess > sum(entry.size for entry in entries) or not self.disk_has(needed):
                return False
        for entry in entries:
            if excess > 0 and not entry.is_part:
                remove(entry.path)
                excess -= entry.size
        return excess <= 0 and self.disk_has(needed)

    def _remove_abandoned(self) -> list[_Entry]:
        """All others, the least recently used first."""
        left = []
        for entry in sorted(self._entries()):
            if entry.is_abandoned():
                remove(entry.path)
            else:
                left.append(entry)
        return left

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
                    found.append(
                        _Entry(facts.st_mtime_ns, facts.st_ctime_ns, facts.st_size, entry.path)
                    )
        except (FileNotFoundError, NotADirectoryError):
            pass
        return found


def remove(path: str | os.PathLike[str]) -> None:
    """Remove a file, unless somebody else has."""
    try:
        os.unlink(path)
    except FileNotFoundError:
        pass


def folder_in(var: Path) -> Path:
    """Where frames are kept."""
    return var / "cache" / "frames"


def forget(var: Path, session_id: str) -> None:
    """Remove what is kept of a session, once its folder is gone."""
    KeptFolder(folder_in(var), 0).forget(session_id)
