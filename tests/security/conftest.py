"""What the tests of this room share with those of `http`."""

from tests.http.conftest import make_client

__all__ = ["make_client"]
