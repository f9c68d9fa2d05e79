"""Which values are secrets, for one profile: they reach neither log nor row."""

import json
import re
from collections.abc import Iterable, Mapping

from webapp.agents.profiles import Profile
from webapp.log.redact import MIN_SECRET_BYTES, Redactor
from webapp.settings import Settings

_SECRET_NAME = re.compile(r"(?:KEY|TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIALS?)$", re.IGNORECASE)
_MAX_JSON_DEPTH = 3
"""A transcript has tools' results in JSON, and those may have JSON in them."""
_HTML = re.compile("[<>&'+]")
"""Letters that some encoders escape."""


def secrets_of(profile: Profile, settings: Settings, environ: Mapping[str, str]) -> list[str]:
    """The values to take out, each in all the forms that it may be printed in.

    Those that settings and profile name, those that the agent is given under a name that
    says what they are or from a file, and the server's own token.
    """
    names = {*settings.secrets, *profile.secrets, *filter(_SECRET_NAME.search, profile.env)}
    values = [environ[name] for name in sorted(names) if name in environ]
    values += profile.file_env.values()
    if settings.token is not None:
        values.append(settings.token)
    return sorted({form for value in values for form in _forms(value)})


def secrets_of_all(settings: Settings, environ: Mapping[str, str]) -> list[str]:
    """The same for a text that may go to any agent."""
    each = (secrets_of(profile, settings, environ) for profile in settings.agents.values())
    return sorted({secret for secrets in each for secret in secrets})


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
    """Takes the secrets of one profile out of whole texts."""

    def __init__(self, secrets: Iterable[str], *, keys: bool) -> None:
        encoded = [secret.encode(errors="surrogateescape") for secret in secrets]
        self._redactor = Redactor(encoded, keys=keys)

    def redact(self, text: str) -> str:
        """The text without them."""
        data = text.encode(errors="surrogateescape")
        return self._redactor.redact(data).decode(errors="surrogateescape")
