"""What the tests of this room share."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.stream.theatre import (
    PullTheatre,
    PushTheatre,
    Theatre,
    pull_theatre,
    push_theatre,
)


@pytest.fixture
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[PullTheatre]:
    """A log whose writer lives, and a hub in this process that looks four times a second."""
    with pull_theatre(tmp_path, monkeypatch) as opened:
        yield opened


@pytest.fixture
def push_stage(tmp_path: Path) -> Iterator[PushTheatre]:
    """The same with a hub that owns its viewers' connections, in a process of its own."""
    with push_theatre(tmp_path) as opened:
        yield opened


@pytest.fixture(params=["pull", "push"])
def either_stage(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Theatre]:
    """A log whose writer lives, and a hub of either kind that looks four times a second."""
    if request.param == "pull":
        with pull_theatre(tmp_path, monkeypatch) as pulling:
            yield pulling
    else:
        with push_theatre(tmp_path) as pushing:
            yield pushing
