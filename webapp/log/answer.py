"""What an agent said last: its answer, for the history of its workflow. For the runner too.

That is its last run of text, back to an event of another kind, such as a tool's result. What
follows the text, such as `usage`, does not count; an error does, if it is the last word.
"""

from collections.abc import Callable, Sequence

from webapp.log.dialects.lines import read_line
from webapp.log.dialects.normalized import Dialect
from webapp.log.joining import Form, Joiner, form_of, rest_of
from webapp.log.last_lines import read_last_lines

MAX_ANSWER_BYTES = 32 * 1024
"""Of a longer text the history gets the end, after an ellipsis."""

_QUIET = frozenset({"system"})
"""What may come in the middle of a text."""


def read_answer(read: Callable[[int, int], bytes], size: int, dialect: Dialect) -> str | None:
    """The answer at the end of a log of `size` bytes, without white space round it.

    None where the agent said nothing. `read(count, offset)` gives bytes of the log. OSError if
    it cannot be read.
    """
    run: list[tuple[Form, str]] = []
    length = 0
    for line in reversed(read_last_lines(read, size)):
        for event in reversed(read_line(line, dialect)):
            form = form_of(event)
            if form is not None:
                run.append((form, str(event["content"])))
                length += len(str(event["content"]))
            elif event["type"] == "error" and not run:
                return _trim(str(event["message"]))
            elif run and event["type"] not in _QUIET:
                return _join(run)
        if length > MAX_ANSWER_BYTES:
            break
    return _join(run)


def _join(backwards: Sequence[tuple[Form, str]]) -> str | None:
    joiner = Joiner()
    texts: list[str] = []
    deltas: list[str] = []
    for form, content in reversed(backwards):
        if form == "delta":
            deltas.append(content)
            continue
        # Of a long message only the last pieces have been read; the whole of it has them all.
        if form != "whole" or rest_of(content, "".join(deltas)) is None:
            texts += [joiner.add("delta", delta) for delta in deltas]
        deltas = []
        texts.append(joiner.add(form, content))
    texts += [joiner.add("delta", delta) for delta in deltas]
    return _trim("".join(texts))


def _trim(text: str) -> str | None:
    """Within the cap, and None for nothing but white space."""
    encoded = text.strip().encode("utf-8", "replace")
    if len(encoded) > MAX_ANSWER_BYTES:
        return "…" + encoded[-MAX_ANSWER_BYTES:].decode("utf-8", "ignore")
    return encoded.decode() or None
