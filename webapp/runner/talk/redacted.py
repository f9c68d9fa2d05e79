"""Texts and objects without secrets, for log and row: what the agent executes stays as it is."""

import json
from collections.abc import Callable

from webapp.log.redact import MIN_SECRET_BYTES

_MAX_NAMES = 256


class Redact:
    """Takes secrets out of JSON values."""

    def __init__(self, text: Callable[[str], str]) -> None:
        self._text = text
        self._names: dict[str, str] = {}
        """Of fields: most are the same in all records."""

    def text(self, text: str) -> str:
        """A text without secrets, nor halves of surrogate pairs."""
        if len(text) < MIN_SECRET_BYTES and text.isascii():
            return text
        return self._text(text.encode("utf-8", "replace").decode())

    def value(self, value: object) -> object:
        """A value without secrets: each text by itself, then all of it as it is in the log,
        since some keys are known only by the name of their field."""
        clean = self._each(value)
        written = json.dumps(clean)
        redacted = self.text(written)
        if redacted == written:
            return clean
        try:
            return json.loads(redacted)
        except ValueError:
            return clean

    def _name(self, name: str) -> str:
        clean = self._names.get(name)
        if clean is None:
            clean = self.text(name)
            if len(self._names) < _MAX_NAMES:
                self._names[name] = clean
        return clean

    def _each(self, value: object) -> object:
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict):
            return {self._name(str(key)): self._each(item) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [self._each(item) for item in value]
        return value


def shortened(value: object, max_letters: int = 2000) -> object:
    """A value with its long texts cut, for a row."""
    if isinstance(value, str):
        return value if len(value) <= max_letters else value[:max_letters] + "…"
    if isinstance(value, dict):
        return {key: shortened(item, max_letters) for key, item in value.items()}
    if isinstance(value, list):
        return [shortened(item, max_letters) for item in value[:100]]
    return value
