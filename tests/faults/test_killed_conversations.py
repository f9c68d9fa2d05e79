"""Conversations whose agent or runner is killed at a random moment, and then go on."""

import random
from pathlib import Path

from tests.faults.killed_conversations import Killed, machine_that_talks


def test_each_message_is_taken_once_and_nothing_runs_unasked(tmp_path: Path) -> None:
    seed = random.randrange(1 << 30)
    with machine_that_talks(tmp_path) as machine:
        problems = Killed(machine, seed).run()
    assert problems == [], f"seed {seed}"
