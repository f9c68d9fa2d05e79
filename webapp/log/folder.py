"""The folder of a session, `<var>/sessions/<day>/<session>/`, and the files in it.

Agents may run as the user that owns these, and put a link or a FIFO anywhere. So each part of
the path below `var` is opened from the one before, never through a link, and a file counts only
if it is a regular one: opening a FIFO would wait for ever. The path of `var` itself is the
operator's, and may contain links.
"""

import errno
import os
import stat

_PARTS = 3
"""`sessions`, the day, the session."""
_FOLDER_FLAGS = os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE_FLAGS = os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC

StrPath = str | os.PathLike[str]


class NotRegular(OSError):
    """A link in the path, or something that is no regular file or folder.

    Also a file in which is what neither a runner nor the keeper writes.
    """


def open_folder(path: StrPath, *, parts: int = _PARTS, make: bool = False) -> int:
    """A descriptor (O_PATH) of a session's folder; `parts` 2: of a day's.

    With `make`, what is missing of it is made. Raises FileNotFoundError, NotRegular, OSError.
    """
    root, names = _split(path, parts)
    fd = os.open(root, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for name in names:
            if make:
                _make_folder(name, fd)
            above, fd = fd, _open_part(name, fd, path)
            os.close(above)
    except BaseException:
        os.close(fd)
        raise
    return fd


class opened_folder:  # noqa: N801  (contextlib would cost every runner 0.3 MB)
    """The same, closed afterwards."""

    def __init__(self, path: StrPath, *, parts: int = _PARTS, make: bool = False) -> None:
        self._fd = open_folder(path, parts=parts, make=make)

    def __enter__(self) -> int:
        return self._fd

    def __exit__(self, *_exception: object) -> None:
        os.close(self._fd)


def open_file(path: StrPath, flags: int = os.O_RDONLY, mode: int = 0o600) -> int:
    """Open a regular file in a session's folder. Raises as `open_folder` does."""
    folder, name = os.path.split(os.fspath(path))
    with opened_folder(folder) as folder_fd:
        return open_file_at(folder_fd, name, flags, mode)


def open_file_at(folder_fd: int, name: str, flags: int = os.O_RDONLY, mode: int = 0o600) -> int:
    """The same, by the descriptor of the folder."""
    try:
        fd = os.open(name, flags | _FILE_FLAGS, mode, dir_fd=folder_fd)
    except OSError as error:
        # ENXIO: a socket, or a FIFO without a reader
        if error.errno in (errno.ELOOP, errno.ENXIO, errno.EISDIR):
            raise NotRegular(error.errno, os.strerror(error.errno), name) from None
        raise
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        os.close(fd)
        raise NotRegular(errno.EINVAL, "Not a regular file", name)
    return fd


def open_socket(path: StrPath) -> int:
    """A descriptor (O_PATH) of a socket in a session's folder: connect to /proc/self/fd/<it>."""
    folder, name = os.path.split(os.fspath(path))
    with opened_folder(folder) as folder_fd:
        fd = os.open(name, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder_fd)
    if not stat.S_ISSOCK(os.fstat(fd).st_mode):
        os.close(fd)
        raise NotRegular(errno.ENOTSOCK, "Not a socket", name)
    return fd


def read_file(path: StrPath, max_bytes: int) -> bytes:
    """The first bytes of such a file. Raises as `open_folder` does."""
    fd = open_file(path)
    with open(fd, "rb") as file:
        return file.read(max_bytes)


def file_size(path: StrPath) -> int:
    """The bytes of such a file. Raises as `open_folder` does."""
    folder, name = os.path.split(os.fspath(path))
    with opened_folder(folder) as folder_fd:
        found = os.stat(name, dir_fd=folder_fd, follow_symlinks=False)
    if not stat.S_ISREG(found.st_mode):
        raise NotRegular(errno.EINVAL, "Not a regular file", os.fspath(path))
    return found.st_size


def _split(path: StrPath, parts: int) -> tuple[str, list[str]]:
    root, names = os.fspath(path), []
    for _ in range(parts):
        root, name = os.path.split(root)
        names.append(name)
    return root or ".", names[::-1]


def _open_part(name: str, above_fd: int, path: StrPath) -> int:
    try:
        return os.open(name, _FOLDER_FLAGS, dir_fd=above_fd)
    except NotADirectoryError:  # so it is for a link, too
        text = os.strerror(errno.ELOOP)
        raise NotRegular(errno.ELOOP, text, os.fspath(path)) from None


def _make_folder(name: str, above_fd: int) -> None:
    try:
        os.mkdir(name, 0o700, dir_fd=above_fd)
    except FileExistsError:
        return
