"""A viewer that checks every event: what it has missed, what came twice, how it ended.

One among many in a process, so it speaks HTTP itself: a hundred of them take a hundredth of a
core. It comes back whenever it is cut off, as an EventSource does: after the time that the
server's `retry:` asks for, with the id of the last whole event.
"""

import asyncio
import json
import random
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import NamedTuple

LOST = ("missing", "twice", "out of order", "gaps", "wrong ends", "refused", "unanswered")
"""What must not happen to any viewer."""
_RETRY_SECONDS = 1.0


@dataclass
class Seen:
    """What all viewers together have seen, each thing counted."""

    counts: Counter[str] = field(default_factory=Counter)
    examples: list[str] = field(default_factory=list)
    """What was wrong, in words; the first few."""

    def blame(self, what: str, count: int, example: str) -> None:
        """Something that must not happen has happened."""
        self.counts[what] += count
        if len(self.examples) < 20:
            self.examples.append(f"{what}: {example}")


class Mark(NamedTuple):
    """A place in a session's events."""

    event_id: int
    number: int
    """The newest number there."""


FROM_START = Mark(0, 0)


class Viewer:
    """One viewer of a session whose agent prints lines numbered from 1."""

    def __init__(self, port: int, session_id: str, seen: Seen, mark: Mark = FROM_START) -> None:
        """`mark` is where somebody else was."""
        self.session_id = session_id
        self.last_id, self.newest = mark
        self.mark = mark
        """Somewhere on its way, each place as likely as the others."""
        self.end: dict[str, object] | None = None
        self._events = 0
        self._port = port
        self._seen = seen
        self._retry_seconds = _RETRY_SECONDS

    async def follow(self, seconds: float | None = None) -> None:
        """Watch until the session's end, or leave without a word after so long."""
        try:
            async with asyncio.timeout(seconds):
                while self.end is None:
                    await self._watch_once()
        except TimeoutError:
            self._seen.counts["left"] += 1

    async def _watch_once(self) -> None:
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        except OSError:
            await self._come_back()
            return
        try:
            writer.write(self._request())
            await writer.drain()
            status = await read_head(reader)
            if status == 200:
                async for frame in read_frames(reader):
                    self._take(frame)
                    if self.end is not None:
                        return
            else:
                self._seen.blame("refused", 1, f"{self.session_id}: status {status}")
        except (OSError, EOFError):
            pass
        finally:
            writer.close()
        await self._come_back()

    def _request(self) -> bytes:
        resume = f"Last-Event-ID: {self.last_id}\r\n" if self.last_id else ""
        return (
            f"GET /api/agent-stream?sessionId={self.session_id} HTTP/1.1\r\n"
            f"Host: 127.0.0.1:{self._port}\r\n{resume}\r\n"
        ).encode()

    async def _come_back(self) -> None:
        self._seen.counts["came back"] += 1
        await asyncio.sleep(self._retry_seconds * random.uniform(0.9, 1.1))

    # --- what is told ----------------------------------------------------------------------

    def _take(self, frame: bytes) -> None:
        fields = dict(line.split(b": ", 1) for line in frame.split(b"\n") if b": " in line)
        if b"retry" in fields:
            self._retry_seconds = int(fields[b"retry"]) / 1000
        if b"data" not in fields:
            return
        self._seen.counts["events"] += 1
        name = fields[b"event"].decode()
        data = json.loads(fields[b"data"])
        if name == "notice" and data["type"] in ("gap", "truncated"):
            self._blame("gaps", 1, str(data))
        if b"id" not in fields:
            return

        event_id = int(fields[b"id"])
        if event_id <= self.last_id:
            self._blame("out of order", 1, f"id {event_id} after {self.last_id}")
        self.last_id = event_id
        if name == "line":
            self._take_number(data["n"])
        elif name == "done":
            self.end = data
            return
        self._events += 1
        if random.randrange(self._events) == 0:
            self.mark = Mark(event_id, self.newest)

    def _take_number(self, number: int) -> None:
        if number <= self.newest:
            self._blame("twice", 1, f"{number} after {self.newest}")
            return
        if number > self.newest + 1:
            self._blame("missing", number - self.newest - 1, f"{number} after {self.newest}")
        self.newest = number

    def _blame(self, what: str, count: int, example: str) -> None:
        self._seen.blame(what, count, f"{self.session_id}: {example}")


async def read_head(reader: asyncio.StreamReader) -> int:
    """The status of a response; EOFError if there is none."""
    head = await reader.readuntil(b"\r\n\r\n")
    return int(head.split(b" ", 2)[1])


async def read_frames(reader: asyncio.StreamReader) -> AsyncIterator[bytes]:
    """Each whole event of a chunked response, without the empty line that ends it."""
    rest = b""
    while left := int(await reader.readline() or b"0", 16):
        while left:
            piece = await reader.read(left)
            if not piece:
                raise EOFError("the response broke off")
            left -= len(piece)
            *frames, rest = (rest + piece).split(b"\n\n")
            for frame in frames:
                yield frame
        await reader.readexactly(len(b"\r\n"))


# --- how they come and go --------------------------------------------------------------------


async def stay(viewer: Viewer) -> None:
    """From the beginning to the end."""
    await viewer.follow()


async def come_late(viewer: Viewer) -> None:
    """Come when much has been said already."""
    await asyncio.sleep(random.uniform(1, 20))
    await viewer.follow()


async def come_and_go(viewer: Viewer) -> None:
    """Leave and come back, again and again; in the end stay."""
    for _ in range(random.randint(1, 4)):
        await viewer.follow(random.expovariate(1 / 5))
        if viewer.end is not None:
            return
        await asyncio.sleep(random.expovariate(1 / 5))
    await viewer.follow()


async def leave(viewer: Viewer) -> None:
    """Watch for a while, and never come back."""
    await viewer.follow(random.expovariate(1 / 5))


HABITS: tuple[Callable[[Viewer], Awaitable[None]], ...] = (stay, come_late, come_and_go, leave)
