"""Every setting: from the environment first, then from `agent-stream.toml`.

An unknown key or a bad value raises SetupError, which names the key and where it stands.
"""

import ipaddress
import os
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from webapp.agents.profiles import BUILT_IN, Profile
from webapp.errors import SetupError
from webapp.log.dialects import DIALECTS
from webapp.server_log.formats import FORMATS
from webapp.store import templates as stage_templates
from webapp.store.templates import StageTemplate

CONFIG_NAME = "agent-stream.toml"
PREFIX = "AGENT_STREAM_"
MIN_TOKEN_CHARACTERS = 16
WORKER_CLASSES = ("gevent", "gthread")

_INSIDE_AN_AGENT = {"SESSION_ID", "WORKFLOW_ID", "STAGE_INDEX"}
"""Set by us for an agent, and so also there when an agent starts us."""


@dataclass(frozen=True)
class Settings:
    """What an operator can choose."""

    host: str = "127.0.0.1"
    port: int = 8000
    workers: int = min(8, 2 * (os.cpu_count() or 1))
    worker_class: str = "gevent"
    threads: int = 64
    var: Path = Path("var")
    token: str | None = None
    allowed_hosts: tuple[str, ...] = ()
    proxies: int = 0
    x_accel_redirect: str | None = None
    max_sessions: int = 1000
    max_sessions_per_workflow: int = 200
    max_changes_per_minute: int = 6000
    max_sent_bytes_per_minute: int = 64 << 20
    secrets: tuple[str, ...] = ()
    redact_keys: bool = True
    log_format: str = "text"
    access_log: bool = False
    debug_headers: bool = False
    default_agent: str = "demo"
    grace_seconds: float = 10.0
    ping_seconds: float = 15.0
    send_timeout_seconds: float = 30.0
    max_streams: int = 10_000
    search: bool = True
    compress_after_days: float = 7.0
    delete_after_days: float = 0.0
    max_kept_bytes: int = 0
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
            f"default_agent is {settings.default_agent!r}, which is no agent; there are: "
            f"{', '.join(settings.agents)}."
        )
    if not settings.is_loopback and settings.token is None:
        raise SetupError(
            f"Listening on {settings.host} is refused without a token, since whoever reaches it "
            "could start agents. Set AGENT_STREAM_TOKEN, or listen on 127.0.0.1."
        )
    return settings


# --- values ---------------------------------------------------------------------------


