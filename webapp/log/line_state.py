"""What a record of stdout goes on with: the one thing that an event needs of the records before it.

A line of JSON that is longer than a record is `P` records of nearly MAX_LINE_BYTES, an `F` record,
and a `long_line` record of the runner's that stands for all of it (`log/long_line.py`). Its parts
are no text that anybody could read. Imported by the runner: nothing but the standard library.
"""

from webapp.log.record import MAX_LINE_BYTES

ENDED, TEXT, JSON = 0, 1, 2
"""No line is open; one of text is; or one that is too long for a record and begins as JSON."""

MIN_PART_BYTES = MAX_LINE_BYTES - 3
"""Of a part of such a line, but the last: it is cut between characters."""


def state_after(state: int, head: bytes, size: int, *, is_partial: bool) -> int:
    """The state after a record of stdout, by the first bytes of its content and its size."""
    if not is_partial:
        return ENDED
    if size < MIN_PART_BYTES or state == TEXT:
        return TEXT
    return JSON if state == JSON or may_be_json_object(head) else TEXT


def may_be_json_object(line: bytes) -> bool:
    """Whether an unfinished line may still become a JSON object: `{`, then `"` or `}`."""
    if not line.startswith(b"{"):
        return False
    after = line[1:65].lstrip(b" \t\r")
    return not after or after[:1] in b'"}'
