"""What the tests of this room share."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.stream.growing_log import Theatre, theatre
from webapp.stream import hub


@pytest.fixture
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Theatre]:
    """A log whose writer lives, and a hub that looks four times a second."""
    monkeypatch.setattr(hub, "LOOK_SECONDS", 0.25)
    with theatre(tmp_path) as opened:
        yield opened
