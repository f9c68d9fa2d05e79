"""What the tests of this room share."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.store.fresh_var import make_var
from webapp.store import workflows
from webapp.store.engine import Database, open_migrated


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    """A migrated, empty database."""
    opened = open_migrated(make_var(tmp_path))
    yield opened
    opened.close()


@pytest.fixture
def workflow_id(database: Database) -> str:
    """A workflow that is in it."""
    return database.write(
        lambda orm: (
            workflows.create_workflow(
                orm, template="chat", request_id="r-1", initial_message="hello"
            ).id
        )
    )