def _text(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError("a text that is not empty")
    if "\0" in value:
        raise ValueError("a text without NUL characters")
    return value


def _token(value: object) -> str:
    text = _text(value)
    if len(text) < MIN_TOKEN_CHARACTERS:
        raise ValueError(
            f"at least {MIN_TOKEN_CHARACTERS} characters, such as `openssl rand -hex 32` prints"
        )
    return text


def _number(least: float, most: float, *, whole: bool) -> Callable[[object], Any]:
    expected = f"a {'whole ' if whole else ''}number from {least:g} to {most:g}"

    def read(value: object) -> int | float:
        if isinstance(value, str):
            try:
                value = int(value) if whole else float(value)
            except ValueError:
                raise ValueError(expected) from None
        if isinstance(value, bool) or not isinstance(value, int if whole else int | float):
            raise ValueError(expected)
        if not least <= value <= most:
            raise ValueError(expected)
        return value

    return read


def _switch(value: object) -> bool:
    if isinstance(value, bool):
        return value
    if value in ("0", "1"):
        return value == "1"
    raise ValueError("true or false (1 or 0 in the environment)")


def _texts(value: object) -> tuple[str, ...]:
    if isinstance(value, str):
        value = [item.strip() for item in value.split(",") if item.strip()]
    if not isinstance(value, list) or not all(isinstance(item, str) and item for item in value):
        raise ValueError("a list of texts (separated by commas in the environment)")
    return tuple(value)


def _host_names(value: object) -> tuple[str, ...]:
    return tuple(name.lower() for name in _texts(value))


def _location(value: object) -> str:
    if not isinstance(value, str) or not re.fullmatch(r"(/[A-Za-z0-9._-]+)+", value):
        raise ValueError("the path of a location of nginx, such as /agent-stream-logs")
    return value


def _one_of(*choices: str) -> Callable[[object], str]:
    def read(value: object) -> str:
        if value not in choices:
            raise ValueError(" or ".join(choices))
        return str(value)

    return read


def _folder(value: object) -> Path:
    try:
        return Path(_text(value)).expanduser()
    except RuntimeError:
        raise ValueError("a folder; there is no such user") from None


_READERS: dict[str, Callable[[object], Any]] = {
    "host": _text,
    "port": _number(0, 65535, whole=True),
    "workers": _number(1, 256, whole=True),
    "worker_class": _one_of(*WORKER_CLASSES),
    "threads": _number(1, 10_000, whole=True),
    "var": _folder,
    "token": _token,
    "allowed_hosts": _host_names,
    "proxies": _number(0, 16, whole=True),
    "x_accel_redirect": _location,
    "max_sessions": _number(1, 1_000_000, whole=True),
    "max_sessions_per_workflow": _number(1, 1_000_000, whole=True),
    "max_changes_per_minute": _number(1, 10_000_000, whole=True),
    "max_sent_bytes_per_minute": _number(8 << 20, 2**40, whole=True),
    "secrets": _texts,
    "redact_keys": _switch,
    "log_format": _one_of(*FORMATS),
    "access_log": _switch,
    "debug_headers": _switch,
    "default_agent": _text,
    "grace_seconds": _number(0, 3600, whole=False),
    "ping_seconds": _number(0.05, 3600, whole=False),
    "send_timeout_seconds": _number(0.1, 3600, whole=False),
    "max_streams": _number(1, 1_000_000, whole=True),
    "search": _switch,
    "compress_after_days": _number(0, 36_500, whole=False),
    "delete_after_days": _number(0, 36_500, whole=False),
    "max_kept_bytes": _number(0, 2**62, whole=True),
}
assert set(_READERS) == {item.name for item in fields(Settings)} - {"agents", "templates"}


def _read(key: str, value: object, shown_key: str, where: str) -> Any:
    try:
        return _READERS[key](value)
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
        if key not in _READERS or name != key.upper():
            known = ", ".join(PREFIX + known.upper() for known in _READERS)
            raise SetupError(f"Unknown environment variable {variable}; there are: {known}.")
        values[key] = _read(key, value, variable, "environment")
    return values


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
        return _folder(named)
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

    values = {}
    agents, templates = content.pop("agents", {}), content.pop("templates", {})
    for key, value in content.items():
        if key not in _READERS:
            known = ", ".join([*_READERS, "agents", "templates"])
            raise SetupError(f"{path}: unknown key {key!r}; there are: {known}.")
        values[key] = _read(key, value, key, str(path))
    if not isinstance(agents, dict):
        raise SetupError(f"{path}: agents is {agents!r}, expected tables such as [agents.mine].")
    values["agents"] = dict(BUILT_IN) | {
        name: _profile(name, table, str(path)) for name, table in agents.items()
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


_PROFILE_READERS: dict[str, Callable[[object], Any]] = {
    "command": _command,
    "message": _one_of("stdin"),
    "env": _texts,
    "secrets": _texts,
    "cwd": _text,
    "max_seconds": _number(0.001, 10_000_000, whole=False),
    "max_log_bytes": _number(1, 2**62, whole=True),
    "dialect": _one_of(*DIALECTS),
    "input": _switch,
}


def _profile(name: str, table: object, path: str) -> Profile:
    """A profile from its table; a table with a built-in's name changes only what it names."""
    if not isinstance(table, dict):
        raise SetupError(f"{path}: agents.{name} is {table!r}, expected a table.")
    values = {}
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
    if name in BUILT_IN:
        values = {
            item.name: getattr(BUILT_IN[name], item.name) for item in fields(Profile)
        } | values
    if "command" not in values:
        raise SetupError(f"{path}: agents.{name} has no command, the program to run.")
    return Profile(**({"name": name} | values))
