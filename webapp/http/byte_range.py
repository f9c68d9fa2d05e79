"""The `Range` header: https://datatracker.ietf.org/doc/html/rfc9110#section-14.2

Werkzeug's own refuses a suffix longer than the file and answers several ranges with 416.
"""

import re

from werkzeug.exceptions import RequestedRangeNotSatisfiable

_ONE_RANGE = re.compile(r"bytes=[ \t]*(\d{0,18})-(\d{0,18})[ \t]*", re.ASCII | re.IGNORECASE)


def byte_range(
    header: str | None, size: int, if_range: str | None, etag: str | None
) -> tuple[int, int] | None:
    """Start and stop of the part that is asked for; None: the whole is to be sent.

    So it is where the client's copy (`If-Range`) is not just this one, and for what this does
    not understand: several ranges, other units. RequestedRangeNotSatisfiable.
    """
    if header is None or (if_range is not None and if_range != etag):
        return None
    found = _ONE_RANGE.fullmatch(header)
    if found is None or found.groups() == ("", ""):
        return None
    first, last = found.groups()
    if first == "":
        start, stop = max(0, size - int(last)), size
    else:
        start, stop = int(first), min(int(last) + 1, size) if last else size
        if last and int(last) < int(first):
            return None
    if start >= size:
        raise RequestedRangeNotSatisfiable(size)
    return start, stop
