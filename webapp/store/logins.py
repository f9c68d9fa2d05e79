"""The logins that are live: an empty file each in `var/logins/`.

A cookie holds random letters. The file's name is made from them and from the token, so the
folder gives nobody a cookie, and a new token ends every login. A login ends when its file is
removed, at once for all workers and also after a restart.
"""

import contextlib
import hmac
import os
import re
import secrets
import stat
import time
from collections.abc import Iterator
from pathlib import Path

from webapp.errors import ServiceUnavailable

FOLDER_NAME = "logins"
LIFE_SECONDS = 7 * 24 * 3600
MAX_LOGINS = 1000
"""The oldest ends where there would be more."""

_CLOCK_SLACK_SECONDS = 60
_COOKIE = re.compile(r"[0-9a-f]{64}", re.ASCII)


class Logins:
    """The logins of one `var` folder with one token."""

    def __init__(self, var: Path, token: str) -> None:
        self._token = token.encode()
        self._folder = var / FOLDER_NAME

    def begin(self) -> str:
        """A new login's cookie. ServiceUnavailable."""
        cookie = secrets.token_hex(32)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        with _written():
            self._folder.mkdir(mode=0o700, exist_ok=True)
            self._remove_old()
            os.close(os.open(self._file(cookie), flags, 0o600))
        return cookie

    def is_live(self, cookie: str) -> bool:
        """Whether it is the cookie of a login that has not ended."""
        if not _COOKIE.fullmatch(cookie):
            return False
        try:
            found = os.lstat(self._file(cookie))
        except OSError:
            return False
        age_seconds = time.time() - found.st_mtime
        is_young = -_CLOCK_SLACK_SECONDS <= age_seconds < LIFE_SECONDS
        return stat.S_ISREG(found.st_mode) and is_young

    def end(self, cookie: str) -> None:
        """End the login of this cookie. ServiceUnavailable."""
        with _written():
            _remove(self._folder, [self._file(cookie)])

    def _file(self, cookie: str) -> Path:
        return self._folder / hmac.digest(self._token, cookie.encode(), "sha256").hex()

    def _remove_old(self) -> None:
        oldest_first = sorted(_ages(self._folder), reverse=True)
        surplus = max(0, len(oldest_first) - MAX_LOGINS + 1)
        for index, (age_seconds, file) in enumerate(oldest_first):
            if index < surplus or age_seconds >= LIFE_SECONDS:
                file.unlink(missing_ok=True)


def end_all(var: Path) -> int:
    """End every login; how many there were. ServiceUnavailable."""
    folder = var / FOLDER_NAME
    with _written():
        files = [file for _age_seconds, file in _ages(folder)] if folder.exists() else []
        if files:
            _remove(folder, files)
    return len(files)


def _ages(folder: Path) -> Iterator[tuple[float, Path]]:
    """How many seconds ago each login began, and its file."""
    now = time.time()
    for file in folder.iterdir():
        with contextlib.suppress(FileNotFoundError):  # another worker has just ended it
            yield now - file.lstat().st_mtime, file


def _remove(folder: Path, files: list[Path]) -> None:
    """Durably: a power loss must not bring a login back."""
    for file in files:
        file.unlink(missing_ok=True)
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


@contextlib.contextmanager
def _written() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ServiceUnavailable(
            f"Logins cannot be written: {error.strerror}.", retry_after=30
        ) from error
