"""The C floor: what this machine can do at all, under the same viewers."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.bench.programs import program
from tests.server import free_port


@contextmanager
def running_floor(folder: Path, rate: float) -> Iterator[int]:
    """A floor whose file grows by `rate` events a second; its port."""
    file, port = folder / "frames", free_port()
    with (
        open(file, "wb", buffering=0) as frames,
        subprocess.Popen(
            [program("floor"), str(port), file], stdout=subprocess.PIPE, text=True
        ) as floor,
    ):
        assert floor.stdout is not None
        assert floor.stdout.readline() == "ready\n", "the floor did not start"
        with subprocess.Popen([program("ticker"), "frames", str(rate)], stdout=frames) as writer:
            try:
                yield port
            finally:
                writer.kill()
                floor.kill()
