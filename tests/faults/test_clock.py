"""The wall clock steps back by an hour in the middle of a session."""

import os
import sys
import time
from pathlib import Path

import pytest

from tests.cli.command import run
from tests.clients.crowd import crowd
from tests.clients.event_source import texts_of
from tests.clients.viewer import watch
from tests.faults import stepped_clock
from tests.faults.surroundings import row
from tests.faults.test_hearing import AGENTS, Echo
from tests.server import ROOT, running_server, wait_for
from webapp.log.record import TIME_BYTES

HOUR = 3600
# The workers' Python: it is what they start their fork server with.
PYTHON = """#!/bin/sh
case "$*" in
*/runner/__main__.py*) shift 2; exec {python} -I -S {stepped} {clock} "$@" ;;
*) exec {python} "$@" ;;
esac
"""
SITE = "import sys\nsys.executable = {python!r}\n"


class Clock:
    """The wall clock of the runners of a server."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "clock"
        self.set_off(0)
        python = folder / "python"
        stepped = Path(stepped_clock.__file__)
        text = PYTHON.format(python=sys.executable, stepped=stepped, clock=self._file)
        python.write_text(text)
        python.chmod(0o700)
        site = folder / "site"
        site.mkdir()
        (site / "sitecustomize.py").write_text(SITE.format(python=str(python)))
        self.python_path = f"{site}{os.pathsep}{ROOT}"

    def set_off(self, seconds: int) -> None:
        """By so many seconds from what it is."""
        fresh = self._file.with_name("clock.new")
        fresh.write_text(str(seconds))
        fresh.rename(self._file)


@pytest.mark.parametrize(
    ("steps", "max_gap_seconds"), [((-HOUR,), 2 * HOUR), ((-HOUR, HOUR, -2 * HOUR), 5)], ids=str
)
def test_clock_that_steps_back_changes_no_order_and_makes_nobody_wait(
    folder: Path, steps: tuple[int, ...], max_gap_seconds: int
) -> None:
    clock = Clock(folder)
    with running_server(folder, AGENTS, PYTHONPATH=clock.python_path) as server:
        echo = Echo(server, "echo")
        with crowd(server.port, echo.session_id, 6) as watching:
            echo.say(2)
            for off in steps:
                clock.set_off(off)
                echo.say(2)
            echo.end()
            wait_for(watching.have_done)
            watching.check_exact()
        server.wait_until_ended(echo.session_id)
        lines = echo.log.read_bytes().split(b"\n")[:-1]
        times = [line[:TIME_BYTES] for line in lines]
        assert times != sorted(times)  # it did step back

        events = watch(server.url, echo.session_id)
        texts = texts_of(events)
        assert texts == [f"line {number}" for number in range(2 * len(steps) + 2)]
        for number, event in enumerate(events[:-1], start=1):
            rest = watch(server.url, echo.session_id, last_id=event.last_event_id)
            assert [one.last_event_id for one in rest] == [
                one.last_event_id for one in events[number:]
            ]
        # A step forward is a silence, and cut like one; a step back is none.
        replayed = f"sessionId={echo.session_id}&speed=100&maxGap={max_gap_seconds}"
        began = time.monotonic()
        assert texts_of(watch(server.url, "", query=replayed)) == texts
        assert time.monotonic() - began < HOUR / 100 / 2

        found = row(server, echo.session_id)
        assert found["ended_at"] < found["started_at"]
        for command in (["ls"], ["show", echo.session_id], ["doctor"]):
            output = run(server, *command)
            assert output.returncode == 0, output
            assert "Traceback" not in output.stderr
