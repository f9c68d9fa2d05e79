"""What real agents printed: tests/agents/recordings/<dialect>_<name>.jsonl, a line a line."""

from pathlib import Path

from webapp.log.dialects import DIALECTS
from webapp.log.record import format_record

FOLDER = Path(__file__).parents[2] / "agents" / "recordings"
RECORDINGS = sorted(path.stem for path in FOLDER.glob("*.jsonl"))
_SECOND_NS = 1_000_000_000


def dialect_of(recording: str) -> str:
    """The dialect of a recording; each has one."""
    name = recording.partition("_")[0]
    assert name in DIALECTS
    return name


def lines_of(recording: str) -> list[bytes]:
    """The lines of a recording."""
    return (FOLDER / f"{recording}.jsonl").read_bytes().splitlines()


def log_of(recording: str) -> bytes:
    """The log of a session that printed it, a line a second."""
    head = b'{"type":"session","sessionId":"s","agent":"a","dialect":"%b"}'
    done = b'{"type":"done","exitCode":0,"signal":null,"status":"succeeded"}'
    records = [
        (b"system", head % dialect_of(recording).encode()),
        *((b"stdout", line) for line in lines_of(recording)),
        (b"system", done),
    ]
    return b"".join(
        format_record(second * _SECOND_NS, stream, content)
        for second, (stream, content) in enumerate(records)
    )
