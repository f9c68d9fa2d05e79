"""Every setting: from the environment first, then from `agent-stream.toml`.

An unknown key or a bad value raises SetupError, which names the key and its source.
"""

import ipaddress
import os
import tomllib
from collections.abc import Mapping
from dataclasses import Field, dataclass, field, fields, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from webapp import setting_values
from webapp.agents.profiles import BUILT_IN, PROTOCOLS, Profile
from webapp.errors import SetupError
from webapp.log.dialects import DIALECTS
from webapp.runner.talk.rules import is_rule
from webapp.server_log.formats import FORMATS
from webapp.setting_values import Reader
from webapp.store import templates as stage_templates
from webapp.store.templates import StageTemplate
from webapp.store.values import MAX_NAME_LETTERS, is_name
from webapp.visible import shortened
from webapp.webhooks.profile import Webhook, read_webhooks

CONFIG_NAME = "agent-stream.toml"
PREFIX = "AGENT_STREAM_"
WORKER_CLASSES = ("gevent", "gthread")

_INSIDE_AN_AGENT = {"SESSION_ID", "WORKFLOW_ID", "STAGE_INDEX"}
"""Set by us for an agent, and so also there when an agent starts us."""


def _setting(default: Any, read: Reader, meaning: str, *, shown: str | None = None) -> Any:
    """A field: its default, its reader, its meaning, and its default as people see it."""
    return field(default=default, metadata={"read": read, "meaning": meaning, "shown": shown})


