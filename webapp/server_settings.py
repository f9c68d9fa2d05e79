"""The settings as the server needs them: with the secrets of their files, and fit to serve."""

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from webapp import secret_files, setting_values
from webapp.agents.run_as import agent_user
from webapp.errors import SetupError
from webapp.secret_files import read_target
from webapp.settings import Settings, load_settings


def load_server_settings(environ: Mapping[str, str] | None = None) -> Settings:
    """Read them; SetupError names the first bad one."""
    environ = os.environ if environ is None else environ
    settings = _with_secrets(load_settings(environ), environ)
    for profile in settings.agents.values():
        agent_user(profile)
    return settings


def check_folders(settings: Settings) -> None:
    """Whether the folders that agents work in are there. SetupError names the first that is not.

    Only for a server that starts: one may be deleted while the server runs.
    """
    for key, folder in _folders(settings):
        if not os.path.isdir(folder):
            raise SetupError(f"{key} is {str(folder)!r}, expected a folder that exists.")


def _folders(settings: Settings) -> Iterator[tuple[str, str | Path]]:
    """Those that must be there, and where the settings name them."""
    for name, profile in settings.agents.items():
        if profile.cwd is not None:
            yield f"agents.{name}.cwd", profile.cwd
    for name, path in settings.projects.items():
        yield f"projects.{name}.path", path
    for root in settings.project_roots:
        yield "project_roots", root


def with_readable_secrets(
    settings: Settings, environ: Mapping[str, str], warn: Callable[[str], None]
) -> Settings:
    """For who writes to `var` beside the server: the secrets of all files that it may read.

    `warn` gets what is wrong with the others.
    """

    def read(prefix: str, files: Mapping[str, str]) -> Iterator[tuple[str, str]]:
        for name, path in files.items():
            try:
                yield name, secret_files.read_secret(f"{prefix}{name}", path, environ)
            except SetupError as error:
                warn(f"{error.message} What is in it is not redacted.")

    token = settings.token
    if settings.token_file is not None:
        token = dict(read("", {"token_file": settings.token_file})).get("token_file", token)
    agents = {
        name: replace(profile, file_env=dict(read(f"agents.{name}.env_files.", profile.env_files)))
        for name, profile in settings.agents.items()
    }
    webhooks = {}
    for name, webhook in settings.webhooks.items():
        webhooks[name] = webhook
        try:
            webhooks[name] = replace(webhook, secrets=read_target(webhook, environ).secrets)
        except SetupError as error:
            warn(f"{error.message} What is in it is not redacted.")
    return replace(settings, token=token, agents=agents, webhooks=webhooks)


def files_open_to_others(settings: Settings, environ: Mapping[str, str]) -> list[str]:
    """The files with secrets that every user of this machine may read."""
    paths = [settings.token_file] if settings.token_file is not None else []
    for profile in settings.agents.values():
        paths += profile.env_files.values()
    for webhook in settings.webhooks.values():
        paths += webhook.files
    return [path for path in paths if secret_files.is_readable_by_others(path, environ)]


def _with_secrets(settings: Settings, environ: Mapping[str, str]) -> Settings:
    token = settings.token
    if settings.token_file is not None:
        if token is not None:
            raise SetupError("token and token_file are both set; expected one of them.")
        text = secret_files.read_secret("token_file", settings.token_file, environ)
        try:
            token = setting_values.token(text)
        except ValueError as error:
            raise SetupError(
                f"The token in {settings.token_file} is not valid; expected {error}."
            ) from None
    agents = {
        name: secret_files.profile_with_secrets(profile, environ)
        for name, profile in settings.agents.items()
    }
    webhooks = {
        name: replace(webhook, secrets=read_target(webhook, environ).secrets)
        for name, webhook in settings.webhooks.items()
    }
    return replace(settings, token=token, agents=agents, webhooks=webhooks)
