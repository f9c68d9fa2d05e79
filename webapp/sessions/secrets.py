"""Which values are secrets: they reach neither log nor row."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping

from webapp.log.redact import MIN_SECRET_BYTES, Redactor
from webapp.settings import Settings

_SECRET_NAME = re.compile(r"(?:KEY|TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIALS?)$", re.IGNORECASE)
_MAX_JSON_DEPTH = 3
"""A transcript has tools' results in JSON, and those may have JSON in them."""
_HTML = re.compile("[<>&'+]")
"""Letters that some encoders escape."""


def all_secrets(settings: Settings, environ: Mapping[str, str]) -> list[str]:
    """The values to take out, each in all the forms that it may be printed in.

    Those that settings and profiles name, those that an agent is given under a name that
    says what they are or from a file, those of webhooks, and the server's own token. All of them
    are taken out of what any agent prints: one may read what another was given.
    """
    names = set(settings.secrets)
    values: list[str] = []
    for profile in settings.agents.values():
        names.update(profile.secrets, filter(_SECRET_NAME.search, profile.env))
        values += profile.file_env.values()
    for webhook in settings.webhooks.values():
        values += webhook.secrets
    values += [environ[name] for name in sorted(names) if name in environ]
    if settings.token is not None:
        values.append(settings.token)
    return sorted({form for value in values for form in _forms(value)})


def redactor_of(settings: Settings, environ: Mapping[str, str]) -> "TextRedactor":
    """What takes the secrets of a server out of a text."""
    return TextRedactor(all_secrets(settings, environ), keys=settings.redact_keys)


def _forms(value: str) -> Iterable[str]:
    """A value as it is and as JSON has it; line by line, since the log's records are lines."""
    for line in value.splitlines():
        forms = latest = {line}
        for _ in range(_MAX_JSON_DEPTH):
            latest = {form for text in latest for form in _json_forms(text)}
            forms = forms | latest
        yield from (form for form in forms if _size(form) >= MIN_SECRET_BYTES)


def _json_forms(text: str) -> Iterable[str]:
    """A text as the usual encoders write it into a JSON string."""
    for ensure_ascii in (True, False):
        plain = json.dumps(text, ensure_ascii=ensure_ascii)[1:-1]
        yield plain
        yield plain.replace("/", "\\/")  # PHP
        yield _HTML.sub(lambda found: f"\\u{ord(found[0]):04x}", plain)  # Go
        yield _HTML.sub(lambda found: f"\\u{ord(found[0]):04X}", plain)  # .NET


def _size(text: str) -> int:
    return len(text.encode(errors="surrogateescape"))


class TextRedactor:
    """Takes secrets out of whole texts."""

    def __init__(self, secrets: Iterable[str], *, keys: bool) -> None:
        encoded = [secret.encode(errors="surrogateescape") for secret in secrets]
        self._redactor = Redactor(encoded, keys=keys)

    def redact(self, text: str) -> str:
        """The text without them."""
        data = text.encode(errors="surrogateescape")
        return self._redactor.redact(data).decode(errors="surrogateescape")

    def redact_lines(self, lines: Iterable[bytes]) -> Iterator[bytes]:
        """The lines of one text without them; a private key may take several."""
        for line in lines:
            yield self._redactor.feed(line)
        if rest := self._redactor.finish():
            yield rest
