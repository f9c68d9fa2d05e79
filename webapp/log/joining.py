"""How the texts that an agent prints become one text: the rule for all that shows or keeps them.

A whole message is a paragraph of its own. Pieces of a message are put together as they are,
and the whole of it, when it comes, adds only what they lack. Lines of output are lines of one
text. An empty line is between paragraphs, and between a paragraph and lines.

The page follows the same rule (`static/js/transcript/text_run.js`); one table tests all:
tests/log/joining.json. For the runner too: nothing but the standard library.
"""

from typing import Literal

from webapp.log.dialects.normalized import Normalized

Form = Literal["line", "partial", "piece", "delta", "whole"]
"""A line of output, or the beginning of one; a piece of a message, one whose whole is still to
come, or a whole message."""

_MESSAGES: tuple[Form, ...] = ("piece", "delta", "whole")
_FOLLOWERS: dict[Form | None, tuple[Form, ...]] = {
    "line": ("line", "partial"),
    "partial": ("line", "partial"),
    "piece": ("piece",),
    "delta": ("piece", "delta"),
}
"""What goes on with a text that ended so."""


def form_of(event: Normalized) -> Form | None:
    """What an event adds to a text; None where it is no text of the agent's."""
    is_partial = "partial" in event
    if event["type"] == "message" and "role" not in event:
        return "piece" if is_partial else "whole"
    if event["type"] == "output":
        return "partial" if is_partial else "line"
    return "delta" if event["type"] == "message_delta" else None


class Joiner:
    """Puts texts together, each as it comes."""

    def __init__(self) -> None:
        self._form: Form | None = None
        """Of the last text; None where none is open."""
        self._newlines = 0
        """How many the text ends with, as far as two."""
        self._draft: str | None = None
        """The pieces of a message whose whole is still to come."""

    @property
    def is_open(self) -> bool:
        """Whether the text ends in the middle of a message or of a line."""
        return self._form in ("partial", "piece", "delta")

    def goes_on(self, form: Form) -> bool:
        """Whether a text of this form would go on with an open one, or complete it."""
        if form in _MESSAGES:
            return self._form in ("piece", "delta")
        return self._form == "partial"

    def end_run(self) -> None:
        """Something else was shown: the next text begins anew."""
        self._form, self._newlines = None, 0

    def add(self, form: Form, content: str) -> str:
        """What the next text adds to those before it. A line or a whole message ends in LF."""
        if form == "delta":
            self._draft = (self._draft or "") + content
        elif form == "whole":
            draft, self._draft = self._draft, None
            rest = None if draft is None else rest_of(content, draft)
            if rest is not None:
                return self._complete(rest)
        return self._append(form, content)

    def _complete(self, rest: str) -> str:
        """The end of a message whose pieces are there already."""
        if self._form not in ("piece", "delta"):
            return self._append("whole", rest)
        self._form = "whole"
        return self._count(rest if _ends_in_newline(rest, self._newlines) else f"{rest}\n")

    def _append(self, form: Form, content: str) -> str:
        goes_on = form in _FOLLOWERS.get(self._form, ())
        gap = "" if goes_on or self._form is None else "\n" * (2 - self._newlines)
        if form in _MESSAGES and not goes_on:
            content = content.lstrip("\n")
            if not content.strip():
                return ""
        self._form = form
        if form == "line" or (form == "whole" and not content.endswith("\n")):
            content += "\n"
        return self._count(gap + content)

    def _count(self, text: str) -> str:
        if text.strip("\n"):
            self._newlines = 0
        self._newlines = min(2, self._newlines + len(text) - len(text.rstrip("\n")))
        return text


def rest_of(whole: str, draft: str) -> str | None:
    """What a whole message says beyond its pieces; None where they are no pieces of it.

    A reader that began in the middle of it has its end; one that saw a failed attempt has more.
    """
    if draft.endswith(whole) or whole.endswith(draft):
        return ""
    return whole[len(draft) :] if whole.startswith(draft) else None


def _ends_in_newline(text: str, newlines: int) -> bool:
    return text.endswith("\n") or (not text and newlines > 0)
