"""`deploy`: the files that put this installation into service."""

import getpass
import grp
import os
import re
import sys
from pathlib import Path

import click

import webapp.deploy
from webapp.commands.options import var_options
from webapp.errors import SetupError
from webapp.setting_values import path_prefix
from webapp.settings import Settings, settings_of_a_reader
from webapp.store.engine import FILE_NAME

FILES = {
    "systemd": "agent-stream.service",
    "nginx": "nginx.conf",
    "docker": "Dockerfile",
    "litestream": "litestream.yml",
}
_PLACE = re.compile(r"\{([a-z_]+)\}")
_PLAIN = re.compile(r"[^\s\"'\\{};#%]+")


@click.command(
    epilog="""\b
Examples:
  agent-stream deploy systemd | sudo tee /etc/systemd/system/agent-stream.service
  agent-stream deploy nginx --server-name agents.example.org
  agent-stream deploy nginx --server-name example.org --prefix /agents
  agent-stream deploy docker > Dockerfile
  agent-stream deploy litestream --var /srv/agent-stream"""
)
@click.argument("what", type=click.Choice(list(FILES)), metavar="|".join(FILES))
@click.option("--server-name", default="agents.example.org", help="For nginx.")
@click.option("--prefix", default="", metavar="PATH", help="For nginx: serve it below, as /agents.")
@var_options
def deploy(what: str, server_name: str, prefix: str) -> None:
    """Print a file that puts this installation into service, its paths filled in.

    Its first lines say where it belongs.
    """
    values = _values(settings_of_a_reader(), server_name, _checked(prefix))
    text = (Path(webapp.deploy.__path__[0]) / FILES[what]).read_text(encoding="utf-8")
    click.echo(_PLACE.sub(lambda found: _value(values, found[1]), text), nl=False)


def _checked(prefix: str) -> str:
    try:
        return path_prefix(prefix)
    except ValueError as error:
        raise SetupError(f"--prefix is {prefix!r}, expected {error}.") from None


def _values(settings: Settings, server_name: str, prefix: str) -> dict[str, str]:
    var = settings.var.resolve()
    certificates = f"/etc/letsencrypt/live/{server_name}"
    return {
        "user": getpass.getuser(),
        "group": grp.getgrgid(os.getgid()).gr_name,
        "folder": os.getcwd(),
        "var": str(var),
        "database": str(var / FILE_NAME),
        "replica": f"/var/backups/agent-stream/{FILE_NAME}",
        "host": settings.host,
        "port": str(settings.port),
        "command": str(Path(sys.executable).with_name("agent-stream")),
        "server_name": server_name,
        "prefix": prefix,
        "certificate": f"{certificates}/fullchain.pem",
        "certificate_key": f"{certificates}/privkey.pem",
    }


def _value(values: dict[str, str], name: str) -> str:
    """One of them; SetupError where it would mean something else in the file."""
    if name != "prefix" and not _PLAIN.fullmatch(values[name]):
        raise SetupError(
            f"The {name} is {values[name]!r}; these files cannot name it, as it holds white space "
            "or one of \"'\\{};#%."
        )
    return values[name]
