"""What the tests of this room share."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.search.shelf import Shelf, open_shelf


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[Shelf]:
    """An empty `var` folder."""
    with open_shelf(tmp_path) as opened:
        yield opened
