"""What the tests of this room share."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.sessions.machine import Machine, machine

MakeMachine = Callable[..., Machine]


@pytest.fixture
def make_machine(tmp_path: Path) -> Iterator[MakeMachine]:
    """A machine whose agent runs the command that is given; gone at the end of the test."""
    with ExitStack() as stack:

        def make(command: tuple[str, ...], **profile: Any) -> Machine:
            folder = tmp_path / str(len(list(tmp_path.iterdir())))
            folder.mkdir()
            return stack.enter_context(machine(folder, command, **profile))

        yield make
