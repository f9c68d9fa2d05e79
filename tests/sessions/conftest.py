"""What the tests of this room share."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.sessions.machine import SLEEP, Machine, machine

MakeMachine = Callable[..., Machine]


@pytest.fixture
def make_machine(tmp_path: Path) -> Iterator[MakeMachine]:
    """A machine whose agent runs the command that is given; gone at the end of the test."""
    with ExitStack() as stack:

        def make(command: tuple[str, ...] = SLEEP, **profile: Any) -> Machine:
            return stack.enter_context(machine(tmp_path, command, **profile))

        yield make
