"""A webhook as the settings describe it: `[webhooks.NAME]`."""

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from webapp import setting_values
from webapp.errors import SetupError
from webapp.setting_values import Reader
from webapp.webhooks.events import EVENTS

TEMPLATES = ("json", "ntfy", "slack")
SECRET_PREFIX = "whsec_"  # noqa: S105 - the beginning of each
MIN_KEY_BYTES, MAX_KEY_BYTES = 24, 64
"""What Standard Webhooks ask of a key."""
_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True)
class Webhook:
    """Where notices are sent; the fields are the keys of `[webhooks.<name>]` in the settings."""

    name: str
    url: str | None = None
    url_file: str | None = None
    """A file that holds the URL instead: that of ntfy or Slack is a secret itself."""
    secret_file: str | None = None
    secret_env: str | None = None
    """The name of a variable that holds the secret instead."""
    events: tuple[str, ...] = EVENTS
    template: str = "json"
    allow_private: bool = False
    """Whether the URL may lead to an address that is not public, such as this machine's."""
    secrets: tuple[str, ...] = field(default=(), repr=False)
    """What is in its files and its variable, once these were read."""

    @property
    def files(self) -> tuple[str, ...]:
        """The paths of the files that hold secrets."""
        return tuple(path for path in (self.url_file, self.secret_file) if path is not None)


def signing_key(secret: str) -> bytes:
    """The key in a secret. ValueError says what was expected, without the secret."""
    expected = (
        f"{SECRET_PREFIX} and {MIN_KEY_BYTES} to {MAX_KEY_BYTES} bytes in base64, such as "
        f'`echo "{SECRET_PREFIX}$(openssl rand -base64 32)"` prints'
    )
    if not secret.startswith(SECRET_PREFIX):
        raise ValueError(expected)
    try:
        key = base64.b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        raise ValueError(expected) from None
    if not MIN_KEY_BYTES <= len(key) <= MAX_KEY_BYTES:
        raise ValueError(expected)
    return key


def _variable(value: object) -> str:
    found = setting_values.text(value)
    if not _VARIABLE.fullmatch(found):
        raise ValueError("the name of an environment variable")
    return found


def _events(value: object) -> tuple[str, ...]:
    found = setting_values.texts(value)
    if not found or not set(found) <= set(EVENTS):
        raise ValueError(f"a list of some of {', '.join(EVENTS)}")
    return found


_READERS: dict[str, Reader] = {
    "url": setting_values.web_address,
    "url_file": setting_values.text,
    "secret_file": setting_values.text,
    "secret_env": _variable,
    "events": _events,
    "template": setting_values.one_of(*TEMPLATES),
    "allow_private": setting_values.switch,
}


def read_webhooks(tables: object, path: str) -> dict[str, Webhook]:
    """All webhooks of a settings file. SetupError."""
    if not isinstance(tables, dict):
        raise SetupError(
            f"{path}: webhooks is {tables!r}, expected tables such as [webhooks.phone]."
        )
    return {name: _webhook(name, table, path) for name, table in tables.items()}


def _webhook(name: str, table: object, path: str) -> Webhook:
    if not _NAME.fullmatch(name):
        raise SetupError(
            f"{path}: {name!r} is no name of a webhook, expected letters, digits, - and _."
        )
    if not isinstance(table, dict):
        raise SetupError(f"{path}: webhooks.{name} is {table!r}, expected a table.")
    values = {key: _value(name, key, value, path) for key, value in table.items()}
    for first, second in (("url", "url_file"), ("secret_file", "secret_env")):
        if first in values and second in values:
            raise SetupError(
                f"{path}: webhooks.{name} has both {first} and {second}, expected one of them."
            )
    webhook = Webhook(name, **values)
    if webhook.url is None and webhook.url_file is None:
        raise SetupError(f"{path}: webhooks.{name} has neither url nor url_file.")
    if webhook.template == "json" and not (webhook.secret_file or webhook.secret_env):
        raise SetupError(
            f"{path}: webhooks.{name} has neither secret_file nor secret_env, expected one of "
            "them: its receiver must be able to tell who sends."
        )
    return webhook


def _value(name: str, key: str, value: object, path: str) -> Any:
    if key not in _READERS:
        raise SetupError(
            f"{path}: unknown key {key!r} in webhooks.{name}; there are: {', '.join(_READERS)}."
        )
    try:
        return _READERS[key](value)
    except ValueError as error:
        # A URL may hold a token.
        shown = "not valid" if key == "url" else repr(value)
        raise SetupError(f"{path}: webhooks.{name}.{key} is {shown}, expected {error}.") from None


def variables_of(webhooks: Mapping[str, Webhook]) -> tuple[str, ...]:
    """The environment variables that hold secrets of webhooks."""
    return tuple(each.secret_env for each in webhooks.values() if each.secret_env is not None)
