"""Keys as they are pressed, where the terminal is both what is read and what is written."""

import select
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from prompt_toolkit.input import create_input
from prompt_toolkit.input.base import Input

_ESCAPE_SECONDS = 0.05
"""After so long an Escape is a key of its own, and not the beginning of another."""


def is_terminal() -> bool:
    """Whether a person sits at both ends."""
    return sys.stdin.isatty() and sys.stdout.isatty()


class Keys:
    """Reads single keys, by the names that prompt_toolkit gives them: `right`, `c-c`, `q`."""

    def __init__(self, terminal: Input) -> None:
        self._terminal = terminal

    def read(self, timeout_seconds: float | None) -> list[str]:
        """What is pressed within a time; None waits for as long as it takes."""
        if not select.select([self._terminal.fileno()], [], [], timeout_seconds)[0]:
            return []
        found = self._terminal.read_keys()
        if not found and not select.select([self._terminal.fileno()], [], [], _ESCAPE_SECONDS)[0]:
            found = self._terminal.flush_keys()
        if self._terminal.closed:
            return ["c-c"]
        return [str(getattr(press.key, "value", press.key)) for press in found]


@contextmanager
def reading_keys() -> Iterator[Keys]:
    """Take keys as they come: unechoed, Ctrl-C among them."""
    terminal = create_input()
    with terminal.raw_mode():
        yield Keys(terminal)
