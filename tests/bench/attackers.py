"""Clients without the token that do their worst: `python -m tests.bench.attackers PORT COUNT`.

Each does one thing again and again, at once after the server has refused it. It ends when its
stdin does, and prints how many connections it made.
"""

import asyncio
import contextlib
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager

BODY_BYTES = 8 << 20
PIECE = b"token=" + b"x" * 65530
BACK_SECONDS = 0.05
"""From a refusal to the next try: the way through a network."""
FORM = "Content-Type: application/x-www-form-urlencoded\r\n"
JSON = "Content-Type: application/json\r\n"

Attack = Callable[[], AsyncIterator[bytes]]


def _head(start: str, fields: str) -> bytes:
    return f"{start} HTTP/1.1\r\nHost: 127.0.0.1\r\n{fields}\r\n".encode()


def _big(start: str, fields: str) -> Attack:
    async def send() -> AsyncIterator[bytes]:
        yield _head(start, f"{fields}Content-Length: {BODY_BYTES}\r\n")
        for _ in range(BODY_BYTES // len(PIECE)):
            yield PIECE

    return send


async def _chunked() -> AsyncIterator[bytes]:
    yield _head("POST /login", f"{FORM}Transfer-Encoding: chunked\r\n")
    while True:
        yield b"%x\r\n%b\r\n" % (len(PIECE), PIECE)


def _slow(start: bytes, piece: bytes, pause_seconds: float) -> Attack:
    async def send() -> AsyncIterator[bytes]:
        yield start
        while True:
            await asyncio.sleep(pause_seconds)
            yield piece

    return send


ATTACKS: list[Attack] = [
    _big("POST /login", FORM),
    _big("POST /api/trpc/workflow.create", JSON),
    _chunked,
    _slow(_head("POST /login", f"{FORM}Content-Length: 4000\r\n"), b"x", 1),
    _slow(_head("POST /login", f"{FORM}Content-Length: 4000\r\n"), b"x", 0.01),
    _slow(b"GET / HTTP/1.1\r\n", b"x: y\r\n", 1),
    _slow(b"GET / HTTP/1.1\r\nX: ", b"x", 0.01),
    _slow(b"G", b"", 60),
]


async def _attack(port: int, attack: Attack, count: Callable[[], None]) -> None:
    while True:
        with contextlib.suppress(OSError):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            count()
            try:
                await _send(reader, writer, attack)
            finally:
                writer.close()
        await asyncio.sleep(BACK_SECONDS)


async def _send(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, attack: Attack) -> None:
    """Until all is sent, or the server has closed the connection."""
    ended = asyncio.ensure_future(reader.read())
    try:
        async for piece in attack():
            writer.write(piece)
            await asyncio.wait_for(writer.drain(), 30)
            if ended.done():
                break
        await ended
    finally:
        ended.cancel()


async def _attack_until_stdin_ends(port: int, number: int) -> None:
    made = 0

    def count() -> None:
        nonlocal made
        made += 1

    tasks = [
        asyncio.create_task(_attack(port, ATTACKS[index % len(ATTACKS)], count))
        for index in range(number)
    ]
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    print(made, flush=True)
    os._exit(len(tasks) - number)  # with all connections, whatever they are at


class Attackers:
    """The process, once it has ended."""

    connections = 0


@contextmanager
def attackers(port: int, count: int) -> Iterator[Attackers]:
    """As many attackers meanwhile."""
    command = [sys.executable, "-m", "tests.bench.attackers", str(port), str(count)]
    pipe, attack = subprocess.PIPE, Attackers()
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as process:
        try:
            yield attack
        finally:
            output, _ = process.communicate()
            attack.connections = int(output)


if __name__ == "__main__":
    os.nice(19)  # as if it were another machine: what is measured is not how they share a processor
    asyncio.run(_attack_until_stdin_ends(int(sys.argv[1]), int(sys.argv[2])))
