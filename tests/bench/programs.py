"""The benchmarks' own C programs: what they must not cost is Python's time."""

import atexit
import shutil
import subprocess
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

SOURCES = Path(__file__).parent / "native"
PROGRAMS = {
    "ticker": ("ticker.c", "process.c"),
    "floor": ("floor.c", "process.c"),
    "viewers": ("viewers.c", "connection.c", "events.c", "response.c", "process.c"),
    "crowd": ("crowd.c", "connection.c", "events.c", "response.c", "process.c"),
}


@cache
def build() -> Path:
    """Compile all programs, once a process; their folder, which goes with the process."""
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if compiler is None:
        raise SystemExit(
            "The benchmarks need a C compiler, and there is none: apt-get install gcc libc6-dev"
        )
    folder = Path(mkdtemp(prefix="bench-programs-"))
    atexit.register(shutil.rmtree, folder)
    for name, sources in PROGRAMS.items():
        files = [str(SOURCES / source) for source in sources]
        command = [compiler, "-O2", "-Wall", "-Wextra", "-o", str(folder / name), *files]
        subprocess.run(command, check=True)
    return folder


def program(name: str) -> str:
    """The path of a program, built if it was not yet."""
    return str(build() / name)
