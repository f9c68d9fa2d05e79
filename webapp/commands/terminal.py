"""What a terminal may be sent. An agent's output must not drive the terminal of its reader.

Escape sequences: ECMA-48 section 5 and 8.3,
https://ecma-international.org/publications-and-standards/standards/ecma-48/
"""

import os
import re
import sys

from webapp.visible import visible

STYLES = {"dim": "2", "red": "31", "green": "32", "yellow": "33", "cyan": "36", "bold": "1"}
RESET = "\x1b[0m"

_CSI = r"(?:\x1b\[|\x9b)[0-?]*[ -/]*"
_STRING = r"(?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x90\x98\x9c-\x9f]*"
ESCAPE = re.compile(
    rf"{_CSI}[@-~]|{_STRING}(?:\x07|\x1b\\|\x9c)|\x1b[ -/]+[0-~]|\x1b[0-OQ-WYZ\\`-~]"
)
COLOUR = re.compile(r"\x1b\[[0-9;:]*m")
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_UNFINISHED = re.compile(rf"(?:{_CSI}|{_STRING}\x1b?|\x1b[ -/]*|\r)\Z")
_MOST_UNFINISHED = 4096


def has_colour() -> bool:
    """Whether colours may be printed: https://no-color.org/"""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR")


def paint(text: str, style: str, *, colour: bool) -> str:
    """A text in one of the STYLES."""
    return f"\x1b[{STYLES[style]}m{text}{RESET}" if colour and text else text


def plain(text: str) -> str:
    """A whole text of a stranger's, without escape sequences and controls; LF and tab stay.

    Bidirectional controls and what has no width are shown, as `\\u202e` is.
    """
    cleaner = Cleaner(colour=False)
    return cleaner.clean(text) + cleaner.finish()


def one_line(text: str, most: int) -> str:
    """The same on one line, of at most so many letters."""
    line = " ".join(plain(text[: most * 8]).split())
    return f"{line[: most - 1]}…" if len(line) > most else line


class Cleaner:
    """Takes a stream of text in pieces, which may break anywhere, also inside a sequence."""

    def __init__(self, *, colour: bool) -> None:
        self._colour = colour
        self._unfinished = ""

    def clean(self, piece: str) -> str:
        """What may be printed of the next piece: text, and colours if they are allowed."""
        text, self._unfinished = cut_unfinished(self._unfinished + piece)
        clean, end = [], 0
        for escape in ESCAPE.finditer(text):
            clean.append(without_controls(text[end : escape.start()]))
            if self._colour and COLOUR.fullmatch(escape[0]):
                clean.append(escape[0])
            end = escape.end()
        clean.append(without_controls(text[end:]))
        return "".join(clean)

    def finish(self) -> str:
        """The run of text is over: what is left of it, since no sequence will come of it."""
        left, self._unfinished = self._unfinished, ""
        return without_controls(left.removesuffix("\r"))


def cut_unfinished(text: str) -> tuple[str, str]:
    """A text, and the beginning of a sequence at its end."""
    found = _UNFINISHED.search(text)
    if found is None or len(found[0]) > _MOST_UNFINISHED:
        return text, ""
    return text[: found.start()], found[0]


def without_controls(text: str) -> str:
    """A lone CR becomes LF: a progress bar must not overwrite what stands there.

    What would hide or turn round a part of the text is shown instead.
    """
    shown = _CONTROLS.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
    return visible(shown, keep="\n\t")
