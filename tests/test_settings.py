"""Every setting: what is taken, and the error for each bad value."""

import re
from pathlib import Path
from typing import Any

import pytest

from webapp.agents.profiles import BUILT_IN
from webapp.errors import SetupError
from webapp.settings import Settings, load_settings

TOKEN = "s3cret-token-0123"


@pytest.fixture(autouse=True)
def empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing lies where the server is started."""
    monkeypatch.chdir(tmp_path)


def from_environment(**values: str) -> Settings:
    """The settings of a process with these variables."""
    return load_settings({f"AGENT_STREAM_{name.upper()}": value for name, value in values.items()})


def from_file(content: str, **values: str) -> Settings:
    """The settings of a process with this file and these variables."""
    Path("settings.toml").write_text(content, encoding="utf-8")
    return from_environment(config="settings.toml", **values)


def refusal(content: str | None = None, **values: str) -> str:
    """What a process with these settings says instead of starting, on one line."""
    with pytest.raises(SetupError) as caught:
        from_environment(**values) if content is None else from_file(content, **values)
    assert "\n" not in str(caught.value)
    return str(caught.value)


# --- good values ----------------------------------------------------------------------


def test_defaults_need_no_file_and_no_variable() -> None:
    settings = load_settings({})
    assert (settings.host, settings.port, settings.worker_class) == ("127.0.0.1", 8000, "gevent")
    assert (settings.var, settings.token, settings.default_agent) == (Path("var"), None, "demo")
    assert 1 <= settings.workers <= 8
    assert settings.agents == BUILT_IN
    assert settings.debug_headers is False


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("host", "::1", "::1"),
        ("host", "localhost", "localhost"),
        ("port", "0", 0),
        ("port", "65535", 65535),
        ("workers", "1", 1),
        ("worker_class", "gthread", "gthread"),
        ("threads", "10000", 10_000),
        ("var", "/srv/var", Path("/srv/var")),
        ("var", "~/var", Path.home() / "var"),
        ("token", TOKEN[:16], TOKEN[:16]),
        ("allowed_hosts", "a.example, B.example ,", ("a.example", "b.example")),
        ("allowed_hosts", "", ()),
        ("debug_headers", "1", True),
        ("debug_headers", "0", False),
        ("default_agent", "claude", "claude"),
        ("grace_seconds", "0", 0),
        ("grace_seconds", "2.5", 2.5),
        ("ping_seconds", "0.05", 0.05),
    ],
)
def test_variable_is_read(name: str, text: str, value: Any) -> None:
    assert getattr(from_environment(**{name: text}), name) == value


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("port", "9000", 9000),
        ("host", '"::1"', "::1"),
        ("var", '"/srv/var"', Path("/srv/var")),
        ("allowed_hosts", '["A.example"]', ("a.example",)),
        ("debug_headers", "true", True),
        ("grace_seconds", "2", 2),
        ("ping_seconds", "0.5", 0.5),
        ("default_agent", '"codex"', "codex"),
    ],
)
def test_key_of_the_file_is_read(name: str, text: str, value: Any) -> None:
    assert getattr(from_file(f"{name} = {text}"), name) == value


def test_variable_counts_before_the_file() -> None:
    settings = from_file('port = 9000\nhost = "::1"', port="9001")
    assert (settings.port, settings.host) == (9001, "::1")


def test_file_in_the_folder_is_found_by_its_name() -> None:
    Path("agent-stream.toml").write_text("port = 9000")
    assert load_settings({}).port == 9000


def test_named_file_counts_before_the_one_in_the_folder() -> None:
    Path("agent-stream.toml").write_text("port = 9000")
    assert from_file("workers = 3").port == 8000


def test_other_variables_are_nobodys_business() -> None:
    assert load_settings({"PATH": "/bin", "AGENT_STREAMS": "x", "agent_stream_port": "x"}).port


def test_server_can_be_started_by_an_agent() -> None:
    names = ("session_id", "workflow_id", "stage_index")
    assert from_environment(**dict.fromkeys(names, "x")).port == 8000


# --- agents ---------------------------------------------------------------------------


def test_agent_is_read_with_all_its_keys() -> None:
    settings = from_file(
        """
        default_agent = "mine"
        [agents.mine]
        command = ["tool", "--message={message}"]
        message = "stdin"
        env = ["KEY"]
        cwd = "/srv"
        max_seconds = 1.5
        max_log_bytes = 1_000
        dialect = "claude"
        """
    )
    mine = settings.agents["mine"]
    assert (mine.name, mine.command) == ("mine", ("tool", "--message={message}"))
    assert (mine.message, mine.env, mine.cwd) == ("stdin", ("KEY",), "/srv")
    assert (mine.max_seconds, mine.max_log_bytes, mine.dialect) == (1.5, 1000, "claude")


def test_agent_may_print_pieces_of_messages_but_not_in_a_dialect() -> None:
    pieces = '[agents.mine]\ncommand = ["tool"]\nmessages = "pieces"\n'
    assert from_file(pieces).agents["mine"].messages == "pieces"
    assert BUILT_IN["demo"].messages == "pieces"
    with pytest.raises(SetupError, match=r"agents\.mine has both dialect and messages"):
        from_file(pieces + 'dialect = "claude"\n')


def test_agent_needs_no_more_than_a_command() -> None:
    mine = from_file('[agents.mine]\ncommand = ["tool"]').agents["mine"]
    assert (mine.message, mine.env, mine.cwd, mine.max_seconds) == (None, (), None, None)


def test_agents_of_the_file_stand_beside_the_built_in_ones() -> None:
    agents = from_file('[agents.mine]\ncommand = ["tool"]').agents
    assert set(agents) == {*BUILT_IN, "mine"}


def test_tilde_of_a_project_a_root_and_a_cwd_is_the_home_folder() -> None:
    settings = from_file(
        """
        project_roots = ["~/code", "/srv"]
        [projects.shop]
        path = "~/shop"
        [agents.mine]
        command = ["tool"]
        cwd = "~/shop"
        """
    )
    home = Path.home()
    assert settings.project_roots == (home / "code", Path("/srv"))
    assert settings.projects == {"shop": home / "shop"}
    assert settings.agents["mine"].cwd == str(home / "shop")


def test_table_of_a_built_in_agent_changes_only_what_it_names() -> None:
    claude = from_file("[agents.claude]\nmax_seconds = 60").agents["claude"]
    assert claude.max_seconds == 60
    assert claude.command == BUILT_IN["claude"].command
    assert claude.env == BUILT_IN["claude"].env


def test_command_of_its_own_makes_claude_an_agent_of_one_message() -> None:
    mine = 'command = ["claude", "-p", "--model=opus"]'
    claude = from_file(f"[agents.claude]\n{mine}").agents["claude"]
    assert (claude.talk, claude.message, claude.dialect) == (None, "stdin", "claude")
    assert claude.resume_command is None
    talking = from_file(f'[agents.claude]\n{mine}\ntalk = "claude"').agents["claude"]
    assert (talking.talk, talking.message) == ("claude", None)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('talk = "smoke"', "claude or codex or acp"),
        ('talk = "claude"\nmessage = "stdin"', "expected talk alone"),
        ('talk = "claude"\ninput = true', "expected talk alone"),
        ('allow = ["Bash(ls"]', "rules such as 'Read' and 'Bash(git status)'; one is 'Bash(ls'"),
        ("idle_seconds = 0", "a number from 1 to"),
    ],
)
def test_profile_that_cannot_talk_so_is_refused(line: str, said: str) -> None:
    with pytest.raises(SetupError, match=re.escape(said)):
        from_file(f'[agents.mine]\ncommand = ["tool"]\n{line}')


# --- bad values -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("port", "x", "a whole number from 0 to 65535"),
        ("port", "", "a whole number"),
        ("port", "-1", "from 0 to 65535"),
        ("port", "65536", "from 0 to 65535"),
        ("port", "80.5", "a whole number"),
        ("port", "9" * 5000, "a whole number"),
        ("workers", "0", "from 1 to 256"),
        ("workers", "257", "from 1 to 256"),
        ("threads", "0", "a whole number"),
        ("worker_class", "sync", "gevent or gthread"),
        ("host", "", "a text that is not empty"),
        ("var", "", "a text that is not empty"),
        ("var", "~no-such-user/var", "a folder"),
        ("token", "", "a text that is not empty"),
        ("debug_headers", "yes", "true or false"),
        ("debug_headers", "", "true or false"),
        ("grace_seconds", "x", "a number from 0 to 3600"),
        ("grace_seconds", "-0.1", "a number from 0"),
        ("grace_seconds", "nan", "a number"),
        ("grace_seconds", "inf", "a number"),
        ("ping_seconds", "0", "a number from 0.05"),
        ("default_agent", "", "a text that is not empty"),
    ],
)
def test_bad_variable_is_named_with_what_was_expected(name: str, text: str, expected: str) -> None:
    message = refusal(**{name: text})
    assert f"AGENT_STREAM_{name.upper()}" in message
    assert expected in message
    if name != "token":
        assert repr(text) in message


@pytest.mark.parametrize(
    ("line", "key", "expected"),
    [
        ('port = "x"', "port", "a whole number"),
        ("port = true", "port", "a whole number"),
        ("port = 80.0", "port", "a whole number"),
        ("port = []", "port", "a whole number"),
        ("port = 2026-11-23", "port", "a whole number"),
        ("host = 7", "host", "a text"),
        ("var = []", "var", "a text"),
        (r'var = "a\u0000b"', "var", "NUL"),
        ("token = 7", "token", "a text"),
        ("allowed_hosts = [7]", "allowed_hosts", "a list of texts"),
        ('allowed_hosts = [""]', "allowed_hosts", "a list of texts"),
        ("allowed_hosts = 7", "allowed_hosts", "a list of texts"),
        ("proxies = -1", "proxies", "from 0 to 16"),
        ("max_sessions = 0", "max_sessions", "a whole number from 1"),
        ("max_sessions_per_workflow = true", "max_sessions_per_workflow", "a whole number"),
        ("max_changes_per_minute = 0", "max_changes_per_minute", "a whole number from 1"),
        ('secrets = "A B"\nredact_keys = 2', "redact_keys", "true or false"),
        ("secrets = [7]", "secrets", "a list of texts"),
        ("debug_headers = 1", "debug_headers", "true or false"),
        ('worker_class = ["gevent"]', "worker_class", "gevent or gthread"),
        ("ping_seconds = false", "ping_seconds", "a number"),
        ("agents = 7", "agents", "tables such as [agents.mine]"),
        ("agents = []", "agents", "tables such as [agents.mine]"),
        ("projects = 7", "projects", "tables such as [projects.mine]"),
        ("[projects]\nshop = 7", "projects.shop is 7", "a table"),
        ("[projects.shop]", "projects.shop", "no path"),
        ("[projects.shop]\npath = 7", "projects.shop.path is 7", "a text"),
        ("[projects.shop]\npath = '/srv'\nbranch = 'x'", "'branch'", "there is: path"),
        ('[projects."a\\nb"]\npath = "/srv"', "project is named", "visible characters"),
        ("project_roots = 7", "project_roots", "a list of texts"),
        ('project_roots = ["~nobody-here/x"]', "project_roots", "there is no such user"),
    ],
)
def test_bad_key_of_the_file_is_named_with_what_was_expected(
    line: str, key: str, expected: str
) -> None:
    message = refusal(line)
    assert "settings.toml" in message
    assert key in message
    assert expected in message


@pytest.mark.parametrize(
    ("table", "key", "expected"),
    [
        ("", "agents.mine", "no command"),
        ("command = []", "agents.mine.command", "a list such as"),
        ('command = "tool"', "agents.mine.command", "a list such as"),
        ("command = [7]", "agents.mine.command", "a list of texts"),
        ('command = [""]', "agents.mine.command", "the first one the program"),
        (r'command = ["a\u0000"]', "agents.mine.command", "NUL"),
        ('message = "argv"', "agents.mine.message", "stdin"),
        ("env = [7]", "agents.mine.env", "a list of texts"),
        ("env_files = 7", "agents.mine.env_files", "a table such as"),
        ('env_files = { "A B" = "x" }', "agents.mine.env_files", "'A B' is no name"),
        ('env_files = { AGENT_STREAM_TOKEN = "x" }', "agents.mine.env_files", "is no name"),
        ("env_files = { A = 7 }", "agents.mine.env_files", "the path of A is 7"),
        ("run_as = 1000", "agents.mine.run_as", "a text"),
        ("cwd = 7", "agents.mine.cwd", "a text"),
        ('cwd = ""', "agents.mine.cwd", "a text that is not empty"),
        ("max_seconds = 0", "agents.mine.max_seconds", "a number from 0.001"),
        ("max_seconds = -1", "agents.mine.max_seconds", "a number"),
        ("max_seconds = true", "agents.mine.max_seconds", "a number"),
        ("max_log_bytes = 0", "agents.mine.max_log_bytes", "a whole number from 1"),
        ("max_log_bytes = 1.5", "agents.mine.max_log_bytes", "a whole number"),
        ('dialect = "gpt"', "agents.mine.dialect", "claude or codex"),
        ('input = "yes"', "agents.mine.input", "true or false"),
        ("shell = true", "shell", "command, message, env"),
    ],
)
def test_bad_agent_is_named_with_what_was_expected(table: str, key: str, expected: str) -> None:
    command = "" if table.startswith("command") or not table else 'command = ["tool"]\n'
    message = refusal(f"[agents.mine]\n{command}{table}")
    assert "settings.toml" in message
    assert key in message
    assert expected in message


def test_agent_that_is_no_table_is_named() -> None:
    assert "agents.mine" in refusal("[agents]\nmine = 7")


def test_token_is_never_shown() -> None:
    assert "12345" not in refusal("token = 12345")


def test_unknown_variable_is_named_with_those_that_there_are() -> None:
    message = refusal(prot="8000")
    assert "AGENT_STREAM_PROT" in message
    assert "AGENT_STREAM_PORT" in message


def test_variable_in_mixed_case_is_unknown() -> None:
    with pytest.raises(SetupError, match="AGENT_STREAM_Port"):
        load_settings({"AGENT_STREAM_Port": "8000"})


def test_unknown_key_is_named_with_those_that_there_are() -> None:
    message = refusal("prot = 8000")
    assert "'prot'" in message
    assert "port" in message
    assert "settings.toml" in message


def test_default_agent_must_be_one_of_the_agents() -> None:
    message = refusal(default_agent="gpt")
    assert "default_agent is 'gpt'" in message
    assert "demo" in message


# --- the file -------------------------------------------------------------------------


def test_file_that_is_named_must_be_there() -> None:
    message = refusal(config="nowhere.toml")
    assert "nowhere.toml" in message
    assert "No such file" in message


@pytest.mark.parametrize("config", ["", ".", "~no-such-user/x.toml"])
def test_name_that_is_no_file_is_refused(config: str) -> None:
    refusal(config=config)


@pytest.mark.parametrize("content", ["port", "port = ", "[agents", "port = 1\nport = 2"])
def test_file_that_is_no_toml_is_refused_with_the_line(content: str) -> None:
    message = refusal(content)
    assert "settings.toml" in message
    assert re.search(r"line \d|end of document", message)


def test_file_that_is_no_utf8_is_refused() -> None:
    Path("settings.toml").write_bytes(b'host = "\xff"')
    assert "settings.toml" in refusal(config="settings.toml")


# --- beyond loopback ------------------------------------------------------------------


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3", "::1", "localhost"])
def test_loopback_needs_no_token(host: str) -> None:
    assert from_environment(host=host).is_loopback


@pytest.mark.parametrize(
    "host", ["0.0.0.0", "::", "192.168.1.7", "agents.example", "127.0.0.1.evil.example"]
)
def test_listening_beyond_loopback_without_a_token_is_refused(host: str) -> None:
    message = refusal(host=host)
    assert host in message
    assert "AGENT_STREAM_TOKEN" in message
    assert from_environment(host=host, token=TOKEN).token == TOKEN


def test_token_of_the_file_counts_as_well() -> None:
    assert from_file(f'host = "0.0.0.0"\ntoken = "{TOKEN}"').host == "0.0.0.0"


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0"])
def test_short_token_is_refused_and_not_shown(host: str) -> None:
    message = refusal(host=host, token=TOKEN[:15])
    assert "AGENT_STREAM_TOKEN" in message
    assert "at least 16 characters" in message
    assert TOKEN[:15] not in message
