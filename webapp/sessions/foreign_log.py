"""A log from elsewhere, line by line: what is not as a runner writes it is refused.

What the agent printed may be anything. What the runner says about it becomes rows, and events
that viewers and browsers believe.
"""

from collections.abc import Iterable, Iterator

from webapp.errors import BadRequest
from webapp.log import reader
from webapp.log.record import MAX_RECORD_BYTES, TIME_BYTES, Record, parse_record
from webapp.sessions import record_checks
from webapp.visible import shortened

MAX_SYSTEM_BYTES = 4 << 20


def checked(lines: Iterable[bytes], max_bytes: int) -> Iterator[bytes]:
    """The same lines, each with its LF. BadRequest at the first that is wrong, with its number.

    `max_bytes`: of all of them.
    """
    size, is_over, last_second = 0, False, ""
    for number, line in enumerate(lines, start=1):
        size += len(line)
        if len(line) > MAX_RECORD_BYTES:
            raise _refused(number, f"the record has {len(line)} bytes", MAX_RECORD_BYTES)
        if size > max_bytes:
            raise _refused(number, f"the log has {size} bytes and more", max_bytes)
        if is_over:
            raise BadRequest(f"Record {number} of the log follows its end, the done record.")

        record = parse_record(line.removesuffix(b"\n"))
        if record is not None and record.time[:19] != last_second:
            _check_time(record.time, number)
            last_second = record.time[:19]
        if record is not None and record.stream == b"system":
            is_over = _check_system(record, line, number)
        elif number == 1:
            raise BadRequest("The log does not begin with the record of its session.")
        yield line
    if not is_over:
        raise BadRequest(
            "The log has no end: it was exported while the session ran, or cut short. Export it "
            "again when the session has ended."
        )


def _check_time(time: str, number: int) -> None:
    if record_checks.row_time(time) is None:
        raise BadRequest(f"Record {number} of the log: its time is {time}, expected a real one.")


def _check_system(record: Record, line: bytes, number: int) -> bool:
    """Whether it is the end."""
    if len(record.content) > MAX_SYSTEM_BYTES:
        raise _refused(number, f"{len(record.content)} bytes of the runner's own", MAX_SYSTEM_BYTES)
    content = record_checks.read_object(record.content)
    kind = None if content is None else content.get("type")
    if content is None or not isinstance(kind, str):
        shown = shortened(line[TIME_BYTES:].decode("utf-8", "replace"))
        raise BadRequest(
            f"Record {number} of the log is {shown}, expected a JSON object with a type."
        )
    if (kind == "session") is not (number == 1):
        what = "does not begin with the record" if number == 1 else "has a second record"
        raise BadRequest(f"The log {what} of its session (record {number}: {shortened(kind)}).")
    if reader.is_done_record(line) is not (kind == "done"):
        raise BadRequest(
            f"Record {number} of the log is not clearly its end, or clearly not: the type is "
            f'{shortened(kind)}, expected {{"type":"done" at its beginning or another type.'
        )
    fields = {"session": record_checks.SESSION, "done": record_checks.DONE}.get(kind, {})
    for damage in record_checks.validation_errors(content, fields):
        raise BadRequest(f"Record {number} of the log ({kind}): {damage}.")
    return kind == "done"


def _refused(number: int, what: str, maximum: int) -> BadRequest:
    return BadRequest(f"Record {number} of the log: {what}, expected at most {maximum}.")
