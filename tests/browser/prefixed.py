"""A server as a browser finds it: by itself, or behind nginx and below a prefix."""

from collections.abc import Iterator
from contextlib import contextmanager
from copy import copy
from pathlib import Path

from tests.nginx import running_nginx
from tests.server import Server

PREFIX = "/agents"
SITES = ["direct", "prefix"]
"""Parameters of a fixture that gives a server."""


@contextmanager
def as_site(server: Server, site: str, folder: Path) -> Iterator[Server]:
    """The server with the URL of the site; below a prefix it must believe one proxy."""
    if site == "direct":
        yield server
        return
    with running_nginx(server, folder / "nginx", tls=False, prefix=PREFIX) as proxy:
        found = copy(server)
        found.url = proxy.url
        yield found
