"""Readers of single values: from a TOML value or an environment variable's text to Python.

Each returns the value or raises ValueError, whose text says what was expected.
"""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

MIN_TOKEN_CHARACTERS = 16

Reader = Callable[[object], Any]


def text(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError("a text that is not empty")
    if "\0" in value:
        raise ValueError("a text without NUL characters")
    return value


def token(value: object) -> str:
    found = text(value)
    if len(found) < MIN_TOKEN_CHARACTERS:
        raise ValueError(
            f"at least {MIN_TOKEN_CHARACTERS} characters, such as `openssl rand -hex 32` prints"
        )
    return found


def number(minimum: float, maximum: float, *, whole: bool) -> Callable[[object], Any]:
    expected = f"a {'whole ' if whole else ''}number from {minimum:g} to {maximum:g}"

    def read(value: object) -> int | float:
        if isinstance(value, str):
            try:
                value = int(value) if whole else float(value)
            except ValueError:
                raise ValueError(expected) from None
        if isinstance(value, bool) or not isinstance(value, int if whole else int | float):
            raise ValueError(expected)
        if not minimum <= value <= maximum:
            raise ValueError(expected)
        return value

    return read


def switch(value: object) -> bool:
    if isinstance(value, bool):
        return value
    if value in ("0", "1"):
        return value == "1"
    raise ValueError("true or false (1 or 0 in the environment)")


def texts(value: object) -> tuple[str, ...]:
    if isinstance(value, str):
        value = [item.strip() for item in value.split(",") if item.strip()]
    if not isinstance(value, list) or not all(isinstance(item, str) and item for item in value):
        raise ValueError("a list of texts (separated by commas in the environment)")
    return tuple(value)


def host_names(value: object) -> tuple[str, ...]:
    return tuple(name.lower() for name in texts(value))


def nginx_location(value: object) -> str:
    if not isinstance(value, str) or not re.fullmatch(r"(/[A-Za-z0-9._-]+)+", value):
        raise ValueError("the path of a location of nginx, such as /agent-stream-logs")
    return value


def web_address(value: object) -> str:
    """A URL of HTTP. What is wrong with it is not repeated: it may hold a token."""
    expected = "a URL such as https://example.org/path, of ASCII characters and without a user"
    found = text(value)
    try:
        parts = urlsplit(found)
        is_good = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        raise ValueError(expected) from None
    if not is_good or "@" in parts.netloc or not re.fullmatch(r"[!-~]+", found):
        raise ValueError(expected)
    return found.removesuffix("/") if parts.path == "/" and not parts.query else found


def path_prefix(value: object) -> str:
    """Nothing, or the beginning of a path."""
    if not isinstance(value, str) or not re.fullmatch(r"(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)*", value):
        raise ValueError("a path without a slash at its end, such as /agents")
    return value


def one_of(*choices: str) -> Callable[[object], str]:
    def read(value: object) -> str:
        if value not in choices:
            raise ValueError(" or ".join(choices))
        return str(value)

    return read


def folder(value: object) -> Path:
    try:
        return Path(text(value)).expanduser()
    except RuntimeError:
        raise ValueError("a folder; there is no such user") from None


def folders(value: object) -> tuple[Path, ...]:
    return tuple(folder(path) for path in texts(value))


def folder_text(value: object) -> str:
    """A folder as it is written, but for a `~` at its beginning."""
    return str(folder(value))
