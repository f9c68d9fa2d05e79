"""The cookie of somebody who has logged in.

It holds nothing but random letters and a time, signed; never the token, nor anything that
the token could be guessed from: the key is made from the token and a secret of this server.
Another token, or another secret, and every cookie is void.
"""

import contextlib
import hashlib
import hmac
import os
import secrets
from pathlib import Path

from itsdangerous import BadData, TimestampSigner

from webapp.errors import SetupError

SECRET_NAME = "login.key"  # noqa: S105 - a file's name
LIFE_SECONDS = 7 * 24 * 3600
RENEWAL_SECONDS = 3600
"""A cookie that is older is replaced by a new one when it is used."""

_SECRET_BYTES = 32


class LoginCookies:
    """Makes and checks cookies; all workers of one `var` folder agree on them."""

    def __init__(self, var: Path, token: str) -> None:
        """SetupError where the server's secret can be neither read nor made."""
        key = hmac.digest(_server_secret(var), token.encode(), "sha256")
        self._signer = TimestampSigner(
            key, salt="agent-stream login", digest_method=staticmethod(hashlib.sha256)
        )

    def make(self) -> str:
        """A new cookie: no two are the same."""
        return self._signer.sign(secrets.token_hex(16)).decode()

    def age_seconds(self, cookie: str) -> float | None:
        """How long ago it was made; None if it is not ours, or too old."""
        try:
            _value, made_at = self._signer.unsign(
                cookie.encode(), max_age=LIFE_SECONDS, return_timestamp=True
            )
        except BadData:
            return None
        return self._signer.get_timestamp() - made_at.timestamp()


def _server_secret(var: Path) -> bytes:
    """The secret, made by whichever process needs it first."""
    path = var / SECRET_NAME
    try:
        with contextlib.suppress(FileNotFoundError):
            return _read(path)
        fresh = path.with_name(f"{SECRET_NAME}.{secrets.token_hex(8)}")
        fd = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            os.write(fd, secrets.token_bytes(_SECRET_BYTES))
            os.fsync(fd)
            with contextlib.suppress(FileExistsError):
                os.link(fresh, path)  # whole, or not at all
        finally:
            os.close(fd)
            fresh.unlink()
        return _read(path)
    except OSError as error:
        raise SetupError(f"Cannot use {path}: {error.strerror}.") from None


def _read(path: Path) -> bytes:
    fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        found = os.read(fd, _SECRET_BYTES + 1)
    finally:
        os.close(fd)
    if len(found) != _SECRET_BYTES:
        raise SetupError(f"{path} is damaged: remove it, and all have to log in again.")
    return found
