"""What the tests of this room share."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.http.client import Client
from tests.sessions.machine import Machine, clear_away, shell
from tests.store.fresh_var import make_var
from webapp.agents.profiles import Profile
from webapp.app import create_app
from webapp.host import Host
from webapp.http.services import EXTENSION
from webapp.settings import Settings

MakeClient = Callable[..., Client]
AGENTS = {
    # Does what its message says: `true`, `sleep 600`, `echo hi`.
    "sh": Profile("sh", shell("exec sh"), message="stdin"),
    "missing": Profile("missing", ("no-such-agent",)),
    "argument": Profile("argument", ("true", "{message}")),
}


@contextmanager
def open_client(folder: Path, **settings: Any) -> Iterator[Client]:
    """A worker on a new `var` folder."""
    chosen = Settings(
        var=make_var(folder), agents=AGENTS, default_agent="sh", grace_seconds=0.5, ping_seconds=60
    )
    is_over: list[bool] = []
    app = create_app(replace(chosen, **settings), Host(should_stop=lambda: bool(is_over)))
    services = app.extensions[EXTENSION]
    machine = Machine(services.settings, services.database, services.launcher)
    try:
        yield Client(app, machine, app.test_client())
    finally:
        is_over.append(True)
        clear_away(machine)


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """A worker that all tests of a file share."""
    with open_client(tmp_path_factory.mktemp("client")) as opened:
        yield opened


@pytest.fixture
def make_client(tmp_path: Path) -> Iterator[MakeClient]:
    """A worker of the test's own, with these settings."""
    with ExitStack() as stack:
        yield lambda **settings: stack.enter_context(open_client(tmp_path, **settings))