@dataclass(frozen=True)
class Settings:
    """What an operator can choose: each setting is described here and nowhere else."""

    host: str = _setting(
        "127.0.0.1",
        setting_values.text,
        "address to listen on; beyond loopback a token is needed",
    )
    port: int = _setting(
        8000,
        setting_values.number(0, 65535, whole=True),
        "port to listen on",
    )
    workers: int = _setting(
        min(8, 2 * (os.cpu_count() or 1)),
        setting_values.number(1, 256, whole=True),
        "gunicorn workers",
        shown="2 per core, at most 8",
    )
    worker_class: str = _setting(
        "gevent",
        setting_values.one_of(*WORKER_CLASSES),
        "`gevent` or `gthread`",
    )
    threads: int = _setting(
        64,
        setting_values.number(1, 10_000, whole=True),
        "threads of a `gthread` worker; each stream holds one",
    )
    var: Path = _setting(
        Path("var"),
        setting_values.folder,
        "folder of the database and the sessions",
        shown="`./var`",
    )
    token: str | None = _setting(
        None,
        setting_values.token,
        "for `/login` and `Authorization: Bearer …`, at least 16 characters; without one only "
        "loopback is served",
    )
    token_file: str | None = _setting(
        None,
        setting_values.text,
        "a file that holds the token instead; the path may begin with `$CREDENTIALS_DIRECTORY`",
    )
    allowed_hosts: tuple[str, ...] = _setting(
        (),
        setting_values.host_names,
        "host names that the server answers for, beside the loopback ones",
    )
    proxies: int = _setting(
        0,
        setting_values.number(0, 16, whole=True),
        "number of proxies in front of the server whose `X-Forwarded-*` is believed",
    )
    prefix: str = _setting(
        "",
        setting_values.path_prefix,
        "path below which a proxy serves this, such as `/agents`; a counted proxy may say it in "
        "`X-Forwarded-Prefix` instead",
        shown="none",
    )
    x_accel_redirect: str | None = _setting(
        None,
        setting_values.nginx_location,
        "a location of nginx, which then sends raw logs itself",
    )
    max_sessions: int = _setting(
        1000,
        setting_values.number(1, 1_000_000, whole=True),
        "live sessions; more get 503",
    )
    max_sessions_per_workflow: int = _setting(
        200,
        setting_values.number(1, 1_000_000, whole=True),
        "live sessions of one workflow; more get 429",
    )
    max_changes_per_minute: int = _setting(
        6000,
        setting_values.number(1, 10_000_000, whole=True),
        "changes from one address, over all workers: each call of a batch, and each start by "
        "GET; more get 429",
    )
    max_event_bytes: int = _setting(
        64 << 20,
        setting_values.number(1 << 20, 2**30, whole=True),
        "a line of JSON up to this size is one event; of a longer one the beginning is shown",
        shown="64 MiB",
    )
    max_sent_bytes_per_minute: int = _setting(
        64 << 20,
        setting_values.number(8 << 20, 2**40, whole=True),
        "bytes of messages and input from one address, over all workers, at least 8 MiB; more "
        "get 429",
        shown="64 MiB",
    )
    secrets: tuple[str, ...] = _setting(
        (),
        setting_values.texts,
        "names of variables whose values never reach log or row",
    )
    redact_keys: bool = _setting(
        True,
        setting_values.switch,
        "whether text in the shape of a well-known API key is redacted",
    )
    log_format: str = _setting(
        "text",
        setting_values.one_of(*FORMATS),
        "format of the server's own log on stderr: `text`, `json` or `logfmt`",
    )
    access_log: bool = _setting(
        False,
        setting_values.switch,
        "one line for each request; for a stream when it begins",
    )
    debug_headers: bool = _setting(
        False,
        setting_values.switch,
        "whether each response names its worker in `X-Worker-Pid`",
    )
    default_agent: str = _setting(
        "demo",
        setting_values.text,
        "the profile that runs when a client names none",
    )
    grace_seconds: float = _setting(
        10.0,
        setting_values.number(0, 3600, whole=False),
        "between SIGTERM and SIGKILL",
    )
    ping_seconds: float = _setting(
        15.0,
        setting_values.number(0.05, 3600, whole=False),
        "silence before a `ping`",
    )
    send_timeout_seconds: float = _setting(
        30.0,
        setting_values.number(0.1, 3600, whole=False),
        "a viewer that takes nothing for this long is dropped",
    )
    max_streams: int = _setting(
        10_000,
        setting_values.number(1, 1_000_000, whole=True),
        "open streams of one worker; more get 503. A `gthread` worker keeps an eighth of its "
        "threads for other requests",
    )
    search: bool = _setting(
        True,
        setting_values.switch,
        "whether there is a search and its index",
    )
    compress_after_days: float = _setting(
        7.0,
        setting_values.number(0, 36_500, whole=False),
        "age at which the logs of ended sessions are compressed; 0: never",
    )
    delete_after_days: float = _setting(
        0.0,
        setting_values.number(0, 36_500, whole=False),
        "age at which the logs of ended sessions are deleted; 0: never",
    )
    max_kept_bytes: int = _setting(
        0,
        setting_values.number(0, 2**62, whole=True),
        "total size of the logs of ended sessions, beyond which the oldest are deleted; 0: no "
        "limit",
    )
    project_roots: tuple[Path, ...] = _setting(
        (),
        setting_values.folders,
        "folders whose git repositories, at any depth up to four, are offered as projects",
    )
    public_url: str | None = _setting(
        None,
        setting_values.web_address,
        "the address at which people open the pages, for links in what webhooks send, such as "
        "`https://agents.example.org`",
    )
    projects: Mapping[str, Path] = field(default_factory=dict)
    """The folders of `[projects.NAME]`, by name."""
    webhooks: Mapping[str, Webhook] = field(default_factory=dict)
    agents: Mapping[str, Profile] = field(default_factory=lambda: dict(BUILT_IN))
    templates: Mapping[str, tuple[StageTemplate, ...]] = field(
        default_factory=lambda: dict(stage_templates.BUILT_IN)
    )

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can reach the server."""
        return is_loopback(self.host)

    @property
    def max_streams_of_worker(self) -> int:
        """How many streams one worker may have open; a gthread one keeps threads for others."""
        if self.worker_class == "gevent":
            return self.max_streams
        return min(self.max_streams, max(1, self.threads - max(1, self.threads // 8)))


@lru_cache(maxsize=256)
def is_loopback(host: str) -> bool:
    """Whether a host name or address means this machine alone."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


def load_settings(environ: Mapping[str, str] | None = None) -> Settings:
    """Read the settings of this process; SetupError names the first bad one."""
    environ = os.environ if environ is None else environ
    values = _from_file(environ) | _from_environment(environ)
    settings = Settings(**values)

    if settings.default_agent not in settings.agents:
        raise SetupError(
            f"default_agent is {settings.default_agent!r}, which is no agent. Available: "
            f"{', '.join(settings.agents)}."
        )
    if not settings.is_loopback and settings.token is None and settings.token_file is None:
        raise SetupError(
            f"Listening on {settings.host} is refused without a token, since anybody who reaches "
            "it could start agents. Set AGENT_STREAM_TOKEN or AGENT_STREAM_TOKEN_FILE, or listen "
            "on 127.0.0.1."
        )
    return settings


_FIELDS = [item for item in fields(Settings) if "read" in item.metadata]
READERS: dict[str, Reader] = {item.name: item.metadata["read"] for item in _FIELDS}


