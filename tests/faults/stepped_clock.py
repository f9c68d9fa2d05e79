"""Runners whose clock somebody sets: `python -I -S stepped_clock.py FILE SCRIPT ARGUMENT…`.

Becomes the script, whose wall clock is then off by as many seconds as stand in the file. The
machine's own clock belongs to everybody on it.
"""

import runpy
import sys
import time


def main() -> None:
    """Set the clock off, and become the script."""
    place, true_ns = sys.argv[1], time.time_ns

    def stepped_ns() -> int:
        with open(place, encoding="ascii") as seconds:
            return true_ns() + int(seconds.read()) * 1_000_000_000

    time.time_ns = stepped_ns
    sys.argv = sys.argv[2:]
    runpy.run_path(sys.argv[0], run_name="__main__")


if __name__ == "__main__":
    main()
