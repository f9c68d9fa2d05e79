"""A command at a terminal of its own: keys go in, and what is shown comes out."""

import fcntl
import os
import pty
import struct
import termios
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyte

from tests import fork_server
from tests.cli.command import environment_for, folder_of
from tests.server import PATIENCE_SECONDS, Server, wait_for

ROWS = 30


class Screen:
    """A terminal with a long memory, and the command that runs in it."""

    def __init__(self, process: fork_server.Process, fd: int, columns: int) -> None:
        self.process = process
        self.raw = b""
        self._fd = fd
        self._lock = threading.Lock()
        self._screen = pyte.HistoryScreen(columns, ROWS, history=100_000, ratio=0.5)
        self._stream = pyte.ByteStream(self._screen)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        while True:
            try:
                data = os.read(self._fd, 65536)
            except OSError:
                return
            if not data:
                return
            with self._lock:
                self.raw += data
                self._stream.feed(data)

    @property
    def text(self) -> str:
        """All that a person can see, and see by scrolling back."""
        with self._lock:
            past = [
                "".join(line[column].data for column in range(self._screen.columns))
                for line in self._screen.history.top
            ]
            lines = [line.rstrip() for line in [*past, *self._screen.display]]
        return "\n".join(lines).rstrip() + "\n"

    def press(self, keys: str) -> None:
        """Type."""
        os.write(self._fd, keys.encode())

    def wait_for(self, text: str, times: int = 1) -> None:
        """Until it has been shown so often."""
        wait_for(lambda: self.text.count(text) >= times or self._fail(text))

    def _fail(self, text: str) -> bool:
        assert self.process.poll() is None or text in self.text, (
            f"it ended without {text!r}:\n{self.text}"
        )
        return False

    def end(self) -> int:
        """Wait for the command's end; its exit code."""
        code = self.process.wait(PATIENCE_SECONDS)
        self._reader.join(PATIENCE_SECONDS)
        return code


@contextmanager
def at_a_terminal(
    place: Server | Path, *arguments: str, columns: int = 120, **environment: str
) -> Iterator[Screen]:
    """A command with a terminal of 30 lines at both its ends; killed at the end if need be."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, columns, 0, 0))
    process = fork_server.start(
        arguments,
        folder_of(place),
        environment_for(place) | {"TERM": "xterm-256color"} | environment,
        (theirs, theirs, theirs),
        has_terminal=True,
    )
    os.close(theirs)
    screen = Screen(process, ours, columns)
    try:
        yield screen
    finally:
        process.kill()
        process.wait()
        os.close(ours)
