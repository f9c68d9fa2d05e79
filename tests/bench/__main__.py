"""`python -m tests.bench [NAME …]`: measure, print a table, write JSON."""

import argparse
import tempfile
from pathlib import Path

from tests.bench import invoke, report, runner

BENCHMARKS = {"invoke": invoke.measure, "runner": runner.measure}


def main() -> None:
    """Run the benchmarks that were named, or all."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("names", nargs="*", choices=[*BENCHMARKS, []], help="default: all")
    parser.add_argument("--json", type=Path, default=Path("var/bench/figures.json"))
    options = parser.parse_args()

    figures = []
    for name in options.names or BENCHMARKS:
        with tempfile.TemporaryDirectory(prefix=f"bench-{name}-") as folder:
            figures += BENCHMARKS[name](Path(folder))
    report.show(figures)
    report.write_json(figures, options.json)


if __name__ == "__main__":
    main()
