"""What the frames of a log are kept as.

What they are depends on the log's bytes, on the format, and on the code that makes them. All
of these are in the fingerprint of a file of kept frames, by which it is found and checked.
"""

import hashlib
import sys
from functools import cache
from pathlib import Path
from typing import NamedTuple

import msgspec

import webapp.log
import webapp.stream
from webapp.stream.feed import Feed
from webapp.stream.format import Format

LEAST_LOG_BYTES = 1 << 20
"""A smaller log is encoded about as soon as its kept frames would be found."""


class Aim(NamedTuple):
    """What the frames of a log are to become, or are."""

    name: str
    """Of their file in the folder."""
    fingerprint: bytes
    log: Path
    log_bytes: int


def find_aim(feed: Feed, form: Format, code: str) -> Aim | None:
    """As what this code keeps a log's frames; None if the log still grows, or is small."""
    log_bytes, changed_ns = feed.stamp()
    if log_bytes < LEAST_LOG_BYTES or not feed.is_complete():
        return None
    facts = (feed.session_id, log_bytes, changed_ns, tuple(form), code)
    fingerprint = hashlib.sha256(repr(facts).encode()).digest()
    name = f"{feed.session_id}.{fingerprint.hex()[:16]}"
    return Aim(name, fingerprint, feed.path, log_bytes)


@cache
def code_version() -> str:
    """Stands for all code that may have a say in what a log's frames are."""
    digest = hashlib.sha256(f"{sys.version_info[:2]} msgspec {msgspec.__version__}".encode())
    for package in (webapp.log, webapp.stream):
        for path in sorted(Path(package.__path__[0]).rglob("*.py")):
            digest.update(path.read_bytes())
    return digest.hexdigest()
