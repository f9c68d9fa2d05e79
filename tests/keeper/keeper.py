"""A keeper as a process, with the test as the worker that started it."""

import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.cli.command import environment_for
from tests.server import PATIENCE_SECONDS, wait_for
from webapp.keeper import lock as keeper_lock


class Keeper:
    """`python -m webapp.keeper`; its stderr goes into a file."""

    def __init__(self, folder: Path, pass_fds: Sequence[int], **settings: str) -> None:
        """The folder that `var` is in, and settings of the environment without their prefix."""
        self.var = folder / "var"
        self._output = folder / "keeper.log"
        named = {f"AGENT_STREAM_{name}": value for name, value in settings.items()}
        with self._output.open("ab") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "webapp.keeper"],
                stdin=subprocess.PIPE,
                stderr=output,
                pass_fds=pass_fds,
                env=environment_for(folder) | named,
            )

    def output(self) -> str:
        """What it has logged."""
        return self._output.read_text()

    def wait_until_at_work(self) -> None:
        """Until it has the folder."""
        wait_for(lambda: keeper_lock.is_held(self.var))

    def end_worker(self, patience_seconds: float = PATIENCE_SECONDS) -> int:
        """End the worker, and wait for the end of the keeper; its exit code."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        return self.process.wait(patience_seconds)


@contextmanager
def running_keeper(
    folder: Path, *, pass_fds: Sequence[int] = (), **settings: str
) -> Iterator[Keeper]:
    """A keeper, killed at the end if it still runs."""
    keeper = Keeper(folder, pass_fds, **settings)
    with keeper.process:
        try:
            yield keeper
        finally:
            keeper.process.kill()
