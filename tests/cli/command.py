"""The command as people run it: a process of its own."""

import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests import fork_server
from tests.server import PATIENCE_SECONDS, ROOT, Server

Output = subprocess.CompletedProcess[str]


def environment_for(place: Server | Path) -> dict[str, str]:
    """For a command that shall find a server's folder, or one of its own."""
    if isinstance(place, Server):
        return place.environment
    clean = {key: value for key, value in os.environ.items() if "AGENT_STREAM" not in key}
    return {**clean, "PYTHONPATH": str(ROOT), "AGENT_STREAM_VAR": str(place / "var")}


def folder_of(place: Server | Path) -> Path:
    """Where a command for it runs."""
    return place.folder if isinstance(place, Server) else place


def run(place: Server | Path, *arguments: str, **environment: str) -> Output:
    """Run a command to its end."""
    if any(name.startswith("PYTHON") for name in environment):
        with started(place, *arguments, **environment) as process:
            stdout, stderr = process.communicate(timeout=PATIENCE_SECONDS)
        return Output(process.args, process.returncode, stdout, stderr)
    read_fds, write_fds = zip(os.pipe(), os.pipe(), strict=True)
    stdin_fd = os.open(os.devnull, os.O_RDONLY)
    forked = fork_server.start(
        list(arguments),
        folder_of(place),
        environment_for(place) | environment,
        (stdin_fd, *write_fds),
    )
    for fd in (stdin_fd, *write_fds):
        os.close(fd)
    try:
        give_up_at = time.monotonic() + PATIENCE_SECONDS
        stdout, stderr = _read_to_ends(read_fds, give_up_at)
        exit_code = forked.wait(give_up_at - time.monotonic())
        return Output(["agent-stream", *arguments], exit_code, stdout, stderr)
    finally:
        forked.kill()
        forked.wait(PATIENCE_SECONDS)
        for fd in read_fds:
            os.close(fd)


def _read_to_ends(fds: tuple[int, ...], give_up_at: float) -> list[str]:
    """All that comes from pipes."""
    pieces: dict[int, list[bytes]] = {fd: [] for fd in fds}
    open_fds = set(fds)
    while open_fds:
        ready, _, _ = select.select(open_fds, [], [], give_up_at - time.monotonic())
        assert ready, f"the command goes on; it printed {pieces}"
        for fd in ready:
            piece = os.read(fd, 1 << 16)
            pieces[fd].append(piece)
            if not piece:
                open_fds.remove(fd)
    texts = (b"".join(pieces[fd]).decode() for fd in fds)
    return [text.replace("\r\n", "\n").replace("\r", "\n") for text in texts]  # as `text=True`


@contextmanager
def started(
    place: Server | Path, *arguments: str, **environment: str
) -> Iterator[subprocess.Popen[str]]:
    """A command that goes on; killed at the end if need be."""
    process = subprocess.Popen(
        [sys.executable, "-m", "webapp.cli", *arguments],
        cwd=folder_of(place),
        env=environment_for(place) | environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            yield process
        finally:
            process.kill()


def interrupt(process: subprocess.Popen[str]) -> None:
    """Ctrl-C."""
    process.send_signal(signal.SIGINT)


def refused(output: Output) -> str:
    """The one line that a refusal prints on stderr; its exit code is 2."""
    assert output.returncode == 2, output
    assert output.stdout == ""
    assert output.stderr.startswith("agent-stream: ")
    assert output.stderr.count("\n") == 1
    return output.stderr
