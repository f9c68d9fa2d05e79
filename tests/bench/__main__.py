"""`python -m tests.bench [NAME …]`: measure, print a table, write JSON."""

import argparse
import sys
import tempfile
from pathlib import Path

from tests.bench import (
    exactness,
    fairness,
    fanout,
    idle,
    invoke,
    latency,
    many_sessions,
    programs,
    replay,
    report,
    runner,
    watches,
)

BENCHMARKS = {
    "latency": latency.measure,
    "fanout": fanout.measure,
    "many-sessions": many_sessions.measure,
    "replay": replay.measure,
    "idle": idle.measure,
    "fairness": fairness.measure,
    "watches": watches.measure,
    "exactness": exactness.measure,
    "invoke": invoke.measure,
    "runner": runner.measure,
}


def main() -> None:
    """Run the benchmarks that were named, or all."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("names", nargs="*", choices=[*BENCHMARKS, []], help="default: all")
    parser.add_argument("--json", type=Path, default=Path("var/bench/figures.json"))
    parser.add_argument("--runs", type=int, default=5, help="medians of so many; 1: a quick look")
    options = parser.parse_args()

    figures = []
    try:
        for name in options.names or BENCHMARKS:
            print(f"measuring {name} …", file=sys.stderr)
            with tempfile.TemporaryDirectory(prefix=f"bench-{name}-") as folder:
                figures += BENCHMARKS[name](Path(folder), options.runs)
    finally:
        programs.remove()
    report.show(figures)
    report.write_json(figures, options.json)


if __name__ == "__main__":
    main()
