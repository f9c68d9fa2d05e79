"""What the tests of this room share, and what they share with those of `http`."""

from collections.abc import Iterator

import pytest

from tests.http.conftest import make_client
from tests.security.raw import TOKEN
from tests.server import Server, running_server

__all__ = ["make_client"]


@pytest.fixture(scope="session", params=["gevent", "gthread"])
def guarded_server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """One that asks for a token; it has one worker, so that all clients meet it."""
    folder = tmp_path_factory.mktemp(request.param)
    with running_server(
        folder, workers=1, worker_class=request.param, AGENT_STREAM_TOKEN=TOKEN
    ) as started:
        yield started
