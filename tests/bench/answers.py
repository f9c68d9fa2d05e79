"""From a person's answer to the agent's stdin, while many watch; and from a request to its card."""

import json
import re
import socket
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.bench.fanout import SETTLE_SECONDS
from tests.bench.report import Figure, median, percentile
from tests.bench.sessions import bench_server, running_session, stream_path
from tests.bench.viewers import live_viewers
from tests.server import Server
from webapp.log.record import parse_record, parse_time

ANSWERS_A_RUN = 150
VIEWERS = 100
PAUSE_SECONDS = 0.03
"""Before each answer, so that all viewers have had their events: a click, not a load."""
ASKING = """import json, sys, time
def say(**line):
    sys.stdout.write(json.dumps(line) + "\\n")
    sys.stdout.flush()
def ask():
    say(type="control_request", request_id=str(time.time_ns()), request={"subtype": "can_use_tool",
        "tool_name": "Bash", "input": {"command": str(time.time_ns())}, "tool_use_id": "t"})
while line := sys.stdin.readline():
    read_ns = time.time_ns()
    kind = json.loads(line)["type"]
    if kind == "user":
        say(type="system", subtype="init", session_id="c-1", model="m", permissionMode="default")
        ask()
    elif kind == "control_response":
        say(type="read", at=read_ns)
        ask()
"""
CARD = re.compile(rb'"type":"approval",.*?"command":"(\d+)"')
OTHER = re.compile(rb'"type": ?"read", ?"at": ?(\d+)')
AGENT = {
    "command": [sys.executable, "-I", "-S", "-u", "-c", ASKING],
    "talk": "claude",
    "dialect": "claude",
}


def measure(folder: Path, runs: int) -> list[Figure]:
    """Answers one after the other, each when its request is in the log."""
    answered, asked, cards, others = [], [], [], []
    with bench_server(folder, {"asking": AGENT}) as server:
        for _ in range(runs):
            with running_session(server, "asking") as session_id:
                paths = [stream_path(session_id)]
                with (
                    live_viewers(server.port, VIEWERS, paths),
                    _Viewer(server.port, paths[0]) as one,
                ):
                    time.sleep(SETTLE_SECONDS)
                    answered.append(_answer(server, session_id, ANSWERS_A_RUN))
                cards.append(one.milliseconds_of(CARD))
                others.append(one.milliseconds_of(OTHER))
                asked.append(_until_recorded(server.log_path(session_id)))
    group = f"answer to agent's stdin, {VIEWERS} viewers"
    ratio = median(_p50s(cards)) / median(_p50s(others))
    return [
        Figure(group, "p50", median([percentile(run, 0.5) for run in answered]), "ms", 5),
        Figure(group, "p99", median([percentile(run, 0.99) for run in answered]), "ms", 20),
        Figure(group, "request to its approval in the log, p50", median(_p50s(asked)), "ms"),
        Figure(group, "request to its card in a viewer, p50", median(_p50s(cards)), "ms"),
        Figure(group, "any other line to its event there, p50", median(_p50s(others)), "ms"),
        Figure(group, "a card beside any other event", ratio, "x", 1.1),
    ]


def _p50s(measured: list[list[float]]) -> list[float]:
    """The p50 of each run."""
    return [percentile(run, 0.5) for run in measured]


def _answer(server: Server, session_id: str, count: int) -> list[float]:
    """Milliseconds from the request of each answer to when the agent has read it."""
    log = server.log_path(session_id)
    sent_ns = []
    with socket.create_connection(("127.0.0.1", server.port)) as client:
        for number in range(1, count + 1):
            _wait_for(log, b'"id":"%s.%d"' % (session_id.encode(), number))
            time.sleep(PAUSE_SECONDS)
            path = f"/api/sessions/{session_id}/approvals/{session_id}.{number}"
            sent_ns.append(time.time_ns())
            client.sendall(_request(server, path))
            answer = b""
            while not answer.endswith(b"}\n"):
                answer += client.recv(65536)
            assert answer.startswith(b"HTTP/1.1 200"), answer
    _wait_for(log, b'"id":"%s.%d"' % (session_id.encode(), count + 1))
    read_ns = [int(line["at"]) for line in _lines(log) if line.get("type") == "read"]
    return [(read - sent) / 1e6 for read, sent in zip(read_ns, sent_ns, strict=True)]


def _wait_for(log: Path, text: bytes) -> None:
    give_up_at = time.monotonic() + 30
    while text not in log.read_bytes()[-4096:]:
        assert time.monotonic() < give_up_at, f"{text!r} is not in {log}"
        time.sleep(0.001)


class _Viewer:
    """One more viewer, who notes when each event comes."""

    def __init__(self, port: int, path: str) -> None:
        self._address = ("127.0.0.1", port)
        self._request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode()
        self._came: list[tuple[int, bytes]] = []

    def __enter__(self) -> "_Viewer":
        self._socket = socket.create_connection(self._address)
        self._socket.sendall(self._request)
        self._thread = threading.Thread(target=self._read)
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._socket.close()

    def _read(self) -> None:
        while data := self._socket.recv(1 << 20):
            self._came.append((time.time_ns(), data))

    def milliseconds_of(self, made: re.Pattern[bytes]) -> list[float]:
        """From when the agent made each to when its event came; those of the live ones."""
        found = [
            (came_ns - int(one[1])) / 1e6
            for came_ns, data in self._came
            for one in made.finditer(data)
        ]
        return found[-ANSWERS_A_RUN + 1 :]


def _until_recorded(log: Path) -> list[float]:
    """Milliseconds from when the agent made a request to the time of its approval's record."""
    found = []
    for line in log.read_bytes().split(b"\n"):
        record = parse_record(line)
        if record is not None and record.content.startswith(b'{"type":"approval"'):
            made_ns = int(json.loads(record.content)["input"]["command"])
            found.append((parse_time(record.time) - made_ns) / 1e6)
    return found


def _lines(log: Path) -> Iterator[dict[str, Any]]:
    """What the agent printed."""
    for line in log.read_bytes().split(b"\n"):
        record = parse_record(line)
        if record is not None and record.stream == b"stdout":
            yield json.loads(record.content)


def _request(server: Server, path: str) -> bytes:
    body = b'{"option":"allow_once","by":"bench"}'
    return (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    ).encode() + body
