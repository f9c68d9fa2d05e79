"""Which request, and which session, the code that runs now is about.

Context variables: each thread and each greenlet has its own. Who spawns one to go on with a
request hands them over, so that what a stream logs later still names its request.
"""

import re
import secrets
from contextvars import ContextVar

request_id: ContextVar[str | None] = ContextVar("request_id", default=None)
session_id: ContextVar[str | None] = ContextVar("session_id", default=None)

_WELL_FORMED = re.compile(r"[A-Za-z0-9._:+/=@-]{1,128}")


def begin_request(given_id: str | None) -> str:
    """A new request, with the id that it came with if that is well-formed; its id."""
    chosen = given_id if given_id and _WELL_FORMED.fullmatch(given_id) else secrets.token_hex(8)
    request_id.set(chosen)
    session_id.set(None)
    return chosen
