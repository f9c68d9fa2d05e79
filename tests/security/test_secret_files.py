"""Secrets that are in files: read by the server alone, and redacted like all others."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.command import run
from tests.server import HTTP, Server, python_agent, write_settings
from webapp.errors import SetupError
from webapp.secret_files import MAX_BYTES, read_secret

TOKEN = "token-of-the-server-in-a-file"
KEY = "key-of-the-agent-in-a-file"
SPEAKER = python_agent(
    "import os\nkey = os.environ['MY_LOGIN']\nprint('got', key[::-1])\nprint(key)"
)


def write(path: Path, content: bytes, mode: int = 0o600) -> Path:
    path.write_bytes(content)
    path.chmod(mode)
    return path


def test_agent_gets_a_variable_from_a_file_and_it_is_redacted(tmp_path: Path) -> None:
    write(tmp_path / "token", f"{TOKEN}\n".encode())
    write(tmp_path / "key", f"{KEY}\r\n".encode(), 0o644)
    write_toml(tmp_path, "speaker", "MY_LOGIN", "$CREDENTIALS_DIRECTORY/key")
    server = Server(
        tmp_path,
        1,
        "gevent",
        AGENT_STREAM_TOKEN_FILE=str(tmp_path / "token"),
        CREDENTIALS_DIRECTORY=str(tmp_path),
    )
    server.login = {"Authorization": f"Bearer {TOKEN}"}
    server.start()
    try:
        assert HTTP.get(f"{server.url}/api/sessions").status_code == 401
        session_id = server.invoke("speaker", f"say {TOKEN} and {KEY}")
        server.wait_until_ended(session_id)
        url = f"{server.url}/api/sessions/{session_id}/log?stream=stdout"
        said = HTTP.get(url, headers=server.login).text
        assert said == f"got {KEY[::-1]}\n[redacted]\n"
        written = [path.read_bytes() for path in server.var.rglob("*") if path.is_file()]
        assert not any(secret.encode() in b"".join(written) for secret in (TOKEN, KEY))
    finally:
        server.stop()
    warned = server.output.read_text()
    assert "$CREDENTIALS_DIRECTORY/key holds a secret, and every user may read it" in warned
    assert f"{tmp_path / 'token'} holds" not in warned


def write_toml(folder: Path, agent: str, name: str, path: str) -> None:
    write_settings(folder / "agent-stream.toml", {agent: SPEAKER})
    with open(folder / "agent-stream.toml", "a", encoding="utf-8") as file:
        file.write(f'env_files = {{ {name} = "{path}" }}\n')


def test_other_commands_need_no_such_file(tmp_path: Path) -> None:
    write_toml(tmp_path, "speaker", "MY_LOGIN", str(tmp_path / "no-such-file"))
    output = run(tmp_path, "ls", AGENT_STREAM_TOKEN_FILE="/no/such/file")
    assert "no-such-file" not in output.stderr
    warned = run(tmp_path, "run", "--", "true")
    assert "no-such-file cannot be read: No such file or directory. What is in it is" in (
        warned.stderr
    )
    assert warned.returncode == 0
    refused = run(tmp_path, "run", "--agent", "speaker")
    assert f"agents.speaker.env_files.MY_LOGIN: {tmp_path}/no-such-file cannot be read" in (
        refused.stderr
    )


def test_commands_that_write_sessions_know_the_secrets_of_all_profiles(tmp_path: Path) -> None:
    login, secrets = "login-that-a-profile-names", (TOKEN, KEY, "login-that-a-profile-names")
    write(tmp_path / "token", TOKEN.encode())
    write(tmp_path / "key", KEY.encode())
    write_toml(tmp_path, "speaker", "MY_LOGIN", str(tmp_path / "key"))
    with open(tmp_path / "agent-stream.toml", "a", encoding="utf-8") as file:
        file.write('secrets = ["ANOTHER_LOGIN"]\n')
    known = {"AGENT_STREAM_TOKEN_FILE": str(tmp_path / "token"), "ANOTHER_LOGIN": login}
    unknown = {"AGENT_STREAM_CONFIG": str(write(tmp_path / "empty.toml", b""))}

    said = run(tmp_path, "run", "--name", "speaker", "--", "echo", *secrets, **known)
    assert said.stdout == "[redacted] [redacted] [redacted]\n"

    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    run(elsewhere, "run", "--", "echo", *secrets, **unknown)
    exported = run(elsewhere, "export", "last", "--format", "jsonl", **unknown).stdout
    assert all(secret in exported for secret in secrets)
    write(tmp_path / "session.jsonl", exported.encode())
    imported = run(tmp_path, "import", "session.jsonl", **known)
    assert imported.returncode == 0, imported.stderr

    written = [path.read_bytes() for path in (tmp_path / "var").rglob("*") if path.is_file()]
    assert not any(secret.encode() in b"".join(written) for secret in secrets)


@pytest.mark.parametrize(
    ("prepare", "reason"),
    [
        (lambda path: None, "cannot be read: No such file or directory"),
        (lambda path: path.mkdir(), "cannot be read: Is a directory"),
        (lambda path: os.mkfifo(path), "is no regular file"),
        (lambda path: write(path, b"\n"), "is empty"),
        (lambda path: write(path, b"x" * (MAX_BYTES + 1)), f"is longer than {MAX_BYTES} bytes"),
        (lambda path: write(path, b"a\0b"), "holds a NUL byte"),
        (lambda path: write(path, b"\xff\xfe"), "is not UTF-8 text"),
    ],
    ids=["missing", "folder", "fifo", "empty", "long", "nul", "no text"],
)
def test_bad_file_is_named_with_what_is_wrong(
    tmp_path: Path, prepare: Callable[[Path], object], reason: str
) -> None:
    path = tmp_path / "secret"
    prepare(path)
    with pytest.raises(SetupError) as refused:
        read_secret("token_file", str(path), {})
    assert str(refused.value) == f"token_file: {path} {reason}."


def test_path_in_the_folder_of_credentials_needs_systemd() -> None:
    with pytest.raises(SetupError, match="CREDENTIALS_DIRECTORY is not set"):
        read_secret("token_file", "$CREDENTIALS_DIRECTORY/token", {})


@pytest.mark.parametrize(
    ("content", "token", "reason"),
    [
        (b"short\n", None, "expected at least 16 characters"),
        (TOKEN.encode(), TOKEN, "token and token_file are both set"),
    ],
)
def test_server_refuses_to_start_with_a_bad_token_file(
    tmp_path: Path, content: bytes, token: str | None, reason: str
) -> None:
    path = write(tmp_path / "token", content)
    given = {} if token is None else {"AGENT_STREAM_TOKEN": token}
    server = Server(tmp_path, 1, "gevent", AGENT_STREAM_TOKEN_FILE=str(path), **given)
    assert server.spawn().wait(60) == 2
    said = server.output.read_text()
    assert reason in said
    assert "Traceback" not in said


def test_token_file_is_a_token_for_listening_beyond_loopback(tmp_path: Path) -> None:
    path = write(tmp_path / "token", TOKEN.encode())
    server = Server(
        tmp_path,
        1,
        "gevent",
        AGENT_STREAM_HOST="0.0.0.0",
        AGENT_STREAM_TOKEN_FILE=str(path),
    )
    server.start()
    try:
        assert HTTP.get(f"{server.url}/api/sessions").status_code == 401
        login = {"Authorization": f"Bearer {TOKEN}"}
        assert HTTP.get(f"{server.url}/api/sessions", headers=login).status_code == 200
    finally:
        server.stop()
