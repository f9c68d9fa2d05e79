"""Settings: what is read from where, and a clear refusal for what makes no sense."""

from pathlib import Path

import pytest

from webapp.errors import SetupError
from webapp.settings import Settings, load_settings


def load(folder: Path, toml: str = "", **environment: str) -> Settings:
    """Settings from a file and the environment."""
    path = folder / "settings.toml"
    path.write_text(toml, encoding="utf-8")
    named = {f"AGENT_STREAM_{key}": value for key, value in environment.items()}
    return load_settings({"AGENT_STREAM_CONFIG": str(path), "PATH": "/bin", **named})


def test_nothing_needs_to_be_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    settings = load_settings({})
    assert (settings.host, settings.port, settings.worker_class) == ("127.0.0.1", 8000, "gevent")
    assert set(settings.agents) == {"demo", "claude", "codex", "choragen"}
    assert settings.default_agent == "demo"


def test_environment_wins_over_the_file(tmp_path: Path) -> None:
    settings = load(tmp_path, "port = 9000\nworkers = 3\n", PORT="9001")
    assert (settings.port, settings.workers) == (9001, 3)


def test_profile_of_a_built_in_name_changes_only_what_it_names(tmp_path: Path) -> None:
    settings = load(tmp_path, "[agents.claude]\ncwd = '/srv'\nmax_seconds = 5\n")
    claude = settings.agents["claude"]
    assert (claude.cwd, claude.max_seconds, claude.message) == ("/srv", 5, "stdin")
    assert claude.command[0] == "claude"


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("PORT", "http", "AGENT_STREAM_PORT is 'http', expected a whole number from 0 to 65535"),
        ("PORT", "70000", "AGENT_STREAM_PORT"),
        ("WORKERS", "0", "AGENT_STREAM_WORKERS is '0', expected a whole number from 1"),
        ("WORKER_CLASS", "sync", "expected gevent or gthread"),
        ("DEBUG_HEADERS", "yes", "AGENT_STREAM_DEBUG_HEADERS"),
        ("VAR", "", "AGENT_STREAM_VAR"),
        ("VAR", "~nosuchuser/x", "AGENT_STREAM_VAR"),
        ("HOSTS", "x", "Unknown environment variable AGENT_STREAM_HOSTS; there are: "),
        ("port", "8000", "Unknown environment variable AGENT_STREAM_port"),
        ("DEFAULT_AGENT", "gpt", "default_agent is 'gpt', which is no agent; there are: demo"),
        ("HOST", "0.0.0.0", "Listening on 0.0.0.0 is refused without a token"),
        ("GRACE_SECONDS", "-1", "AGENT_STREAM_GRACE_SECONDS"),
    ],
)
def test_bad_variable_is_named_with_what_was_expected(
    tmp_path: Path, key: str, value: str, expected: str
) -> None:
    with pytest.raises(SetupError) as caught:
        load(tmp_path, **{key: value})
    assert expected in caught.value.message


@pytest.mark.parametrize(
    ("toml", "expected"),
    [
        ("port = ", "not valid TOML"),
        ("prot = 8000", "unknown key 'prot'; there are: host, port"),
        ("port = true", "port is True, expected a whole number"),
        ("agents = 1", "agents is 1, expected tables"),
        ("[agents.x]\ncommand = 'ls'", "agents.x.command is 'ls', expected a list"),
        ("[agents.x]\ncommand = []", "agents.x.command is [], expected a list"),
        ("[agents.x]\nmessage = 'stdin'", "agents.x has no command"),
        ("[agents.x]\ncommand = ['a']\nmessage = 'file'", "agents.x.message"),
        ("[agents.x]\ncommand = ['a']\ncolour = 1", "unknown key 'colour' in agents.x"),
        ("[agents.x]\ncommand = ['a']\nmax_seconds = 0", "agents.x.max_seconds"),
        ('[agents.x]\ncommand = ["a\\u0000"]', "NUL"),
    ],
)
def test_bad_file_is_refused_by_its_key(tmp_path: Path, toml: str, expected: str) -> None:
    with pytest.raises(SetupError) as caught:
        load(tmp_path, toml)
    assert expected in caught.value.message
    assert "settings.toml" in caught.value.message


def test_file_that_is_named_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="Cannot read the settings file"):
        load_settings({"AGENT_STREAM_CONFIG": str(tmp_path / "nowhere.toml")})


def test_token_opens_the_network_and_is_never_shown(tmp_path: Path) -> None:
    assert load(tmp_path, HOST="0.0.0.0", TOKEN="secret").token == "secret"
    with pytest.raises(SetupError) as caught:
        load(tmp_path, "token = 7")
    assert "7" not in caught.value.message.partition("token")[2]


def test_agent_may_start_a_server_of_its_own(tmp_path: Path) -> None:
    inside = {"SESSION_ID": "s", "WORKFLOW_ID": "w", "STAGE_INDEX": "0"}
    assert load(tmp_path, **inside).port == 8000
