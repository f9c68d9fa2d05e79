"""The settings, and whether the agents that they name can be started."""

import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

from webapp.agents.profiles import BUILT_IN, Profile
from webapp.commands.checks.finding import Finding
from webapp.errors import SetupError
from webapp.server_settings import check_folders, load_server_settings
from webapp.settings import Settings, config_path, settings_of_a_reader


def check_settings(environ: Mapping[str, str]) -> tuple[Settings, Finding]:
    """The settings to check the rest with, and what is wrong with them, if anything."""
    try:
        settings = load_server_settings(environ)
        check_folders(settings)
    except SetupError as error:
        finding = Finding("settings", "bad", str(error), "`agent-stream serve` refuses them")
        return _settings_in_spite(), finding
    path = config_path(environ)
    where = "no settings file" if path is None else str(path.resolve())
    agents = ", ".join(settings.agents)
    message = f"{where}; agents: {agents}; default: {settings.default_agent}"
    return settings, Finding("settings", "ok", message)


def _settings_in_spite() -> Settings:
    """What can be had of settings that are not fit to serve."""
    try:
        return settings_of_a_reader()
    except SetupError:
        return Settings()


def check_agents(settings: Settings) -> Iterator[Finding]:
    """Whether each profile's command and folder are there, as seen from this shell."""
    for name, profile in settings.agents.items():
        check = f"agent {name}"
        problem = _problem(profile)
        if problem is None:
            yield Finding(check, "ok", profile.command[0])
        elif name == settings.default_agent:
            advice = "install it, or choose another default_agent"
            yield Finding(check, "bad", f"{problem}; it is the default", advice)
        elif profile == BUILT_IN.get(name):
            yield Finding(check, "hint", problem, "install it if you mean to use it")
        else:
            advice = f"install it, or change agents.{name} in the settings file"
            yield Finding(check, "warn", problem, advice)


def _problem(profile: Profile) -> str | None:
    folder = Path.cwd() if profile.cwd is None else Path(profile.cwd)
    if not folder.is_dir():
        return f"its cwd is not there: {folder}"
    command = profile.command[0]
    if "/" not in command:
        return None if shutil.which(command) else f"command not found: {command}"
    path = folder / command
    if not os.path.exists(path):
        return f"command not found: {path}"
    return None if os.access(path, os.X_OK) else f"command cannot be executed: {path}"
