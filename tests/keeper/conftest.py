"""What the tests of this room share."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.search.stored_sessions import StoredSessions, open_stored


@pytest.fixture
def stored(tmp_path: Path) -> Iterator[StoredSessions]:
    """An empty `var` folder."""
    with open_stored(tmp_path) as opened:
        yield opened
