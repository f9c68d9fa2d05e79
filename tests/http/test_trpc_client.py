"""The stock `@trpc/client` from npm against gunicorn with several workers.

`make test` installs it, and the EventSource that it needs in Node, into tests/node_modules.
"""

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import playwright
import pytest

from tests.projects.repository import make_repository
from tests.server import Server, running_server
from webapp.http.trpc.router import PROCEDURES

FOLDER = Path(__file__).parent / "js"
NODE = Path(playwright.__file__).parent / "driver" / "node"
PACKAGES = Path(__file__).parent.parent / "node_modules"
AGENTS = {"writes": {"command": ["sh", "-c", "echo x >> note"]}}
PING_SECONDS = "1"
"""Three of them are longer than the longest wait before a reconnect."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server whose workers may be killed, and whose subscriptions ping once a second."""
    folder = tmp_path_factory.mktemp("trpc-client")
    shop = make_repository(folder / "shop")
    settings = {"projects": {"shop": {"path": str(shop)}}}
    environment = {"AGENT_STREAM_PING_SECONDS": PING_SECONDS}
    with running_server(folder, AGENTS, workers=3, settings=settings, **environment) as running:
        yield running


@pytest.mark.parametrize("file", sorted(FOLDER.glob("*.test.mjs")), ids=lambda file: file.stem)
def test_stock_client_does_what_its_tests_say(server: Server, file: Path) -> None:
    assert (PACKAGES / ".ready").exists(), "run: make npm-packages"
    environment = {
        **os.environ,
        "NO_COLOR": "1",
        "SERVER_URL": server.url,
        "PROCEDURES": json.dumps(list(PROCEDURES)),
        "PING_SECONDS": PING_SECONDS,
    }
    finished = subprocess.run(
        [str(NODE), "--test", str(file)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert finished.returncode == 0, finished.stdout + finished.stderr
    assert "pass 0\n" not in finished.stdout, "no test was found"