def _read(key: str, value: object, shown_key: str, where: str) -> Any:
    try:
        return READERS[key](value)
    except ValueError as error:
        shown = "…" if key == "token" else repr(value)
        raise SetupError(f"{where}: {shown_key} is {shown}, expected {error}.") from None


def _from_environment(environ: Mapping[str, str]) -> dict[str, Any]:
    values = {}
    for variable, value in environ.items():
        if not variable.startswith(PREFIX):
            continue
        name = variable.removeprefix(PREFIX)
        key = name.lower()
        if name in _INSIDE_AN_AGENT or name == "CONFIG":
            continue
        if key not in READERS or name != key.upper():
            known = ", ".join(PREFIX + known.upper() for known in READERS)
            raise SetupError(f"Unknown environment variable {variable}; there are: {known}.")
        values[key] = _read(key, value, variable, "environment")
    return values


def settings_of_a_reader() -> Settings:
    """The settings for a command that does not listen and so needs no token. SetupError."""
    return load_settings(os.environ | {f"{PREFIX}HOST": "127.0.0.1"})


# --- the table ------------------------------------------------------------------------


def settings_table() -> str:
    """All settings as a Markdown table: variable, default, meaning."""
    rows = [
        (PREFIX + "CONFIG", "`./agent-stream.toml` if it exists", "the settings file"),
        *((PREFIX + item.name.upper(), _shown(item), item.metadata["meaning"]) for item in _FIELDS),
    ]
    lines = ["| variable | default | meaning |", "|---|---|---|"]
    return "\n".join(
        [*lines, *(f"| `{name}` | {default} | {text} |" for name, default, text in rows)]
    )


def _shown(item: Field[Any]) -> str:
    """A default as people see it."""
    default = item.default
    if item.metadata["shown"] is not None:
        return str(item.metadata["shown"])
    if default is None or default == ():
        return "none"
    if isinstance(default, bool):
        return "on (`0` turns it off)" if default else "off (`1` turns it on)"
    return f"`{default}`" if isinstance(default, str) else f"{default:g}"


# --- the file -------------------------------------------------------------------------


def config_path(environ: Mapping[str, str]) -> Path | None:
    """The settings file of this process, if there is one."""
    named = environ.get(PREFIX + "CONFIG")
    if named is not None:
        return _read_path(named)
    here = Path(CONFIG_NAME)
    return here if here.exists() else None


def _read_path(named: str) -> Path:
    try:
        return setting_values.folder(named)
    except ValueError:
        raise SetupError(f"AGENT_STREAM_CONFIG is {named!r}, expected a file's path.") from None


