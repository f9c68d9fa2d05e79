"""Secrets that are in files: the token, variables of agents, and what webhooks need.

Only the server needs them, so nothing else reads these files: other commands work for who may
not. A path may begin with `$CREDENTIALS_DIRECTORY`, where systemd puts what the unit names
(LoadCredential=): https://systemd.io/CREDENTIALS/
"""

import os
import stat
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from webapp import setting_values
from webapp.agents.profiles import Profile
from webapp.errors import SetupError
from webapp.webhooks.profile import Webhook, signing_key

MAX_BYTES = 64 * 1024
CREDENTIALS = "$CREDENTIALS_DIRECTORY"


def profile_with_secrets(profile: Profile, environ: Mapping[str, str]) -> Profile:
    """A profile with the values of its `env_files`. SetupError."""
    values = {
        name: read_secret(f"agents.{profile.name}.env_files.{name}", path, environ)
        for name, path in profile.env_files.items()
    }
    return replace(profile, file_env=values)


class Target(NamedTuple):
    """Where to send, and the key to sign with."""

    url: str
    key: bytes | None
    secrets: tuple[str, ...]
    """What must not appear in any text."""

    @property
    def server(self) -> str:
        """The part of the URL that is no secret."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc}"


def read_target(webhook: Webhook, environ: Mapping[str, str]) -> Target:
    """Read the files and variables that a webhook names. SetupError, without what is in them."""
    setting = f"webhooks.{webhook.name}"
    secrets = []
    address = webhook.url or ""
    if webhook.url_file is not None:
        address = read_secret(f"{setting}.url_file", webhook.url_file, environ)
        secrets.append(address)
        try:
            setting_values.web_address(address)
        except ValueError as error:
            raise SetupError(
                f"{setting}.url_file: what is in {webhook.url_file} is not valid, expected {error}."
            ) from None
    secret = _signing_secret(webhook, setting, environ)
    if secret is None:
        return Target(address, None, tuple(secrets))
    try:
        key = signing_key(secret)
    except ValueError as error:
        raise SetupError(f"{setting}: its secret is not valid, expected {error}.") from None
    return Target(address, key, (*secrets, secret))


def _signing_secret(webhook: Webhook, setting: str, environ: Mapping[str, str]) -> str | None:
    if webhook.secret_file is not None:
        return read_secret(f"{setting}.secret_file", webhook.secret_file, environ)
    if webhook.secret_env is None:
        return None
    if not environ.get(webhook.secret_env):
        raise SetupError(
            f"{setting}.secret_env is {webhook.secret_env!r}, but there is no such variable."
        )
    return environ[webhook.secret_env]


def read_secret(setting: str, path: str, environ: Mapping[str, str]) -> str:
    """The text of a file without the newline at its end. SetupError names setting and file."""
    file = _resolve(setting, path, environ)

    def refused(reason: str) -> SetupError:
        return SetupError(f"{setting}: {file} {reason}.")

    try:
        # A FIFO would make the start wait for ever.
        fd = os.open(file, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with open(fd, "rb") as opened:
            if not stat.S_ISREG(os.fstat(fd).st_mode):
                raise refused("is no regular file")
            data = opened.read(MAX_BYTES + 1)
    except OSError as error:
        raise refused(f"cannot be read: {error.strerror}") from None
    if len(data) > MAX_BYTES:
        raise refused(f"is longer than {MAX_BYTES} bytes")
    if b"\0" in data:
        raise refused("holds a NUL byte")
    try:
        text = data.decode().removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError:
        raise refused("is not UTF-8 text") from None
    if not text:
        raise refused("is empty")
    return text


def is_readable_by_others(path: str, environ: Mapping[str, str]) -> bool:
    """Whether every user of this machine may read it."""
    return bool(_resolve("env_files", path, environ).stat().st_mode & stat.S_IROTH)


def _resolve(setting: str, path: str, environ: Mapping[str, str]) -> Path:
    if path == CREDENTIALS or path.startswith(f"{CREDENTIALS}/"):
        folder = environ.get(CREDENTIALS.removeprefix("$"))
        if folder is None:
            raise SetupError(
                f"{setting} is {path!r}, but CREDENTIALS_DIRECTORY is not set: systemd sets it "
                "for a unit with LoadCredential=."
            )
        path = folder + path.removeprefix(CREDENTIALS)
    return setting_values.folder(path)
