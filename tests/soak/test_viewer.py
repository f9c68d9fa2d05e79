"""A viewer that checks is worth nothing if it does not see what is wrong."""

import asyncio
from collections.abc import Sequence

import pytest

from tests.soak.viewer import FROM_START, Mark, Seen, Viewer

LINE = 'id: {0}\nevent: line\ndata: {{"type":"line","n":{1}}}\n\n'
DONE = 'id: {0}\nevent: done\ndata: {{"exitCode":0,"signal":null,"status":"succeeded"}}\n\n'
RETRY = "retry: 10\n"
LEFT_OUT = 'event: notice\ndata: {"type":"gap"}\n\n'
OWN_NOTICE = 'id: 40\nevent: notice\ndata: {"type":"terminating"}\n\n'


def told(*frames: str) -> bytes:
    """A whole response."""
    body = "".join(frames).encode()
    half = len(body) // 2
    chunks = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in (body[:half], body[half:]))
    return b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks + b"0\r\n\r\n"


def lines(*numbers: int) -> str:
    """Frames of lines whose ids are ten times their numbers."""
    return "".join(LINE.format(10 * number, number) for number in numbers)


def watch(responses: Sequence[bytes], mark: Mark = FROM_START) -> tuple[Viewer, Seen, list[bytes]]:
    """What a viewer makes of these responses, and what it asked each time."""
    requests: list[bytes] = []
    left = list(responses)

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        requests.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(left.pop(0))
        writer.close()

    async def run() -> tuple[Viewer, Seen]:
        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        seen = Seen()
        async with server:
            viewer = Viewer(server.sockets[0].getsockname()[1], "session-1", seen, mark)
            await viewer.follow(30)
        return viewer, seen

    return *asyncio.run(run()), requests


def wrong(seen: Seen) -> dict[str, int]:
    """What the viewer complains of, without what is only counted."""
    return {what: n for what, n in seen.counts.items() if what not in ("events", "came back")}


def test_viewer_that_gets_everything_once_has_nothing_to_complain_of() -> None:
    viewer, seen, _requests = watch([told(RETRY, lines(1, 2, 3), OWN_NOTICE, DONE.format(50))])
    assert (viewer.newest, viewer.last_id, wrong(seen)) == (3, 50, {})
    assert viewer.end == {"exitCode": 0, "signal": None, "status": "succeeded"}


def test_viewer_comes_back_with_the_id_of_the_last_whole_event() -> None:
    torn = told(RETRY, lines(1, 2, 3))[:-40]
    _viewer, seen, requests = watch([torn, told(lines(3, 4), DONE.format(50))])
    assert b"Last-Event-ID: 20\r\n" in requests[1]
    assert wrong(seen) == {}


def test_viewer_goes_on_from_where_somebody_else_was() -> None:
    _viewer, seen, requests = watch([told(lines(8, 9), DONE.format(100))], Mark(70, 7))
    assert b"Last-Event-ID: 70\r\n" in requests[0]
    assert wrong(seen) == {}


@pytest.mark.parametrize(
    ("frames", "complaint"),
    [
        (lines(1, 4), {"missing": 2}),
        (lines(1, 2, 3) + LINE.format(35, 3), {"twice": 1}),
        (lines(1, 2) + LINE.format(15, 3), {"out of order": 1}),
        (lines(1) + LEFT_OUT + lines(2), {"gaps": 1}),
    ],
)
def test_viewer_sees_what_is_wrong(frames: str, complaint: dict[str, int]) -> None:
    _viewer, seen, _requests = watch([told(frames, DONE.format(50))])
    assert wrong(seen) == complaint


def test_viewer_says_of_being_refused_and_tries_on() -> None:
    refusal = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n"
    viewer, seen, _requests = watch([refusal, told(lines(1), DONE.format(50))])
    assert viewer.newest == 1
    assert wrong(seen) == {"refused": 1}