def _from_file(environ: Mapping[str, str]) -> dict[str, Any]:
    path = config_path(environ)
    if path is None:
        return {}
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SetupError(f"Cannot read the settings file {path}: {error.strerror}.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SetupError(f"The settings file {path} is not valid TOML: {error}.") from None

    values: dict[str, Any] = {}
    agents, templates = content.pop("agents", {}), content.pop("templates", {})
    projects = content.pop("projects", {})
    values["webhooks"] = read_webhooks(content.pop("webhooks", {}), str(path))
    for key, value in content.items():
        if key not in READERS:
            known = ", ".join([*READERS, "agents", "projects", "templates", "webhooks"])
            raise SetupError(f"{path}: unknown key {key!r}; there are: {known}.")
        values[key] = _read(key, value, key, str(path))
    if not isinstance(agents, dict):
        raise SetupError(f"{path}: agents is {agents!r}, expected tables such as [agents.mine].")
    values["agents"] = dict(BUILT_IN) | {
        name: _profile(name, table, str(path)) for name, table in agents.items()
    }
    if not isinstance(projects, dict):
        raise SetupError(
            f"{path}: projects is {projects!r}, expected tables such as [projects.mine]."
        )
    values["projects"] = {
        name: _project(name, table, str(path)) for name, table in projects.items()
    }
    if not isinstance(templates, dict):
        raise SetupError(
            f"{path}: templates is {templates!r}, expected tables such as [templates.mine]."
        )
    values["templates"] = dict(stage_templates.BUILT_IN) | {
        name: stage_templates.read_template(name, table, str(path))
        for name, table in templates.items()
    }
    return values


def _command(value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not value:
        raise ValueError('a list such as ["my-agent", "--message={message}"]')
    if not all(isinstance(item, str) for item in value) or not value[0]:
        raise ValueError("a list of texts, the first one the program")
    if any("\0" in item for item in value):
        raise ValueError("texts without NUL characters")
    return tuple(value)


def _files(value: object) -> dict[str, str]:
    expected = 'a table such as { MY_API_KEY = "/etc/my-agent.key" }'
    if not isinstance(value, dict):
        raise ValueError(expected)
    for name, path in value.items():
        if not (name.isascii() and name.isidentifier()) or name.startswith(PREFIX):
            raise ValueError(f"{expected}; {name!r} is no name for it")
        if not isinstance(path, str) or not path or "\0" in path:
            raise ValueError(f"{expected}; the path of {name} is {path!r}")
    return value


def _rules(value: object) -> tuple[str, ...]:
    rules = setting_values.texts(value)
    for rule in rules:
        if not is_rule(rule):
            raise ValueError(f"rules such as 'Read' and 'Bash(git status)'; one is {rule!r}")
    return rules


_PROFILE_READERS: dict[str, Reader] = {
    "command": _command,
    "message": setting_values.one_of("stdin"),
    "env": setting_values.texts,
    "env_files": _files,
    "run_as": setting_values.text,
    "secrets": setting_values.texts,
    "cwd": setting_values.folder_text,
    "max_seconds": setting_values.number(0.001, 10_000_000, whole=False),
    "max_log_bytes": setting_values.number(1, 2**62, whole=True),
    "dialect": setting_values.one_of(*DIALECTS),
    "messages": setting_values.one_of("pieces"),
    "input": setting_values.switch,
    "leave_background": setting_values.switch,
    "talk": setting_values.one_of(*PROTOCOLS),
    "resume_command": _command,
    "mode": setting_values.text,
    "idle_seconds": setting_values.number(1, 10_000_000, whole=False),
    "turn_seconds": setting_values.number(1, 10_000_000, whole=False),
    "approval_seconds": setting_values.number(1, 10_000_000, whole=False),
    "max_usd_per_day": setting_values.number(0, 1_000_000, whole=False),
    "allow": _rules,
    "deny": _rules,
}


def _project(name: str, table: object, path: str) -> Path:
    """The folder of a project from its table."""
    if not is_name(name):
        raise SetupError(
            f"{path}: a project is named {shortened(name)}, expected 1 to {MAX_NAME_LETTERS} "
            "visible characters."
        )
    if not isinstance(table, dict):
        raise SetupError(f"{path}: projects.{name} is {table!r}, expected a table.")
    for key in table:
        if key != "path":
            raise SetupError(f"{path}: unknown key {key!r} in projects.{name}; there is: path.")
    if "path" not in table:
        raise SetupError(f"{path}: projects.{name} has no path, the folder to work in.")
    try:
        return setting_values.folder(table["path"])
    except ValueError as error:
        raise SetupError(
            f"{path}: projects.{name}.path is {table['path']!r}, expected {error}."
        ) from None


def _profile(name: str, table: object, path: str) -> Profile:
    """A profile from its table; a table with a built-in's name changes only what it names."""
    if not isinstance(table, dict):
        raise SetupError(f"{path}: agents.{name} is {table!r}, expected a table.")
    values: dict[str, Any] = {}
    for key, value in table.items():
        if key not in _PROFILE_READERS:
            raise SetupError(
                f"{path}: unknown key {key!r} in agents.{name}; there are: "
                f"{', '.join(_PROFILE_READERS)}."
            )
        try:
            values[key] = _PROFILE_READERS[key](value)
        except ValueError as error:
            raise SetupError(
                f"{path}: agents.{name}.{key} is {value!r}, expected {error}."
            ) from None
    base = _base(name, values)
    if base is not None:
        values = {item.name: getattr(base, item.name) for item in fields(Profile)} | values
    values["name"] = name
    if "command" not in values:
        raise SetupError(f"{path}: agents.{name} has no command, the program to run.")
    if values.get("dialect") is not None and values.get("messages") is not None:
        raise SetupError(
            f"{path}: agents.{name} has both dialect and messages, expected one of them: a "
            "dialect knows what a message is."
        )
    if values.get("talk") is not None and (values.get("message") or values.get("input")):
        raise SetupError(
            f"{path}: agents.{name} has talk and also message or input, expected talk alone: its "
            "protocol brings every message."
        )
    return Profile(**values)


def _base(name: str, values: Mapping[str, Any]) -> Profile | None:
    """The built-in profile that a table changes. Where it brings a command of its own for an agent
    that holds a conversation, that is one of an agent of one message unless it says `talk`."""
    base = BUILT_IN.get(name)
    if base is None or base.talk is None or "command" not in values or "talk" in values:
        return base
    once = BUILT_IN.get(f"{name}-once")
    return base if once is None else replace(once, resume_command=None)
