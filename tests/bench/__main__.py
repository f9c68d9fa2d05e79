"""`python -m tests.bench [NAME …]`: measure, print a table, write JSON."""

import argparse
import sys
import tempfile
import traceback
from pathlib import Path

from tests.bench import (
    answers,
    arrivals,
    changes_panel,
    dialects,
    exactness,
    fairness,
    fanout,
    first_token,
    hostile_clients,
    idle,
    invoke,
    latency,
    locked_database,
    many_sessions,
    million_sessions,
    nginx,
    redaction,
    replay,
    replay_page,
    report,
    runner,
    search,
    strangers,
    watches,
)

BENCHMARKS = {
    "latency": latency.measure,
    "fanout": fanout.measure,
    "arrivals": arrivals.measure,
    "answers": answers.measure,
    "first-token": first_token.measure,
    "many-sessions": many_sessions.measure,
    "million_sessions": million_sessions.measure,
    "replay": replay.measure,
    "replay-page": replay_page.measure,
    "changes-panel": changes_panel.measure,
    "dialects": dialects.measure,
    "idle": idle.measure,
    "fairness": fairness.measure,
    "watches": watches.measure,
    "exactness": exactness.measure,
    "invoke": invoke.measure,
    "runner": runner.measure,
    "search": search.measure,
    "locked-database": locked_database.measure,
    "hostile-clients": hostile_clients.measure,
    "strangers": strangers.measure,
    "nginx": nginx.measure,
    "redaction": redaction.measure,
}


def main() -> None:
    """Run the benchmarks that were named, or all."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("names", nargs="*", choices=[*BENCHMARKS, []], help="default: all")
    parser.add_argument("--json", type=Path, default=Path("var/bench/figures.json"))
    parser.add_argument("--runs", type=int, default=5, help="medians of so many; 1: a quick look")
    parser.add_argument("--picture", type=Path, help="draw the fan-out there, as SVG")
    options = parser.parse_args()
    names = options.names or list(BENCHMARKS)
    if options.runs < 1:
        parser.error(f"--runs is {options.runs}, expected at least 1")
    if options.picture and "fanout" not in names:
        parser.error("--picture needs the benchmark fanout")

    figures, failed = [], []
    for name in names:
        print(f"measuring {name} …", file=sys.stderr)
        try:
            figures += _measure(name, options.runs)
        except Exception:  # it could not, or saw something wrong; the others may be fine
            traceback.print_exc()
            failed.append(name)

    report.show(figures)
    report.write_json(figures, options.json)
    if options.picture and "fanout" not in failed:
        options.picture.write_text(fanout.draw(figures), encoding="utf-8")
    if failed:
        raise SystemExit(f"could not be measured, see above: {', '.join(failed)}")


def _measure(name: str, runs: int) -> list[report.Figure]:
    with tempfile.TemporaryDirectory(prefix=f"bench-{name}-") as folder:
        return BENCHMARKS[name](Path(folder), runs)


if __name__ == "__main__":
    main()
