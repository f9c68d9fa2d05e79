"""The colours of a text's lines, as runs: `[length, class, length, class, …]`.

A length is in UTF-16 units, as JavaScript counts. The classes are those of `css/diff.css`.
"""

import time
from collections.abc import Iterable, Iterator

from pygments.lexer import Lexer
from pygments.lexers import find_lexer_class_by_name, find_lexer_class_for_filename
from pygments.token import Comment, Keyword, Name, Number, Operator, String, Token
from pygments.util import ClassNotFound

MAX_CHARACTERS = 200_000
MAX_LINE_CHARACTERS = 2_000
"""Some lexers take the square of a line's length."""
SECONDS = 0.15
"""What a text may take; what comes after has no colours."""

Runs = list[int | str]

_CLASSES = {
    Comment: "c",
    Keyword: "k",
    Keyword.Type: "t",
    Name.Attribute: "t",
    Name.Builtin: "f",
    Name.Class: "f",
    Name.Decorator: "f",
    Name.Function: "f",
    Name.Tag: "k",
    Number: "n",
    Operator.Word: "k",
    String: "s",
    Token: "",
}
"""A token has the class of the nearest type above it."""


def lexer_for(path: str = "", language: str = "") -> Lexer | None:
    """By a file's name or by a language's; None where Pygments knows neither."""
    try:
        if language:
            return find_lexer_class_by_name(language)(stripnl=False)
    except ClassNotFound:
        pass
    found = find_lexer_class_for_filename(path.rpartition("/")[2]) if path else None
    return None if found is None else found(stripnl=False)


def colour_lines(lines: list[str], lexer: Lexer | None, seconds: float = SECONDS) -> list[Runs]:
    """The runs of each line, without a newline in it; none for what takes too long."""
    plain: list[Runs] = [[] for _line in lines]
    is_long = sum(map(len, lines)) > MAX_CHARACTERS
    if lexer is None or is_long or any(len(line) > MAX_LINE_CHARACTERS for line in lines):
        return plain
    tokens = lexer.get_tokens_unprocessed("\n".join(lines) + "\n")
    for number, runs in enumerate(_split(_in_time(tokens, seconds))):
        if number < len(plain):
            plain[number] = runs
    return plain


def _in_time(
    tokens: Iterable[tuple[int, object, str]], seconds: float
) -> Iterator[tuple[str, str]]:
    give_up_at = time.monotonic() + seconds
    for _index, kind, text in tokens:
        yield _class_of(kind), text
        if time.monotonic() > give_up_at:
            return


def _class_of(kind: object) -> str:
    while kind not in _CLASSES:
        kind = kind.parent  # type: ignore[attr-defined]
    return _CLASSES[kind]


def _split(pieces: Iterable[tuple[str, str]]) -> Iterator[Runs]:
    """The runs of one line after the other."""
    runs: Runs = []
    for colour, text in pieces:
        for number, part in enumerate(text.split("\n")):
            if number:
                yield _trimmed(runs)
                runs = []
            if part:
                _add(runs, part, colour)
    yield _trimmed(runs)


def _add(runs: Runs, text: str, colour: str) -> None:
    length = len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2
    if runs and runs[-1] == colour:
        runs[-2] = int(runs[-2]) + length
    else:
        runs += (length, colour)


def _trimmed(runs: Runs) -> Runs:
    """Without what has no colour at the end."""
    return runs[:-2] if runs and runs[-1] == "" else runs
