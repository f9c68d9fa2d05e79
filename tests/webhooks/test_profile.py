"""Webhooks in the settings file: what is taken, and the error for each bad value."""

from pathlib import Path
from typing import Any

import pytest

from tests.server import write_settings
from tests.webhooks.receiver import KEY, SECRET
from webapp.errors import SetupError
from webapp.secret_files import read_target
from webapp.server_settings import load_server_settings
from webapp.sessions.secrets import all_secrets

GOOD = {"url": "https://example.org/a", "secret_env": "HOOK"}
ENVIRON = {"HOOK": SECRET, "SHORT": "whsec_c2hvcnQ=", "PLAIN": "hunter2-hunter2"}


def load(folder: Path, table: dict[str, Any], name: str = "phone") -> Any:
    write_settings(folder / "agent-stream.toml", {}, webhooks={name: table})
    environ = {"AGENT_STREAM_CONFIG": str(folder / "agent-stream.toml"), **ENVIRON}
    return load_server_settings(environ)


def test_webhook_with_its_secret(tmp_path: Path) -> None:
    settings = load(tmp_path, GOOD)
    target = read_target(settings.webhooks["phone"], ENVIRON)
    assert (target.url, target.key, target.server) == (GOOD["url"], KEY, "https://example.org")
    assert SECRET in all_secrets(settings, {})
    assert SECRET not in repr(settings)


def test_url_that_is_a_secret_is_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "url").write_text("https://hooks.example.org/T1/secret-of-slack\n")
    table = {"url_file": str(tmp_path / "url"), "template": "slack"}
    settings = load(tmp_path, table)
    target = read_target(settings.webhooks["phone"], {})
    assert (target.url, target.key) == ("https://hooks.example.org/T1/secret-of-slack", None)
    assert "secret-of-slack" not in target.server + repr(settings)
    assert any("secret-of-slack" in secret for secret in all_secrets(settings, {}))


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ({}, "neither url nor url_file"),
        ({"url": "https://example.org"}, "neither secret_file nor secret_env"),
        (GOOD | {"url": "ftp://example.org"}, "webhooks.phone.url is not valid, expected a URL"),
        (GOOD | {"url": "https://u:p@example.org"}, "without a user"),
        (GOOD | {"url": "https://example.org/a b"}, "ASCII"),
        (GOOD | {"url": "https://example.org:99999"}, "expected a URL"),
        (GOOD | {"url": "https://"}, "expected a URL"),
        (GOOD | {"url": "https://example.org/\r\nX: y"}, "expected a URL"),
        (GOOD | {"url": 7}, "a text"),
        (GOOD | {"url_file": "x"}, "both url and url_file"),
        (GOOD | {"secret_file": "x"}, "both secret_file and secret_env"),
        ({"url": GOOD["url"], "secret_file": "/nonexistent"}, "cannot be read"),
        (GOOD | {"secret_env": "NONE"}, "'NONE', but there is no such variable"),
        (GOOD | {"secret_env": "A B"}, "name of an environment variable"),
        (GOOD | {"secret_env": "SHORT"}, "24 to 64 bytes"),
        (GOOD | {"secret_env": "PLAIN"}, "expected whsec_"),
        (GOOD | {"events": ["approval", "launch"]}, "a list of some of approval, question"),
        (GOOD | {"events": []}, "a list of some of"),
        (GOOD | {"template": "teams"}, "json or ntfy or slack"),
        (GOOD | {"allow_private": "yes"}, "true or false"),
        (GOOD | {"urls": "x"}, "unknown key 'urls' in webhooks.phone; there are: url,"),
    ],
    ids=str,
)
def test_bad_webhook_stops_the_start(tmp_path: Path, table: dict[str, Any], words: str) -> None:
    with pytest.raises(SetupError) as error:
        load(tmp_path, table)
    assert words in str(error.value)
    assert "hunter2" not in str(error.value)


def test_bad_name_stops_the_start(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="no name of a webhook"):
        load(tmp_path, GOOD, name='"a b"')
