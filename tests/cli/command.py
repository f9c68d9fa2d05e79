"""The command as people run it: a process of its own."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

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
    return subprocess.run(
        [sys.executable, "-m", "webapp.cli", *arguments],
        cwd=folder_of(place),
        env=environment_for(place) | environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
    )


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
