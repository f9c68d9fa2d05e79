"""`serve` and `migrate`: from nothing to a server that answers."""

import errno
import os
import resource
import socket
import sys
from pathlib import Path
from typing import NoReturn

import click

from webapp import prctl
from webapp.commands.options import setting_option, var_options
from webapp.errors import SetupError
from webapp.server_settings import check_folders, load_server_settings
from webapp.settings import PREFIX, WORKER_CLASSES, Settings, settings_of_a_reader
from webapp.store.engine import FILE_NAME, REVISION
from webapp.store.migrate import migrate


@click.command(
    epilog="""\b
Examples:
  agent-stream serve
  agent-stream serve --port 9000 --var /srv/agent-stream
  AGENT_STREAM_TOKEN=… agent-stream serve --host 0.0.0.0"""
)
@setting_option("--host", metavar="ADDRESS", help="Where to listen [127.0.0.1].")
@setting_option("--port", type=click.IntRange(0, 65535), help="[8000]; 0: any free one.")
@setting_option("--workers", type=click.IntRange(1, 256), help="Processes [2 x cores up to 8].")
@setting_option("--worker-class", type=click.Choice(WORKER_CLASSES), help="[gevent]")
@var_options
def serve() -> None:
    """Start the web server, and migrate the database before.

    Each option is a setting, and wins over AGENT_STREAM_* in the environment and over the
    settings file. Ctrl-C ends the server; the agents go on and are there at the next start.
    """
    prctl.hide_process()
    settings = load_server_settings()
    check_folders(settings)
    address, port = probe_address(settings)
    migrate(settings.var)
    raise_open_file_limit()

    os.environ[f"{PREFIX}PORT"] = str(port)
    click.echo(_announcement(settings, address))
    _become_gunicorn()


@click.command(
    name="migrate",
    epilog="""\b
Examples:
  agent-stream migrate
  agent-stream migrate --var /srv/agent-stream""",
)
@var_options
def migrate_command() -> None:
    """Create the database, or bring it to this version's revision.

    `serve` does the same; for those who start gunicorn themselves.
    """
    var = settings_of_a_reader().var
    path = var.resolve() / FILE_NAME
    existed = os.path.exists(path)  # False where it may not be looked at
    if not migrate(var):
        click.echo(f"up to date: {path} is at revision {REVISION}")
    else:
        click.echo(f"{'upgraded' if existed else 'created'} {path} at revision {REVISION}")


def probe_address(settings: Settings) -> tuple[str, int]:
    """The address to open in a browser, and the port, found free a moment ago. SetupError."""
    host, port = settings.host.strip("[]"), settings.port
    where = f"port {port} on {host}"
    try:
        family, kind, _protocol, _name, target = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM
        )[0]
        with socket.socket(family, kind) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(target)
            port = probe.getsockname()[1]
    except socket.gaierror as error:
        raise SetupError(
            f"cannot listen on {host}: {error.strerror}: choose another address with --host or "
            "AGENT_STREAM_HOST"
        ) from None
    except OSError as error:
        reason = (
            "is in use" if error.errno == errno.EADDRINUSE else f"cannot be used: {_why(error)}"
        )
        is_about_host = error.errno == errno.EADDRNOTAVAIL
        option, variable = ("--host", "HOST") if is_about_host else ("--port", "PORT")
        raise SetupError(
            f"{where} {reason}: choose another with {option} or {PREFIX}{variable}"
        ) from None
    return _url(host, port), port


def _why(error: OSError) -> str:
    return (error.strerror or str(error)).lower()


def _url(host: str, port: int) -> str:
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104
    return f"http://{f'[{host}]' if ':' in host else host}:{port}/"


def raise_open_file_limit() -> None:
    """Each viewer is an open file: use all of them that the machine allows."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        except (OSError, ValueError):
            return


def _announcement(settings: Settings, address: str) -> str:
    workers = f"{settings.workers} x {settings.worker_class}"
    return f"""
  agent-stream  {address}

  workers       {workers}
  var           {settings.var.resolve()}

  Ctrl-C ends the web server. The agents go on.
"""


def _become_gunicorn() -> NoReturn:
    """Go on as gunicorn in this same process, so that pid and signals stay.

    The folder of this very package comes first on its path. gunicorn would put the current
    folder there, unless it is on the path already: a `webapp` that lies in it is not ours.
    """
    from gunicorn.util import getcwd

    source = Path(__file__).resolve().parent.parent.parent
    given = os.environ.get("PYTHONPATH")
    path = [str(source), *([given] if given else []), getcwd()]
    os.environ["PYTHONPATH"] = os.pathsep.join(path)

    sys.stdout.flush()
    sys.stderr.flush()
    command = ["-P", "-m", "gunicorn", "-c", "python:webapp.gunicorn_conf"]
    os.execv(sys.executable, [sys.executable, *command, "webapp.app:create_app()"])
